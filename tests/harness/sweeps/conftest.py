"""A bench whose suite has grids, and stored runs with a known error at every severity."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.store import RunRecord, RunSpec, Score
from liftbench.suites.suite import read_suite

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"], "seeds": 2}
GRID = {"noise_ratio": {"ratio": [0, 0.1, 0.2]}, "missing": {"share": [0, 0.4]}}
CURVE = {"frames": {"share": [1, 0.5, 0.25]}}
METHODS = ["tallying", "filling"]


def linear_error(spec: RunSpec) -> float:
    """Return an error that is linear in each severity: 0.1 + ratio + 0.5 share + 0.01 seed."""

    def severity(corruption: str, name: str, clean: float) -> float:
        params = spec.corruption.get(corruption, {}).get("params", {})
        return float(params.get(name, clean))

    noise, hidden = severity("noise_ratio", "ratio", 0), severity("missing", "share", 0)
    left_out = 1 - severity("frames", "share", 1)
    return 0.1 + noise + 0.5 * hidden + left_out + 0.01 * spec.seed


class Swept:
    """A bench whose suite has grids, with the runs that a test stores."""

    def __init__(self, bench: TinyBench, registry: Registry) -> None:
        self.bench = bench
        self.registry = registry
        self.methods = METHODS

    def suite(self, *grids: dict[str, Any], **changes: Any) -> Path:
        given = {
            "data": [DATA],
            "methods": {"tallying": {"params": {"file": "x"}}, "filling": {}},
            "sweep": list(grids),
        }
        return self.bench.suite(**{**given, **changes})

    def store(
        self,
        suite: Path,
        ends: Callable[[RunSpec], str | float] = linear_error,
        **fields: Any,
    ) -> None:
        """Store all runs of a suite with the error, or the status, that `ends` gives."""
        selection = Selection(methods=self.methods)
        plan = make_plan(read_suite(suite), self.registry, self.bench.root, selection)
        for spec in (run for cell in plan.cells for run in cell.runs):
            end = ends(spec)
            if isinstance(end, str):
                record = RunRecord(spec, end, error="cannot do it\ntrace")  # type: ignore[arg-type]
            else:
                scores = {"e3d@1": {"train": Score(end, {}, 8)}}
                record = RunRecord(spec, "ok", scores, **fields)
            self.bench.store().write(record)

    def show(self, suite: Path, *words: str) -> str:
        result = self.bench.call("sweep", suite, *words, "--methods", ",".join(self.methods))
        assert result.exit_code == 0, result.output
        return result.stdout

    def file(self, name: str) -> Path:
        return self.bench.store().folder / "sweep" / name

    def csv(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.file(name).read_text(encoding="utf-8"))))


@pytest.fixture
def swept(bench: TinyBench, registry: Registry, unrendered_figures: None) -> Swept:
    return Swept(bench, registry)

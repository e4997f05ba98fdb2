"""Cells, stored runs and printed numbers, gathered into a leaderboard."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.store import RunRecord, RunSpec, Score, Store
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.tables import (
    Leaderboard,
    leaderboard_page,
    make_leaderboard,
    to_csv,
    to_markdown,
    verdicts_to_csv,
)


class Board:
    """Gathers cells, their stored runs and printed numbers into a leaderboard."""

    def __init__(self, folder: Path, registry: Registry, name: str = "small") -> None:
        self.store = Store(folder / name)
        self.registry = registry
        self.cells: list[Cell] = []
        self.published: list[PublishedNumber] = []
        self.suite: dict[str, Any] = {
            "name": name,
            "title": "Small table",
            "protocol": "e3d",
            "data": [
                {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
            ],
            "methods": {"ours": {}},
            "published": [{"paper": "paper", "table": "T1"}],
        }

    def add(
        self,
        method: str,
        *values: float | str | None,
        subset: str = "one",
        setting: str = "",
        splits: tuple[str, ...] = ("train",),
        score: dict[str, Any] | None = None,
        **fields: Any,
    ) -> tuple[RunSpec, ...]:
        """Add a cell whose runs have these values; a text is a status, None means not run."""
        dataset = {"key": "tiny", "version": 3, "params": {"hide_one": bool(setting)}}
        specs = tuple(
            RunSpec(
                {**dataset, "subset": subset, "checksum": f"{subset:a<64}"},
                "train",
                splits,
                {"key": method},
                seed,
                {"missing": {"params": setting}} if setting else {},
            )
            for seed in range(len(values))
        )
        for spec, value in zip(specs, values, strict=True):
            if isinstance(value, str):
                self.store.write(RunRecord(spec, value, error="first line\nof the trace"))  # type: ignore[arg-type]
            elif value is not None:
                whole = {"groups": {}, "frames": 8, **(score or {})}
                scores = {"e3d@1": {split: Score(value=value, **whole) for split in splits}}
                self.store.write(RunRecord(spec, "ok", scores, **fields))
        self.cells.append(Cell(method, "tiny", subset, setting, "train", splits, specs, len(specs)))
        return specs

    def add_absent(self, method: str, subset: str = "one", reason: str = "no file x") -> None:
        cell = Cell(method, "tiny", subset, "", "train", ("train",), (), 1, reason)
        self.cells.append(cell)

    def add_printed(self, text: str, **other: Any) -> None:
        """Add a number that table T1 prints like this for method `ours`."""
        fields = {
            **{"paper": "paper", "table": "T1", "dataset": "tiny", "subset": "one", "std": None},
            **{"split": "train", "setting": "", "method": "ours", "metric": "e3d", "note": ""},
            **{"unit": "ratio", "decimals": len(text.partition(".")[2])},
        }
        self.published.append(PublishedNumber(**{**fields, **other}, value=float(text)))

    def make(self) -> Leaderboard:
        plan = Plan(Suite(**self.suite), tuple(self.cells), ("tiny one: a note",))
        return make_leaderboard(plan, self.store, self.registry, self.published)

    def csv(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(to_csv(self.make()))))

    def verdicts(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(verdicts_to_csv(self.make()))))

    def markdown(self) -> str:
        return to_markdown(leaderboard_page(self.make()))


@pytest.fixture
def board(tmp_path: Path, registry: Registry) -> Board:
    return Board(tmp_path, registry)

"""Print how large the report of a suite of 200 runs is, and how long it takes to write.

The runs are not real: each prediction is the truth of the generated bodies with noise added.
python benchmarks/report_size.py
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import yaml
from click.testing import CliRunner

from liftbench.cli import main as liftbench
from liftbench.cli.options import open_bench
from liftbench.plugin.registry import load_registry
from liftbench.runs.exchange import digest
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.scoring import score_record
from liftbench.runs.store import RunRecord, RunResult, Store
from liftbench.suites.suite import Suite, read_suite
from liftbench.types import Dataset, Reconstruction
from stopwatch import wall_and_cpu_seconds

METHODS, SHARES, SEEDS = 10, (0.0, 0.15, 0.3, 0.6), 5
CURVE = 200


def main() -> None:
    """Store the runs, then time a first report, and a second that finds its frames cached."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LIFTBENCH_CACHE"] = f"{folder}/cache"
        suite = _suite(folder)
        print(f"{_make_runs(suite, folder)} runs")
        for case in ("first", "again"):
            wall, cpu = wall_and_cpu_seconds(lambda: _report(folder))
            print(f"report, {case}: {wall:6.2f} s, {cpu:6.2f} s of CPU")
        page = folder / "results" / "many" / "report.html"
        figures = list((page.parent / "figures").iterdir())
        megabytes = sum(file.stat().st_size for file in figures) / 1e6
        print(f"page {page.stat().st_size / 1e6:.2f} MB; {len(figures)} figures {megabytes:.1f} MB")


def _suite(folder: Path) -> Suite:
    data = {"dataset": "synthetic_body", "subsets": ["all"], "fit": "train", "seeds": SEEDS}
    columns = [
        {
            **data,
            "evaluate": ["train", "unseen"],
            "corruption": {"missing": {"share": share}},
            "setting": f"{share:.0%} hidden",
        }
        for share in SHARES
    ]
    content = {
        "title": "Many runs",
        "protocol": "e3d",
        "data": columns,
        "methods": {
            f"method_{i}": {"plugin": "deep_nrsfm_pp", "params": {"steps": 1000 + i}}
            for i in range(METHODS)
        },
    }
    path = folder / "many.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_suite(path)


def _make_runs(suite: Suite, folder: Path) -> int:
    """Store a record of each run of the suite; return their number."""
    registry = load_registry()
    bench = open_bench(registry, folder, Execution(), suite.limits)
    store = Store(folder / "results" / suite.name)
    plan = make_plan(suite, registry, folder, Selection(methods=tuple(suite.methods)))
    specs = [spec for cell in plan.cells for spec in cell.runs]
    data = {split: bench.load(specs[0], split) for split in specs[0].evaluate}
    for place, spec in enumerate(specs):
        rng = np.random.default_rng(place)
        predictions = {split: _prediction(part, rng) for split, part in data.items()}
        digests = {split: digest(prediction) for split, prediction in predictions.items()}
        record = RunRecord(
            spec, "ok", fit_seconds=1.0, predict_seconds=1.0, curve=_curve(rng), digests=digests
        )
        protocol = registry.protocols[suite.protocol]
        scored = score_record(record, predictions, data.__getitem__, registry, protocol)
        store.write_result(RunResult(scored, predictions))
    return len(specs)


def _prediction(data: Dataset, rng: np.random.Generator) -> Reconstruction:
    assert data.truth is not None
    true = data.truth.points_3d
    noise = rng.standard_normal(true.shape) * rng.lognormal(-3, 0.5, (len(true), 1, 1))
    return Reconstruction(true + noise)


def _curve(rng: np.random.Generator) -> tuple[tuple[int, int, float], ...]:
    losses = np.exp(-np.linspace(0, 3, CURVE)) * rng.uniform(0.8, 1.2, CURVE)
    return tuple((10 * i, 10 * CURVE, float(loss)) for i, loss in enumerate(losses))


def _report(folder: Path) -> None:
    words = ["report", str(folder / "many.yaml"), f"--data-root={folder}"]
    result = CliRunner().invoke(
        liftbench, [*words, f"--results={folder / 'results'}"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output


if __name__ == "__main__":
    main()

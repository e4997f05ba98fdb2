"""Every benchmark runs to its end, on tiny input."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat
from tests.datasets.cmu.test_adapter import write_subject
from tests.datasets.cub.conftest import SPLITS, write_all_sfm, write_cleaned, write_release

from liftbench import RunContext
from liftbench_datasets.h36m.synthetic.adapter import SyntheticH36m
from liftbench_plugins.classical import CLASSICAL
from liftbench_plugins.learned.deep_nrsfm_kd import DeepNrsfmKdParams
from liftbench_plugins.learned.deep_nrsfm_kd.lifter import DeepNrsfmKd

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = [f.stem for f in sorted(FOLDER.glob("*.py")) if "__main__" in f.read_text("utf-8")]


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time two rounds of one step each."""
    monkeypatch.setattr("step_times._ROUNDS", 2)
    monkeypatch.setattr("step_times._STEPS", 1)


def run_classical(script: ModuleType, root: Path) -> None:
    (root / "nrsfm_classic").mkdir()
    points = np.random.default_rng(3).uniform(-1, 1, (12, 3, 6))
    content = {"W": points[:, :2].reshape(-1, 6), "S": points.reshape(-1, 6)}
    savemat(root / "nrsfm_classic" / "drink.mat", content)
    chosen = [spec for spec in CLASSICAL if spec.key in ("rigid", "xiao_kanade")]
    vars(script).update(CLASSICAL=chosen)
    script.main(root)


def run_held_out_points(script: ModuleType, root: Path) -> None:
    write_cub(root)
    quick = {"basis": 1, "start_steps": 1, "steps": 1}
    vars(script).update(FEWEST=4, ROWS={"ttp_points": quick})
    script.main(root, [0])


def run_kd_loss(script: ModuleType, root: Path) -> None:
    vars(script).update(POINTS=5, ATOMS=8, BATCH=4, FRAMES=12, WIDTH=0.05, SIZES=(32,))
    script.main()


def run_pose_layer(script: ModuleType, root: Path) -> None:
    vars(script).update(POINTS=20, SHAPES=2, BATCH=2, ITERATIONS=1)
    script.main()


def run_picture_batches(script: ModuleType, root: Path) -> None:
    vars(script).update(POINTS=5, BATCH=4, WIDTH=0.05, SIZES=(32,), EDGE=32, COUNTS=(5, 12))
    script.main()


def run_reading_and_scoring(script: ModuleType, root: Path) -> None:
    write_subject(root / "cmu", "01")
    vars(script).update(FRAMES=5, POINTS=4)
    script.main(root)


def write_cub(root: Path) -> None:
    write_release(root / "cub_200_2011")
    write_all_sfm(root / "cub_cmr", "sfm")
    for split, images in SPLITS.items():
        write_cleaned(root / "cub_cmr" / "data" / f"{split}_cub_cleaned.mat", images)


def run_reading_cub(script: ModuleType, root: Path) -> None:
    write_cub(root)
    script.main(root)


def run_reading_h36m(script: ModuleType, root: Path) -> None:
    vars(script).update(FRAMES=210)
    script.main()


def run_report_size(script: ModuleType, root: Path) -> None:
    vars(script).update(METHODS=1, SHARES=(0.0,), SEEDS=1)
    script.main()


def run_rigidity(script: ModuleType, root: Path) -> None:
    vars(script).update(FIRST=4, SECOND=8)
    script.main()


def run_silhouettes(script: ModuleType, root: Path) -> None:
    vars(script).update(SIZE=16, BATCH=2, FINER=2)
    script.main()


def run_step(script: ModuleType, root: Path) -> None:
    vars(script).update(POINTS=8, BATCH=4)
    script.main()


def run_teacher_preference(script: ModuleType, root: Path) -> None:
    """Compare a teacher of two steps, whose folder is as `KeptFits` leaves it."""
    frames = 420
    params: dict[str, Any] = {"sizes": (32, 8), "starts": 1, "start_steps": 1, "steps": 1}
    adapter = SyntheticH36m(frames=frames, camera="orthographic")
    method = DeepNrsfmKd(DeepNrsfmKdParams(**params))
    context = RunContext(0, "cpu", 1, 1e6, root, lambda *_: None)
    method.fit(adapter.load(root, "all", "train").observations, context)
    torch.save(method.state(), root / "state.pt")
    (root / "fit.json").write_text(
        json.dumps({"method": {"key": "deep_nrsfm_kd", "params": params}}), "utf-8"
    )
    vars(script).update(FRAMES=frames, LEAST_FRAMES=4, WEIGHTS=(0.3,), DESCENT=2)
    script.main([root])


RUNS: dict[str, tuple[Callable[[ModuleType, Path], None], str]] = {
    "c3dpo_step": (run_step, "ours / plain port"),
    "classical": (run_classical, "rigid"),
    "held_out_points": (run_held_out_points, "ttp_points"),
    "kd_loss": (run_kd_loss, "loss of kd / step of kd, 32 px"),
    "pairwise_step": (run_step, "pr_rrn"),
    "picture_batches": (run_picture_batches, "batch / step, 32 px"),
    "pose_layer": (run_pose_layer, "alternating / lbfgs"),
    "reading_and_scoring": (run_reading_and_scoring, "kd_depth_error"),
    "reading_cub": (run_reading_cub, "from cache"),
    "reading_h36m": (run_reading_h36m, "from cache"),
    "report_size": (run_report_size, "page"),
    "rigidity": (run_rigidity, "5000 points"),
    "silhouettes": (run_silhouettes, "finer masks"),
    "teacher_preference": (run_teacher_preference, "depth of least bound (14)"),
    "train_step": (run_step, "orthographic, complete / plain"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_benchmark_runs_to_its_end(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, last = RUNS[name]
    script = importlib.reload(importlib.import_module(name))
    run(script, tmp_path)
    assert last in capsys.readouterr().out


def test_every_run_is_of_a_benchmark() -> None:
    assert sorted(RUNS) == SCRIPTS

"""The errors of a training are those of its snapshots, and snapshots do not change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.harness.conftest import TinyBench
from tests.harness.runs.fits.conftest import ChildInProcess
from tests.plugins_for_tests.trainee import STEPS

from liftbench.runs.exchange import load_reconstructions
from liftbench.runs.fits import error_curve, predict
from liftbench.runs.fits.predict import sample_frames
from liftbench.runs.store import RunRecord
from liftbench.types import Reconstruction

DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}


def run(bench: TinyBench, **params: Any) -> RunRecord:
    methods = {"trainee": {"params": params}}
    suite = bench.suite(
        protocol="depth_error", also=["kd_depth_error"], data=[DATA], methods=methods
    )
    result = bench.call("run", suite, "--methods", "trainee", plugins=("tiny", "trainee"))
    assert result.exit_code == 0, result.output
    return bench.records()["trainee"]


def depth_error(bench: TinyBench, frames: slice, step: int) -> float:
    """Return the error of the trainee after a number of steps, by its definition."""
    depth = np.load(bench.root / "tiny" / "one.npy")[frames, :, 2]
    relative = depth - depth[:, :1]
    return float(np.abs(step * np.arange(5) - relative).mean())


def test_errors_are_those_of_the_snapshots(whole_bench: TinyBench, child: ChildInProcess) -> None:
    record = run(whole_bench)
    for split, frames in (("train", slice(8)), ("unseen", slice(8, None))):
        steps, values = zip(*record.error_curve["depth_error@1"][split], strict=True)
        assert steps == STEPS
        expected = [depth_error(whole_bench, frames, step) for step in STEPS]
        np.testing.assert_allclose(values, expected)
        last = record.scores["depth_error@1"][split].value
        assert values[-1] == pytest.approx(last), "the last snapshot is of the same depths"
    assert set(record.error_curve) == set(record.scores)


def test_snapshots_show_a_sample_of_the_frames(
    whole_bench: TinyBench, child: ChildInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "_SAMPLE", 2)
    ((_, value), *_) = run(whole_bench).error_curve["depth_error@1"]["train"]
    ends = [depth_error(whole_bench, slice(i, i + 1), STEPS[0]) for i in (0, 7)]
    assert value == pytest.approx(np.mean(ends))


def test_a_fit_that_resumed_for_one_more_split_has_a_curve_from_there_on(
    whole_bench: TinyBench, child: ChildInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(file: Path) -> dict[str, Reconstruction]:
        shown = load_reconstructions(file)
        old = file.stem == str(STEPS[0])
        return {name: x for name, x in shown.items() if not (old and name.startswith("unseen"))}

    monkeypatch.setattr(error_curve, "load_reconstructions", load)
    curves = run(whole_bench).error_curve["depth_error@1"]
    assert [step for step, _ in curves["train"]] == list(STEPS)
    assert [step for step, _ in curves["unseen"]] == list(STEPS[1:])


def test_snapshots_do_not_change_a_training(whole_bench: TinyBench, child: ChildInProcess) -> None:
    digests = [run(whole_bench, snapshots=kept).digests for kept in (True, False)]
    assert digests[0] == digests[1]


def test_a_method_without_snapshots_has_no_curve(
    whole_bench: TinyBench, child: ChildInProcess
) -> None:
    assert run(whole_bench, snapshots=False).error_curve == {}


@pytest.mark.parametrize("frames", [1, 7, 500, 501, 100_000])
def test_a_sample_is_spread_over_all_frames(frames: int) -> None:
    chosen = sample_frames(frames)
    assert len(set(chosen.tolist())) == len(chosen) == min(frames, 500)
    assert (chosen[0], chosen[-1]) == (0, frames - 1)
    assert np.ptp(np.diff(chosen)) <= 1 if frames > 1 else True

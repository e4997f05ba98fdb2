"""The kit examines teachers and students, and a teacher that breaks its promises fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.harness.testing.test_method_checks import cached_registry
from tests.plugins_for_tests.school import Lecturer, LecturerParams

from liftbench import MethodSpec, Observations, RunContext
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import EXPOSED, Exposed
from liftbench.testing.method_checks import (
    Candidate,
    keeps_its_state,
    takes_hidden_points,
    teaches_what_it_predicts,
)
from liftbench.testing.methods import check_method
from liftbench.testing.outcomes import Outcome, outcome_of
from liftbench.types import Floats


def test_student_gets_a_working_teacher(
    plugins_folder: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two processes: its run restores the teacher that the examination fits by its side."""
    monkeypatch.setenv("PYTHONPATH", no_torch)
    found = {
        o.check: o for o in check_method("apprentice", plugin_files=(plugins_folder / "school.py",))
    }
    assert {o.detail for o in found.values() if o.state == "failed"} == set()
    assert found["same_seed_gives_the_same_result"].passed
    assert found["heeds_the_seed"].passed


def test_teacher_that_cannot_take_the_scene_is_no_fault_of_its_student(
    plugins_folder: Path, tmp_path: Path
) -> None:
    registry = load_registry([plugins_folder / "school.py"])
    context = RunContext(0, "cpu", 1, 1e6, tmp_path, lambda *_: None)
    subject = Candidate(registry, registry.methods["pupil"], {}, context, 0.1, 60)
    outcome = outcome_of(takes_hidden_points, subject)
    assert outcome.state == "expected to fail"
    assert outcome.detail == "its teacher: the method needs every point to be visible"


class LosesTheLastDepth(Lecturer):
    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        super().restore({"depth": [*state["depth"][:-1], 0.0]}, context)


class RestoresOtherCodes(Lecturer):
    gain = 1.0

    def codes(self, observations: Observations) -> Floats:
        return self.gain * super().codes(observations)

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        super().restore(state, context)
        self.gain = 1.001


class KeepsArrays(Lecturer):
    def state(self) -> dict[str, Any]:
        return {"parts": [{"depth": np.array(self.depth)}]}


class CannotRestore(Lecturer):
    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        raise KeyError("depths")


class OtherCodes(Lecturer):
    def codes(self, observations: Observations) -> Floats:
        return 1.0001 * super().codes(observations)


class FlatCodes(Lecturer):
    def codes(self, observations: Observations) -> Floats:
        return super().codes(observations)[:, :-1]


class NoNumbers(Lecturer):
    def cameras(self, observations: Observations) -> Floats:
        return np.full((observations.frames, 3, 2), np.nan)


class SqueezedCameras(Lecturer):
    def cameras(self, observations: Observations) -> Floats:
        return super().cameras(observations) * [1, 2]


def examine(
    make: Callable[..., Lecturer], folder: Path, exposes: tuple[Exposed, ...] = EXPOSED
) -> dict[str, Outcome]:
    spec = MethodSpec("a_teacher", "A teacher", "tests", make, LecturerParams, exposes=exposes)
    context = RunContext(0, "cpu", 1, 1e6, folder, lambda *_: None)
    subject = Candidate(cached_registry(), spec, {}, context, budget_s=0.1, grace_s=60)
    checks = (keeps_its_state, teaches_what_it_predicts)
    return {check.__name__: outcome_of(check, subject) for check in checks}


def test_good_teacher_passes(tmp_path: Path) -> None:
    assert all(outcome.passed for outcome in examine(Lecturer, tmp_path).values())


def test_method_that_does_not_teach_is_not_checked(tmp_path: Path) -> None:
    states = {outcome.state for outcome in examine(Lecturer, tmp_path, ()).values()}
    assert states == {"skipped"}


@pytest.mark.parametrize(
    ("make", "check", "detail"),
    [
        (LosesTheLastDepth, "keeps_its_state", "it gives another `prediction`"),
        (RestoresOtherCodes, "keeps_its_state", "it gives another `codes`"),
        (KeepsArrays, "keeps_its_state", "state()['parts'][0]['depth']: expected tensors"),
        (CannotRestore, "keeps_its_state", "the method does not take this state (KeyError"),
        (OtherCodes, "teaches_what_it_predicts", "its reprojection differs from its prediction"),
        (FlatCodes, "teaches_what_it_predicts", "codes: expected finite (60, 25), got (60, 24)"),
        (NoNumbers, "teaches_what_it_predicts", "cameras: expected finite (60, 3, 2)"),
        (SqueezedCameras, "teaches_what_it_predicts", "columns of its cameras are not orthogonal"),
    ],
)
def test_broken_promise_is_found(
    make: Callable[..., Lecturer], check: str, detail: str, tmp_path: Path
) -> None:
    found = examine(make, tmp_path)
    assert found[check].state == "failed"
    assert detail in found[check].detail
    (other,) = (outcome for name, outcome in found.items() if name != check)
    assert other.passed or "cameras" in detail or "codes" in detail

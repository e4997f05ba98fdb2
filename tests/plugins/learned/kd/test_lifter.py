"""Students that learn from a teacher who knows the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.plugins.learned.kd.conftest import SKELETON, ExactTeacher
from torch import Tensor

from liftbench import Method, Skeleton
from liftbench_plugins.learned.kd import (
    Lesson,
    PointKdParams,
    PointParams,
    PointWeaksupParams,
    point_views,
)
from liftbench_plugins.learned.kd.lifter import Student
from liftbench_plugins.learned.pictures.similarity import Similarity, draw_turns

F = 24
TAUGHT: dict[str, Any] = {"teacher": "exact", "teacher_params": {"of": "tests"}}
PARAMS: dict[Lesson, PointParams] = {
    "taught_depth": PointWeaksupParams(steps=150, batch_size=24, hidden=64, **TAUGHT),
    "distillation": PointKdParams(steps=150, batch_size=24, hidden=64, **TAUGHT),
    "true_depth": PointParams(steps=150, batch_size=24, hidden=64),
}
Reports = list[tuple[int, int, float]]


def fit(
    lesson: Lesson,
    teacher: ExactTeacher,
    scratch: Path,
    reports: Reports | None = None,
    **changes: Any,
) -> Student:
    student = Student("points", lesson, replace(PARAMS[lesson], **changes))
    context = teacher.context(scratch, [] if reports is None else reports)
    truth = teacher.shapes if lesson == "true_depth" else None
    student.fit(teacher.observations, replace(context, truth=truth))
    return student


@pytest.mark.parametrize("lesson", PARAMS)
def test_a_student_comes_closer_to_its_lesson(lesson: Lesson, tmp_path: Path) -> None:
    reports: Reports = []
    fit(lesson, ExactTeacher(F), tmp_path, reports)
    assert reports[-1][:2] == (150, 150)
    assert reports[-1][2] < reports[0][2]


@pytest.mark.parametrize("lesson", PARAMS)
def test_visible_points_stay_where_they_were_seen(lesson: Lesson, tmp_path: Path) -> None:
    teacher = ExactTeacher(F, hidden=0.3)
    found = fit(lesson, teacher, tmp_path, steps=2).predict(teacher.observations).points_3d
    shown = teacher.visible
    seen = teacher.observations.points_2d
    np.testing.assert_array_equal(found[..., :2][shown], seen[shown])
    assert np.isfinite(found).all()


def test_a_frame_is_lifted_alike_among_others_and_alone(tmp_path: Path) -> None:
    teacher = ExactTeacher(F)
    student = fit("taught_depth", teacher, tmp_path, steps=5)
    whole = student.predict(teacher.observations).points_3d
    alone = student.predict(teacher.observations.take(np.array([7]))).points_3d
    np.testing.assert_allclose(alone[0], whole[7], rtol=1e-4, atol=1e-3)


def test_frames_are_mirrored_only_where_points_come_in_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flips: list[float] = []

    def watch(
        frames: int, flip: float, rotation: float, partner: Tensor, generator: torch.Generator
    ) -> Similarity:
        flips.append(flip)
        return draw_turns(frames, flip, rotation, partner, generator)

    monkeypatch.setattr(point_views, "draw_turns", watch)
    teacher = ExactTeacher(F)
    unpaired = Skeleton(SKELETON.points, root=7)
    for name, skeleton in (("paired", SKELETON), ("unpaired", unpaired)):
        (tmp_path / name).mkdir()
        student = Student("points", "taught_depth", replace(PARAMS["taught_depth"], steps=1))
        observations = replace(teacher.observations, skeleton=skeleton)
        student.fit(observations, teacher.context(tmp_path / name, []))
    assert flips == [0.5, 0.0]


def test_a_supervised_student_without_a_truth_is_refused(tmp_path: Path) -> None:
    teacher = ExactTeacher(F)
    student = Student("points", "true_depth", PointParams())
    with pytest.raises(ValueError, match="needs the true points"):
        student.fit(teacher.observations, teacher.context(tmp_path, []))


def test_ten_snapshots_of_a_training_predict_and_leave_it_as_it_is(tmp_path: Path) -> None:
    teacher = ExactTeacher(F)
    taken: list[int] = []

    def snapshot(step: int, method: Method) -> None:
        assert np.isfinite(method.predict(teacher.observations).points_3d).all()
        taken.append(step)

    found = []
    for name, act in (("with", snapshot), ("without", lambda *_: None)):
        (tmp_path / name).mkdir()
        student = Student("points", "taught_depth", replace(PARAMS["taught_depth"], steps=200))
        context = replace(teacher.context(tmp_path / name, []), snapshot=act)
        student.fit(teacher.observations, context)
        found.append(student.predict(teacher.observations).points_3d)
    assert len(taken) == 10
    assert taken[-1] == 200
    np.testing.assert_array_equal(found[0], found[1])


def test_a_second_data_set_changes_what_is_learned(tmp_path: Path) -> None:
    teacher, extra = ExactTeacher(F), ExactTeacher(5, seed=3).observations
    losses = []
    for name, given in (("alone", None), ("both", extra)):
        (tmp_path / name).mkdir()
        reports: Reports = []
        student = Student("points", "taught_depth", replace(PARAMS["taught_depth"], steps=30))
        context = replace(teacher.context(tmp_path / name, reports), extra=given)
        student.fit(teacher.observations, context)
        losses.append([loss for _, _, loss in reports])
    assert losses[1][0] > losses[0][0]
    assert losses[1][-1] < losses[1][0]

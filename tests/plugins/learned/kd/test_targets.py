"""Targets of students against their terms written out, and at their minimum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.plugins.learned.conftest import draw
from tests.plugins.learned.kd.conftest import ExactTeacher
from torch import Tensor

from liftbench_plugins.learned.kd.targets import (
    Target,
    distilled_depth,
    seen_points,
    taught_depth,
    true_depth,
)

F = 6
ALL = torch.arange(F)
either = pytest.mark.parametrize("hidden", [0.0, 0.4], ids=["complete", "hidden"])


def targets(teacher: ExactTeacher) -> dict[str, Target]:
    seen = teacher.observations
    return {
        "taught": taught_depth(teacher, seen, "cpu"),
        "distilled": distilled_depth(teacher, seen, 0.0, "cpu"),
        "true": true_depth(teacher.shapes, seen, "cpu"),
    }


def true_coordinates(teacher: ExactTeacher, offset: float = 0.0) -> Tensor:
    place = np.pad(teacher.place, ((0, 0), (0, 0), (0, 1)), constant_values=offset)
    return torch.from_numpy(teacher.shapes + place)


@either
def test_the_coordinates_of_an_exact_teacher_have_no_loss_at_any_distance(hidden: float) -> None:
    teacher = ExactTeacher(F, hidden=hidden)
    for target in targets(teacher).values():
        found = target.loss(true_coordinates(teacher, offset=300.0), ALL)
        torch.testing.assert_close(found, torch.zeros(F).double(), rtol=0, atol=1e-9)


@either
def test_the_loss_of_taught_depths_is_the_sum_of_distances_in_the_teacher_s_unit(
    hidden: float,
) -> None:
    teacher = ExactTeacher(F, hidden=hidden)
    coordinates = true_coordinates(teacher) + 5 * draw(F, 8, 3)
    found = taught_depth(teacher, teacher.observations, "cpu").loss(coordinates, ALL)
    error = coordinates.numpy() - true_coordinates(teacher).numpy()
    for index in range(F):
        shown = np.flatnonzero(teacher.visible[index])
        if not len(shown):
            continue
        root = 7 if teacher.visible[index, 7] else shown[0]
        depth = error[index, shown, 2] - error[index, root, 2]
        expected = abs(error[index, shown, :2]).sum() + abs(depth).sum()
        assert float(found[index]) == pytest.approx(expected / teacher.scale[index])


def test_distillation_adds_the_distances_of_visible_points_to_the_cost_of_depths() -> None:
    teacher = ExactTeacher(F, hidden=0.3)
    target = distilled_depth(teacher, teacher.observations, 0.3, "cpu")
    coordinates = true_coordinates(teacher) + 5 * draw(F, 8, 3)
    scale = torch.from_numpy(teacher.scale)[:, None]
    cost = target.distillation.loss(coordinates[..., 2] / scale, ALL, 0.3)
    error = (coordinates - true_coordinates(teacher))[..., :2].abs().sum(dim=2) / scale
    shown = torch.from_numpy(teacher.visible)
    expected = (error * shown).sum(dim=1) + cost
    torch.testing.assert_close(target.loss(coordinates, ALL), expected)


def test_frames_are_taken_by_their_indices() -> None:
    teacher = ExactTeacher(F, hidden=0.3)
    coordinates = true_coordinates(teacher) + 5 * draw(F, 8, 3)
    chosen = torch.tensor([3, 0, 3])
    for target in targets(teacher).values():
        whole = target.loss(coordinates, ALL)
        torch.testing.assert_close(target.loss(coordinates[chosen], chosen), whole[chosen])


def test_true_depths_get_the_scale_of_the_image() -> None:
    """Images may be in another unit than the truth, with another factor in each frame."""
    teacher = ExactTeacher(F)
    factor = torch.linspace(0.5, 3, F).double()[:, None, None]
    truth = teacher.shapes / factor.numpy()
    target = true_depth(truth, teacher.observations, "cpu")
    found = target.loss(true_coordinates(teacher), ALL)
    torch.testing.assert_close(found, torch.zeros(F).double(), rtol=0, atol=1e-9)
    # A depth error of one truth's mean size costs 1.
    size = np.sqrt((truth**2).sum(axis=2).mean())
    worse = true_coordinates(teacher)
    worse[:, 2, 2] += size * factor[:, 0, 0]
    torch.testing.assert_close(target.loss(worse, ALL), torch.ones(F).double())


def test_points_without_a_truth_do_not_count() -> None:
    teacher = ExactTeacher(F)
    truth = teacher.shapes.copy()
    truth[:, 3] = np.nan
    truth[2] = np.nan
    target = true_depth(truth, teacher.observations, "cpu")
    coordinates = true_coordinates(teacher)
    coordinates[:, 3] += 1e3
    coordinates[2] += 1e3
    found = target.loss(coordinates, ALL)
    torch.testing.assert_close(found, torch.zeros(F).double(), rtol=0, atol=1e-9)


def test_further_frames_cost_the_distance_of_their_points_at_the_usual_size() -> None:
    teacher, further = ExactTeacher(F), ExactTeacher(F, seed=5, hidden=0.3)
    like = targets(teacher)["taught"].frames
    target = seen_points(further.observations, like, "cpu")
    torch.testing.assert_close(target.frames.spread(), like.spread().median().expand(F))
    coordinates = true_coordinates(further)
    none = target.loss(coordinates, ALL)
    torch.testing.assert_close(none, torch.zeros(F).double(), rtol=0, atol=1e-9)
    coordinates[..., 2] += 100 * draw(F, 8)  # depths do not count
    coordinates[..., 0] += target.frames.scale[:, None]
    expected = torch.from_numpy(further.visible.sum(axis=1)).double()
    torch.testing.assert_close(target.loss(coordinates, ALL), expected)


def test_the_spread_of_a_frame_is_that_of_its_visible_points() -> None:
    teacher = ExactTeacher(F, hidden=0.3)
    found = targets(teacher)["taught"].frames.spread()
    for index in range(F):
        shown = teacher.observations.points_2d[index, teacher.visible[index]]
        apart = np.linalg.norm(shown - shown.mean(axis=0), axis=1) / teacher.scale[index]
        assert float(found[index]) == pytest.approx(np.sqrt((apart**2).mean()))

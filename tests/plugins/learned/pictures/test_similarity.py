"""Mirrored and turned frames, and the way back."""

from __future__ import annotations

import math

import pytest
import torch
from tests.plugins.learned.conftest import draw, seeded
from tests.plugins.learned.kd.conftest import POINTS, SKELETON

from liftbench import Skeleton
from liftbench_plugins.learned.pictures.similarity import Similarity, draw_turns, partners

PARTNER = partners(SKELETON)
B = 5


def test_points_of_one_side_are_partners_of_those_of_the_other() -> None:
    assert PARTNER.tolist() == [0, 2, 1, 4, 3, 6, 5, 7]
    assert partners(Skeleton(("a", "b"))).tolist() == [0, 1]


def random_similarity(flipped: bool) -> Similarity:
    angle, size = draw(B, seed=1), draw(B, seed=2).exp()
    cos, sin = angle.cos() * size, angle.sin() * size
    sign = -1.0 if flipped else 1.0
    linear = torch.stack([sign * cos, -sin, sign * sin, cos], dim=1).view(B, 2, 2)
    return Similarity(linear, draw(B, 2, seed=3), PARTNER)


@pytest.mark.parametrize("flipped", [False, True])
def test_undo_takes_moved_points_and_scaled_depths_back(flipped: bool) -> None:
    change, points = random_similarity(flipped), draw(B, POINTS, 3)
    size = draw(B, seed=2).exp()[:, None]
    moved = change.move(points[..., :2])
    depth = change.rename(points[..., 2]) * size
    back = change.undo(torch.cat([moved, depth[..., None]], dim=2))
    torch.testing.assert_close(back, points)


def test_a_mirrored_left_point_is_a_right_point_on_the_other_side_at_its_depth() -> None:
    mirror = Similarity(torch.diag(torch.tensor([-1.0, 1.0]))[None], torch.zeros(1, 2), PARTNER)
    points = torch.zeros(1, POINTS, 2)
    points[0, 1] = torch.tensor([3.0, 2.0])
    assert mirror.move(points)[0, 2].tolist() == [-3.0, 2.0]
    seen = torch.zeros(1, POINTS, 3)
    seen[0, 2] = torch.tensor([-3.0, 2.0, 9.0])
    assert mirror.undo(seen)[0, 1].tolist() == [3.0, 2.0, 9.0]


def test_turns_are_drawn_about_upright_and_mirror_their_share() -> None:
    drawn = draw_turns(4000, 0.25, 15.0, PARTNER, seeded())
    determinants = torch.linalg.det(drawn.linear)
    torch.testing.assert_close(determinants.abs(), torch.ones(4000))
    assert 0.22 < float((determinants < 0).float().mean()) < 0.28
    upright = drawn.linear[determinants > 0]
    angles = torch.rad2deg(torch.atan2(upright[:, 1, 0], upright[:, 0, 0]))
    assert float(angles.abs().max()) <= 30.0 + 1e-3
    assert 12 < float(angles.std()) < 15
    assert abs(float(angles.mean())) < 1


def test_nothing_changes_without_turns_and_mirrors() -> None:
    points = draw(B, POINTS, 2).float()
    drawn = draw_turns(B, 0.0, 0.0, PARTNER, seeded())
    torch.testing.assert_close(drawn.move(points), points)


def test_a_mirror_is_about_the_upright_axis_before_the_turn() -> None:
    drawn = draw_turns(200, 1.0, 15.0, PARTNER, seeded())
    up = drawn.linear @ torch.tensor([0.0, 1.0])
    assert (up[:, 1] > math.cos(math.radians(31))).all()

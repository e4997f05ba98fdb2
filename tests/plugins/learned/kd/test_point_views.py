"""Frames as points-only students see them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from tests.plugins.learned.conftest import seeded
from tests.plugins.learned.kd.conftest import ExactTeacher
from torch import Tensor

from liftbench import Observations
from liftbench_plugins.learned.kd import PointParams
from liftbench_plugins.learned.kd.point_views import PointViews
from liftbench_plugins.learned.kd.points_network import PointsNetwork

F = 6
TURNED = PointParams(flip=0.5, rotation=20.0)


class Repeating(PointsNetwork):
    """Returns the points that it sees, with their distance from the middle as depth."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, points: Tensor, visible: Tensor, features: Tensor | None = None) -> Tensor:
        assert (points[visible == 0] == 0).all()
        return torch.cat([points, points.norm(dim=2, keepdim=True)], dim=2)


def views_of(observations: Observations) -> PointViews:
    return PointViews(observations, "cpu")


def test_the_bounding_box_of_visible_points_has_middle_zero_and_size_one() -> None:
    views = views_of(ExactTeacher(F, hidden=0.3).observations)
    for points, visible in zip(views.points, views.visible, strict=True):
        shown = points[visible > 0]
        low, high = shown.amin(dim=0), shown.amax(dim=0)
        torch.testing.assert_close(low + high, torch.zeros(2), rtol=0, atol=1e-5)
        assert float((high - low).max()) == 1.0


def test_what_is_predicted_returns_to_the_place_and_unit_of_the_frame() -> None:
    seen = ExactTeacher(F).observations
    lifted = views_of(seen).lift(Repeating(), torch.arange(F)).numpy()
    np.testing.assert_allclose(lifted[..., :2], seen.points_2d, rtol=1e-4)
    low, high = seen.points_2d.min(axis=1), seen.points_2d.max(axis=1)
    radius = np.linalg.norm(seen.points_2d - (low + high)[:, None] / 2, axis=2)
    np.testing.assert_allclose(lifted[..., 2], radius, rtol=1e-4)


def test_mirrored_and_turned_frames_come_back_as_they_were() -> None:
    """A depth that mirrors and turns leave alone is the same as without them."""
    views = views_of(ExactTeacher(F, hidden=0.3).observations)
    frames = torch.tensor([5, 0, 3, 3])
    plain = views.lift(Repeating(), frames)
    changed = views.lift_changed(Repeating(), frames, TURNED, seeded())
    shown = views.visible[frames] > 0
    torch.testing.assert_close(changed[shown], plain[shown], rtol=1e-4, atol=1e-3)


def test_the_network_sees_other_points_in_every_draw() -> None:
    seen: list[Tensor] = []

    class Watching(Repeating):
        def forward(
            self, points: Tensor, visible: Tensor, features: Tensor | None = None
        ) -> Tensor:
            seen.append(points)
            return super().forward(points, visible)

    views = views_of(ExactTeacher(F).observations)
    generator = seeded()
    for _ in range(2):
        views.lift_changed(Watching(), torch.arange(F), TURNED, generator)
    assert not torch.allclose(seen[0], seen[1], atol=1e-2)
    assert not torch.allclose(seen[0], views.points, atol=1e-2)


def test_frames_with_one_point_or_none_are_lifted_to_finite_coordinates() -> None:
    seen = ExactTeacher(2).observations
    visible = np.zeros_like(seen.visible)
    visible[0, 3] = True
    points = np.where(visible[..., None], seen.points_2d, np.nan)
    views = views_of(replace(seen, points_2d=points, visible=visible))
    lifted = views.lift(PointsNetwork(8, 4, seeded()), torch.arange(2))
    assert lifted.isfinite().all()


def test_an_untrained_network_returns_nearly_flat_frames() -> None:
    views = views_of(ExactTeacher(F).observations)
    network = PointsNetwork(8, 64, seeded())
    points = network(views.points, views.visible).detach()
    torch.testing.assert_close(points[..., :2], views.points, rtol=0, atol=0.1)
    assert float(points[..., 2].abs().max()) < 0.1

"""The depths of starts, and the choice of the start that others agree with."""

from __future__ import annotations

import pytest
import torch
from tests.plugins.learned.conftest import draw, seeded
from torch import Tensor

from liftbench_plugins.learned.agreement import disagreement, find_depths, most_agreed
from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views
from liftbench_plugins.learned.lifting import LiftingNetwork, misfit
from liftbench_plugins.learned.rotations import polar_factor, random_cameras, rotate

P, F = 8, 60
FLIP = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)[:, None]


def body(seed: int) -> Tensor:
    """Return a centred shape (P, 3)."""
    points = draw(P, 3, seed=seed)
    return points - points.mean(dim=0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_depths_that_are_mirrored_as_a_whole_agree(sign: float) -> None:
    depths = draw(P, F)
    assert disagreement(depths, sign * depths) == 0
    assert disagreement(depths, sign * (depths + 0.25)) == pytest.approx(0.25)


def test_mirrored_frames_disagree_by_twice_their_depth() -> None:
    depths = torch.ones(P, F)
    some = depths.clone()
    some[:, : F // 4] = -1
    assert disagreement(depths, some) == pytest.approx(2 / 4)


POSES = (body(0), body(0) + 0.4 * body(1))


class TwoPoses(LiftingNetwork):
    """Knows two poses of a body and sees which is in a view.

    Args:
        size: of the shapes; it misses the images by 1 - size.
        mirrored: the poses that have the other sign of depth, in all views.
        alone: it lifts all views to the first pose.
    """

    def __init__(self, size: float, mirrored: tuple[int, ...] = (), *, alone: bool = False) -> None:
        super().__init__()
        self.size, self.mirrored, self.alone = size, mirrored, alone

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        first, first_camera, error = _lift_as(POSES[0], columns, 0 in self.mirrored)
        second, second_camera, other = _lift_as(POSES[1], columns, 1 in self.mirrored)
        is_first = (error < other) | self.alone
        shape = torch.where(is_first, first, second)
        return self.size * shape, torch.where(is_first, first_camera, second_camera)


def _lift_as(
    shape: Tensor,
    columns: Tensor,
    mirrored: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the shape (P, 3, B), its cameras (3, 2, B) and the errors (B,) of the images."""
    camera = torch.einsum("ip,pab->iab", torch.linalg.pinv(shape), columns)
    error = (torch.einsum("pi,iab->pab", shape, camera) - columns).square().sum(dim=(0, 1))
    shape, camera = shape[..., None].expand(P, 3, columns.shape[2]), polar_factor(camera)
    return (shape * FLIP, camera * FLIP[..., None], error) if mirrored else (shape, camera, error)


def views_of_both_poses() -> NormalisedViews:
    shapes = torch.stack(POSES, dim=2).repeat(1, 1, F // 2)
    cameras = random_cameras(2, shapes, seeded())
    return normalise_views(rotate(shapes, cameras))


def test_depths_are_those_of_the_shapes_before_their_cameras() -> None:
    views, network = views_of_both_poses(), TwoPoses(0.9, (1,))
    found = find_depths(network.lift, views)
    shapes, cameras = network.lift(views)
    for frame in range(F):
        one, two = cameras[..., frame].unbind(dim=1)
        depth = shapes[..., frame] @ torch.linalg.cross(one, two)
        torch.testing.assert_close(found[:, frame], depth - depth.mean())


def test_the_start_that_mirrors_no_pose_is_chosen_though_others_fit_better() -> None:
    """Of all four signs of two poses, a whole one has a twin: its mirror image in all frames."""
    views = views_of_both_poses()
    first, second = TwoPoses(0.95, (0,)), TwoPoses(0.95, (0, 1))
    whole, smaller = TwoPoses(0.94), TwoPoses(0.93)
    assert misfit(first.lift, views) == pytest.approx(0.05, abs=1e-4)
    assert misfit(whole.lift, views) == pytest.approx(0.06, abs=1e-4)
    assert most_agreed([first, second, whole, smaller], views) is whole
    assert most_agreed([smaller, whole, first, second], views) is whole


def test_starts_that_agree_but_do_not_fit_are_not_chosen() -> None:
    views = views_of_both_poses()
    rigid = [TwoPoses(0.95, alone=True) for _ in range(4)]
    halves, whole = TwoPoses(0.9, (1,)), [TwoPoses(0.89), TwoPoses(0.88)]
    assert most_agreed([*rigid, halves, *whole], views) in whole


def test_two_starts_have_no_majority_so_that_the_better_fit_counts() -> None:
    views = views_of_both_poses()
    better, worse = TwoPoses(0.95, (1,)), TwoPoses(0.94)
    assert most_agreed([worse, better], views) is better
    assert most_agreed([worse], views) is worse

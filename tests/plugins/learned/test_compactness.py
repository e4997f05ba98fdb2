"""The trace norm of bodies and of their mirror images in closed form, and the choice by it."""

from __future__ import annotations

import math

import pytest
import torch
from tests.plugins.learned.conftest import draw, seeded
from torch import Tensor

from liftbench_plugins.learned.compactness import most_compact, trace_norm
from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views
from liftbench_plugins.learned.lifting import LiftingNetwork, misfit
from liftbench_plugins.learned.rotations import polar_factor, random_cameras, rotate

P, F = 8, 60
FLIP = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)[:, None]


def body(seed: int) -> Tensor:
    """Return a centred shape (P, 3)."""
    points = draw(P, 3, seed=seed)
    return points - points.mean(dim=0)


def mixed(share: float) -> Tensor:
    """Return a body in F frames, of which a share are mirrored in depth."""
    sign = torch.where(torch.arange(F) < round(share * F), -1.0, 1.0).double()
    shapes = body(0)[..., None].expand(P, 3, F).clone()
    shapes[:, 2] *= sign
    return shapes


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_body_and_its_mirror_image_are_less_compact_than_one_of_them(share: float) -> None:
    """Both span two dimensions: x and y of the body, and its depth."""
    depth = float(body(0)[:, 2].square().sum() / body(0).square().sum())
    assert 0.1 < depth < 0.9
    determinant = 4 * share * (1 - share) * depth * (1 - depth)
    expected = math.sqrt(1 + 2 * math.sqrt(determinant))
    assert trace_norm(mixed(share)) == pytest.approx(expected, abs=1e-9)


def test_shapes_of_equal_share_that_have_nothing_in_common_reach_the_root_of_their_rank() -> None:
    basis = torch.linalg.qr(draw(3 * P, 5))[0].view(P, 3, 5)
    basis = basis - basis.mean(dim=0)
    bodies = torch.linalg.qr(basis.flatten(0, 1))[0].view(P, 3, 5)
    assert trace_norm(bodies.repeat(1, 1, 7)) == pytest.approx(math.sqrt(5))


def test_sizes_places_and_the_frame_of_reference_do_not_matter() -> None:
    shapes = draw(P, 3, F)
    turn = torch.linalg.qr(draw(3, 3, seed=1))[0]
    changed = torch.einsum("pib,ij->pjb", shapes, turn) * (1 + torch.arange(F)) + draw(1, 3, F)
    assert trace_norm(changed) == pytest.approx(trace_norm(shapes))
    turns = torch.linalg.qr(draw(F, 3, 3, seed=2))[0]
    assert trace_norm(torch.einsum("pib,bij->pjb", mixed(0), turns)) > 1.2


POSES = (body(0), body(0) + 0.4 * body(1))


class TwoPoses(LiftingNetwork):
    """Knows two poses of a body and sees which is in a view; it may mirror the second one.

    Args:
        size: of the shapes; it misses the images by 1 - size.
        mirrored: the second pose has the other sign of depth, in all views.
        alone: it lifts all views to the first pose.
    """

    def __init__(self, size: float, *, mirrored: bool = False, alone: bool = False) -> None:
        super().__init__()
        self.size, self.mirrored, self.alone = size, mirrored, alone

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        first, first_camera, error = _lift_as(POSES[0], columns)
        second, second_camera, other = _lift_as(POSES[1], columns)
        if self.mirrored:
            second, second_camera = second * FLIP, second_camera * FLIP[..., None]
        is_first = (error < other) | self.alone
        shape = torch.where(is_first, first, second)
        return self.size * shape, torch.where(is_first, first_camera, second_camera)


def _lift_as(shape: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the shape (P, 3, B), its cameras (3, 2, B) and the errors (B,) of the images."""
    camera = torch.einsum("ip,pab->iab", torch.linalg.pinv(shape), columns)
    error = (torch.einsum("pi,iab->pab", shape, camera) - columns).square().sum(dim=(0, 1))
    return shape[..., None].expand(P, 3, columns.shape[2]), polar_factor(camera), error


def views_of_both_poses() -> NormalisedViews:
    shapes = torch.stack(POSES, dim=2).repeat(1, 1, F // 2)
    cameras = random_cameras(2, shapes, seeded())
    return normalise_views(rotate(shapes, cameras))


def test_a_network_without_mirror_images_is_chosen_though_another_fits_better() -> None:
    views = views_of_both_poses()
    whole, halves = TwoPoses(0.94), TwoPoses(0.95, mirrored=True)
    assert misfit(whole.lift, views) == pytest.approx(0.06, abs=1e-4)
    assert misfit(halves.lift, views) == pytest.approx(0.05, abs=1e-4)
    assert most_compact([halves, whole], views) is whole
    assert most_compact([whole, halves], views) is whole


def test_a_compact_network_that_does_not_fit_is_not_chosen() -> None:
    views = views_of_both_poses()
    rigid, worse, halves = TwoPoses(0.95, alone=True), TwoPoses(0.9), TwoPoses(0.95, mirrored=True)
    assert trace_norm(rigid.lift(views)[0]) == pytest.approx(1)
    assert most_compact([rigid, worse, halves], views) is halves
    assert most_compact([rigid], views) is rigid

from __future__ import annotations

import pytest
import torch
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench_plugins.learned.pr_rrn.rigidity import minimal_singular_value_ratio


def images(
    frames: int, points: int = 9, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    generator = seeded(seed)
    points_2d = torch.randn(points, 2, frames, generator=generator, dtype=torch.float64)
    return (points_2d - points_2d.mean(dim=0)).to(dtype)


def masks(frames: int, points: int = 9, seed: int = 0, hidden: float = 0.3) -> Tensor:
    generator = seeded(seed)
    return (torch.rand(points, frames, generator=generator) > hidden).double()


def views_of(shape: Tensor, frames: int, seed: int = 0) -> Tensor:
    generator = seeded(seed)
    turns = torch.linalg.qr(torch.randn(frames, 3, 3, generator=generator, dtype=torch.float64))[0]
    views = torch.einsum("pi,bij->pjb", shape - shape.mean(dim=0), turns)[:, :2]
    return views.contiguous()


def equation_9(one: Tensor, two: Tensor) -> float:
    """The ratio of a pair of (P, 2) images by the singular values of the stacked matrix."""
    squares = torch.linalg.svdvals(torch.cat([one.T, two.T])).square()
    return float(squares[3] / squares.sum())


@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_ratio_of_every_pair_is_that_of_the_singular_values(
    dtype: torch.dtype, error: float
) -> None:
    first, second = images(6), images(4, seed=1)
    ratio = minimal_singular_value_ratio(first.to(dtype), second.to(dtype))
    assert ratio.shape == (6, 4)
    for i in range(6):
        for j in range(4):
            expected = equation_9(first[..., i], second[..., j])
            assert float(ratio[i, j]) == pytest.approx(expected, abs=error)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_two_views_of_a_rigid_shape_have_ratio_zero(dtype: torch.dtype, error: float) -> None:
    generator = seeded(3)
    shape = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    ratio = minimal_singular_value_ratio(
        views_of(shape, 5).to(dtype), views_of(shape, 7, 1).to(dtype)
    )
    assert float(ratio.max()) < error
    other = minimal_singular_value_ratio(images(5), images(7, seed=1))
    assert float(other.min()) > 0.001


def test_ratio_is_at_most_a_quarter_and_reaches_it() -> None:
    even = torch.zeros(4, 2, 1, dtype=torch.float64)
    even[0, 0] = even[1, 1] = 1
    odd = even[[2, 3, 0, 1]]
    assert float(minimal_singular_value_ratio(even, odd)) == pytest.approx(0.25, abs=1e-6)
    many = minimal_singular_value_ratio(images(200, points=5), images(200, points=5, seed=1))
    assert float(many.max()) <= 0.25
    assert float(many.min()) >= 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_views_from_one_side_and_flat_or_empty_images_are_rigid_too(dtype: torch.dtype) -> None:
    same = images(3, dtype=dtype)
    flat = same.clone()
    flat[:, 1] = 0
    for first, second in ((same, same), (flat, flat), (same * 0, same * 0)):
        ratio = minimal_singular_value_ratio(first, second)
        assert torch.isfinite(ratio).all()
        assert float(ratio.diagonal().max()) < 1e-3


def test_scale_and_image_rotation_do_not_matter() -> None:
    first, second = images(4), images(5, seed=1)
    angle = torch.tensor(0.6, dtype=torch.float64)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    turned = torch.einsum("pib,ij->pjb", first, turn)
    expected = minimal_singular_value_ratio(first, second)
    torch.testing.assert_close(minimal_singular_value_ratio(turned, second), expected)
    for scale in (1e-6, 1e6):
        scaled = minimal_singular_value_ratio(scale * first.float(), scale * second.float())
        torch.testing.assert_close(scaled, expected.float(), atol=1e-5, rtol=1e-3)


def test_hidden_points_leave_the_common_visible_ones_about_their_mean() -> None:
    first, second, first_seen, second_seen = (
        images(6),
        images(4, seed=1),
        masks(6),
        masks(4, seed=1),
    )
    ratio = minimal_singular_value_ratio(
        first * first_seen[:, None], second * second_seen[:, None], first_seen, second_seen
    )
    judged = 0
    for i in range(6):
        for j in range(4):
            common = (first_seen[:, i] * second_seen[:, j]) > 0
            if common.sum() < 5:
                assert ratio[i, j].isnan()
                continue
            one, two = first[common][..., i], second[common][..., j]
            expected = equation_9(one - one.mean(dim=0), two - two.mean(dim=0))
            assert float(ratio[i, j]) == pytest.approx(expected, abs=1e-9)
            judged += 1
    assert 0 < judged < 24


def test_all_points_visible_gives_the_same_with_and_without_masks() -> None:
    first, second = images(6), images(4, seed=1)
    ones = torch.ones(9, 6, dtype=torch.float64), torch.ones(9, 4, dtype=torch.float64)
    torch.testing.assert_close(
        minimal_singular_value_ratio(first, second, *ones),
        minimal_singular_value_ratio(first, second),
    )

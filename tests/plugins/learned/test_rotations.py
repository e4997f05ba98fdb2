"""Rotations, polar factors and their gradients against singular value decompositions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, draw, seeded
from torch import Tensor

from liftbench_plugins.learned.rotations import (
    full_rotation,
    nearest_rotation,
    polar_factor,
    random_cameras,
    rotate,
)

TYPES = [torch.float32, torch.float64]


def with_singular_values(
    values: tuple[float, ...], dtype: torch.dtype, flip: float = 1.0
) -> Tensor:
    """Return one matrix (3, n, 1) with random singular vectors."""
    left, right = torch.linalg.qr(draw(3, 3))[0], torch.linalg.qr(draw(3, 3, seed=1))[0]
    count = len(values)
    if count == 3:
        right = right * torch.sign(torch.linalg.det(left) * torch.linalg.det(right)) * flip
    else:
        right = torch.linalg.qr(draw(2, 2, seed=1))[0]
    middle = torch.diag(torch.tensor(values, dtype=torch.float64))
    product: Tensor = left[:, :count] @ middle @ right.T
    return product[..., None].to(dtype)


def svd_polar(matrix: Tensor) -> Tensor:
    """Return U V^T of (3, n, B)."""
    left, _, right = torch.linalg.svd(matrix.permute(2, 0, 1).double(), full_matrices=False)
    product: Tensor = left @ right
    return product.permute(1, 2, 0).to(matrix.dtype)


def svd_rotation(matrix: Tensor) -> Tensor:
    """Return U diag(1, 1, det(U V^T)) V^T of (3, 3, B)."""
    left, _, right = torch.linalg.svd(matrix.permute(2, 0, 1).double())
    left = left.clone()
    left[:, :, 2] *= torch.linalg.det(left @ right)[:, None]
    product: Tensor = left @ right
    return product.permute(1, 2, 0).to(matrix.dtype)


def test_rotate_multiplies_the_shape_and_the_camera_of_each_frame() -> None:
    shape, camera = draw(5, 3, 4), draw(3, 2, 4, seed=1)
    expected = torch.stack([shape[..., b] @ camera[..., b] for b in range(4)], dim=-1)
    torch.testing.assert_close(rotate(shape, camera), expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_polar_factor_equals_that_of_the_svd(dtype: torch.dtype) -> None:
    matrix = draw(3, 2, 200, dtype=dtype)
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    torch.testing.assert_close(polar_factor(matrix), svd_polar(matrix), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_nearest_rotation_equals_that_of_the_svd_with_determinant_one(dtype: torch.dtype) -> None:
    matrix = draw(3, 3, 200, dtype=dtype)
    assert (torch.linalg.det(matrix.permute(2, 0, 1)) < 0).sum() > 50
    rotation = nearest_rotation(matrix)
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    torch.testing.assert_close(rotation, svd_rotation(matrix), rtol=0, atol=tolerance)
    determinants = torch.linalg.det(rotation.permute(2, 0, 1))
    torch.testing.assert_close(determinants, torch.ones_like(determinants))


@pytest.mark.parametrize(
    ("function", "matrix"),
    [(polar_factor, draw(3, 2, 4)), (nearest_rotation, draw(3, 3, 4))],
)
def test_gradients_equal_finite_differences_for_distinct_singular_values(
    function: Callable[[Tensor], Tensor], matrix: Tensor
) -> None:
    assert torch.autograd.gradcheck(function, (matrix.clone().requires_grad_(),))


DEGENERATE = [
    (polar_factor, (1.0, 1.0)),
    (polar_factor, (1.0, 1e-5)),
    (polar_factor, (1.0, 0.0)),
    (polar_factor, (0.0, 0.0)),
    (nearest_rotation, (1.0, 1.0, 1.0)),
    (nearest_rotation, (2.0, 1.0, 1.0)),
    (nearest_rotation, (1.0, 1.0, 1e-5)),
    (nearest_rotation, (1.0, 1e-5, 0.0)),
    (nearest_rotation, (1.0, 0.0, 0.0)),
    (nearest_rotation, (0.0, 0.0, 0.0)),
]


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("function", "values"), DEGENERATE)
def test_values_and_gradients_are_finite_where_there_is_no_single_nearest_rotation(
    function: Callable[[Tensor], Tensor], values: tuple[float, ...], dtype: torch.dtype, flip: float
) -> None:
    matrix = with_singular_values(values, dtype, flip).requires_grad_()
    weight = draw(*matrix.shape, dtype=dtype, seed=5)
    found = function(matrix)
    assert torch.isfinite(found).all()
    backward((found * weight).sum())
    assert torch.isfinite(not_none(matrix.grad)).all()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("exponent", [-25, -9, -8, -7, -6, -5, -4, -2, 2, 4])
def test_polar_factor_does_not_depend_on_the_scale(exponent: int, dtype: torch.dtype) -> None:
    matrix = draw(3, 2, 200)
    found = polar_factor((matrix * 10.0**exponent).to(dtype)).double()
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    torch.testing.assert_close(found, svd_polar(matrix), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_polar_factor_is_exact_for_equal_singular_values(dtype: torch.dtype) -> None:
    matrix = with_singular_values((0.7, 0.7), dtype)
    torch.testing.assert_close(polar_factor(matrix), svd_polar(matrix))


def assert_rotations(rotation: Tensor) -> None:
    matrices = rotation.permute(2, 0, 1)
    identity = torch.eye(3, dtype=matrices.dtype).expand(len(matrices), 3, 3)
    torch.testing.assert_close(matrices @ matrices.transpose(1, 2), identity)
    ones = torch.ones(len(matrices), dtype=matrices.dtype)
    torch.testing.assert_close(torch.linalg.det(matrices), ones)


def test_full_rotation_is_a_rotation_that_begins_with_the_camera() -> None:
    camera = polar_factor(draw(3, 2, 6))
    assert_rotations(full_rotation(camera))
    torch.testing.assert_close(full_rotation(camera)[:, :2], camera)


def test_random_cameras_are_uniform_rotations_that_the_generator_determines() -> None:
    like = torch.zeros(4, 3, 20_000, dtype=torch.float64)
    rotations = random_cameras(3, like, seeded(0))
    assert_rotations(rotations)
    torch.testing.assert_close(random_cameras(2, like, seeded(0)), rotations[:, :2])
    # Uniform: every entry has mean 0 and mean square 1/3, the trace has mean square 1.
    assert rotations.mean(dim=2).abs().max() < 0.02
    assert (rotations.square().mean(dim=2) - 1 / 3).abs().max() < 0.02
    trace = rotations.diagonal().sum(dim=1)
    assert trace.square().mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("diagonal", [(1, 1, -1 + 1e-6), (1, 1 + 1e-6, -1), (1, 1e-6, 0)])
def test_gradient_of_nearest_rotation_is_bounded_where_two_are_almost_as_near(
    diagonal: tuple[float, ...], dtype: torch.dtype
) -> None:
    """One frame must not change a network much; the exact gradient is several thousand here."""
    matrix = torch.diag(torch.tensor(diagonal, dtype=dtype))[..., None].requires_grad_()
    backward((nearest_rotation(matrix) * draw(3, 3, 1, dtype=dtype, seed=1)).sum())
    assert not_none(matrix.grad).abs().max() < 1e3


def test_gradients_are_finite_for_one_entry_of_any_size() -> None:
    sizes = torch.logspace(-37, 3, 4001)
    matrix = torch.zeros(3, 2, len(sizes))
    matrix[1, 0] = sizes
    matrix.requires_grad_()
    backward((polar_factor(matrix) * draw(3, 2, len(sizes), dtype=torch.float32)).sum())
    assert not_none(matrix.grad).isfinite().all()

import pytest
import torch

from liftbench_plugins.learned.rotations import (
    full_rotation,
    nearest_rotation,
    polar_factor,
    random_cameras,
    rotate,
)

TYPES = [torch.float32, torch.float64]


def draw(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def with_singular_values(values, dtype, flip=1.0):
    """Return one matrix (3, n, 1) with random singular vectors."""
    left, right = torch.linalg.qr(draw(3, 3))[0], torch.linalg.qr(draw(3, 3, seed=1))[0]
    count = len(values)
    if count == 3:
        right = right * torch.sign(torch.linalg.det(left) * torch.linalg.det(right)) * flip
    else:
        right = torch.linalg.qr(draw(2, 2, seed=1))[0]
    middle = torch.diag(torch.tensor(values, dtype=torch.float64))
    return (left[:, :count] @ middle @ right.T)[..., None].to(dtype)


def svd_polar(matrix):
    left, _, right = torch.linalg.svd(matrix.permute(2, 0, 1).double(), full_matrices=False)
    return (left @ right).permute(1, 2, 0).to(matrix.dtype)


def svd_rotation(matrix):
    """Return U diag(1, 1, det(U V^T)) V^T of (3, 3, B)."""
    left, _, right = torch.linalg.svd(matrix.permute(2, 0, 1).double())
    left = left.clone()
    left[:, :, 2] *= torch.linalg.det(left @ right)[:, None]
    return (left @ right).permute(1, 2, 0).to(matrix.dtype)


def test_turned_is_the_product_of_each_frame():
    shape, camera = draw(5, 3, 4), draw(3, 2, 4, seed=1)
    expected = torch.stack([shape[..., b] @ camera[..., b] for b in range(4)], dim=-1)
    torch.testing.assert_close(rotate(shape, camera), expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_polar_factor_equals_that_of_the_svd(dtype):
    matrix = draw(3, 2, 200, dtype=dtype)
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    torch.testing.assert_close(polar_factor(matrix), svd_polar(matrix), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_nearest_rotation_equals_that_of_the_svd_with_determinant_one(dtype):
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
def test_gradients_away_from_degeneracy_are_right(function, matrix):
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
def test_values_and_gradients_stay_finite_where_the_nearest_is_not_unique(
    function, values, dtype, flip
):
    matrix = with_singular_values(values, dtype, flip).requires_grad_()
    weight = draw(*matrix.shape, dtype=dtype, seed=5)
    found = function(matrix)
    assert torch.isfinite(found).all()
    (found * weight).sum().backward()
    assert torch.isfinite(matrix.grad).all()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("exponent", [-25, -9, -8, -7, -6, -5, -4, -2, 2, 4])
def test_polar_factor_does_not_depend_on_the_scale(exponent, dtype):
    matrix = draw(3, 2, 200)
    found = polar_factor((matrix * 10.0**exponent).to(dtype)).double()
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    torch.testing.assert_close(found, svd_polar(matrix), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_polar_factor_is_exact_where_singular_values_meet(dtype):
    matrix = with_singular_values((0.7, 0.7), dtype)
    torch.testing.assert_close(polar_factor(matrix), svd_polar(matrix))


def assert_rotations(rotation):
    matrices = rotation.permute(2, 0, 1)
    identity = torch.eye(3, dtype=matrices.dtype).expand(len(matrices), 3, 3)
    torch.testing.assert_close(matrices @ matrices.transpose(1, 2), identity)
    ones = torch.ones(len(matrices), dtype=matrices.dtype)
    torch.testing.assert_close(torch.linalg.det(matrices), ones)


def test_full_rotation_is_a_rotation_that_begins_with_the_camera():
    camera = polar_factor(draw(3, 2, 6))
    assert_rotations(full_rotation(camera))
    torch.testing.assert_close(full_rotation(camera)[:, :2], camera)


def test_random_cameras_are_uniform_rotations_named_by_the_generator():
    like = torch.zeros(4, 3, 20_000, dtype=torch.float64)
    rotations = random_cameras(3, like, torch.Generator().manual_seed(0))
    assert_rotations(rotations)
    torch.testing.assert_close(
        random_cameras(2, like, torch.Generator().manual_seed(0)), rotations[:, :2]
    )
    # Uniform: every entry has mean 0 and mean square 1/3, the trace has mean square 1.
    assert rotations.mean(dim=2).abs().max() < 0.02
    assert (rotations.square().mean(dim=2) - 1 / 3).abs().max() < 0.02
    trace = rotations.diagonal().sum(dim=1)
    assert trace.square().mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("diagonal", [(1, 1, -1 + 1e-6), (1, 1 + 1e-6, -1), (1, 1e-6, 0)])
def test_gradient_of_nearest_rotation_is_bounded_near_where_it_is_not_unique(diagonal, dtype):
    """A single frame must not throw a network far; the exact gradient is some thousands here."""
    matrix = torch.diag(torch.tensor(diagonal, dtype=dtype))[..., None].requires_grad_()
    (nearest_rotation(matrix) * draw(3, 3, 1, dtype=dtype, seed=1)).sum().backward()
    assert matrix.grad.abs().max() < 1e3


def test_gradients_are_finite_for_one_entry_of_any_size():
    sizes = torch.logspace(-37, 3, 4001)
    matrix = torch.zeros(3, 2, len(sizes))
    matrix[1, 0] = sizes
    matrix.requires_grad_()
    (polar_factor(matrix) * draw(3, 2, len(sizes), dtype=torch.float32)).sum().backward()
    assert matrix.grad.isfinite().all()

"""Rotations and cameras of many frames at once; the frames are the last axis."""

from __future__ import annotations

import roma
import torch
from torch import Tensor

# Keeps the polar factor differentiable at zero; far below the square of any code.
_EPSILON = 1e-12
# The gradient divides by this twice, which must not overflow float32.
_SMALLEST_DETERMINANT = 1e-22
_SMALLEST_PRODUCT = 1e-21  # likewise its square
_TINY, _LEAST = 1e-5, 1e-30
_LEAST_RATIO = 1e-6


def rotate(shape: Tensor, camera: Tensor) -> Tensor:
    """Return S R (P, a, B) of shapes S (P, 3, B) and the first columns R (3, a, B) of rotations."""
    return (shape[:, :, None] * camera).sum(dim=1)


def polar_factor(matrix: Tensor) -> Tensor:
    """Return the (3, 2, B) matrices with orthonormal columns that are nearest to `matrix`.

    Equals U V^T of the singular value decomposition, in closed form: A (A^T A)^(-1/2) with the
    square root of a symmetric 2x2 matrix. Its gradient stays finite where singular values meet.
    """
    # The result does not depend on the scale, so that a matrix whose squares would underflow can be
    # scaled to a largest entry of 1. A zero matrix has no direction, and the gradient of scaling it
    # would overflow.
    largest = matrix.detach().abs().amax(dim=(0, 1))
    tiny = (largest < _TINY) | _overflows(matrix.detach())
    matrix = matrix / torch.where((largest > _LEAST) & tiny, largest, 1)
    one, two = matrix.unbind(dim=1)
    a, d, b, root = _products(one, two)
    scale = (a + d + 2 * root).clamp_min(_EPSILON).sqrt()
    a, d = a + root, d + root
    factor = scale / (a * d - b.square()).clamp_min(_SMALLEST_DETERMINANT)
    return torch.stack([(one * d - two * b) * factor, (two * a - one * b) * factor], dim=1)


def _products(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the entries a, d, b of A^T A (B,) and the square root of its determinant."""
    a, d, b = one.square().sum(0), two.square().sum(0), (one * two).sum(0)
    # Where both columns are parallel, as for two visible points, one singular vector is undefined;
    # the bound on the least singular value, relative to the largest, keeps the gradient finite.
    least = (_LEAST_RATIO * (a + d)).detach().clamp_min(_EPSILON)
    return a, d, b, (a * d - b.square()).maximum(least.square()).sqrt()


def _overflows(matrix: Tensor) -> Tensor:
    """Return where the gradient would divide by the square of too small a number (B,)."""
    a, d, _, root = _products(*matrix.unbind(dim=1))
    return root * (a + d) < _SMALLEST_PRODUCT


def nearest_rotation(matrix: Tensor) -> Tensor:
    """Return the rotations (3, 3, B) that are nearest to `matrix` (3, 3, B).

    U diag(1, 1, det(U V^T)) V^T of the singular value decomposition; the gradient stays finite
    where it is not unique.
    """
    frames_first: Tensor = roma.special_procrustes(matrix.permute(2, 0, 1), gradient_eps=1e-4)
    return frames_first.permute(1, 2, 0)


def full_rotation(camera: Tensor) -> Tensor:
    """Return the rotation (3, 3, B) whose first two columns are `camera` (3, 2, B)."""
    one, two = camera.unbind(dim=1)
    return torch.stack([one, two, torch.linalg.cross(one, two, dim=0)], dim=1)


def random_cameras(columns: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Return the first `columns` columns (3, a, B) of uniformly random rotations.

    Args:
        columns: 2 or 3.
        like: (..., B), gives the device, the type and the number of frames.
        generator: draws the rotations, on the CPU.
    """
    drawn = torch.randn(3, 2, like.shape[-1], generator=generator).to(like)
    camera = polar_factor(drawn)
    return camera if columns == 2 else full_rotation(camera)

"""The minimal singular value ratio, zero for views of a rigid shape (PR-RRN, section 4.2.1)."""

from __future__ import annotations

import torch
from torch import Tensor

# Four centred points span three dimensions even if they move, so that they show nothing.
_LEAST_POINTS = 5
_LAGUERRE_STEPS = 5


def minimal_singular_value_ratio(
    first: Tensor,
    second: Tensor,
    first_visible: Tensor | None = None,
    second_visible: Tensor | None = None,
) -> Tensor:
    """Return the minimal singular value ratio (A, B) of all pairs of centred images (eq. 9).

    sigma_4^2 / sum sigma_l^2 of the stacked 4xP matrix is the ratio of the smallest eigenvalue
    of its 4x4 Gram matrix to the trace. Its entries for all pairs come out of matrix products,
    so that the number of points hardly matters. In [0, 0.25]; 0 for two views of a rigid shape.

    Args:
        first: (P, 2, A), zero where hidden.
        second: (P, 2, B), zero where hidden.
        first_visible: (P, A) ones and zeros; None where every point is visible.
        second_visible: (P, B), given together with `first_visible`. The ratio of a pair is that of
            the points that both see, about their mean; NaN if they are fewer than 5.
    """
    # The ratio does not depend on the scale; at this one powers of the trace stay in range.
    largest = first.abs().amax()
    largest = torch.where(largest > 0, largest, 1)
    first, second = first / largest, second / largest
    if first_visible is None or second_visible is None:
        return _smallest_share(_gram(first, second))
    common = first_visible.t() @ second_visible
    gram = _common_gram(first, second, first_visible, second_visible, common)
    return torch.where(common < _LEAST_POINTS, torch.nan, _smallest_share(gram))


_Gram = dict[tuple[int, int], Tensor]  # entries i <= j of symmetric 4x4 matrices of all pairs


def _gram(first: Tensor, second: Tensor) -> _Gram:
    """Return the Gram matrices of pairs; entries within one image are (A, 1) or (1, B)."""
    points = first.shape[0]
    cross = first.reshape(points, -1).t() @ second.reshape(points, -1)
    cross = cross.view(2, first.shape[2], 2, second.shape[2])
    gram = {(i, 2 + j): cross[i, :, j] for i in range(2) for j in range(2)}
    for i, j in ((0, 0), (0, 1), (1, 1)):
        gram[i, j] = (first[:, i] * first[:, j]).sum(dim=0)[:, None]
        gram[2 + i, 2 + j] = (second[:, i] * second[:, j]).sum(dim=0)[None]
    return gram


def _common_gram(
    first: Tensor, second: Tensor, first_visible: Tensor, second_visible: Tensor, common: Tensor
) -> _Gram:
    """Return the Gram matrices of pairs over the points that both see, about their mean."""
    gram = _gram(first, second)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        gram[i, j] = (first[:, i] * first[:, j]).t() @ second_visible
        gram[2 + i, 2 + j] = first_visible.t() @ (second[:, i] * second[:, j])
    sums = [first[:, i].t() @ second_visible for i in range(2)]
    sums += [first_visible.t() @ second[:, i] for i in range(2)]
    count = common.clamp_min(1)
    return {(i, j): entry - sums[i] * sums[j] / count for (i, j), entry in gram.items()}


def _smallest_share(gram: _Gram) -> Tensor:
    """Return the smallest eigenvalue over the trace.

    The least root of the characteristic polynomial x^4 - x^3 + c2 x^2 - c1 x + c0 of the matrix
    over its trace, by Laguerre's method, which climbs to it from 0 as all roots are real.
    """
    c2, c1, c0 = _characteristic(gram)
    share = torch.zeros_like(c0)
    for _ in range(_LAGUERRE_STEPS):
        value = (((share - 1) * share + c2) * share - c1) * share + c0
        slope = ((4 * share - 3) * share + 2 * c2) * share - c1
        bend = (12 * share - 6) * share + 2 * c2
        root = (9 * slope.square() - 12 * value * bend).clamp_min(0).sqrt()
        # Two views from the same side have two small roots; rounding must not make the step large.
        share = share - 4 * value / (slope - root).clamp_max(-1e-4)
    return share.clamp(0, 0.25)


def _characteristic(gram: _Gram) -> tuple[Tensor, Tensor, Tensor]:
    """Return c2, c1, c0: sums of the principal minors of 2, 3 and 4 rows, of trace 1."""
    trace = gram[0, 0] + gram[1, 1] + gram[2, 2] + gram[3, 3]
    trace = torch.where(trace > 0, trace, 1)
    a11, a22, a12 = gram[0, 0], gram[1, 1], gram[0, 1]
    b11, b22, b12 = gram[2, 2], gram[3, 3], gram[2, 3]
    c11, c12, c21, c22 = gram[0, 2], gram[0, 3], gram[1, 2], gram[1, 3]
    a, b = a11 * a22 - a12.square(), b11 * b22 - b12.square()
    s11, s12, s21, s22 = c11.square(), c12.square(), c21.square(), c22.square()
    # adj(A) between columns of C, and adj(B) between rows of C.
    a_11 = a22 * s11 - 2 * a12 * c11 * c21 + a11 * s21
    a_22 = a22 * s12 - 2 * a12 * c12 * c22 + a11 * s22
    b_11 = b22 * s11 - 2 * b12 * c11 * c12 + b11 * s12
    b_22 = b22 * s21 - 2 * b12 * c21 * c22 + b11 * s22
    two = a + b + (a11 + a22) * (b11 + b22) - (s11 + s12 + s21 + s22)
    three = a * (b11 + b22) - a_11 - a_22 + b * (a11 + a22) - b_11 - b_22
    crossed = a22 * c11 * c12 - a12 * (c11 * c22 + c21 * c12) + a11 * c21 * c22
    four = a * b - b11 * a_22 - b22 * a_11 + 2 * b12 * crossed + (c11 * c22 - c12 * c21).square()
    return two / trace**2, three / trace**3, four / trace**4

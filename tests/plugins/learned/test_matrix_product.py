from __future__ import annotations

import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward

from liftbench_plugins.learned.matrix_product import matrix_product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_product_and_gradients_equal_those_of_torch(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(40, 30, generator=generator, dtype=dtype, requires_grad=True)
    right = torch.randn(50, 30, generator=generator, dtype=dtype, requires_grad=True)
    weight = torch.randn(40, 50, generator=generator, dtype=dtype)
    ours = torch.autograd.grad((matrix_product(left, right.t()) * weight).sum(), (left, right))
    theirs = torch.autograd.grad(((left @ right.t()) * weight).sum(), (left, right))
    torch.testing.assert_close(matrix_product(left, right.t()), left @ right.t())
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two)


def test_a_factor_that_needs_no_gradient_gets_none() -> None:
    left = torch.randn(4, 3, requires_grad=True)
    right = torch.randn(3, 2)
    backward(matrix_product(left, right).sum())
    torch.testing.assert_close(not_none(left.grad), torch.ones(4, 2) @ right.t())
    assert right.grad is None

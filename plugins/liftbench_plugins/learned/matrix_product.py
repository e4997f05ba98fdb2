"""Matrix products on the quickest path that torch has for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

# An operator that torch's own compiler uses; builds of torch without it take `@`.
_ONEDNN_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def matrix_product(left: Tensor, right: Tensor) -> Tensor:
    """Return `left @ right` of (N, K) and (K, M), differentiable.

    torch multiplies float32 matrices on the CPU with MKL, which reaches only half of the speed of
    processors that are not Intel's. oneDNN, which torch uses for layers, reaches all of it.
    """
    if _ONEDNN_LINEAR and left.device.type == "cpu" and left.dtype == torch.float32:
        product: Tensor = _OneDnnProduct.apply(left, right)  # type: ignore[no-untyped-call]
        return product
    return left @ right


class _OneDnnProduct(Function):
    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:  # noqa: ANN401 torch's own
        ctx.save_for_backward(left, right)
        return _product(left, right)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        left, right = ctx.saved_tensors
        for_left, for_right = ctx.needs_input_grad
        return (
            _product(gradient, right.t()) if for_left else None,
            _product(left.t(), gradient) if for_right else None,
        )


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return the product by oneDNN's linear layer, left @ weight^T with weight = right^T."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(left, right.t(), None, "none", [], "")
    return product

"""A template, a basis and the weight of coefficients, which the layer of To The Point fits."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.ttp.layer.pose_deformation import Fit, PoseDeformation

_FIRST_BASIS = 0.1  # root mean square of basis shapes, in units of the template's
_FIRST_SIZE = 3.0  # change of a frame's size per coefficient
_FEWEST_SHOWN = 4  # a frame keeps all its points if fewer would be left
_SMOOTH = 0.004  # distance, in units of a frame's spread, below which a loss is a square


class ShapeModel(nn.Module):
    """The shapes of a category, T + B c, and how they are found from key points.

    Where frames have sizes of their own, one more coefficient changes the size: it belongs to the
    template itself, so that the layer finds size, pose and deformation together.

    Args:
        template: first T (P, 3), about its mean.
        basis: K, number of basis shapes.
        generator: draws the basis.
        own_sizes: whether frames have sizes of their own.
    """

    def __init__(
        self, template: Tensor, basis: int, generator: torch.Generator, *, own_sizes: bool
    ) -> None:
        super().__init__()
        size = template.square().mean().sqrt()
        drawn = torch.randn(basis, *template.shape, generator=generator, dtype=torch.float64)
        self.template = nn.Parameter(template / size)
        self.basis = nn.Parameter(_FIRST_BASIS * drawn)
        self.log_gamma = nn.Parameter(torch.zeros((), dtype=torch.float64))
        first = torch.tensor(math.log(_FIRST_SIZE), dtype=torch.float64)
        self.log_size = nn.Parameter(first) if own_sizes else None
        self.deforms = True
        self.layer = PoseDeformation("joint", starts=("affine", "twin"), stages=())

    def find(self, points: Tensor, visible: Tensor) -> Fit:
        """Return poses and shapes of B images.

        Args:
            points: (B, P, 2) in units of their spread; hidden ones are not read.
            visible: (B, P) of truth values.
        """
        basis = self.basis if self.deforms else self.basis[:0]
        if self.log_size is not None:
            centred = self.template - self.template.mean(dim=0)
            basis = torch.cat([self.log_size.exp() * centred[None], basis])
        given = torch.where(visible[..., None], points, 0)
        fit: Fit = self.layer(
            given,
            visible.to(points),
            self.template,
            basis,
            self.log_gamma.exp(),
            points.new_ones(len(points)),
        )
        return fit


def completion_loss(
    model: ShapeModel, points: Tensor, visible: Tensor, shown: Tensor, given: float
) -> Tensor:
    """Return the mean distance of points that the model did not see from where it puts them.

    Args:
        model: finds poses and shapes.
        points: (B, P, 2).
        visible: (B, P), the points that have a position.
        shown: (B, P), those of them that the model sees.
        given: weight of the mean distance of the shown points, which is added.
    """
    fit = model.find(points, shown)
    square = (fit.project(fit.shape) - points).square().sum(dim=2)
    # The root of a square is not smooth at 0, and far points must not rule.
    distance = (square + _SMOOTH**2).sqrt() - _SMOOTH
    held = visible & ~shown
    return _mean_where(distance, held) + given * _mean_where(distance, shown)


def hold_out(visible: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return visible points (B, P) without a random share of them.

    A frame keeps all its points if fewer than four would be left.
    """
    drawn = torch.rand(visible.shape, generator=generator).to(visible.device)
    shown = visible & (drawn >= share)
    enough = shown.sum(dim=1, keepdim=True) >= _FEWEST_SHOWN
    return torch.where(enough, shown, visible)


def _mean_where(values: Tensor, condition: Tensor) -> Tensor:
    return (values * condition).sum() / condition.sum().clamp_min(1)

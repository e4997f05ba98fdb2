"""Parameters of methods whose shape coefficients are smooth in time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from liftbench.plugin.param_checks import require_positive


@dataclass(frozen=True)
class SmoothParams:
    """Sizes; what is None follows from the data.

    Attributes:
        cameras: K of the metric upgrade; None for the greatest up to 10 that W bears.
        shapes: K basis shapes.
        smoothness: d/F, basis trajectories a frame of which coefficients are made; short sequences
            have more, 30 or a third of their frames.
        steps: of the optimisation at most.
    """

    cameras: int | None = None
    shapes: int | None = None
    smoothness: float = 0.1
    steps: int = 100

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None:
                require_positive(name, value)
        if self.smoothness > 1:
            raise ValueError(f"smoothness: expected at most 1, got {self.smoothness}")

    def basis_size(self, frames: int, shapes: int) -> int:
        """Return d, at least the number of basis shapes."""
        few = min(_FEW, frames // 3)
        return min(frames, max(math.ceil(self.smoothness * frames), few, shapes))


_FEW = 30

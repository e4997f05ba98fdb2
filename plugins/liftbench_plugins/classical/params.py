"""Parameters that several methods share: the number of basis shapes, and sizes of smooth bases."""

from __future__ import annotations

import math
from dataclasses import dataclass

from liftbench.plugin.param_checks import require_all_positive

# A short sequence gets this many basis trajectories, if a third of its frames allow it.
_SHORT_SIZE = 30


@dataclass(frozen=True)
class RankParams:
    """The number of basis shapes.

    Attributes:
        shapes: K; None: the largest K that W supports, up to the method's limit.
    """

    shapes: int | None = None

    def __post_init__(self) -> None:
        require_all_positive(self)


@dataclass(frozen=True)
class SmoothParams:
    """Sizes of a method whose shape coefficients are smooth; None: the data decides.

    Attributes:
        cameras: K of the metric upgrade; None: the largest K up to 10 that W supports.
        shapes: K basis shapes.
        smoothness: d/F, the number of basis trajectories per frame. A short sequence gets more: 30
            or a third of its frames.
        steps: limit on the steps of the optimisation.
    """

    cameras: int | None = None
    shapes: int | None = None
    smoothness: float = 0.1
    steps: int = 100

    def __post_init__(self) -> None:
        require_all_positive(self)
        if self.smoothness > 1:
            raise ValueError(f"smoothness: expected at most 1, got {self.smoothness}")

    def basis_size(self, frames: int, shapes: int) -> int:
        """Return the number d of basis trajectories; it is at least the number of basis shapes."""
        short = min(_SHORT_SIZE, frames // 3)
        return min(frames, max(math.ceil(self.smoothness * frames), short, shapes))

"""Parameters of methods that need no more than the number of basis shapes."""

from __future__ import annotations

from dataclasses import dataclass

from liftbench.plugin.param_checks import require_positive


@dataclass(frozen=True)
class RankParams:
    """The number of basis shapes.

    Attributes:
        shapes: K; None for the greatest that W bears, up to the most of the method.
    """

    shapes: int | None = None

    def __post_init__(self) -> None:
        if self.shapes is not None:
            require_positive("shapes", self.shapes)

"""Selecting and joining frames in dataclasses whose fields are arrays over frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools


class FrameArrays:
    """Base of a dataclass whose fields are arrays (F, ...) or None."""

    def take(self, frames: Bools | NDArray[np.int64] | slice) -> Self:
        """Return the selected frames."""
        return self._of(None if field is None else field[frames] for field in vars(self).values())

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the frames of all parts, one after another."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls._of(None if c[0] is None else np.concatenate(c) for c in columns)

    @classmethod
    def _of(cls, fields: Any) -> Self:  # noqa: ANN401 an iterable of the fields in their order
        return cls(*fields)

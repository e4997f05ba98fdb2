"""What a method's error does over a grid of severities, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from liftbench.suites.grids import Axis, Grid, Index
from liftbench.types import Bools, Floats


@dataclass(frozen=True, eq=False)
class Surface:
    """One method's numbers on one split, over a grid of shape G.

    Attributes:
        grid: that they are over.
        split: that they are of.
        method: the row's key in the suite.
        values: (S, *G) by seed; NaN where there is no number.
        printed: (*G) what a paper prints; NaN where it prints nothing.
        status: (*G) how the runs of a cell ended.
        more_is_better: the numbers are scores and not errors.
    """

    grid: Grid
    split: str
    method: str
    values: Floats
    printed: Floats
    status: NDArray[np.str_]
    more_is_better: bool = False

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """The number of seeds of each cell, (*G)."""
        count: NDArray[np.int64] = np.isfinite(self.values).sum(axis=0)
        return count

    @cached_property
    def mean(self) -> Floats:
        """The mean over the seeds, (*G); NaN where there is none."""
        total = np.nansum(self.values, axis=0)
        return np.where(self.count > 0, total / np.maximum(self.count, 1), np.nan)

    @cached_property
    def spread(self) -> Floats:
        """The standard deviation over the seeds, (*G); NaN where there are not two."""
        squares = np.nansum((self.values - self.mean) ** 2, axis=0)
        return np.where(self.count > 1, np.sqrt(squares / np.maximum(self.count - 1, 1)), np.nan)

    @property
    def clean(self) -> float:
        """The number where nothing is corrupted."""
        return float(self.mean[(0,) * self.mean.ndim])

    @property
    def strongest(self) -> float:
        """The number where every corruption is at its strongest."""
        return float(self.mean[(-1,) * self.mean.ndim])

    @property
    def whole(self) -> Bools:
        """Which seeds have a number in every cell, (S,)."""
        cells = np.isfinite(self.values).reshape(len(self.values), -1)
        return np.asarray(cells.all(axis=1))

    @property
    def area(self) -> float:
        """The mean area under the curve of the whole seeds, see `areas`; NaN without one."""
        return float(self._areas.mean()) if self.whole.any() else np.nan

    @property
    def area_spread(self) -> float:
        """The standard deviation of the area over the whole seeds; NaN where there are not two."""
        return float(self._areas.std(ddof=1)) if self.whole.sum() > 1 else np.nan

    @property
    def cost(self) -> float:
        """The area over the same seeds' clean number: 1 where no corruption costs anything."""
        clean = self.values[(self.whole, *(0,) * self.mean.ndim)]
        return float(self._areas.mean() / clean.mean()) if self.whole.any() else np.nan

    @cached_property
    def _areas(self) -> Floats:
        return areas(self.values[self.whole], self.grid.axes)

    def growth(self, number: int) -> Growth:
        """Return what the numbers do along an axis, the others at all their values."""
        along = np.moveaxis(self.mean, number, 0)
        spread = np.nan_to_num(np.moveaxis(self.spread, number, 0))
        worse = np.diff(along, axis=0) * (-1 if self.more_is_better else 1)
        band = spread[1:] + spread[:-1]
        alone = along.reshape(len(along), -1)[:, 0]
        places = np.argwhere(worse < -band)
        return Growth(
            axis=self.grid.axes[number],
            factor=float(alone[-1] / alone[0]),
            grows=int((worse > band).sum()),
            within=int((np.abs(worse) <= band).sum()),
            falls=tuple(self._step(number, tuple(map(int, place))) for place in places),
        )

    def _step(self, number: int, place: Index) -> str:
        """Return the name of a step along an axis."""
        start, *rest = place
        axis = self.grid.axes[number]
        others = [a for i, a in enumerate(self.grid.axes) if i != number]
        names = [f"{a.name}={a.labels[i]}" for a, i in zip(others, rest, strict=True)]
        step = f"{axis.name} {axis.labels[start]} to {axis.labels[start + 1]}"
        return " at ".join([step, *names])


@dataclass(frozen=True)
class Growth:
    """What numbers do from each value of an axis to the next.

    A step is within the bands if it is not larger than the standard deviations over the seeds at
    both its ends together; a single seed has none.

    Attributes:
        axis: along which.
        factor: the number at the strongest value over the clean one, the other axes clean.
        grows: steps to a worse number.
        within: steps within the bands.
        falls: names of the steps to a better number.
    """

    axis: Axis
    factor: float
    grows: int
    within: int
    falls: tuple[str, ...]


def areas(values: Floats, axes: tuple[Axis, ...]) -> Floats:
    """Return the area under curves or surfaces of numbers, as a mean over the grid.

    Each axis is scaled to run from 0, clean, to 1, its strongest value; between values the numbers
    are taken for linear (trapezoids). So the area is the mean number over all severities, in the
    same unit, and where no corruption changes anything it is the clean number.

    Args:
        values: (S, *G).
        axes: of the grid of shape G.

    Returns:
        (S,).
    """
    total = values
    for axis in reversed(axes):
        distance = np.array(axis.severities)
        total = np.trapezoid(total, distance / distance[-1], axis=-1)
    return total

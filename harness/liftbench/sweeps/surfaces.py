"""A method's numbers over a grid of severities: means, areas and growth."""

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
        grid: the grid of severities.
        split: the split that the numbers are measured on.
        method: the method's row of the suite.
        values: (S, *G) the number of each seed; NaN without a number.
        printed: (*G) the printed numbers; NaN without one.
        status: (*G) how the runs of each cell ended.
        more_is_better: whether a larger number is better.
        supervised: whether the method is shown the truth: a control, which is never the best.
    """

    grid: Grid
    split: str
    method: str
    values: Floats
    printed: Floats
    status: NDArray[np.str_]
    more_is_better: bool = False
    supervised: bool = False

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """The number of seeds with a number in each cell, (*G)."""
        count: NDArray[np.int64] = np.isfinite(self.values).sum(axis=0)
        return count

    @cached_property
    def mean(self) -> Floats:
        """The mean over the seeds, (*G); NaN without a number."""
        total = np.nansum(self.values, axis=0)
        return np.where(self.count > 0, total / np.maximum(self.count, 1), np.nan)

    @cached_property
    def spread(self) -> Floats:
        """The standard deviation over the seeds, (*G); NaN with fewer than two."""
        squares = np.nansum((self.values - self.mean) ** 2, axis=0)
        return np.where(self.count > 1, np.sqrt(squares / np.maximum(self.count - 1, 1)), np.nan)

    @property
    def clean(self) -> float:
        """The mean number without any corruption."""
        return float(self.mean[(0,) * self.mean.ndim])

    @property
    def strongest(self) -> float:
        """The mean number with every corruption at its strongest."""
        return float(self.mean[(-1,) * self.mean.ndim])

    @property
    def whole(self) -> Bools:
        """Whether each seed is whole, (S,): it has a number in every cell."""
        cells = np.isfinite(self.values).reshape(len(self.values), -1)
        return np.asarray(cells.all(axis=1))

    @property
    def area(self) -> float:
        """The mean of `areas` over the whole seeds; NaN without a whole seed."""
        return float(self._areas.mean()) if self.whole.any() else np.nan

    @property
    def area_spread(self) -> float:
        """The standard deviation of the area over the whole seeds; NaN with fewer than two."""
        return float(self._areas.std(ddof=1)) if self.whole.sum() > 1 else np.nan

    @property
    def cost(self) -> float:
        """The area divided by the clean number of the same seeds: 1 if no corruption matters."""
        clean = self.values[(self.whole, *(0,) * self.mean.ndim)]
        return float(self._areas.mean() / clean.mean()) if self.whole.any() else np.nan

    @cached_property
    def _areas(self) -> Floats:
        return areas(self.values[self.whole], self.grid.axes)

    def growth(self, number: int) -> Growth:
        """Return how the numbers change along one axis, at all values of the other axes."""
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
    """How numbers change along an axis, in steps from each value to the next.

    A step is within the bands if it is at most the sum of the standard deviations over seeds at its
    two ends; with a single seed the bands have no width.

    Attributes:
        axis: the axis of the steps.
        factor: the number at the strongest value divided by the clean one, other axes clean.
        grows: the number of steps to a worse number.
        within: the number of steps within the bands.
        falls: the names of the steps to a better number.
    """

    axis: Axis
    factor: float
    grows: int
    within: int
    falls: tuple[str, ...]


def areas(values: Floats, axes: tuple[Axis, ...]) -> Floats:
    """Return the area under the curve or surface of each seed's numbers.

    Each axis is scaled to run from 0, clean, to 1, its strongest value; between two values the
    numbers are interpolated linearly (trapezoids). So the area is the mean number over all
    severities, in the same unit, and if no corruption changes anything it is the clean number.

    Args:
        values: (S, *G) the numbers of each seed.
        axes: the axes of the grid, whose shape is G.

    Returns:
        (S,) the area of each seed.
    """
    total = values
    for axis in reversed(axes):
        distance = np.array(axis.severities)
        total = np.trapezoid(total, distance / distance[-1], axis=-1)
    return total

"""Corruptions that hide points: at random, along a limb, half of the body, or out of view.

At the same severity, all hide the same number of points. They differ in the order in which the
points of a frame are hidden, which is drawn for each frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from liftbench.corruption.spec import CorruptionParams, CorruptionSpec
from liftbench.types import Floats, Observations, Skeleton

# A frame with fewer points says almost nothing about a shape.
_KEPT = 3

# Returns ranks (F, P): the visible point of the lowest rank is hidden first.
Order = Callable[[Observations, np.random.Generator], Floats]


@dataclass(frozen=True, kw_only=True)
class HidingParams(CorruptionParams):
    """Parameters of all corruptions that hide points.

    Attributes:
        share: share of the points of a frame that is hidden.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"share: expected at least 0 and less than 1, got {self.share}")


def hide_points(
    observations: Observations, params: HidingParams, rng: np.random.Generator, *, order: Order
) -> Observations:
    """Hide round(share · P) more points of each frame in the given order; at least 3 stay visible.

    The order does not depend on the share, so that a larger share hides the same points and more.
    """
    visible = observations.visible
    places = np.where(visible, order(observations, rng), np.inf)
    rank = places.argsort(axis=1).argsort(axis=1)
    most = visible.sum(axis=1, keepdims=True) - _KEPT
    count = np.minimum(round(params.share * visible.shape[1]), most)
    shown = visible & (rank >= count)
    points_2d = np.where(shown[..., None], observations.points_2d, np.nan)
    return replace(observations, points_2d=points_2d, visible=shown)


def at_random(observations: Observations, rng: np.random.Generator) -> Floats:
    """Order the points of each frame at random."""
    return rng.random(observations.visible.shape)


def along_a_limb(observations: Observations, rng: np.random.Generator) -> Floats:
    """Order the points by their distance in edges from an end of the skeleton, drawn per frame.

    An end is a point with one edge, such as a finger; without such points, any point can be one.
    """
    hops = _hops(observations.skeleton)
    degree = (hops == 1).sum(axis=1)
    ends = np.flatnonzero(degree == 1) if (degree == 1).any() else np.arange(len(degree))
    first = rng.choice(ends, observations.frames)
    order: Floats = hops[first] + rng.random(observations.visible.shape)  # breaks ties
    return order


def by_half(observations: Observations, rng: np.random.Generator) -> Floats:
    """Order one side of the body first, then the middle, then the other side.

    Which side is first is drawn for each frame. The points of a side come in random order.
    """
    pairs = np.array(observations.skeleton.left_right, dtype=np.int64).reshape(-1, 2)
    if not len(pairs):
        raise ValueError("the skeleton has no left-right pairs")
    side = np.zeros(observations.visible.shape[1])
    side[pairs[:, 0]], side[pairs[:, 1]] = -1, 1
    first = rng.choice([-1.0, 1.0], (observations.frames, 1))
    return rng.random(observations.visible.shape) - first * side


def out_of_view(observations: Observations, rng: np.random.Generator) -> Floats:
    """Order the points from one border of the image, drawn for each frame, to the opposite one."""
    axis = rng.integers(2, size=(observations.frames, 1, 1))
    way = rng.choice([-1.0, 1.0], (observations.frames, 1))
    place: Floats = np.take_along_axis(observations.points_2d, axis, axis=2)[..., 0]
    return way * place


def _hops(skeleton: Skeleton) -> Floats:
    """Return the number of edges between points, (P, P); P for points that are not connected."""
    if not skeleton.edges:
        raise ValueError("the skeleton has no edges")
    count = len(skeleton.points)
    starts, ends = np.array(skeleton.edges).T
    graph = coo_array((np.ones(len(starts)), (starts, ends)), (count, count))
    hops = shortest_path(graph, directed=False, unweighted=True)
    connected: Floats = np.where(np.isfinite(hops), hops, count)
    return connected


def _hiding(key: str, title: str, order: Order) -> CorruptionSpec:
    apply = partial(hide_points, order=order)
    return CorruptionSpec(key, title, HidingParams, apply, severity="share", unit="%")


HIDING = (
    _hiding("missing", "Points hidden at random", at_random),
    _hiding("missing_limb", "Points of a limb hidden, from its end", along_a_limb),
    _hiding("missing_half", "Points of the left or the right half hidden", by_half),
    _hiding("out_of_view", "Points beyond one border of the picture hidden", out_of_view),
)

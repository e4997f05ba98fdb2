"""Corruptions: seeded changes of what a method sees, the same for every method."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Observations

# A frame of fewer points says next to nothing of a shape.
_KEPT = 3


@dataclass(frozen=True, kw_only=True)
class CorruptionParams:
    """What all corruptions are given.

    Attributes:
        seed: names the draw.
    """

    seed: int = 0


@dataclass(frozen=True)
class CorruptionSpec:
    """A corruption under its key.

    Attributes:
        key: name in suites.
        title: name for people.
        params: dataclass of the parameters, a `CorruptionParams`.
        apply: returns the corrupted observations from observations, parameters and generator.
        version: raise it when what it makes changes; it is part of the key of every run with it.
    """

    key: str
    title: str
    params: type[CorruptionParams]
    apply: Callable[[Observations, Any, np.random.Generator], Observations]
    version: int = 1

    def corrupt(
        self,
        observations: Observations,
        params: CorruptionParams,
        dataset: Mapping[str, Any],
        split: str,
    ) -> Observations:
        """Return the corrupted observations of one split.

        The draw depends on the data, this key and `params.seed`, neither on the method nor on how
        strong the corruption is.

        Args:
            observations: of the clean split.
            params: of this corruption.
            dataset: the key, parameters and subset, as a run's spec has them.
            split: name of the split.
        """
        data = (dataset["key"], json.dumps(dataset["params"], sort_keys=True), dataset["subset"])
        rng = named_rng("corruption", *data, split, self.key, params.seed)
        return self.apply(observations, params, rng)


@dataclass(frozen=True, kw_only=True)
class MissingParams(CorruptionParams):
    """Parameters of `missing`.

    Attributes:
        share: of the points of a frame, that are hidden at random.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"share: expected at least 0 and less than 1, got {self.share}")


def hide_points(
    observations: Observations, params: MissingParams, rng: np.random.Generator
) -> Observations:
    """Hide round(share · P) more points of each frame, and leave 3 where it has them.

    The points of a frame are hidden in one drawn order, so that a larger share hides the same
    points and more.
    """
    visible = observations.visible
    draws = np.where(visible, rng.random(visible.shape), np.inf)
    rank = draws.argsort(axis=1).argsort(axis=1)
    most = visible.sum(axis=1, keepdims=True) - _KEPT
    count = np.minimum(round(params.share * visible.shape[1]), most)
    shown = visible & (rank >= count)
    points_2d = np.where(shown[..., None], observations.points_2d, np.nan)
    return replace(observations, points_2d=points_2d, visible=shown)


BUILTIN_CORRUPTIONS = (
    CorruptionSpec("missing", "Points hidden at random", MissingParams, hide_points),
)

"""What all classical methods share: each factorises the frames that it is fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from liftbench import Capabilities, MethodSpec, Observations, Reconstruction, RunContext
from liftbench_plugins.classical.tracks import Factors, Tracks, reconstruction, tracks_of

Solve = Callable[[Tracks, RunContext], Factors]
SolveWith = Callable[[Tracks, Any, RunContext], Factors]  # Any: the method's parameters


class Batch:
    """A transductive method that calls a function to factorise W."""

    def __init__(self, solve: Solve, *, each_sequence: bool = False) -> None:
        """Keep the function; with `each_sequence` it is called once for each sequence."""
        self.solve = solve
        self.each_sequence = each_sequence

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Reconstruct the frames.

        Raises:
            ValueError: the frames do not determine shapes. The message is one line; it names the
                sequence if there are several.
        """
        sequence = observations.sequence
        names = np.unique(sequence) if self.each_sequence else np.zeros(1, dtype=np.int64)
        points_3d = np.empty((*observations.points_2d.shape[:2], 3))
        canonical, rotation = np.empty_like(points_3d), np.empty((len(points_3d), 3, 3))
        for name in names:
            chosen = np.flatnonzero((sequence == name) | (not self.each_sequence))
            try:
                part = observations.take(chosen)
                tracks = tracks_of(part)
                found = reconstruction(part, tracks.size, self.solve(tracks, context))
            except ValueError as error:
                prefix = f"sequence {name}: " if len(names) > 1 else ""
                raise ValueError(f"{prefix}{error}") from error
            points_3d[chosen] = found.points_3d
            canonical[chosen], rotation[chosen] = found.canonical_3d, found.rotation
        self.fitted = observations.points_2d
        self.found = Reconstruction(points_3d, rotation=rotation, canonical_3d=canonical)

    def predict(self, observations: Observations) -> Reconstruction:
        """Return the reconstruction that `fit` made.

        Raises:
            ValueError: the frames are not those of `fit`.
        """
        if not np.array_equal(observations.points_2d, self.fitted, equal_nan=True):
            raise ValueError("a batch method reconstructs only the frames that it was fitted on")
        return self.found


def batch_spec(
    key: str,
    title: str,
    reference: str,
    solve: SolveWith,
    params: type,
    *,
    temporal: bool = False,
    missing_points: bool = False,
    seeded: bool = False,
    most_frames: int | None = None,
) -> MethodSpec:
    """Return the spec of a method that calls `solve` with its parameters.

    A `temporal` method gets one sequence at a time, any other method gets all frames at once. The
    other arguments are those of `MethodSpec` and `Capabilities`.
    """
    capabilities = Capabilities(
        missing_points=missing_points,
        needs_sequences=temporal,
        most_frames=most_frames,
        transductive=True,
        seeded=seeded,
    )
    make = _Maker(solve, params, temporal)
    return MethodSpec(key, title, reference, make, params, capabilities=capabilities)


@dataclass(frozen=True)
class _Maker:
    """Makes a method from its parameters; unlike a nested function it can be pickled."""

    solve: SolveWith
    params: type
    each_sequence: bool

    def __call__(self, **given: Any) -> Batch:  # noqa: ANN401 the dataclass of parameters has the types
        params = self.params(**given)

        def solve(tracks: Tracks, context: RunContext) -> Factors:
            return self.solve(tracks, params, context)

        return Batch(solve, each_sequence=self.each_sequence)

"""What all classical methods share: each factorises the frames that it is fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from liftbench import Capabilities, MethodSpec, Observations, Reconstruction, RunContext
from liftbench.plugin.specs import EXPOSED
from liftbench.types import Floats
from liftbench_plugins.classical.tracks import (
    Dictionary,
    Factors,
    Tracks,
    reconstruction,
    tracks_of,
)

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
        self.require_fitted(observations)
        return self.found

    def require_fitted(self, observations: Observations) -> None:
        """Raise ValueError unless the frames are those of `fit`."""
        if not np.array_equal(observations.points_2d, self.fitted, equal_nan=True):
            raise ValueError("a batch method reconstructs only the frames that it was fitted on")


class DictionaryBatch(Batch):
    """A batch method whose shapes are combinations of atoms, so that it can be a teacher."""

    def __init__(self, solve: Solve) -> None:
        """Keep the function, whose factors have a dictionary."""
        super().__init__(self._solve_and_keep)
        self._solve = solve

    def _solve_and_keep(self, tracks: Tracks, context: RunContext) -> Factors:
        factors = self._solve(tracks, context)
        if factors.dictionary is None:
            raise TypeError("the factors have no dictionary")
        self.size, self.rotation = tracks.size, factors.rotation
        self.factorised = factors.dictionary
        return factors

    @property
    def dictionary(self) -> Floats:
        """The atoms (3P, K) in the unit of `Tracks.rows`: point after point, x y z of each."""
        atoms = self.factorised.atoms
        return atoms.reshape(len(atoms), -1).T

    def codes(self, observations: Observations) -> Floats:
        """Return the codes (F, K) that `fit` found.

        Raises:
            ValueError: the frames are not those of `fit`.
        """
        self.require_fitted(observations)
        return self.factorised.codes

    def cameras(self, observations: Observations) -> Floats:
        """Return the scaled cameras (F, 3, 2) that `fit` found.

        Raises:
            ValueError: the frames are not those of `fit`.
        """
        self.require_fitted(observations)
        return self.size * self.rotation[:, :2].swapaxes(1, 2)

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        import torch

        arrays = {
            "fitted": self.fitted,
            "points_3d": self.found.points_3d,
            "rotation": self.rotation,
            "canonical_3d": self.found.canonical_3d,
            "atoms": self.factorised.atoms,
            "codes": self.factorised.codes,
        }
        return {"size": self.size} | {k: torch.tensor(array) for k, array in arrays.items()}

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        """Become the fitted method whose `state` this is."""
        arrays = {name: part.numpy() for name, part in state.items() if name != "size"}
        self.size, self.fitted = state["size"], arrays.pop("fitted")
        self.factorised = Dictionary(arrays.pop("atoms"), arrays.pop("codes"))
        self.rotation, self.found = arrays["rotation"], Reconstruction(**arrays)


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
    dictionary: bool = False,
) -> MethodSpec:
    """Return the spec of a method that calls `solve` with its parameters.

    A `temporal` method gets one sequence at a time, any other method gets all frames at once. The
    factors of a method with a `dictionary` have one, so that it can be a teacher. The other
    arguments are those of `MethodSpec` and `Capabilities`.
    """
    capabilities = Capabilities(
        missing_points=missing_points,
        needs_sequences=temporal,
        most_frames=most_frames,
        transductive=True,
        seeded=seeded,
    )
    make = _Maker(solve, params, temporal, dictionary)
    return MethodSpec(
        key,
        title,
        reference,
        make,
        params,
        capabilities=capabilities,
        exposes=EXPOSED if dictionary else (),
    )


@dataclass(frozen=True)
class _Maker:
    """Makes a method from its parameters; unlike a nested function it can be pickled."""

    solve: SolveWith
    params: type
    each_sequence: bool
    dictionary: bool

    def __call__(self, **given: Any) -> Batch:  # noqa: ANN401 the dataclass of parameters has the types
        params = self.params(**given)

        def solve(tracks: Tracks, context: RunContext) -> Factors:
            return self.solve(tracks, params, context)

        if self.dictionary:
            return DictionaryBatch(solve)
        return Batch(solve, each_sequence=self.each_sequence)

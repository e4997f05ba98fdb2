"""Meshes that are made each time they are used, so that many of them take no memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from liftbench.types import Mesh, Meshes


@dataclass(frozen=True)
class LazyMeshes:
    """A sequence of meshes, of which none is kept.

    Attributes:
        count: number of meshes.
        make: returns the mesh at an index.
    """

    count: int
    make: Callable[[int], Mesh]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Mesh:
        return self.make(range(self.count)[index])


def chain_meshes(parts: Sequence[Meshes]) -> Meshes:
    """Return the meshes of all parts as one sequence."""
    ends = list(accumulate(map(len, parts)))

    def make(index: int) -> Mesh:
        part = next(i for i, end in enumerate(ends) if index < end)
        return parts[part][index - ends[part]]  # from its end

    return LazyMeshes(ends[-1] if ends else 0, make)

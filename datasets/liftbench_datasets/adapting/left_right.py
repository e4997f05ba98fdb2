"""Pairs of points that are mirror images, from their names."""

from __future__ import annotations

from collections.abc import Sequence


def left_right_pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return the indices of each point `l...` and its mirror image `r...`, where both exist."""
    index = {name: i for i, name in enumerate(names)}
    return tuple(
        (left, index["r" + name[1:]])
        for left, name in enumerate(names)
        if name.startswith("l") and "r" + name[1:] in index
    )

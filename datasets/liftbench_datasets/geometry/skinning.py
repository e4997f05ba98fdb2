"""Linear blend skinning: a surface that follows its bones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liftbench.types import Floats


def skin_vertices(
    vertices: Floats, weights: Floats, rotations: Floats, rest: Floats, to: Floats
) -> Floats:
    """Return the vertices (F, V, 3) of F poses.

    A bone moves x to R (x - rest) + to; a vertex goes to the weighted mean of where its bones
    move it.

    Args:
        vertices: (F, V, 3) at rest; F may be 1 if all poses share them.
        weights: (V, J) weights of the bones at each vertex, which sum to 1.
        rotations: (F, J, 3, 3) R of each bone against the rest pose.
        rest: (F, J, 3) start of each bone at rest; F may be 1.
        to: (F, J, 3) start of each bone in the pose.
    """
    shift = to - np.einsum("fjab,fjb->fja", rotations, np.broadcast_to(rest, to.shape))
    frames, bones = rotations.shape[:2]
    turn = (weights @ rotations.reshape(frames, bones, 9)).reshape(frames, len(weights), 3, 3)
    placed: Floats = np.einsum("fvab,fvb->fva", turn, np.broadcast_to(vertices, turn.shape[:3]))
    placed += weights @ shift
    return placed


def world_rotations(parent: Sequence[int], rotations: Floats) -> Floats:
    """Return the rotations (F, J, 3, 3) to the world's frame of bones that turn with their parents.

    Args:
        parent: index of each bone's parent, -1 for the root; parents come before children.
        rotations: (F, J, 3, 3) from each bone's frame to its parent's.
    """
    world = rotations.copy()
    for bone, above in enumerate(parent):
        if above >= 0:
            world[:, bone] = world[:, above] @ rotations[:, bone]
    return world

"""The SMPL body model: the surface of a body from its shape and pose.

Source: Loper et al., SMPL: a skinned multi-person linear model, SIGGRAPH Asia 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.geometry.skinning import skin_vertices, world_rotations


@dataclass(frozen=True, eq=False)
class Smpl:
    """A body model with V vertices, J joints and B shape parameters.

    Attributes:
        template: (V, 3) the mean body at rest, metres.
        shape_directions: (V, 3, B) offset of the vertices per unit of each shape parameter.
        pose_directions: (V, 3, 9 (J - 1)) offset of the vertices per unit of each entry of R - I,
            where R are the rotations of all joints but the root.
        joint_regressor: (J, V) joints as weighted means of the vertices.
        weights: (V, J) weights of the joints for each vertex.
        parent: index of each joint's parent, -1 for the root.
        faces: (T, 3) indices of vertices.
    """

    template: Floats
    shape_directions: Floats
    pose_directions: Floats
    joint_regressor: Floats
    weights: Floats
    parent: tuple[int, ...]
    faces: NDArray[np.int64]


def pose_vertices(model: Smpl, pose: Floats, shape: Floats) -> Floats:
    """Return the vertices (F, V, 3) of F bodies; the root joint stays where the shape puts it.

    Args:
        model: the body model.
        pose: (F, 3 J) rotation vectors of the joints, radians.
        shape: (F, B) shape parameters.
    """
    frames, joints = len(pose), len(model.parent)
    turns = Rotation.from_rotvec(pose.reshape(-1, 3)).as_matrix().reshape(frames, joints, 3, 3)
    shaped = model.template + np.einsum("vab,fb->fva", model.shape_directions, shape)
    rest = model.joint_regressor @ shaped
    bent = (turns[:, 1:] - np.eye(3)).reshape(frames, -1) @ model.pose_directions.reshape(
        -1, 9 * (joints - 1)
    ).T
    world = world_rotations(model.parent, turns)
    to = _joint_positions(model.parent, rest, world)
    return skin_vertices(shaped + bent.reshape(shaped.shape), model.weights, world, rest, to)


def _joint_positions(parent: tuple[int, ...], rest: Floats, world: Floats) -> Floats:
    """Return the joints (F, J, 3) in the pose; each bone turns with the parent joint."""
    to = rest.copy()
    for joint, above in enumerate(parent):
        if above >= 0:
            bone = rest[:, joint] - rest[:, above]
            to[:, joint] = to[:, above] + np.einsum("fab,fb->fa", world[:, above], bone)
    return to

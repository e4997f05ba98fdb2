"""The SMPL body model: a surface of a shape and in a pose.

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
    """A body of V vertices over J joints.

    Attributes:
        template: (V, 3) the mean body at rest, metres.
        shape_directions: (V, 3, B) what a unit of each shape parameter adds.
        pose_directions: (V, 3, 9 (J - 1)) what the entries of R - I of all joints but the root add.
        joint_regressor: (J, V) joints as weighted means of the vertices.
        weights: (V, J) of the joints in each vertex.
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
    """Return the vertices (F, V, 3) of F bodies, the root joint where the shape has it.

    Args:
        model: the body.
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
    """Return the joints (F, J, 3) in the pose: each turns with its parent."""
    to = rest.copy()
    for joint, above in enumerate(parent):
        if above >= 0:
            bone = rest[:, joint] - rest[:, above]
            to[:, joint] = to[:, above] + np.einsum("fab,fb->fa", world[:, above], bone)
    return to

"""Forward kinematics of trees of rigid bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats


@dataclass(frozen=True, eq=False)
class KinematicTree:
    """J joints; joint 0 is the root, and every parent comes before its children.

    Attributes:
        names: name of each joint.
        parent: index of each joint's parent, -1 for the root.
        bone: (J, 3) vector from the parent's end to this joint in the rest pose, metres.
        axis: (J, 3, 3) local frame in which the rotation of each joint is given.
    """

    names: tuple[str, ...]
    parent: tuple[int, ...]
    bone: Floats
    axis: Floats

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs (parent, child) of joint indices."""
        return tuple((p, j) for j, p in enumerate(self.parent) if p >= 0)


def forward_kinematics(tree: KinematicTree, rotation: Floats, position: Floats) -> Floats:
    """Return the joint positions (F, J, 3) of F poses.

    A bone is turned by R_bone = R_parent · C · M · C^T with its local frame C and rotation M,
    and ends at the parent's end + R_bone · bone.

    Args:
        tree: the bones.
        rotation: (F, J, 3, 3) rotation M of each joint.
        position: (F, 3) position of the root.
    """
    turned = tree.axis @ rotation @ tree.axis.swapaxes(1, 2)
    points = np.empty((*rotation.shape[:2], 3))
    points[:, 0] = position
    for joint, parent in enumerate(tree.parent):
        if parent >= 0:
            turned[:, joint] = turned[:, parent] @ turned[:, joint]
            points[:, joint] = points[:, parent] + turned[:, joint] @ tree.bone[joint]
    return points


def rest_pose(tree: KinematicTree) -> Floats:
    """Return the joint positions (J, 3) of the pose without rotations, the root at the origin."""
    still = np.broadcast_to(np.eye(3), (1, len(tree.names), 3, 3))
    points: Floats = forward_kinematics(tree, still, np.zeros((1, 3)))[0]
    return points

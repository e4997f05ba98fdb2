"""Forward kinematics against a plain recursion."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.geometry.kinematics import KinematicTree, forward_kinematics, rest_pose

PARENT = (-1, 0, 1, 1, 0, 4, 2)


def tree(seed: int) -> KinematicTree:
    rng = np.random.default_rng(seed)
    return KinematicTree(
        names=tuple("abcdefg"),
        parent=PARENT,
        bone=rng.standard_normal((7, 3)),
        axis=Rotation.random(7, rng=rng).as_matrix(),
    )


def pose(seed: int, frames: int = 3) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(frames * 7, rng=rng).as_matrix().reshape(frames, 7, 3, 3)
    return rotation, rng.standard_normal((frames, 3))


def turn_of(bones: KinematicTree, rotation: Floats, joint: int) -> Floats:
    axis = bones.axis[joint]
    own: Floats = axis @ rotation[joint] @ np.linalg.inv(axis)
    parent = bones.parent[joint]
    return own if parent < 0 else np.matmul(turn_of(bones, rotation, parent), own)


def end_of(bones: KinematicTree, rotation: Floats, start: Floats, joint: int) -> Floats:
    if bones.parent[joint] < 0:
        return start
    before = end_of(bones, rotation, start, bones.parent[joint])
    end: Floats = before + turn_of(bones, rotation, joint) @ bones.bone[joint]
    return end


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_positions_match_a_recursion(seed: int) -> None:
    bones = tree(seed)
    rotation, position = pose(seed)
    found = forward_kinematics(bones, rotation, position)
    for f in range(3):
        expected = [end_of(bones, rotation[f], position[f], joint) for joint in range(7)]
        np.testing.assert_allclose(found[f], expected, atol=1e-12)


def test_a_bent_arm_by_hand() -> None:
    arm = KinematicTree(
        names=("root", "upper", "fore"),
        parent=(-1, 0, 1),
        bone=np.array([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]]),
        axis=np.tile(np.eye(3), (3, 1, 1)),
    )
    quarter = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    rotation = np.stack([np.eye(3), quarter, quarter])[None]
    found = forward_kinematics(arm, rotation, np.array([[5.0, 0, 0]]))
    np.testing.assert_allclose(found, [[[5, 0, 0], [5, 2, 0], [4, 2, 0]]], atol=1e-12)


def test_bone_lengths_never_change() -> None:
    bones = tree(0)
    found = forward_kinematics(bones, *pose(1, frames=50))
    for parent, child in bones.edges:
        lengths = np.linalg.norm(found[:, child] - found[:, parent], axis=1)
        np.testing.assert_allclose(lengths, np.linalg.norm(bones.bone[child]))


def test_inputs_are_left_alone() -> None:
    rotation, position = pose(2)
    kept = rotation.copy()
    forward_kinematics(tree(0), rotation, position)
    np.testing.assert_array_equal(rotation, kept)


def test_edges_lead_from_parent_to_child() -> None:
    assert tree(0).edges == ((0, 1), (1, 2), (1, 3), (0, 4), (4, 5), (2, 6))


def test_rest_pose_strings_the_bones_together() -> None:
    bone = tree(5).bone
    a, b, c, d, e, f, g = rest_pose(tree(5))
    np.testing.assert_allclose(a, 0.0, atol=1e-15)
    for joint, chain in ((b, [1]), (c, [1, 2]), (d, [1, 3]), (e, [4]), (f, [4, 5]), (g, [1, 2, 6])):
        np.testing.assert_allclose(joint, bone[chain].sum(axis=0), atol=1e-12)

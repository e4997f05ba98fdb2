"""The skin of birds of many shapes in many poses; see `anatomy` for frame and unit."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.cub.synthetic.anatomy import BONES, TUBES
from liftbench_datasets.cub.synthetic.shapes import MEASURES, POSE
from liftbench_datasets.geometry.skinning import skin_vertices, world_rotations
from liftbench_datasets.geometry.tubes import (
    SIDES,
    bone_weights,
    outward_faces,
    ring_vertices,
    tube_faces,
)

_NAMES = tuple(BONES)
_PARENTS = [_NAMES.index(parent) if parent else -1 for parent, _ in BONES.values()]
_OFFSETS = np.array([start for _, start in BONES.values()])
_RINGS = [ring for rings in TUBES.values() for ring in rings]
_TUBE_OF_RING = np.array([name for name, rings in TUBES.items() for _ in rings])
_BONE_OF_RING = [_NAMES.index(ring.bone) for ring in _RINGS]
_MIDDLES = np.array([ring.middle for ring in _RINGS])
_HALVES = np.array([ring.half for ring in _RINGS])
_IS_LEG = np.char.endswith(_TUBE_OF_RING, "leg")

# A third of a turn takes the length of a folded wing outwards and its height backwards.
_UNFOLDED = -2 * np.pi / 3 * np.ones(3) / np.sqrt(3)
_SPREAD_LENGTH, _SPREAD_WIDTH = 0.7, 0.45  # by how much a wing grows when it spreads
_MIRROR = np.diag([-1.0, 1.0, 1.0])


def bird_surface(measures: Floats, poses: Floats) -> Floats:
    """Return the vertices (F, V, 3) of F birds, the middle of the trunk at the origin.

    Args:
        measures: (F, M) see `shapes.MEASURES`.
        poses: (F, A) see `shapes.POSE`; `rise` is not applied.
    """
    scales = _scales(measures, poses)
    turns = world_rotations(_PARENTS, _rotations(poses))
    still = np.broadcast_to(np.eye(3), turns.shape)
    rest, to = _starts(scales, still), _starts(scales, turns)
    scales = scales[:, _BONE_OF_RING]
    depths = np.where(_IS_LEG, scales[..., 1], scales[..., 2])
    vertices = ring_vertices(
        rest[:, _BONE_OF_RING] + _MIDDLES * scales,
        _HALVES * np.stack([scales[..., 0], depths], axis=2),
        _IS_LEG,
    )
    return skin_vertices(vertices[:, _USED], _WEIGHTS[_USED], turns, rest, to)


def vertex(tube: str, ring: int, side: int) -> int:
    """Return the index of a vertex by its tube, the ring from the tube's start and its side.

    A ring without width has one vertex, whatever the side.
    """
    at = int(np.argmax(tube == _TUBE_OF_RING)) + ring
    number = SIDES * at + (side if any(_RINGS[at].half) else 0)
    return int(np.searchsorted(_USED, number))


def _scales(measures: Floats, poses: Floats) -> Floats:
    """Return the scales of the bones along their axes, (F, J, 3)."""
    m = dict(zip(MEASURES, measures.T, strict=True))
    spread = poses[:, POSE.index("spread")]
    by_bone = {
        "body": (m["width"], np.ones(len(measures)), m["depth"]),
        "neck": (m["neck_width"], m["neck"], m["neck_width"]),
        "head": (m["head"], m["head"], m["head"]),
        "beak": (m["beak_depth"], m["beak"], m["beak_depth"]),
        "tail": (m["tail_width"], m["tail"], np.ones(len(measures))),
        "wing": (
            m["width"],
            m["wing"] * (1 + _SPREAD_LENGTH * spread),
            m["wing_width"] * (1 + _SPREAD_WIDTH * spread),
        ),
        "leg": (m["leg_width"], m["leg_width"], m["leg"]),
        "foot": (m["foot"], m["foot"], m["foot"]),
    }
    bones = (by_bone[name if name in by_bone else name[1:]] for name in _NAMES)
    return np.stack([np.stack(scales, axis=1) for scales in bones], axis=1)


def _rotations(poses: Floats) -> Floats:
    """Return the rotations (F, J, 3, 3) of the bones against their parents."""
    p = dict(zip(POSE, poses.T, strict=True))
    unfolded = Rotation.from_rotvec(p["spread"][:, None] * _UNFOLDED).as_matrix()
    turns = {
        "neck": _euler_rotations("ZX", p["neck_turn"], -p["neck_rise"]),
        "head": _euler_rotations("ZXY", p["head_turn"], -p["head_rise"], p["head_tilt"]),
        "tail": _euler_rotations("ZX", p["tail_turn"], p["tail_rise"]),
        "lwing": _euler_rotations("Y", -p["left_flap"]) @ unfolded,
        "rwing": _MIRROR @ _euler_rotations("Y", -p["right_flap"]) @ unfolded @ _MIRROR,
        "lleg": _euler_rotations("X", p["left_leg"]),
        "rleg": _euler_rotations("X", p["right_leg"]),
        "lfoot": _euler_rotations("X", p["left_foot"]),
        "rfoot": _euler_rotations("X", p["right_foot"]),
    }
    still = np.broadcast_to(np.eye(3), (len(poses), 3, 3))
    return np.stack([turns.get(name, still) for name in _NAMES], axis=1)


def _euler_rotations(axes: str, *angles: Floats) -> Floats:
    """Return rotations (F, 3, 3) by angles (F,) in degrees."""
    stacked = np.stack(angles, axis=1)
    matrices: Floats = Rotation.from_euler(axes, stacked, degrees=True).as_matrix()
    return matrices


def _starts(scales: Floats, turns: Floats) -> Floats:
    """Return where each bone starts, (F, J, 3)."""
    starts = np.zeros(scales.shape)
    for bone, above in enumerate(_PARENTS):
        if above >= 0:
            step = _OFFSETS[bone] * scales[:, above]
            starts[:, bone] = starts[:, above] + np.einsum("fab,fb->fa", turns[:, above], step)
    return starts


_WEIGHTS = bone_weights(_RINGS, _NAMES)
_ALL_FACES = tube_faces([len(rings) for rings in TUBES.values()])
_USED = np.unique(_ALL_FACES)
MEAN = bird_surface(np.ones((1, len(MEASURES))), np.zeros((1, len(POSE))))[0]
_TUBE_OF_FACE = np.unique(_TUBE_OF_RING, return_inverse=True)[1][_ALL_FACES[:, 0] // SIDES]
FACES = outward_faces(MEAN, np.searchsorted(_USED, _ALL_FACES), _TUBE_OF_FACE)

# Of each vertex: the tube, the ring from the tube's start, and the place on the ring from -1
# (below) to 1 (above).
VERTEX_TUBES = _TUBE_OF_RING[_USED // SIDES]
VERTEX_RINGS = np.array([r for rings in TUBES.values() for r in range(len(rings))])[_USED // SIDES]
VERTEX_HEIGHTS = np.sin(2 * np.pi * (_USED % SIDES) / SIDES)

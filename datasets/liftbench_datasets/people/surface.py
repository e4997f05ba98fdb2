"""The skin of the body of 31 points: tubes of rings around its bones, for people of many shapes.

In the rest pose the body (see `people.body`) stands with hanging arms and faces +z; its left is
+x. Lengths are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_datasets.geometry.skinning import skin_vertices, world_rotations
from liftbench_datasets.geometry.tubes import (
    SIDES,
    Ring,
    bone_weights,
    outward_faces,
    ring_vertices,
    tube_faces,
)
from liftbench_datasets.people.body import BODY

# In a ring, vertex 0 is on the body's left, 4 in front (on top of a foot), 8 on its right, 12
# behind. Every tube begins and ends with a ring of zero width.
_TRUNK = (
    Ring("root", (0, -0.150, 0), (0, 0)),
    Ring("root", (0, -0.120, -0.010), (0.095, 0.080)),
    Ring("root", (0, -0.040, -0.015), (0.165, 0.115)),
    Ring("root", (0, 0.050, -0.005), (0.155, 0.108), "lowerback", 0.25),
    Ring("lowerback", (0, 0.120, 0.005), (0.138, 0.098), "upperback", 0.25),
    Ring("upperback", (0, 0.060, 0.008), (0.138, 0.100), "lowerback", 0.25),
    Ring("upperback", (0, 0.150, 0.008), (0.148, 0.112), "thorax", 0.5),
    Ring("thorax", (0, 0.075, 0.005), (0.155, 0.118)),
    Ring("thorax", (0, 0.130, 0), (0.145, 0.098)),
    Ring("thorax", (0, 0.175, -0.005), (0.095, 0.070)),
    Ring("lowerneck", (0, 0.040, 0.000), (0.060, 0.060), "thorax", 0.3),
    Ring("upperneck", (0, 0.020, 0.005), (0.056, 0.058), "lowerneck", 0.5),
    Ring("head", (0, -0.035, 0.022), (0.058, 0.078), "upperneck", 0.3),
    Ring("head", (0, 0.000, 0.024), (0.066, 0.092)),
    Ring("head", (0, 0.055, 0.016), (0.074, 0.098)),
    Ring("head", (0, 0.100, 0.008), (0.058, 0.078)),
    Ring("head", (0, 0.130, 0.004), (0, 0)),
)
_ARM = (
    Ring("humerus", (-0.030, 0.055, 0), (0, 0), "thorax", 0.6),
    Ring("humerus", (-0.015, 0.030, 0), (0.045, 0.048), "thorax", 0.4),
    Ring("humerus", (0.000, -0.030, 0), (0.054, 0.056), "thorax", 0.2),
    Ring("humerus", (0.002, -0.110, 0), (0.047, 0.052)),
    Ring("humerus", (0, -0.210, 0), (0.041, 0.044)),
    Ring("humerus", (0, -0.300, 0), (0.037, 0.039), "radius", 0.5),
    Ring("radius", (0, -0.060, 0), (0.038, 0.042)),
    Ring("radius", (0, -0.150, 0), (0.031, 0.034), "wrist", 0.3),
    Ring("wrist", (0, -0.005, 0), (0.021, 0.029), "radius", 0.3),
    Ring("hand", (0, -0.025, 0.002), (0.017, 0.040)),
    Ring("hand", (0, -0.075, 0.002), (0.016, 0.042), "fingers", 0.5),
    Ring("fingers", (0, -0.050, 0), (0.013, 0.036)),
    Ring("fingers", (0, -0.085, 0), (0.010, 0.026)),
    Ring("fingers", (0, -0.097, 0), (0, 0)),
)
_LEG = (
    Ring("femur", (0.010, 0.090, -0.010), (0, 0), "root", 0.8),
    Ring("femur", (0.004, 0.045, -0.012), (0.070, 0.090), "root", 0.6),
    Ring("femur", (0, -0.050, -0.010), (0.086, 0.096), "root", 0.25),
    Ring("femur", (0, -0.170, 0), (0.078, 0.086)),
    Ring("femur", (0, -0.300, 0.004), (0.064, 0.070)),
    Ring("femur", (0, -0.430, 0.005), (0.053, 0.060), "tibia", 0.5),
    Ring("tibia", (0, -0.090, -0.010), (0.052, 0.062)),
    Ring("tibia", (0, -0.180, -0.014), (0.048, 0.057)),
    Ring("tibia", (0, -0.300, -0.008), (0.036, 0.040)),
    Ring("tibia", (0, -0.400, -0.004), (0.034, 0.040), "foot", 0.4),
    Ring("foot", (0, -0.040, -0.004), (0, 0)),
)
_FOOT = (
    Ring("foot", (0, -0.042, -0.072), (0, 0)),
    Ring("foot", (0, -0.042, -0.055), (0.028, 0.034)),
    Ring("foot", (0.001, -0.036, -0.005), (0.034, 0.042)),
    Ring("foot", (0.006, -0.046, 0.060), (0.040, 0.032)),
    Ring("foot", (0.012, -0.056, 0.115), (0.045, 0.023), "toes", 0.4),
    Ring("toes", (0.003, 0.000, 0.030), (0.042, 0.017)),
    Ring("toes", (0.003, -0.004, 0.065), (0.026, 0.012)),
    Ring("toes", (0.003, -0.006, 0.080), (0, 0)),
)


def _on_side(ring: Ring, side: str) -> Ring:
    middle = {"root", "thorax"}
    x, y, z = ring.middle
    bone, other = (n if n in middle or not n else side + n for n in (ring.bone, ring.other))
    return Ring(bone, (x if side == "l" else -x, y, z), ring.half, other, ring.share)


TUBES: dict[str, tuple[Ring, ...]] = {"trunk": _TRUNK} | {
    side + name: tuple(_on_side(ring, side) for ring in rings)
    for side in "lr"
    for name, rings in (("arm", _ARM), ("leg", _LEG), ("foot", _FOOT))
}
_RINGS = [ring for rings in TUBES.values() for ring in rings]
_TUBE_OF_RING = [name for name, rings in TUBES.items() for _ in rings]


def vertex(tube: str, ring: int, side: int) -> int:
    """Return the index of a vertex from its tube, its ring in the tube and its side."""
    return (_TUBE_OF_RING.index(tube) + ring) * SIDES + side


FACES = tube_faces([len(rings) for rings in TUBES.values()])
_WEIGHTS = bone_weights(_RINGS, BODY.names)
_BONES = [BODY.names.index(ring.bone) for ring in _RINGS]


@dataclass(frozen=True, eq=False)
class Shape:
    """Factors between a person's body and the mean body; each is (F,).

    Attributes:
        height: factor of all lengths.
        legs: further factor of the length of the legs.
        arms: further factor of the length of the arms.
        shoulders: further factor of the width between the arms.
        hips: further factor of the width between the legs.
        girth: further factor of the girth of trunk and limbs.
        belly: further factor of the depth of the trunk.
    """

    height: Floats
    legs: Floats
    arms: Floats
    shoulders: Floats
    hips: Floats
    girth: Floats
    belly: Floats


def draw_shape(rng: np.random.Generator, frames: int) -> Shape:
    """Draw the shape of one person, the same in all frames."""
    spread = {"height": 0.05, "legs": 0.03, "arms": 0.03, "shoulders": 0.06, "hips": 0.06}
    drawn = np.exp(rng.normal(0, [*spread.values(), 0.11, 0.09]).clip(-0.25, 0.25))
    return Shape(*np.tile(drawn[:, None], (1, frames)))


def body_surface(shape: Shape, rotations: Floats) -> Floats:
    """Return the vertices (F, V, 3) of F bodies with their root joints at the origin.

    Args:
        shape: the shapes of the F bodies.
        rotations: (F, 31, 3, 3) rotations of the joints relative to their parents, see
            `people.motion.joint_rotations`.
    """
    return pose_skin(_scale(shape), _halves(shape), rotations)


def pose_skin(scale: Floats, halves: Floats, rotations: Floats) -> Floats:
    """Return the vertices (F, V, 3) of F bodies with their root joints at the origin.

    Args:
        scale: (F, 31) lengths of the bones, divided by those of the mean body.
        halves: (F, R, 2) half widths and depths of the rings, see `RING_HALVES`.
        rotations: (F, 31, 3, 3) rotations of the joints relative to their parents.
    """
    bones = BODY.bone * scale[..., None]
    still = np.broadcast_to(np.eye(3), rotations.shape)
    world = world_rotations(BODY.parent, rotations)
    rest, to = _starts(bones, still), _starts(bones, world)
    return skin_vertices(_at_rest(scale, halves, rest), _WEIGHTS, world, rest, to)


def _scale(shape: Shape) -> Floats:
    """Return the lengths (F, 31) of the bones, divided by those of the mean body."""
    scale = np.repeat(shape.height[:, None], len(BODY.names), axis=1)
    for joint, name in enumerate(BODY.names):
        scale[:, joint] *= {
            "clavicle": shape.shoulders,
            "hipjoint": shape.hips,
            "femur": shape.legs,
            "tibia": shape.legs,
            "humerus": shape.arms,
            "radius": shape.arms,
        }.get(name[1:], 1.0)
    return scale


def _starts(bones: Floats, world: Floats) -> Floats:
    """Return the starts (F, 31, 3) of the bones, with the root at the origin."""
    ends = np.zeros(bones.shape)
    starts = np.zeros(bones.shape)
    for bone, above in enumerate(BODY.parent):
        if above >= 0:
            starts[:, bone] = ends[:, above]
            turned = np.einsum("fab,fb->fa", world[:, bone], bones[:, bone])
            ends[:, bone] = ends[:, above] + turned
    return starts


def _at_rest(scale: Floats, halves: Floats, starts: Floats) -> Floats:
    """Return the vertices (F, V, 3) in the rest pose."""
    middle = RING_MIDDLES * scale[:, _BONES, None]
    return ring_vertices(starts[:, _BONES] + middle, halves, _IS_FOOT)


def _halves(shape: Shape) -> Floats:
    """Return half widths and depths (F, R, 2) of the rings."""
    half = RING_HALVES * shape.height[:, None, None]
    half = half * np.where(_HAS_GIRTH[:, None], shape.girth[:, None, None], 1)
    half[..., 1] *= np.where(_IS_BELLY, shape.belly[:, None], 1)
    return half


RING_TUBES = np.array(_TUBE_OF_RING)
RING_BONES = np.array([ring.bone for ring in _RINGS])
RING_MIDDLES = np.array([ring.middle for ring in _RINGS])
RING_HALVES = np.array([ring.half for ring in _RINGS])
_STILL = np.broadcast_to(np.eye(3), (1, len(BODY.names), 3, 3))
VERTEX_TUBES = np.repeat(RING_TUBES, SIDES)
_IS_FOOT = np.array([name[1:] == "foot" for name in _TUBE_OF_RING])
_IS_BELLY = np.array([ring.bone in ("lowerback", "upperback") for ring in _RINGS])
_HAS_GIRTH = np.array([ring.bone not in ("head", "upperneck") for ring in _RINGS]) & ~_IS_FOOT
# The vertices (V, 3) of the mean body at rest.
REST = pose_skin(np.ones((1, len(BODY.names))), RING_HALVES[None], _STILL)[0]
_TUBE_OF_FACE = np.unique(VERTEX_TUBES, return_inverse=True)[1][FACES[:, 0]]
# The faces, all counter-clockwise as seen from outside.
OUTWARD = outward_faces(REST, FACES, _TUBE_OF_FACE)

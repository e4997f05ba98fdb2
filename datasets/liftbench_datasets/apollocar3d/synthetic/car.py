"""Parametric cars: the 58 keypoints of ApolloCar3D and a body that hides them.

A car is drawn in its own axes: x to its left, y up from the road, z forward, the middle of its
length at zero. What this module returns is in the object frame, half a turn about z and a shift
away: x to the right, y down, z forward, the mean of the 58 points at the origin. Unit: metres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_datasets.apollocar3d.skeleton import LEFT_POINTS, SKIN
from liftbench_datasets.apollocar3d.synthetic.styles import Measures, draw_measures
from liftbench_datasets.geometry.convex_occlusion import Part

HALF_TURN = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Cars:
    """F cars in the object frame.

    Attributes:
        points: (F, 58, 3), their mean at the origin.
        road: (F,) y of the road's surface.
        size: (F, 3) length, width and height.
        parts: the hull and the cabin, which make the body.
    """

    points: Floats
    road: Floats
    size: Floats
    parts: tuple[Part, ...]


def draw_cars(rng: np.random.Generator, count: int) -> Cars:
    """Draw `count` cars of all styles."""
    m = draw_measures(rng, count)
    places = _left_places(m)
    left = _stack([places[name] for name in LEFT_POINTS])
    points = HALF_TURN * np.concatenate([left, left[:, ::-1] * [-1, 1, 1]], axis=1)
    centre = points.mean(axis=1)
    return Cars(
        points=points - centre[:, None],
        road=-centre[:, 1],
        size=np.stack([m.length, m.width, m.height], axis=1),
        parts=tuple(_part(faces, centre) for faces in (_hull_faces(m), _cabin_faces(m))),
    )


# --- keypoints ----------------------------------------------------------------------------

Place = tuple[Floats, Floats, Floats]  # x, y, z of a point on each of F cars


def _left_places(m: Measures) -> Mapping[str, Place]:
    """Return the places of the 29 points of the left side, by name."""
    return {**_front_points(m), **_side_points(m), **_rear_points(m)}


def _front_points(m: Measures) -> Mapping[str, Place]:
    lamp_top, lamp_bottom = m.nose - 0.02 * m.height, m.nose - 0.11 * m.height
    return {
        "head_lamp_inner_top": _front_corner(m, 0.15, lamp_top),
        "head_lamp_inner_bottom": _front_corner(m, 0.10, lamp_bottom),
        "head_lamp_outer_top": _front_corner(m, 0.80, lamp_top + 0.02 * m.height),
        "head_lamp_outer_bottom": _front_corner(m, 0.65, lamp_bottom + 0.02 * m.height),
        "fog_lamp_outer_top": _front_corner(m, 0.35, 0.28 * m.height),
        "fog_lamp_outer_bottom": _front_corner(m, 0.35, 0.21 * m.height),
    }


def _side_points(m: Measures) -> Mapping[str, Place]:
    door, cant = 0.5 * m.width, 0.5 * m.roof_width
    hub, radius = door - 0.8 * SKIN, 0.21 * m.height  # recessed: it hides soonest
    sill, belt, top = 0.20 * m.height, _belt(m), 0.94 * m.height
    handle = belt - 0.08 * m.height
    hinge = m.front_axle - 1.7 * radius
    pillar = 0.44 * m.front_axle + 0.56 * m.rear_axle
    rear_top = np.maximum(m.rear_axle + 0.15, m.roof_rear_z + 0.05)
    return {
        "front_wheel_arch": (door, radius, m.front_axle + 1.1 * radius),
        "front_wheel_hub": (hub, radius, m.front_axle),
        "windscreen_top": (0.93 * cant, 0.955 * m.height, m.roof_front_z),
        "front_door_front_top": (0.97 * door, m.cowl - 0.01 * m.height, m.cowl_z - 0.25),
        "front_door_front_bottom": (door, sill, hinge),
        "front_door_rear_top": (cant, top, pillar),
        "front_door_rear_belt": (0.97 * door, belt, pillar),
        "front_handle_front": (door, handle, pillar + 0.25),
        "front_handle_rear": (door, handle, pillar + 0.07),
        "front_door_rear_bottom": (door, sill, pillar),
        "rear_door_rear_top": (cant, top - 0.02 * m.height, rear_top),
        "rear_handle_front": (door, handle, m.rear_axle + 0.42),
        "rear_handle_rear": (door, handle, m.rear_axle + 0.24),
        "rear_door_rear_bottom": (door, sill, m.rear_axle + 1.4 * radius),
        "rear_wheel_hub": (hub, radius, m.rear_axle),
        "rear_wheel_arch": (door, radius, m.rear_axle - 1.1 * radius),
    }


def _rear_points(m: Measures) -> Mapping[str, Place]:
    lamp_top, lamp_bottom = m.tail - 0.05 * m.height, m.tail - 0.16 * m.height
    return {
        "tail_lamp_outer_top": _rear_corner(m, 0.85, lamp_top),
        "tail_lamp_outer_bottom": _rear_corner(m, 0.75, lamp_bottom),
        "rear_window_top": (0.45 * m.roof_width, 0.95 * m.height, m.roof_rear_z),
        "tail_lamp_inner_top": _rear_corner(m, 0.10, lamp_top),
        "tail_lamp_inner_bottom": _rear_corner(m, 0.10, lamp_bottom),
        "trunk_bottom": _rear_corner(m, 0.05, lamp_bottom - 0.10 * m.height),
        "rear_bumper": _rear_corner(m, 0.35, 0.22 * m.height),
    }


def _front_corner(m: Measures, along: float, y: Floats) -> Place:
    """Return places on the slant of the left front corner, from its front end to the side."""
    (x0, z0), (x1, z1) = _plan(m)[:2]
    return x0 + along * (x1 - x0), y, z0 + along * (z1 - z0)


def _rear_corner(m: Measures, along: float, y: Floats) -> Place:
    (x0, z0), (x1, z1) = _plan(m)[:1:-1]
    return x0 + along * (x1 - x0), y, z0 + along * (z1 - z0)


def _belt(m: Measures) -> Floats:
    """Return the height of the lower edge of the side windows."""
    return 0.5 * (m.cowl + m.tail)


def _stack(places: Sequence[Place]) -> Floats:
    """Return the places of P points as one array, (F, P, 3)."""
    return np.stack([np.stack(place, axis=1) for place in places], axis=1)


# --- body ---------------------------------------------------------------------------------

Line = Sequence[tuple[Floats, Floats]]  # corners in a plane of two axes
Faces = tuple[Floats, Floats]  # normals (F, K, 3) and offsets (F, K)
PLAN, PROFILE, SECTION = (0, 2), (1, 2), (1, 0)  # the axes of a line


def _plan(m: Measures) -> Line:
    """Return x, z of the left half of the outline from above, front to rear."""
    half, end = 0.5 * m.width, 0.5 * m.length
    return [
        (0.30 * m.width, end),
        (half, 0.76 * end),
        (half, -0.86 * end),
        (0.32 * m.width, -end),
    ]


def _hull_faces(m: Measures) -> list[Faces]:
    end, under = 0.5 * m.length, 0.12 * m.height
    profile = [
        (under, end),
        (m.nose, end),
        (m.cowl, m.cowl_z),
        (m.tail, -end),
        (under, -end),
        (under, end),
    ]
    return [_faces(profile, PROFILE), *_both_sides(_faces(_plan(m), PLAN))]


def _cabin_faces(m: Measures) -> list[Faces]:
    # The cabin reaches down into the hull, so that no segment slips between their skins.
    floor = np.minimum(m.cowl, m.tail) - 2 * SKIN
    profile = [
        (floor, m.cowl_z),
        (m.cowl, m.cowl_z),
        (0.955 * m.height, m.roof_front_z),
        (0.95 * m.height, m.roof_rear_z),
        (m.tail, m.deck_z),
        (floor, m.deck_z),
        (floor, m.cowl_z),
    ]
    half = 0.49 * m.width
    side = [(floor, half), (_belt(m), half), (0.94 * m.height, 0.5 * m.roof_width)]
    return [_faces(profile, PROFILE), *_both_sides(_faces(side, SECTION))]


def _faces(line: Line, axes: tuple[int, int]) -> Faces:
    """Return the faces along the third axis through a line that has the body on its right."""
    corners = np.stack([np.stack(corner, axis=1) for corner in line], axis=1)
    step = np.diff(corners, axis=1)
    flat = np.stack([-step[..., 1], step[..., 0]], axis=2)
    flat /= np.linalg.norm(flat, axis=2, keepdims=True)
    normals = np.zeros((*flat.shape[:2], 3))
    normals[..., axes] = flat
    return normals, np.einsum("fka,fka->fk", flat, corners[:, 1:])


def _both_sides(left: Faces) -> tuple[Faces, Faces]:
    normals, offsets = left
    return left, (normals * [-1, 1, 1], offsets)


def _part(faces: Sequence[Faces], centre: Floats) -> Part:
    """Join faces and take them to the object frame, whose origin is `centre` after the turn."""
    normals = HALF_TURN * np.concatenate([normals for normals, _ in faces], axis=1)
    offsets = np.concatenate([offsets for _, offsets in faces], axis=1)
    return Part(normals, offsets - np.einsum("fka,fa->fk", normals, centre), SKIN)

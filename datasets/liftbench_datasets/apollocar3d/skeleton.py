"""The 58 keypoints of a car of ApolloCar3D: their names, and the lines that draw them."""

from __future__ import annotations

from liftbench.types import Skeleton

SKIN = 0.03  # metres: a point lies on the body, which hides it from this far beneath its surface

# The left side's points in the order of the release, which numbers the points 0 to 57 around the
# car, so that point i is the mirror image of point 57 - i.
LEFT_POINTS = (
    "head_lamp_inner_top",
    "head_lamp_inner_bottom",
    "head_lamp_outer_top",
    "head_lamp_outer_bottom",
    "fog_lamp_outer_top",
    "fog_lamp_outer_bottom",
    "front_wheel_arch",
    "front_wheel_hub",
    "windscreen_top",
    "front_door_front_top",
    "front_door_front_bottom",
    "front_door_rear_top",
    "front_door_rear_belt",
    "front_handle_front",
    "front_handle_rear",
    "front_door_rear_bottom",
    "rear_door_rear_top",
    "rear_handle_front",
    "rear_handle_rear",
    "rear_door_rear_bottom",
    "rear_wheel_hub",
    "rear_wheel_arch",
    "tail_lamp_outer_top",
    "tail_lamp_outer_bottom",
    "rear_window_top",
    "tail_lamp_inner_top",
    "tail_lamp_inner_bottom",
    "trunk_bottom",
    "rear_bumper",
)
# Lines that draw the left side.
_EDGES = (
    ("head_lamp_inner_top", "head_lamp_inner_bottom"),
    ("head_lamp_inner_bottom", "head_lamp_outer_bottom"),
    ("head_lamp_outer_bottom", "head_lamp_outer_top"),
    ("head_lamp_outer_top", "head_lamp_inner_top"),
    ("head_lamp_outer_bottom", "fog_lamp_outer_top"),
    ("fog_lamp_outer_top", "fog_lamp_outer_bottom"),
    ("fog_lamp_outer_bottom", "front_wheel_arch"),
    ("front_wheel_arch", "front_wheel_hub"),
    ("front_wheel_hub", "front_door_front_bottom"),
    ("head_lamp_outer_top", "front_door_front_top"),
    ("front_door_front_top", "front_door_front_bottom"),
    ("front_door_front_top", "windscreen_top"),
    ("windscreen_top", "front_door_rear_top"),
    ("front_door_front_top", "front_door_rear_belt"),
    ("front_door_rear_top", "front_door_rear_belt"),
    ("front_door_rear_belt", "front_door_rear_bottom"),
    ("front_door_front_bottom", "front_door_rear_bottom"),
    ("front_handle_front", "front_handle_rear"),
    ("front_door_rear_top", "rear_door_rear_top"),
    ("front_door_rear_bottom", "rear_door_rear_bottom"),
    ("rear_handle_front", "rear_handle_rear"),
    ("rear_door_rear_bottom", "rear_wheel_hub"),
    ("rear_wheel_hub", "rear_wheel_arch"),
    ("rear_wheel_arch", "rear_bumper"),
    ("rear_door_rear_top", "rear_window_top"),
    ("rear_door_rear_top", "tail_lamp_outer_top"),
    ("front_door_rear_belt", "tail_lamp_outer_top"),
    ("tail_lamp_outer_top", "tail_lamp_outer_bottom"),
    ("tail_lamp_outer_bottom", "tail_lamp_inner_bottom"),
    ("tail_lamp_inner_bottom", "tail_lamp_inner_top"),
    ("tail_lamp_inner_top", "tail_lamp_outer_top"),
    ("rear_window_top", "tail_lamp_inner_top"),
    ("tail_lamp_inner_bottom", "trunk_bottom"),
    ("trunk_bottom", "rear_bumper"),
)
# Lines from a point to its mirror image.
_CROSS = (
    "head_lamp_inner_top",
    "fog_lamp_outer_bottom",
    "front_door_front_top",
    "windscreen_top",
    "rear_window_top",
    "tail_lamp_inner_top",
    "trunk_bottom",
    "rear_bumper",
)


def _skeleton() -> Skeleton:
    last = 2 * len(LEFT_POINTS) - 1
    edges = [(LEFT_POINTS.index(a), LEFT_POINTS.index(b)) for a, b in _EDGES]
    return Skeleton(
        points=(
            *(f"left_{name}" for name in LEFT_POINTS),
            *(f"right_{name}" for name in LEFT_POINTS[::-1]),
        ),
        edges=(
            *edges,
            *((last - a, last - b) for a, b in edges),
            *((LEFT_POINTS.index(name), last - LEFT_POINTS.index(name)) for name in _CROSS),
        ),
        left_right=tuple((i, last - i) for i in range(len(LEFT_POINTS))),
    )


SKELETON = _skeleton()

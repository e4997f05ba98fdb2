"""The 12 rigid categories of PASCAL3D+: their keypoints, and the lines that draw them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from liftbench.types import Skeleton

ALL = "all"
# Points are in the order of `pnames` in the release, categories in the order of C3DPO's 124 points.
POINTS: Mapping[str, tuple[str, ...]] = {
    "aeroplane": (
        *("left_elevator", "left_wing", "noselanding", "right_elevator", "right_wing"),
        *("rudder_lower", "rudder_upper", "tail"),
    ),
    "car": (
        *("left_front_wheel", "left_back_wheel", "right_front_wheel", "right_back_wheel"),
        *("upper_left_windshield", "upper_right_windshield"),
        *("upper_left_rearwindow", "upper_right_rearwindow"),
        *("left_front_light", "right_front_light", "left_back_trunk", "right_back_trunk"),
    ),
    "tvmonitor": (
        *("front_bottom_left", "front_bottom_right", "front_top_left", "front_top_right"),
        *("back_bottom_left", "back_bottom_right", "back_top_left", "back_top_right"),
    ),
    "sofa": (
        *("front_bottom_left", "front_bottom_right", "seat_bottom_left", "seat_bottom_right"),
        *("left_bottom_back", "right_bottom_back", "top_left_corner", "top_right_corner"),
        *("seat_top_left", "seat_top_right"),
    ),
    "motorbike": (
        *("back_seat", "front_seat", "head_center", "headlight_center"),
        *("left_back_wheel", "left_front_wheel", "left_handle_center"),
        *("right_back_wheel", "right_front_wheel", "right_handle_center"),
    ),
    "diningtable": (
        *("leg_upper_left", "leg_upper_right", "leg_lower_left", "leg_lower_right"),
        *("top_upper_left", "top_upper_right", "top_lower_left", "top_lower_right"),
        *("top_up", "top_down", "top_left", "top_right"),
    ),
    "chair": (
        *("back_upper_left", "back_upper_right", "seat_upper_left", "seat_upper_right"),
        *("seat_lower_left", "seat_lower_right", "leg_upper_left", "leg_upper_right"),
        *("leg_lower_left", "leg_lower_right"),
    ),
    "bus": (
        *("body_back_left_lower", "body_back_left_upper"),
        *("body_back_right_lower", "body_back_right_upper"),
        *("body_front_left_upper", "body_front_right_upper"),
        *("body_front_left_lower", "body_front_right_lower"),
        *("left_back_wheel", "left_front_wheel", "right_back_wheel", "right_front_wheel"),
    ),
    "bottle": (
        *("mouth", "body", "body_left", "body_right", "bottom", "bottom_left", "bottom_right"),
    ),
    "boat": (*("head", "head_down", "head_left", "head_right", "tail_left", "tail_right", "tail"),),
    "bicycle": (
        *("head_center", "left_back_wheel", "left_front_wheel", "left_handle"),
        *("left_pedal_center", "right_back_wheel", "right_front_wheel", "right_handle"),
        *("right_pedal_center", "seat_back", "seat_front"),
    ),
    "train": (
        *("head_left_bottom", "head_left_top", "head_right_bottom", "head_right_top", "head_top"),
        *("mid1_left_bottom", "mid1_left_top", "mid1_right_bottom", "mid1_right_top"),
        *("mid2_left_bottom", "mid2_left_top", "mid2_right_bottom", "mid2_right_top"),
        *("tail_left_bottom", "tail_left_top", "tail_right_bottom", "tail_right_top"),
    ),
}
CATEGORIES = tuple(POINTS)
# Source: PR-RRN, table 2.
EIGHT = ("aeroplane", "bicycle", "bus", "car", "chair", "diningtable", "motorbike", "sofa")

# Each line joins points one after another; a line of left points also stands for the right ones.
_LINES: Mapping[str, tuple[str, ...]] = {
    "aeroplane": (
        "noselanding left_wing tail left_elevator rudder_upper",
        "noselanding tail rudder_upper rudder_lower noselanding",
    ),
    "car": (
        "left_front_wheel left_back_wheel left_back_trunk upper_left_rearwindow "
        "upper_left_windshield left_front_light left_front_wheel",
        "left_front_light right_front_light",
        "upper_left_windshield upper_right_windshield",
        "upper_left_rearwindow upper_right_rearwindow",
        "left_back_trunk right_back_trunk",
    ),
    "tvmonitor": (
        "front_bottom_left front_top_left back_top_left back_bottom_left front_bottom_left",
        "front_bottom_left front_bottom_right",
        "front_top_left front_top_right",
        "back_bottom_left back_bottom_right",
        "back_top_left back_top_right",
    ),
    "sofa": (
        "front_bottom_left seat_bottom_left seat_top_left top_left_corner left_bottom_back "
        "front_bottom_left",
        "front_bottom_left front_bottom_right",
        "seat_bottom_left seat_bottom_right",
        "seat_top_left seat_top_right",
        "top_left_corner top_right_corner",
        "left_bottom_back right_bottom_back",
    ),
    "motorbike": (
        "left_handle_center head_center",
        "head_center front_seat back_seat left_back_wheel left_front_wheel headlight_center",
        "head_center headlight_center",
    ),
    "diningtable": (
        "leg_upper_left top_upper_left top_left top_lower_left leg_lower_left",
        "top_upper_left top_up",
        "top_lower_left top_down",
    ),
    "chair": (
        "back_upper_left seat_upper_left seat_lower_left leg_lower_left",
        "seat_upper_left leg_upper_left",
        "back_upper_left back_upper_right",
        "seat_upper_left seat_upper_right",
        "seat_lower_left seat_lower_right",
    ),
    "bus": (
        "body_front_left_lower body_front_left_upper body_back_left_upper body_back_left_lower "
        "left_back_wheel left_front_wheel body_front_left_lower",
        "body_front_left_lower body_front_right_lower",
        "body_front_left_upper body_front_right_upper",
        "body_back_left_upper body_back_right_upper",
        "body_back_left_lower body_back_right_lower",
    ),
    "bottle": (
        "mouth body_left bottom_left bottom",
        "mouth body bottom",
    ),
    "boat": (
        "head head_down",
        "head head_left tail_left tail",
        "head_down tail_left tail_right",
    ),
    "bicycle": (
        "left_handle head_center left_front_wheel left_pedal_center left_back_wheel seat_back",
        "left_pedal_center seat_front head_center",
        "seat_front seat_back",
    ),
    "train": (
        "head_left_bottom mid1_left_bottom mid2_left_bottom tail_left_bottom tail_left_top "
        "mid2_left_top mid1_left_top head_left_top head_left_bottom",
        "mid1_left_bottom mid1_left_top",
        "mid2_left_bottom mid2_left_top",
        "head_left_top head_top",
        "head_left_bottom head_right_bottom",
        "head_left_top head_right_top",
        "tail_left_bottom tail_right_bottom",
        "tail_left_top tail_right_top",
    ),
}


def categories_of(subset: str) -> tuple[str, ...]:
    """Return the categories of a subset: the 12 of `all`, or one."""
    return CATEGORIES if subset == ALL else (subset,)


def columns(subset: str, category: str) -> slice:
    """Return which points of a subset belong to a category."""
    others = categories_of(subset)
    before = sum(len(POINTS[c]) for c in others[: others.index(category)])
    return slice(before, before + len(POINTS[category]))


def skeleton(subset: str) -> Skeleton:
    """Return the points and edges of a subset; in `all`, names begin with their category."""
    if subset != ALL:
        return Skeleton(POINTS[subset], _edges(subset), _left_right(subset))
    names = tuple(f"{c}_{name}" for c in CATEGORIES for name in POINTS[c])
    edges, pairs = (
        tuple(
            (a + columns(ALL, c).start, b + columns(ALL, c).start)
            for c in CATEGORIES
            for a, b in of(c)
        )
        for of in (_edges, _left_right)
    )
    return Skeleton(names, edges, pairs)


def mirror_name(name: str) -> str:
    """Return the name of the mirror image of a point; a point in the middle is its own."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


def _edges(category: str) -> tuple[tuple[int, int], ...]:
    lines = [line.split() for line in _LINES[category]]
    both = [*lines, *([mirror_name(name) for name in line] for line in lines)]
    steps = [sorted(map(POINTS[category].index, step)) for line in both for step in pairwise(line)]
    return tuple(sorted({(a, b) for a, b in steps}))


def _left_right(category: str) -> tuple[tuple[int, int], ...]:
    names = POINTS[category]
    left = [name for name in names if "left" in name]
    return tuple((names.index(name), names.index(mirror_name(name))) for name in left)

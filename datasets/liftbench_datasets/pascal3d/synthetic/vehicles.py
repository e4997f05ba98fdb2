"""Sketches of the vehicles of PASCAL3D+; metres, aeroplanes and boats in lengths."""

from __future__ import annotations

from liftbench_datasets.pascal3d.synthetic.bodies import (
    Box,
    Draw,
    Measure,
    Place,
    Sketch,
    Span,
    around,
)


def aeroplane(draw: Draw) -> Sketch:
    """Return planes from gliders to airliners, of length 1."""
    span, tail_span, fin = draw(0.75, 1.25), draw(0.26, 0.42), draw(0.12, 0.22)
    half, wing, wing_z = draw(0.05, 0.075), draw(-0.02, 0.14), draw(-0.04, 0.05)
    tail_z = draw(0.0, 0.05)
    points: dict[str, Place] = {
        "left_wing": (-span / 2, wing, wing_z),
        "left_elevator": (-tail_span / 2, draw(0.42, 0.48), tail_z),
        "noselanding": (0, draw(-0.42, -0.3), -half),
        "rudder_lower": (0, draw(0.27, 0.34), 0.9 * half),
        "rudder_upper": (0, draw(0.42, 0.5), half + fin),
        "tail": (0, 0.5, tail_z),
    }
    return Sketch(
        points,
        boxes=[
            ((-half, half), (-0.45, 0.22), (-half, half)),
            ((-0.6 * half, 0.6 * half), (0.22, 0.48), (-0.4 * half, 0.9 * half)),
        ],
        thin=[
            around(points, "left_wing right_wing", (0, 0.06, 0.01)),
            around(points, "left_elevator right_elevator tail", (0, 0, 0.008)),
            around(points, "rudder_lower rudder_upper", (0.008, 0, 0)),
        ],
    )


def car(draw: Draw) -> Sketch:
    """Return cars from hatchbacks to vans: a hull and a cabin."""
    length, width, height = draw(3.6, 5.2), draw(1.6, 1.95), draw(1.35, 1.85)
    end, half, wheel = length / 2, width / 2, draw(0.29, 0.36)
    belt, roof = height * draw(0.58, 0.66), half * draw(0.7, 0.82)
    front, rear = -length * draw(0.02, 0.14), length * draw(0.24, 0.42)
    axle_front, axle_rear = -length * draw(0.29, 0.32), length * draw(0.26, 0.31)
    return Sketch(
        points={
            "left_front_wheel": (-half, axle_front, wheel),
            "left_back_wheel": (-half, axle_rear, wheel),
            "upper_left_windshield": (-roof, front, height),
            "upper_left_rearwindow": (-roof, rear, 0.98 * height),
            "left_front_light": (-0.97 * half, -end, 0.75 * belt),
            "left_back_trunk": (-0.97 * half, end, 0.95 * belt),
        },
        boxes=[
            ((-half, half), (-end, end), (0.15, belt)),
            ((-roof, roof), (front, rear), (0.15, height)),
        ],
    )


def motorbike(draw: Draw) -> Sketch:
    """Return motorbikes: two wheels and a body between them."""
    base, wheel, half_tyre = draw(1.25, 1.65), draw(0.28, 0.34), draw(0.06, 0.1)
    front, rear, half_body = -0.5 * base, 0.5 * base, draw(0.12, 0.2)
    seat, bar = draw(0.72, 0.86), draw(0.95, 1.2)
    head = front + draw(0.25, 0.4)
    points: dict[str, Place] = {
        "back_seat": (0, rear - draw(-0.15, 0.1), seat + draw(0.0, 0.12)),
        "front_seat": (0, draw(-0.15, 0.05), seat),
        "head_center": (0, head, 0.93 * bar),
        "headlight_center": (0, head - draw(0.15, 0.3), bar - draw(0.12, 0.25)),
        "left_back_wheel": (-half_tyre, rear, wheel),
        "left_front_wheel": (-half_tyre, front, wheel),
        "left_handle_center": (-draw(0.3, 0.42), head + draw(0.05, 0.25), bar),
    }
    return Sketch(
        points,
        boxes=[
            ((-half_body, half_body), (head + 0.1, 0.7 * rear), (wheel, seat)),
            *(
                ((-half_tyre, half_tyre), (y - 0.7 * wheel, y + 0.7 * wheel), (0.1, 1.7 * wheel))
                for y in (front, rear)
            ),
        ],
        thin=[
            around(points, "front_seat back_seat", (0.1, 0, 0.05)),
            around(points, "left_handle_center right_handle_center", (0, 0.03, 0.03)),
            around(points, "head_center headlight_center", (0.08, 0.03, 0.05)),
            around(points, "headlight_center left_front_wheel right_front_wheel", (0, 0.03, 0)),
        ],
    )


def bus(draw: Draw) -> Sketch:
    """Return buses and coaches, some with two decks."""
    end, half, height = draw(8, 13) / 2, draw(2.35, 2.6) / 2, draw(2.8, 4.3)
    nose, floor, wheel = draw(0.0, 0.5), draw(0.3, 0.5), draw(0.42, 0.52)
    points: dict[str, Place] = {
        "body_front_left_lower": (-half, -end, floor),
        "body_front_left_upper": (-0.93 * half, -end + nose, height),
        "body_back_left_lower": (-half, end, floor),
        "body_back_left_upper": (-0.93 * half, end - 0.3 * nose, height),
        "left_front_wheel": (-half, -end * draw(0.5, 0.75), wheel),
        "left_back_wheel": (-half, end * draw(0.4, 0.65), wheel),
    }
    return Sketch(
        points,
        boxes=[
            ((-half, half), (-end, end), (floor, 0.6 * height)),
            ((-0.95 * half, 0.95 * half), (-end + nose, end - 0.3 * nose), (floor, height)),
        ],
        thin=[
            around(points, f"left_{end}_wheel right_{end}_wheel", (0, wheel, 0.5 * wheel))
            for end in ("front", "back")
        ],
    )


def boat(draw: Draw) -> Sketch:
    """Return boats from rowing boats to yachts, of length 1: hull, bow and house."""
    half, deck, house = draw(0.1, 0.19), draw(0.09, 0.16), draw(0.02, 0.2)
    shoulder, stern = draw(-0.28, -0.15), draw(0.7, 0.95)
    keel, house_front, house_rear = draw(-0.46, -0.38), draw(-0.15, 0.0), draw(0.2, 0.4)
    points: dict[str, Place] = {
        "head": (0, -0.5, deck + draw(0.0, 0.06)),
        "head_down": (0, keel, 0),
        "head_left": (-half, shoulder, deck),
        "tail_left": (-stern * half, 0.48, draw(0.5, 0.9) * deck),
        "tail": (0, 0.5, deck + draw(0.0, 0.08)),
    }
    return Sketch(
        points,
        boxes=[
            ((-0.95 * half, 0.95 * half), (shoulder, 0.48), (0, deck)),
            ((-0.45 * half, 0.45 * half), (0.8 * keel, shoulder), (0, deck)),
            ((-0.6 * half, 0.6 * half), (house_front, house_rear), (0, deck + house)),
        ],
        thin=[
            around(points, "head head_down", (0.02, 0, 0)),
            ((-half, half), (shoulder, 0.48), (0.6 * deck, deck)),
            ((-0.25 * half, 0.25 * half), (-0.5, shoulder), (0.3 * deck, deck)),
            around(points, "tail tail_left tail_right", (0, 0, 0.02)),
        ],
    )


def bicycle(draw: Draw) -> Sketch:
    """Return bicycles: hubs and a crank that hide their other side; wheels hide nothing."""
    base, wheel = draw(0.95, 1.1), draw(0.3, 0.36)
    front, rear, crank = -0.52 * base, 0.48 * base, draw(-0.02, 0.08)
    saddle, bar, hub = draw(0.8, 1.0), draw(0.85, 1.05), 0.05
    head, seat = front + draw(0.15, 0.26), draw(0.1, 0.22)
    points: dict[str, Place] = {
        "head_center": (0, head, 0.95 * bar),
        "left_back_wheel": (-hub, rear, wheel),
        "left_front_wheel": (-hub, front, wheel),
        "left_handle": (-draw(0.21, 0.33), head + draw(-0.1, 0.2), bar),
        "left_pedal_center": (-0.07, crank, 0.9 * wheel),
        "seat_back": (0, seat + 0.16, saddle),
        "seat_front": (0, seat - 0.1, saddle),
    }
    tube = 0.02
    return Sketch(
        points,
        boxes=[
            *(
                ((-hub, hub), (y - 0.12, y + 0.12), (z - 0.12, z + 0.12))
                for y, z in ((front, wheel), (rear, wheel), (crank, 0.9 * wheel))
            ),
            # As thin as this, wheels are part of the size and no more.
            *(((0, 0), (y - wheel, y + wheel), (0, 2 * wheel)) for y in (front, rear)),
        ],
        thin=[
            *_wheel((-tube, tube), front, wheel),
            *_wheel((-tube, tube), rear, wheel),
            ((-tube, tube), (front, head), (wheel, 0.95 * bar)),
            ((-tube, tube), (crank, seat), (0.9 * wheel, saddle)),
            ((-tube, tube), (crank, rear), (0.9 * wheel, wheel)),
            around(points, "head_center seat_front", (tube, 0, tube)),
            around(points, "seat_front seat_back", (0.06, 0, tube)),
            around(points, "left_handle right_handle", (0, tube, tube)),
            around(points, "left_pedal_center right_pedal_center", (0, 0.03, tube)),
        ],
    )


def _wheel(across: Span, y: Measure, radius: Measure) -> list[Box]:
    """Return boxes that together are about as round as a wheel on the ground."""
    return [
        (across, (y - a * radius, y + a * radius), ((1 - b) * radius, (1 + b) * radius))
        for a, b in ((1.0, 0.4), (0.75, 0.75), (0.4, 1.0))
    ]


def train(draw: Draw) -> Sketch:
    """Return the head of a train and the visible part of the cars behind it."""
    end, half, height = draw(9, 24) / 2, draw(2.7, 3.2) / 2, draw(3.3, 4.4)
    nose, floor = draw(0.1, 1.6), draw(0.3, 0.9)
    shoulder = draw(0.78, 0.92) * height
    first, second = -end * draw(0.25, 0.45), end * draw(0.2, 0.45)
    points: dict[str, Place] = {
        "head_left_bottom": (-half, -end, floor),
        "head_left_top": (-half, -end + nose, shoulder),
        "head_top": (0, -end + nose, height),
        "tail_left_bottom": (-half, end, floor),
        "tail_left_top": (-half, end, shoulder),
    }
    for name, y in (("mid1", first), ("mid2", second)):
        points[f"{name}_left_bottom"] = (-half, y, floor)
        points[f"{name}_left_top"] = (-half, y, shoulder)
    return Sketch(
        points,
        boxes=[
            ((-half, half), (-end, end), (floor, 0.5 * height)),
            ((-half, half), (-end + nose, end), (floor, shoulder)),
            ((-0.7 * half, 0.7 * half), (-end + nose, end), (floor, height)),
        ],
    )

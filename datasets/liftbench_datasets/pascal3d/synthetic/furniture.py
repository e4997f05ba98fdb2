"""Sketches of the furniture of PASCAL3D+, with its monitors and bottles; metres."""

from __future__ import annotations

from liftbench_datasets.pascal3d.synthetic.bodies import Draw, Place, Sketch, around


def tvmonitor(draw: Draw) -> Sketch:
    """Return screens from flat panels to tubes: a front and a smaller back."""
    half, tall, depth = draw(0.35, 1.1) / 2, draw(0.3, 0.65) / 2, draw(0.06, 0.45)
    back, rim = draw(0.55, 1.0), 0.3 * depth
    return Sketch(
        points={
            "front_bottom_left": (-half, 0, -tall),
            "front_top_left": (-half, 0, tall),
            "back_bottom_left": (-back * half, depth, -back * tall),
            "back_top_left": (-back * half, depth, back * tall),
        },
        boxes=[
            ((-half, half), (0, rim), (-tall, tall)),
            ((-back * half, back * half), (0, depth), (-back * tall, back * tall)),
        ],
    )


def sofa(draw: Draw) -> Sketch:
    """Return sofas and armchairs: a base, a back and two arms."""
    half, deep, arm = draw(0.8, 2.4) / 2, draw(0.75, 1.0) / 2, draw(0.1, 0.24)
    seat, rest, back = draw(0.36, 0.46), draw(0.52, 0.68), draw(0.7, 1.0)
    inner, thick = half - arm, draw(0.15, 0.3)
    rear = deep - thick
    arms = [
        ((-half, -inner), (-deep, deep), (0.0, rest)),
        ((inner, half), (-deep, deep), (0.0, rest)),
    ]
    return Sketch(
        points={
            "front_bottom_left": (-half, -deep, 0),
            "seat_bottom_left": (-inner, -deep, seat),
            "left_bottom_back": (-half, deep, 0),
            "top_left_corner": (-half, deep, back),
            "seat_top_left": (-inner, rear, seat),
        },
        boxes=[
            ((-half, half), (-deep, deep), (0, seat)),
            ((-half, half), (rear, deep), (0, back)),
            *arms,
        ],
    )


def diningtable(draw: Draw) -> Sketch:
    """Return tables: a top on legs at the corners; upper points are at the back."""
    half, deep, height = draw(0.9, 2.2) / 2, draw(0.75, 1.2) / 2, draw(0.68, 0.8)
    x, y = half * draw(0.8, 0.97), deep * draw(0.8, 0.97)
    return Sketch(
        points={
            "leg_upper_left": (-x, y, 0),
            "leg_lower_left": (-x, -y, 0),
            "top_upper_left": (-half, deep, height),
            "top_lower_left": (-half, -deep, height),
            "top_up": (0, deep, height),
            "top_down": (0, -deep, height),
            "top_left": (-half, 0, height),
        },
        boxes=[((-half, half), (-deep, deep), (height - 0.1, height))],
        thin=[
            ((i * x - 0.03, i * x + 0.03), (j * y - 0.03, j * y + 0.03), (0, height))
            for i in (-1, 1)
            for j in (-1, 1)
        ],
    )


def chair(draw: Draw) -> Sketch:
    """Return chairs: a seat, a back and four legs; upper points are at the back."""
    half, deep, seat = draw(0.4, 0.62) / 2, draw(0.4, 0.6) / 2, draw(0.4, 0.5)
    back, lean, splay = draw(0.75, 1.15), draw(0.0, 0.15), draw(0.92, 1.12)
    points: dict[str, Place] = {
        "back_upper_left": (-half * draw(0.8, 1.0), deep + lean, back),
        "seat_upper_left": (-half, deep, seat),
        "seat_lower_left": (-half, -deep, seat),
        "leg_upper_left": (-splay * half, splay * deep, 0),
        "leg_lower_left": (-splay * half, -splay * deep, 0),
    }
    return Sketch(
        points,
        boxes=[
            ((-half, half), (-deep, deep), (seat - 0.09, seat)),
            ((-0.9 * half, 0.9 * half), (deep - 0.08, deep + lean), (seat + 0.1, back)),
        ],
        thin=[
            around(points, "back_upper_left back_upper_right", (0, 0.02, 0.02)),
            *(
                around(points, f"leg_{end}_{side} seat_{end}_{side}", (0.015, 0.015, 0))
                for end in ("upper", "lower")
                for side in ("left", "right")
            ),
            # The posts of the back.
            around(points, "seat_upper_left seat_upper_right", (-0.05, 0.02, 0.1)),
        ],
    )


def bottle(draw: Draw) -> Sketch:
    """Return bottles: a body below, a neck above; points on the outline face the front."""
    radius, height = draw(0.028, 0.05), draw(0.2, 0.34)
    shoulder, neck = height * draw(0.5, 0.75), radius * draw(0.25, 0.5)
    inner, slope = 0.85 * radius, shoulder + 0.4 * (height - shoulder)
    return Sketch(
        points={
            "mouth": (0, -neck, height),
            "body": (0, -radius, shoulder),
            "body_left": (-radius, 0, shoulder),
            "bottom": (0, -radius, 0),
            "bottom_left": (-radius, 0, 0),
        },
        boxes=[
            ((-inner, inner), (-inner, inner), (0, shoulder)),
            ((-0.6 * inner, 0.6 * inner), (-0.6 * inner, 0.6 * inner), (0, slope)),
            ((-neck, neck), (-neck, neck), (0, height)),
        ],
        thin=[
            ((-0.5 * radius, 0.5 * radius), (-radius, radius), (0, shoulder)),
            ((-radius, radius), (-0.5 * radius, 0.5 * radius), (0, shoulder)),
        ],
    )

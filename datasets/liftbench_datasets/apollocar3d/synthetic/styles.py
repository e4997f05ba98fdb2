"""The measures of cars: how far they vary in each kind of car, and random draws of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from liftbench.types import Floats

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """The range of each measure over the cars of one kind.

    `length`, `width` and `height` are metres. The measures from `front_axle` to `deck` run along
    the car and are shares of its length; `nose`, `cowl` and `tail` are heights above the road as
    shares of its height; `roof_width` is a share of the width.

    Attributes:
        share: of this kind among all cars.
        length: from bumper to bumper.
        width: without the mirrors.
        height: of the roof.
        front_axle: from the front bumper to the front axle.
        wheelbase: from axle to axle.
        hood: from the front bumper to the foot of the windscreen.
        windscreen: from its foot to its top.
        rear_window: from its top to its foot.
        deck: from the foot of the rear window to the rear bumper.
        nose: height of the front edge of the hood.
        cowl: height of the foot of the windscreen.
        tail: height of the foot of the rear window.
        roof_width: between the upper edges of the doors.
    """

    share: float
    length: Range
    width: Range
    height: Range
    front_axle: Range
    wheelbase: Range
    hood: Range
    windscreen: Range
    rear_window: Range
    deck: Range
    nose: Range
    cowl: Range
    tail: Range
    roof_width: Range


# Lengths and heights cover the models of ApolloCar3D; the other measures are usual ones.
STYLES: Mapping[str, Style] = {
    "hatchback": Style(
        share=0.25,
        length=(3.45, 4.45),
        width=(1.62, 1.82),
        height=(1.43, 1.58),
        front_axle=(0.185, 0.205),
        wheelbase=(0.595, 0.630),
        hood=(0.21, 0.25),
        windscreen=(0.16, 0.20),
        rear_window=(0.08, 0.14),
        deck=(0.03, 0.06),
        nose=(0.52, 0.57),
        cowl=(0.66, 0.70),
        tail=(0.65, 0.71),
        roof_width=(0.63, 0.70),
    ),
    "sedan": Style(
        share=0.35,
        length=(4.30, 5.20),
        width=(1.68, 1.90),
        height=(1.40, 1.52),
        front_axle=(0.180, 0.200),
        wheelbase=(0.570, 0.595),
        hood=(0.24, 0.28),
        windscreen=(0.15, 0.19),
        rear_window=(0.14, 0.19),
        deck=(0.09, 0.14),
        nose=(0.52, 0.57),
        cowl=(0.66, 0.69),
        tail=(0.69, 0.74),
        roof_width=(0.62, 0.68),
    ),
    "suv": Style(
        share=0.28,
        length=(4.00, 5.30),
        width=(1.74, 2.00),
        height=(1.58, 1.86),
        front_axle=(0.180, 0.200),
        wheelbase=(0.570, 0.605),
        hood=(0.22, 0.27),
        windscreen=(0.12, 0.16),
        rear_window=(0.06, 0.13),
        deck=(0.02, 0.05),
        nose=(0.56, 0.61),
        cowl=(0.65, 0.69),
        tail=(0.63, 0.70),
        roof_width=(0.65, 0.72),
    ),
    "mpv": Style(
        share=0.12,
        length=(4.20, 5.00),
        width=(1.70, 1.90),
        height=(1.58, 1.82),
        front_axle=(0.180, 0.200),
        wheelbase=(0.595, 0.625),
        hood=(0.17, 0.21),
        windscreen=(0.17, 0.21),
        rear_window=(0.05, 0.09),
        deck=(0.02, 0.04),
        nose=(0.50, 0.55),
        cowl=(0.62, 0.66),
        tail=(0.60, 0.66),
        roof_width=(0.67, 0.73),
    ),
}
MEASURES = tuple(field.name for field in fields(Style) if field.name != "share")
SIZE_WEIGHT = 0.6  # of the car's overall size in each measure; the rest varies by measure


@dataclass(frozen=True)
class Measures:
    """The measures of F cars in metres, each (F,).

    The axles and the names in `_z` are places along the car, ahead of the middle of its length;
    `nose`, `cowl` and `tail` are heights above the road.
    """

    length: Floats
    width: Floats
    height: Floats
    front_axle: Floats
    rear_axle: Floats
    cowl_z: Floats
    roof_front_z: Floats
    roof_rear_z: Floats
    deck_z: Floats
    nose: Floats
    cowl: Floats
    tail: Floats
    roof_width: Floats


def draw_measures(rng: np.random.Generator, count: int) -> Measures:
    """Draw the measures of `count` cars of all styles; large cars are large in most of them."""
    ranges = np.array([[getattr(s, name) for name in MEASURES] for s in STYLES.values()])
    style = rng.choice(len(STYLES), count, p=[s.share for s in STYLES.values()])
    size, own = rng.random((count, 1)), rng.random((count, len(MEASURES)))
    low, high = np.moveaxis(ranges[style], 2, 0)
    drawn = low + (high - low) * (SIZE_WEIGHT * size + (1 - SIZE_WEIGHT) * own)
    m = dict(zip(MEASURES, drawn.T, strict=True))
    length, height = m["length"], m["height"]
    return Measures(
        length=length,
        width=m["width"],
        height=height,
        front_axle=length * (0.5 - m["front_axle"]),
        rear_axle=length * (0.5 - m["front_axle"] - m["wheelbase"]),
        cowl_z=length * (0.5 - m["hood"]),
        roof_front_z=length * (0.5 - m["hood"] - m["windscreen"]),
        roof_rear_z=length * (m["deck"] + m["rear_window"] - 0.5),
        deck_z=length * (m["deck"] - 0.5),
        nose=height * m["nose"],
        cowl=height * m["cowl"],
        tail=height * m["tail"],
        roof_width=m["width"] * m["roof_width"],
    )

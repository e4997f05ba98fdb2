"""Squares around a person."""

from __future__ import annotations

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.h36m.synthetic.crops import Crop, draw_crops

SIZE = 96


def joints(frames: int = 300) -> Floats:
    rng = named_rng("joints")
    middle = rng.uniform(300, 700, (frames, 1, 2))
    return middle + rng.uniform(-1, 1, (frames, 31, 2)) * rng.uniform(50, 250, (frames, 1, 2))


def crops(frames: int = 300) -> list[Crop]:
    return draw_crops(named_rng("crops"), joints(frames), SIZE)


def test_positions_and_pixels_are_inverse() -> None:
    crop = Crop(np.array([100.0, 40.0]), 300.0, 100)
    np.testing.assert_allclose(crop.place(np.array([100.0, 340.0])), [0, 100])
    pixels = joints()[0]
    np.testing.assert_allclose(crop.pixels(crop.place(pixels)), pixels)


def test_all_joints_lie_in_the_picture_with_a_margin() -> None:
    for crop, pixels in zip(crops(), joints(), strict=True):
        places = crop.place(pixels)
        assert places.min() > 0.02 * SIZE
        assert places.max() < 0.98 * SIZE
        assert np.ptp(places, axis=0).max() > 0.7 * SIZE


def test_size_and_place_vary_and_do_not_tell_the_root() -> None:
    middles = np.array([c.place(p).mean(axis=0) for c, p in zip(crops(), joints(), strict=True)])
    assert (middles.std(axis=0) > 0.02 * SIZE).all()
    extent = [np.ptp(c.place(p), axis=0).max() for c, p in zip(crops(), joints(), strict=True)]
    assert np.std(extent) > 0.03 * SIZE


def test_a_square_does_not_depend_on_later_frames() -> None:
    rng = named_rng("crops")
    few = draw_crops(rng, joints()[:5], SIZE)
    for one, other in zip(few, crops(), strict=False):
        assert one.side == other.side
        np.testing.assert_array_equal(one.corner, other.corner)

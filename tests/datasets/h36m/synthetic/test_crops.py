"""Squares around a person."""

from __future__ import annotations

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.h36m.synthetic.crops import Crop, Crops, draw_crops

SIZE = 96


def joints(frames: int = 300) -> Floats:
    rng = named_rng("joints")
    middle = rng.uniform(300, 700, (frames, 1, 2))
    return middle + rng.uniform(-1, 1, (frames, 31, 2)) * rng.uniform(50, 250, (frames, 1, 2))


def crops(frames: int = 300) -> Crops:
    return draw_crops(named_rng("crops"), joints(frames), SIZE)


def test_positions_and_pixels_are_inverse() -> None:
    crop = Crop(np.array([100.0, 40.0]), 300.0, 100)
    np.testing.assert_allclose(crop.place(np.array([100.0, 340.0])), [0, 100])
    pixels = joints()[0]
    np.testing.assert_allclose(crop.pixels(crop.place(pixels)), pixels)


def test_all_joints_lie_in_the_picture_with_a_margin() -> None:
    places = crops().place(joints())
    assert places.min() > 0.02 * SIZE
    assert places.max() < 0.98 * SIZE
    assert np.ptp(places, axis=1).max(axis=1).min() > 0.7 * SIZE


def test_size_and_place_vary_and_do_not_tell_the_root() -> None:
    places = crops().place(joints())
    assert (places.mean(axis=1).std(axis=0) > 0.02 * SIZE).all()
    assert np.ptp(places, axis=1).max(axis=1).std() > 0.03 * SIZE


def test_a_square_does_not_depend_on_later_frames() -> None:
    rng = named_rng("crops")
    few = draw_crops(rng, joints()[:5], SIZE)
    np.testing.assert_array_equal(few.side, crops().side[:5])
    np.testing.assert_array_equal(few.corner, crops().corner[:5])


def test_the_square_of_a_frame_places_as_all_do() -> None:
    together = crops().place(joints())
    for frame in (0, 7, 299):
        np.testing.assert_array_equal(crops()[frame].place(joints()[frame]), together[frame])

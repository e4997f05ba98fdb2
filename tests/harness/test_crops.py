"""Crops: positions move with the picture; the cache is whole, shared and bounded in memory."""

from __future__ import annotations

import copy
import os
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liftbench import crops as module
from liftbench.crops import Crops, make_crops
from liftbench.errors import DataMissingError, UserError
from liftbench.images import Images
from liftbench.types import Floats

WIDTH, HEIGHT = 120, 90


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "crops"


@pytest.fixture
def ramps(tmp_path: Path) -> Images:
    """Three pictures: red rises with x, green with y, two levels a pixel; blue is the frame."""
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    files = []
    for frame in range(3):
        levels = np.stack([2 * x, 2 * y, np.full_like(x, 10 * frame)], axis=2)
        files.append(str(tmp_path / f"{frame}.png"))
        Image.fromarray(levels.astype(np.uint8)).save(files[-1])
    return Images(tuple(files))


BOXES = np.array([[20.0, 15, 40, 30], [30.5, 20.25, 36.2, 44.1], [50, 20, 16, 20]])


def levels_at(crops: Crops, frame: int) -> tuple[Floats, Floats]:
    """Return positions in the image (N, N, 2) of a crop's pixels, and red and green there."""
    middles = np.arange(crops.size) + 0.5
    grid = np.stack(np.meshgrid(middles, middles), axis=2).reshape(1, -1, 2)
    own = Crops(crops.file, crops.size, crops.corner[[frame]], crops.edge[[frame]])
    places = own.to_image(grid).reshape(crops.size, crops.size, 2)
    return places, crops.pixels[frame, ..., :2] / 2


@pytest.mark.parametrize("size", [16, 64])  # smaller and larger than the squares
def test_a_pixel_of_a_crop_shows_the_place_that_it_maps_to(ramps: Images, size: int) -> None:
    crops = make_crops(ramps, BOXES, size)
    assert crops.pixels.shape == (3, size, size, 3)
    for frame in range(3):
        places, levels = levels_at(crops, frame)
        inner = slice(size // 8, -size // 8)  # antialiasing at the edge of a square is one-sided
        np.testing.assert_allclose(levels[inner, inner], places[inner, inner], atol=0.6)
        assert (crops.pixels[frame, ..., 2] == 10 * frame).all()


def test_a_square_encloses_its_box_with_a_margin(ramps: Images) -> None:
    crops = make_crops(ramps, BOXES, 20, margin=0.25)
    corners = np.stack([BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]], axis=1)
    low, high = np.moveaxis(crops.to_crop(corners), 1, 0)
    np.testing.assert_allclose(low + high, 20)  # the middle of the box is that of the crop
    np.testing.assert_allclose((high - low).max(axis=1), 20 / 1.5)
    np.testing.assert_allclose(crops.to_image(crops.to_crop(corners)), corners)


def test_beyond_the_image_a_crop_is_black(ramps: Images) -> None:
    crops = make_crops(ramps, np.tile([-20.0, -20, 40, 40], (3, 1)), 40, margin=0)
    assert not crops.pixels[1, :20].any()
    assert not crops.pixels[1, :, :20].any()
    assert crops.pixels[1, 21:, 21:, 2].all()


def test_without_boxes_a_crop_shows_the_whole_image(ramps: Images) -> None:
    crops = make_crops(ramps, None, 60)
    np.testing.assert_allclose(crops.edge, WIDTH)
    np.testing.assert_allclose(crops.to_crop(np.tile([[[60.0, 45.0]]], (3, 1, 1))), 30)
    assert not crops.pixels[2, :6].any()  # the square is higher than the picture


def test_the_cache_is_read_again_unless_something_changes(
    ramps: Images, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_crops(ramps, BOXES, 16)
    with monkeypatch.context() as patch:
        patch.setattr(module, "open_image", None)
        again = make_crops(ramps, BOXES, 16)
    assert again.file == first.file
    with pytest.raises(ValueError, match="read-only"):
        again.pixels[0] = 0
    assert make_crops(ramps, BOXES, 17).file != first.file
    assert make_crops(ramps, BOXES + 1, 16).file != first.file
    assert make_crops(ramps, BOXES, 16, margin=0.2).file != first.file
    os.utime(ramps.files[1], ns=(1, 1))
    assert make_crops(ramps, BOXES, 16).file != first.file
    assert sorted(path.suffix for path in cache.iterdir()) == [".npy"] * 5


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY no array", None])
def test_a_damaged_cache_is_written_anew(ramps: Images, damage: bytes | None) -> None:
    crops = make_crops(ramps, BOXES, 16)
    expected = crops.pixels.tobytes()
    whole = crops.file.read_bytes()
    crops.file.write_bytes(whole[:-1] if damage is None else damage)
    assert make_crops(ramps, BOXES, 16).pixels.tobytes() == expected


def test_several_may_build_at_once(ramps: Images, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make_crops(ramps, BOXES, 32, jobs=2), range(8)))
    assert len({crops.pixels.tobytes() for crops in made}) == 1
    assert [path.name for path in cache.iterdir()] == [made[0].file.name]


def test_memory_does_not_grow_with_the_frames(ramps: Images) -> None:
    """Twice, as Python enlarges its table of strings now and then, but not each time."""
    frames = 400
    many, boxes = ramps.take(np.zeros(frames, dtype=np.int64)), np.tile(BOXES[0], (frames, 1))
    held = min(peak_memory(many, boxes + shift) for shift in (0, 1))
    assert held < frames * 64 * 64 * 3 / 4


def peak_memory(images: Images, boxes: Floats) -> int:
    """Return the most bytes that Python held while it made crops of 64 px and read some."""
    tracemalloc.start()
    crops = make_crops(images, boxes, 64)
    batch = crops.pixels[np.arange(0, len(boxes), 20)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert batch.shape == (len(boxes) // 20, 64, 64, 3)
    return peak


def test_copies_hold_no_pixels(ramps: Images) -> None:
    crops = make_crops(ramps, BOXES, 128)
    assert len(pickle.dumps(crops)) < 2000
    np.testing.assert_array_equal(copy.deepcopy(crops).pixels, crops.pixels)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([10.0, 10, 0, 5], "frame 1: its box is empty: x 10, y 10, width 0, height 5"),
        ([10.0, 10, 5, -1], "frame 1: its box is empty"),
        ([120.0, 10, 5, 5], r"frame 1: its box \(x 120, .*1\.png, which is 120 x 90 pixels"),
        ([-9.0, 10, 9, 5], r"frame 1: its box .* is not one of"),
        ([0.0, 10, 4e3, 4e3], r"frame 1: its box .* is not one of"),
    ],
)
def test_a_bad_box_names_its_frame(ramps: Images, box: list[float], message: str) -> None:
    boxes = BOXES.copy()
    boxes[1] = box
    with pytest.raises(UserError, match=message):
        make_crops(ramps, boxes, 16)


def test_missing_and_damaged_pictures_are_named(ramps: Images, cache: Path) -> None:
    whole = Path(ramps.files[1]).read_bytes()
    Path(ramps.files[1]).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"1\.png: expected an image"):
        make_crops(ramps, BOXES, 16)
    assert list(cache.iterdir()) == []  # neither a part nor a file for a moment
    Path(ramps.files[1]).unlink()
    with pytest.raises(DataMissingError, match=r"1 of 3 images are missing, first .*1\.png"):
        make_crops(ramps, BOXES, 16)


def test_an_unwritable_cache_is_named(
    ramps: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="cannot be written, set LIFTBENCH_CACHE"):
        make_crops(ramps, BOXES, 16)

"""Images and masks are read one at a time, go with observations, and damage is reported."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed
from PIL import Image
from tests.conftest import not_none

from liftbench import images as pictures
from liftbench.errors import DataMissingError, UserError
from liftbench.images import Images
from liftbench.runs.exchange import read_observations, write_observations
from liftbench.types import Observations, Skeleton


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Two frames: red, half of it masked; green, without a masked pixel."""
    covered = np.zeros((2, 4), np.uint8)
    covered[:, :2] = 255
    for number, (colour, mask) in enumerate([("red", covered), ("lime", 0 * covered)]):
        Image.new("RGB", (4, 2), colour).save(tmp_path / f"{number}.png")
        Image.fromarray(mask).save(tmp_path / f"{number}_mask.png")
    files = tuple(str(tmp_path / f"{n}.png") for n in range(2))
    return Images(files, tuple(str(tmp_path / f"{n}_mask.png") for n in range(2)))


def observations(images: Images | None) -> Observations:
    frames = 2
    points = np.zeros((frames, 3, 2))
    shown = np.ones((frames, 3), dtype=np.bool_)
    ids = np.arange(frames)
    return Observations(points, shown, ids, "orthographic", Skeleton(("a", "b", "c")), None, images)


def test_pixels(images: Images) -> None:
    assert len(images) == 2
    np.testing.assert_array_equal(images.image(0), np.full((2, 4, 3), [255, 0, 0]))
    np.testing.assert_array_equal(images.image(1), np.full((2, 4, 3), [0, 255, 0]))
    np.testing.assert_array_equal(images.mask(0), [[True, True, False, False]] * 2)
    assert not images.mask(1).any()


def test_no_image_is_read_before_it_is_needed(tmp_path: Path) -> None:
    images = Images((str(tmp_path / "absent.jpg"),))
    with pytest.raises(DataMissingError, match=r"absent\.jpg: no such image"):
        images.image(0)
    with pytest.raises(UserError, match="no masks"):
        images.mask(0)


def test_frames_are_drawn_on_demand(tmp_path: Path) -> None:
    drawn: list[int] = []

    def draw(frame: int) -> None:
        drawn.append(frame)
        Image.new("RGB", (4, 2), (frame, 0, 0)).save(made.files[frame])
        Image.new("L", (4, 2), frame).save(f"{made.files[frame]}.mask.png")

    files = tuple(str(tmp_path / f"{n}.png") for n in range(4))
    made = Images(files, tuple(f"{file}.mask.png" for file in files), draw)
    assert made.image(2)[0, 0].tolist() == [2, 0, 0]
    assert made.mask(2).all()
    assert drawn == [2]
    write_observations(tmp_path / "observed.npz", observations(first_of(made, 2)))
    assert drawn == [2, 0, 1]
    sent = read_observations(tmp_path / "observed.npz").images
    assert sent == first_of(made, 2)
    assert sent.draw is None
    assert sent.image(1)[0, 0].tolist() == [1, 0, 0]
    assert not Path(files[3]).exists()


def test_taken_frames_are_still_drawn(tmp_path: Path) -> None:
    def draw(frame: int) -> None:
        Image.new("L", (1, 1), frame).save(files[frame])

    files = tuple(str(tmp_path / f"{n}.png") for n in range(5))
    taken = Images(files, None, draw).take(np.array([4, 1, 3])).take(np.array([2, 0]))
    assert [int(taken.image(n)[0, 0, 0]) for n in range(2)] == [3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.png", "4.png"]
    assert Images(files).take(np.array([0])).draw is None


def first_of(images: Images, count: int) -> Images:
    assert images.masks is not None
    return Images(images.files[:count], images.masks[:count], images.draw)


def test_damaged_image(tmp_path: Path) -> None:
    path = tmp_path / "bird.jpg"
    path.write_bytes(b"\xff\xd8 no image")
    with pytest.raises(UserError, match=r"bird\.jpg: expected an image"):
        Images((str(path),)).image(0)


def test_sizes_are_read_without_the_pixels(tmp_path: Path, images: Images) -> None:
    assert images.sizes().tolist() == [[4, 2], [4, 2]]
    path = tmp_path / "cut.png"
    noise = np.random.default_rng(0).integers(256, size=(30, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert Images((str(path),)).sizes().tolist() == [[40, 30]]
    with pytest.raises(UserError, match=r"cut\.png: expected an image"):
        Images((str(path),)).image(0)


def test_missing_files_are_listed(images: Images) -> None:
    assert images.missing() == []
    Path(images.files[1]).unlink()
    Path(not_none(images.masks)[0]).unlink()
    assert [Path(file).name for file in images.missing()] == ["1.png", "0_mask.png"]
    assert replace(images, draw=print).missing() == []


def test_a_mask_has_the_size_of_its_image(images: Images) -> None:
    Image.new("L", (2, 4)).save(not_none(images.masks)[1])
    images.mask(0)
    with pytest.raises(UserError, match=r"1_mask\.png: expected a mask of 4 x 2 .*, got 2 x 4"):
        images.mask(1)


def test_a_huge_image_is_refused_before_its_pixels_are_read(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 7)
    for read in (lambda: images.image(0), images.sizes):
        with pytest.raises(UserError, match=r"0\.png: .* image: 4 x 2 pixels are too many"):
            read()


@pytest.mark.parametrize("limit", [5, 3])
def test_pils_own_limit_is_one_line_too(
    images: Images, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # it warns, and refuses twice as many
    with pytest.raises(UserError, match=r"0\.png: expected an image: Image size \(8 pixels\)"):
        images.image(0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_many_frames_are_drawn_in_other_processes(tmp_path: Path, jobs: int) -> None:
    files = tuple(str(tmp_path / f"{n}.png") for n in range(12))

    def draw(frame: int) -> None:
        Image.new("L", (1, 1), frame).save(files[frame])

    Image.new("L", (1, 1), 99).save(files[3])  # drawn before
    drawn = Images(files, None, draw).take(np.arange(2, 12)).draw_all(jobs)
    assert drawn.draw is None
    values = [int(drawn.image(n)[0, 0, 0]) for n in range(10)]
    assert values == [2, 99, *range(4, 12)]
    assert not Path(files[0]).exists()


def test_runs_that_start_at_once_draw_each_frame_once_in_other_processes(tmp_path: Path) -> None:
    files = tuple(str(tmp_path / f"{n}.png") for n in range(12))

    def draw(frame: int) -> None:
        with (tmp_path / "log").open("a") as log:
            log.write(f"{frame} {os.getpid()}\n")
        Image.new("L", (1, 1), frame).save(files[frame])

    def run() -> None:
        Images(files, None, draw).draw_all(2)

    Parallel(2, backend="threading")(delayed(run)() for _ in range(2))
    log = np.loadtxt(tmp_path / "log", dtype=int)
    assert sorted(log[:, 0]) == list(range(12))
    assert os.getpid() not in log[:, 1]


def test_images_travel_with_observations(tmp_path: Path, images: Images) -> None:
    for given in (images, replace(images, masks=None), None):
        write_observations(tmp_path / "observed.npz", observations(given))
        assert read_observations(tmp_path / "observed.npz").images == given


def test_size_of_a_pixel_travels_with_observations(tmp_path: Path) -> None:
    for pixel in (np.array([0.5, 2.0]), None):
        write_observations(tmp_path / "seen.npz", replace(observations(None), pixel=pixel))
        np.testing.assert_equal(read_observations(tmp_path / "seen.npz").pixel, pixel)


def test_each_frame_needs_one_image(images: Images) -> None:
    with pytest.raises(ValueError, match="expected 2 images, got 1"):
        observations(Images(images.files[:1]))
    with pytest.raises(ValueError, match="2 files and 1 masks"):
        replace(images, masks=("a",))

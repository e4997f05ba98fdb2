"""The pictures of the stand-in: files, and the map from points to positions in them."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.conftest import not_none

from liftbench.errors import UserError
from liftbench.images import Images
from liftbench.types import Dataset, Floats, Observations
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES
from liftbench_datasets.h36m.synthetic import pictures
from liftbench_datasets.h36m.synthetic.adapter import SyntheticH36m
from liftbench_datasets.h36m.synthetic.performances import split_subjects
from liftbench_datasets.h36m.synthetic.pictures import subject_appearance
from liftbench_datasets.h36m.synthetic.rooms import Room
from liftbench_datasets.people.builds import Build
from liftbench_datasets.people.clothing import Cloth, Looks

NOWHERE = Path("/nonexistent")
SIZE = 64


def load(split: str = "test", subset: str = "posing", **params: Any) -> Dataset:
    given = {"frames": 840, "camera": "orthographic", "pictures": SIZE} | params
    return SyntheticH36m(**given).load(NOWHERE, subset, split)


def images(data: Dataset) -> Images:
    return not_none(data.observations.images)


def lens_positions(seen: Observations, world: Floats) -> Floats:
    """Return the pixels of the camera's image where a lens puts points (F, 17, 3)."""
    pixels = np.empty((*world.shape[:2], 2))
    for camera, name in enumerate(CAMERAS, start=1):
        frames = seen.sequence % 10 == camera
        pixels[frames] = LENSES[name].pixels(world[frames, :, :2] / world[frames, :, 2:])
    return pixels


@pytest.mark.parametrize(("camera", "most"), [("orthographic", 1e-6), ("perspective", 0.5)])
def test_points_lie_on_their_positions_in_the_pictures(camera: str, most: float) -> None:
    """Up to the scale and offset of a frame, they are where the lens of the camera puts them."""
    data = load("train", camera=camera)
    plain = SyntheticH36m(frames=840).load(NOWHERE, "posing", "train")
    pixels = lens_positions(plain.observations, not_none(plain.truth).points_3d)
    found = data.observations.in_pixels().points_2d
    for flat, places in zip(pixels, found, strict=True):
        basis = np.stack([flat.ravel(), *np.tile(np.eye(2), len(flat))], axis=1)
        best = basis @ np.linalg.lstsq(basis, places.ravel())[0]
        np.testing.assert_allclose(best, places.ravel(), atol=most)
    assert found.min() > 0
    assert found.max() < SIZE


def test_pictures_show_the_person_at_its_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels that change with the clothes cover nearly all points."""
    drawn = []
    for tone in (0.0, 0.9):
        monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / str(tone)))
        monkeypatch.setattr(pictures, "subject_appearance", partial(in_one_colour, tone))
        data = load()
        drawn.append(np.array([images(data).image(i) for i in range(6)], dtype=float))
    apart = np.abs(drawn[1] - drawn[0]).mean(axis=3)
    column, row = np.floor(data.observations.in_pixels().points_2d[:6]).astype(int).T
    assert (apart[np.arange(6), row, column] > 20).mean() > 0.95
    assert 0.03 < (apart > 20).mean() < 0.4


def in_one_colour(tone: float, seed: int, subject: str) -> tuple[Build, Looks, Room]:
    build, _, room = subject_appearance(seed, subject)
    colour = np.full(3, tone)
    cloth = Cloth("plain", np.array([colour, colour]), 0.1, (0.0, 0.0))
    same = Looks(colour, colour, colour, colour, cloth, cloth, 0.4, 1.0, 0.0, 0.0, 0.0)
    return build, same, room


def test_pictures_are_drawn_when_they_are_asked_for(cache_folder: Path) -> None:
    data = load()
    assert len(images(data)) == data.observations.frames == 16
    assert not list(cache_folder.rglob("*.jpeg"))
    assert images(data).image(3).shape == (SIZE, SIZE, 3)
    (file,) = cache_folder.rglob("*.jpeg")
    assert str(file) == images(data).files[3]


def test_drawing_in_parallel_gives_the_same_files(cache_folder: Path) -> None:
    """Also when the function was sent to another process."""
    data = SyntheticH36m(frames=420, pictures=32).load(NOWHERE, "waiting", "test")
    files = [Path(file) for file in images(data).files]
    images(data).draw_all()
    serial = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    draw = pickle.loads(pickle.dumps(images(data).draw))  # noqa: S301 our own
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(draw, reversed(range(len(files)))))
    assert [file.read_bytes() for file in files] == serial


def test_pictures_of_people_who_wander_are_files_of_their_own() -> None:
    files = [images(load(wander=wander)).files for wander in (0.0, 20.0)]
    assert not set(files[0]) & set(files[1])


def picture(folder: Path, monkeypatch: pytest.MonkeyPatch, **params: Any) -> NDArray[np.uint8]:
    monkeypatch.setenv("LIFTBENCH_CACHE", str(folder))
    data = load(**params)
    return images(data).image(int(np.flatnonzero(data.observations.sequence == 90703)[1]))


def test_a_picture_depends_on_its_frame_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not depend on the number of frames or people, the camera's model or the subset."""
    first = picture(tmp_path / "a", monkeypatch)
    others: dict[str, dict[str, Any]] = {
        "b": {"frames": 1300},
        "c": {"people": 14, "frames": 1680},
        "d": {"camera": "perspective", "subset": "all"},
    }
    for name, params in others.items():
        again = picture(tmp_path / name, monkeypatch, **params).astype(int)
        assert np.abs(again - first).max() <= 2
    assert np.abs(picture(tmp_path / "e", monkeypatch, seed=1).astype(int) - first).mean() > 10


def test_people_of_both_splits_differ_in_build_clothes_and_place() -> None:
    names = [name for split in split_subjects(21).values() for name in split]
    assert len(set(names)) == 21
    people = [subject_appearance(0, name) for name in names]
    for i, (build, looks, room) in enumerate(people):
        for other_build, other_looks, other_room in people[:i]:
            assert abs(build.trunk - other_build.trunk) > 1e-6
            assert np.abs(looks.shirt.colours - other_looks.shirt.colours).max() > 0.01
            assert np.abs(room.colours - other_room.colours).max() > 0.01
            assert np.abs(room.lamps.towards - other_room.lamps.towards).max() > 0.01


def test_an_unwritable_cache_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("LIFTBENCH_CACHE", str(blocked))
    with pytest.raises(UserError, match=r"90701-00000\.jpeg"):
        images(load(frames=421)).image(0)

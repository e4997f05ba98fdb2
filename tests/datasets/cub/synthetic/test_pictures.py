"""The pictures of generated birds, and their masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.cub.synthetic.conftest import NOWHERE, at, load

from liftbench.errors import UserError
from liftbench.protocols.view_metrics import correct_keypoints, mask_overlap
from liftbench.types import Reconstruction
from liftbench_datasets.cub.synthetic.adapter import (
    SyntheticCub,
)
from liftbench_datasets.cub.synthetic.pictures import SIZE
from liftbench_datasets.cub.synthetic.surface import FACES


def test_pictures_are_drawn_when_they_are_asked_for(cache_folder: Path) -> None:
    data = SyntheticCub(frames=150).load(NOWHERE, "all", "test")
    images = not_none(data.observations.images)
    assert len(images) == 30
    assert not list(cache_folder.rglob("*.png"))
    picture, mask = images.image(3), images.mask(3)
    assert (picture.shape, mask.shape) == ((SIZE, SIZE, 3), (SIZE, SIZE))
    assert picture.dtype == np.uint8
    assert len(list(cache_folder.rglob("*.png"))) == 2
    assert 0.03 < mask.mean() < 0.6


def test_the_true_mesh_covers_the_mask_and_its_parts_are_all_correct() -> None:
    views, data = SyntheticCub(frames=40).views(), load("test", frames=40)
    frames = range(32, 40)
    vertices = np.stack([views.picture_vertices(frame) for frame in frames])
    flat = truth_of(data).points_3d[..., :2]
    made = Reconstruction(truth_of(data).points_3d, points_2d=flat, vertices=vertices, faces=FACES)
    np.testing.assert_array_equal(mask_overlap(made, data), 1)
    np.testing.assert_array_equal(correct_keypoints(made, data), 100)
    moved = replace(
        made, vertices=vertices + np.array([0.15 * SIZE, 0, 0]), points_2d=flat + 0.3 * SIZE
    )
    assert (mask_overlap(moved, data) < 0.7).all()
    assert (correct_keypoints(moved, data) == 0).all()


def test_pictures_show_the_bird_where_its_parts_are() -> None:
    """Eyes that show are dark, with a highlight, and colours change at the edge of the mask."""
    data = load("test", frames=60)
    seen = data.observations
    dark = []
    for frame in range(seen.frames):
        picture, mask = (
            not_none(seen.images).image(frame).astype(float),
            not_none(seen.images).mask(frame),
        )
        for eye in (at("left eye"), at("right eye")):
            if seen.visible[frame, eye]:
                column, row = np.rint(seen.points_2d[frame, eye]).astype(int)
                dark.append(picture[row, column].mean())
                assert mask[row - 1 : row + 2, column - 1 : column + 2].any()
        inside, outside = picture[mask].mean(axis=0), picture[~mask].mean(axis=0)
        assert np.abs(inside - outside).max() > 4
    assert len(dark) > 8
    assert np.mean(np.array(dark) < 70) > 0.9


def test_a_picture_depends_on_its_bird_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    for folder, params, split, frame in (
        ("a", {"frames": 20}, "test", 1),  # the 18th of all
        ("b", {"frames": 150, "occlusion": False}, "train", 17),
        ("c", {"frames": 20, "seed": 1}, "test", 1),
    ):
        monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / folder))
        images = not_none(SyntheticCub(**params).load(NOWHERE, "all", split).observations.images)
        drawn.append((images.image(frame), images.mask(frame), Path(images.files[frame]).name))
    assert drawn[0][2] == drawn[1][2]
    for one, other in zip(drawn[0][:2], drawn[1][:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert (drawn[0][0] != drawn[2][0]).mean() > 0.5


def test_a_cache_that_cannot_be_written_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "file"))
    images = not_none(SyntheticCub(frames=10).load(NOWHERE, "all", "test").observations.images)
    with pytest.raises(UserError, match="cannot be written, set LIFTBENCH_CACHE") as caught:
        images.image(0)
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_there_is_not_drawn_again() -> None:
    images = not_none(SyntheticCub(frames=10).load(NOWHERE, "all", "test").observations.images)
    Path(images.files[0]).parent.mkdir(parents=True)
    Image.new("L", (3, 2)).save(images.files[0])
    assert images.image(0).shape == (2, 3, 3)

"""The generated birds before their cameras, their meshes and their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from liftbench.errors import UserError
from liftbench.protocols.view_metrics import correct_keypoints, mask_overlap, volume_overlap
from liftbench.seeds import named_rng
from liftbench.suites.suite import checked_params
from liftbench.types import Dataset, Reconstruction
from liftbench_datasets.cub.adapter import SKELETON, Cub
from liftbench_datasets.cub.cmr import read_sfm
from liftbench_datasets.cub.synthetic import views as bird_views
from liftbench_datasets.cub.synthetic.adapter import (
    SYNTHETIC_CUB,
    SyntheticCub,
    SyntheticCubParams,
    split_frames,
)
from liftbench_datasets.cub.synthetic.pictures import SIZE
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.shapes import draw_species
from liftbench_datasets.cub.synthetic.surface import FACES, MEAN
from liftbench_datasets.cub.synthetic.views import MIDDLE_SKIN, SIDE_SKIN, Views, draw_views
from liftbench_datasets.geometry.ray_mesh import crossings

NOWHERE = Path("/nonexistent")
PARTS = SKELETON.points
LEFT, RIGHT = np.array(SKELETON.left_right).T


@cache
def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticCub(**{"frames": 150, **params}).load(NOWHERE, "all", split)


@cache
def many() -> Views:
    rng = named_rng("test views")
    return draw_views(rng, draw_species(rng, 50), np.arange(600))


def at(name: str) -> int:
    return PARTS.index(name)


# --- views ----------------------------------------------------------------------------------


def test_parts_lie_on_the_mesh_that_the_camera_turns() -> None:
    views = SyntheticCub(frames=150).views().take(slice(120))
    data = load()
    for frame in (0, 40, 119):
        mesh = data.truth.meshes[int(data.truth.mesh[frame])]
        np.testing.assert_array_equal(mesh.faces, FACES)
        turned = mesh.vertices @ views.turn[frame].T
        seen = views.scale[frame] * turned + views.shift[frame]
        np.testing.assert_allclose(seen, views.seen(frame))
        np.testing.assert_allclose(data.truth.points_3d[frame], seen[VERTICES], atol=1e-9)
        low = seen[:, :2].min(axis=0).clip(-0.5, SIZE - 0.5)
        high = seen[:, :2].max(axis=0).clip(-0.5, SIZE - 0.5)
        np.testing.assert_allclose(data.observations.box[frame], [*low, *(high - low)])
    np.testing.assert_allclose(np.linalg.det(views.turn), 1)
    np.testing.assert_allclose(data.truth.points_3d[..., 2].mean(axis=1), 0, atol=1e-9)
    assert (data.truth.unit, set(data.truth.group)) == ("px", {"bird"})


def test_observations_are_the_projected_truth_in_the_picture() -> None:
    seen, truth = load().observations, load().truth
    shown = seen.visible
    np.testing.assert_array_equal(seen.points_2d[shown], truth.points_3d[shown][:, :2])
    assert seen.camera == "orthographic"
    np.testing.assert_array_equal(seen.pixel, 1)
    assert ((seen.points_2d[shown] > -0.5) & (seen.points_2d[shown] < SIZE - 0.5)).all()
    outside = np.abs(truth.points_3d[..., :2] - (SIZE - 1) / 2).max(axis=2) > SIZE / 2
    assert 0.005 < outside.mean() < 0.1
    assert not shown[outside].any()


def test_parts_hide_behind_the_bird() -> None:
    """A ray from a part to a far eye crosses the bird farther away than its skin."""
    views = many().take(slice(30))
    skin = np.full(15, MIDDLE_SKIN)
    skin[[*LEFT, *RIGHT]] = SIDE_SKIN
    far = 1e5  # so that rays are nearly along z
    agree = []
    for frame in range(30):
        vertices = (views.seen(frame) - views.shift[frame]) / views.scale[frame]
        hidden = []
        for part, before in zip(vertices[VERTICES], skin, strict=True):
            eye = part - [0, 0, far]
            on_ray = crossings(np.array([[[0, 0, far]]]), (vertices - eye)[FACES][None])[0, 0]
            nearest = np.nanmin(on_ray, initial=np.inf) * far
            hidden.append(nearest < far - before)
        inside = (np.abs(views.points_3d[frame, :, :2] - 127.5) < 128).all(axis=1)
        agree.append(views.visible[frame] == (inside & ~np.array(hidden)))
    assert np.mean(agree) > 0.995
    assert 0.6 < views.visible.mean() < 0.9


def test_birds_are_upright_and_seen_from_the_side_that_shows() -> None:
    views = many()
    points, visible = views.points_3d, views.visible
    low = points[:, [at("left leg"), at("right leg")], 1].mean(axis=1)
    assert (points[:, at("crown"), 1] < low).mean() > 0.97  # y points down
    # Of two eyes the nearer one shows.
    eyes = [at("left eye"), at("right eye")]
    left, right = points[:, eyes, 2].T
    gaps = np.linalg.norm(points[:, eyes[0]] - points[:, eyes[1]], axis=1)
    apart = np.abs(left - right) > 0.85 * gaps  # seen from the side
    both = visible[:, eyes]
    inside = (np.abs(points[:, eyes, :2] - 127.5) < 127).all(axis=(1, 2))
    clear = apart & inside
    assert clear.mean() > 0.2
    assert both[clear, 0][left[clear] < right[clear]].mean() > 0.95
    assert both[clear, 1][left[clear] < right[clear]].mean() < 0.02
    assert both[clear, 0][left[clear] > right[clear]].mean() < 0.02


def test_cameras_stand_where_those_of_cmr_do(shared_data: Path) -> None:
    """Shares of birds that are seen from before, the sides and behind."""
    real = read_sfm(shared_data / "cub_ttp" / "anno_train.mat").rotations
    shares = []
    for turns in (real, many().turn):
        eye = -turns[:, 2]  # the way to the camera in the frame of the bird
        azimuth = np.degrees(np.abs(np.arctan2(eye[:, 0], -eye[:, 1])))
        shares.append(np.histogram(azimuth, (0, 45, 90, 135, 180))[0] / len(azimuth))
        assert np.abs((eye[:, 0] > 0).mean() - 0.5) < 0.06
    np.testing.assert_allclose(shares[1], shares[0], atol=0.12)


def test_as_many_parts_show_as_in_cub(shared_data: Path) -> None:
    real = Cub().load(shared_data, "all", "train").observations.visible
    made = SyntheticCub(frames=600).views().visible
    assert made.sum(axis=1).min() == real.sum(axis=1).min() == 7
    assert made.sum(axis=1).mean() == pytest.approx(real.sum(axis=1).mean(), abs=0.7)
    np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), atol=0.17)


def test_some_birds_are_cut_off_and_most_lie_in_the_picture() -> None:
    views = many()
    sides = np.ptp(views.points_3d[..., :2], axis=1).max(axis=1)
    low, high = views.box[:, :2], views.box[:, :2] + views.box[:, 2:]
    whole = ((low > -0.5) & (high < 255.5)).all(axis=1)
    assert 0.75 < whole.mean() < 0.95
    assert np.median(sides) == pytest.approx(0.65 * SIZE, rel=0.2)


# --- meshes ---------------------------------------------------------------------------------


def test_a_mesh_overlaps_itself_and_the_mean_bird_less() -> None:
    data = load("test")
    truth = data.truth
    own = np.stack([truth.meshes[int(number)].vertices for number in truth.mesh])
    points = truth.points_3d
    whole = volume_overlap(Reconstruction(points, canonical_vertices=own, faces=FACES), data)
    np.testing.assert_array_equal(whole, 1)
    mean = np.broadcast_to(MEAN, own.shape)
    other = volume_overlap(Reconstruction(points, canonical_vertices=mean, faces=FACES), data)
    assert 0.2 < other.min() < other.mean() < 0.8


def test_meshes_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = load("test").truth
    assert len(truth.meshes) == len(truth.mesh) == 30

    def fail(*_: object) -> None:
        raise AssertionError("a mesh is made")

    with monkeypatch.context() as patch:
        patch.setattr(bird_views, "Mesh", fail)
        again = SyntheticCub(frames=150).load(NOWHERE, "all", "test")
        with pytest.raises(AssertionError, match="a mesh is made"):
            again.truth.meshes[0]


# --- pictures -------------------------------------------------------------------------------


def test_pictures_are_drawn_when_they_are_asked_for(cache_folder: Path) -> None:
    data = SyntheticCub(frames=150).load(NOWHERE, "all", "test")
    images = data.observations.images
    assert len(images) == 30
    assert not list(cache_folder.rglob("*.png"))
    picture, mask = images.image(3), images.mask(3)
    assert (picture.shape, picture.dtype, mask.shape) == ((SIZE, SIZE, 3), np.uint8, (SIZE, SIZE))
    assert len(list(cache_folder.rglob("*.png"))) == 2
    assert 0.03 < mask.mean() < 0.6


def test_the_true_mesh_covers_the_mask_and_its_parts_are_all_correct() -> None:
    views, data = SyntheticCub(frames=40).views(), load("test", frames=40)
    frames = range(32, 40)
    vertices = np.stack([views.seen(frame) for frame in frames])
    flat = data.truth.points_3d[..., :2]
    made = Reconstruction(data.truth.points_3d, points_2d=flat, vertices=vertices, faces=FACES)
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
        picture, mask = seen.images.image(frame).astype(float), seen.images.mask(frame)
        for eye in (at("left eye"), at("right eye")):
            if seen.visible[frame, eye]:
                column, row = np.rint(seen.points_2d[frame, eye]).astype(int)
                dark.append(picture[row, column].mean())
                assert mask[row, column]
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
        images = SyntheticCub(**params).load(NOWHERE, "all", split).observations.images
        drawn.append((images.image(frame), images.mask(frame), Path(images.files[frame]).name))
    assert drawn[0][2] == drawn[1][2]
    for one, other in zip(drawn[0][:2], drawn[1][:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert (drawn[0][0] != drawn[2][0]).mean() > 0.5


def test_a_cache_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "file"))
    images = SyntheticCub(frames=10).load(NOWHERE, "all", "test").observations.images
    with pytest.raises(UserError, match="cannot be written, set LIFTBENCH_CACHE") as told:
        images.image(0)
    assert "\n" not in str(told.value)


def test_a_picture_that_is_there_is_not_drawn_again() -> None:
    images = SyntheticCub(frames=10).load(NOWHERE, "all", "test").observations.images
    Path(images.files[0]).parent.mkdir(parents=True)
    Image.new("L", (3, 2)).save(images.files[0])
    assert images.image(0).shape == (2, 3, 3)


# --- the adapter ----------------------------------------------------------------------------


def test_occlusion_hides_parts_of_the_same_frames() -> None:
    whole = load(occlusion=False)
    assert whole.observations.visible.all()
    np.testing.assert_array_equal(whole.truth.points_3d, load().truth.points_3d)
    assert load().observations.visible.sum(axis=1).min() >= 7


def test_more_frames_change_none_of_the_first() -> None:
    few = SyntheticCub(frames=20).views()
    more = SyntheticCub(frames=150).views()  # beyond one batch
    np.testing.assert_array_equal(more.points_3d[:20], few.points_3d)
    assert (np.diff(more.number) > 0).all()
    assert len(np.unique(more.points_3d[:, 0, 0])) == 150
    other = SyntheticCub(frames=20, seed=1).views()
    assert np.abs(other.points_3d - few.points_3d).max(axis=(1, 2)).min() > 1


@pytest.mark.parametrize("frames", [5, 6, 64])
def test_frame_count_is_exact(frames: int) -> None:
    train, test = (load(split, frames=frames).truth.sequence for split in ("train", "test"))
    assert train.tolist() == list(range(4 * frames // 5))
    assert test.tolist() == list(range(4 * frames // 5, frames))


def test_birds_are_of_as_many_species_as_asked() -> None:
    assert set(SyntheticCub(frames=150, species=3).views().species) == {0, 1, 2}
    with pytest.raises(UserError, match="unknown split 'unseen'"):
        split_frames(10, "unseen")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": 4}, "frames: expected at least 5, got 4"),
        ({"species": 0}, "species: expected at least 1, got 0"),
        ({"frames": 10.0}, "frames: expected an integer, got 10.0"),
        ({"occlusion": 1}, "occlusion: expected true or false, got 1"),
    ],
)
def test_bad_parameters_are_told_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticCubParams(**params)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="species: expected at least 1"):
        checked_params("dataset", SYNTHETIC_CUB.params, {"species": 0})


def test_check_finds_birds() -> None:
    findings = SyntheticCub(frames=100).check(NOWHERE)
    assert [f.item for f in findings] == ["frames", "visible parts", "pictures"]
    assert all(f.ok for f in findings)
    assert findings[0].detail.startswith("100 birds of ")


@pytest.mark.parametrize(
    ("item", "damage"),
    [
        ("frames", lambda views: views.take(slice(9))),
        ("visible parts", lambda views: replace(views, visible=views.visible & False)),
        ("pictures", lambda views: replace(views, box=views.box * 3)),
    ],
)
def test_check_finds_damage(
    monkeypatch: pytest.MonkeyPatch, item: str, damage: Callable[[Views], Views]
) -> None:
    views = SyntheticCub.views
    monkeypatch.setattr(SyntheticCub, "views", lambda self: damage(views(self)))
    assert [f.item for f in SyntheticCub(frames=100).check(NOWHERE) if not f.ok] == [item]

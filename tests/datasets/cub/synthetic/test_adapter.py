"""The generated birds before their cameras, their meshes and their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.conftest import mesh_numbers_of, meshes_of, truth_of
from tests.datasets.cub.synthetic.conftest import NOWHERE, load

from liftbench.errors import UserError
from liftbench.protocols.view_metrics import volume_overlap
from liftbench.suites.suite import make_params
from liftbench.types import Reconstruction
from liftbench_datasets.cub.synthetic import views as bird_views
from liftbench_datasets.cub.synthetic.adapter import (
    SYNTHETIC_CUB,
    SyntheticCub,
    SyntheticCubParams,
    split_frames,
)
from liftbench_datasets.cub.synthetic.pictures import SIZE
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.surface import FACES, MEAN
from liftbench_datasets.cub.synthetic.views import Views


def test_parts_lie_on_the_mesh_that_the_camera_turns() -> None:
    views = SyntheticCub(frames=150).views().take(slice(120))
    data = load()
    for frame in (0, 40, 119):
        mesh = meshes_of(data)[int(mesh_numbers_of(data)[frame])]
        np.testing.assert_array_equal(mesh.faces, FACES)
        turned = mesh.vertices @ views.turn[frame].T
        seen = views.scale[frame] * turned + views.shift[frame]
        np.testing.assert_allclose(seen, views.picture_vertices(frame))
        np.testing.assert_allclose(truth_of(data).points_3d[frame], seen[VERTICES], atol=1e-9)
        low = seen[:, :2].min(axis=0).clip(-0.5, SIZE - 0.5)
        high = seen[:, :2].max(axis=0).clip(-0.5, SIZE - 0.5)
        np.testing.assert_allclose(not_none(data.observations.box)[frame], [*low, *(high - low)])
    np.testing.assert_allclose(np.linalg.det(views.turn), 1)
    np.testing.assert_allclose(truth_of(data).points_3d[..., 2].mean(axis=1), 0, atol=1e-9)
    assert (truth_of(data).unit, set(truth_of(data).group)) == ("px", {"bird"})


def test_boxes_in_pixels_end_at_the_edges_of_the_picture() -> None:
    boxes = not_none(load().observations.in_pixels().box)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    assert low.min() == 0
    assert high.max() == SIZE


def test_observations_are_the_projected_truth_in_the_picture() -> None:
    seen, truth = load().observations, truth_of(load())
    shown = seen.visible
    np.testing.assert_array_equal(seen.points_2d[shown], truth.points_3d[shown][:, :2])
    assert seen.camera == "orthographic"
    np.testing.assert_array_equal(not_none(seen.pixel), 1)
    assert ((seen.points_2d[shown] > -0.5) & (seen.points_2d[shown] < SIZE - 0.5)).all()
    outside = np.abs(truth.points_3d[..., :2] - (SIZE - 1) / 2).max(axis=2) > SIZE / 2
    assert 0.005 < outside.mean() < 0.1
    assert not shown[outside].any()


def test_a_mesh_overlaps_itself_and_the_mean_bird_less() -> None:
    data = load("test")
    truth = truth_of(data)
    own = np.stack(
        [not_none(truth.meshes)[int(number)].vertices for number in not_none(truth.mesh)]
    )
    points = truth.points_3d
    whole = volume_overlap(Reconstruction(points, canonical_vertices=own, faces=FACES), data)
    np.testing.assert_array_equal(whole, 1)
    mean = np.broadcast_to(MEAN, own.shape)
    other = volume_overlap(Reconstruction(points, canonical_vertices=mean, faces=FACES), data)
    assert 0.2 < other.min() < other.mean() < 0.8


def test_meshes_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = truth_of(load("test"))
    assert len(not_none(truth.meshes)) == len(not_none(truth.mesh)) == 30

    def fail(*_: object) -> None:
        raise AssertionError("a mesh is made")

    with monkeypatch.context() as patch:
        patch.setattr(bird_views, "Mesh", fail)
        again = SyntheticCub(frames=150).load(NOWHERE, "all", "test")
        with pytest.raises(AssertionError, match="a mesh is made"):
            meshes_of(again)[0]


def test_occlusion_hides_parts_of_the_same_frames() -> None:
    whole = load(occlusion=False)
    assert whole.observations.visible.all()
    np.testing.assert_array_equal(truth_of(whole).points_3d, truth_of(load()).points_3d)
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
    train, test = (truth_of(load(split, frames=frames)).sequence for split in ("train", "test"))
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
def test_bad_parameters_are_reported_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticCubParams(**params)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="species: expected at least 1"):
        make_params("dataset", SYNTHETIC_CUB.params, {"species": 0})


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

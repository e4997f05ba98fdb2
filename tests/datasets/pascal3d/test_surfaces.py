"""The surfaces of the CAD models: of small files, damaged ones and the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from tests.conftest import not_none
from tests.datasets.conftest import mesh_numbers_of, meshes_of, truth_of
from tests.datasets.pascal3d.conftest import EMPTY, models_of, write_cad

from liftbench.cameras import random_rotations
from liftbench.errors import UserError
from liftbench.meshes.rasteriser import covered_pixels
from liftbench.protocols.view_metrics import volume_overlap
from liftbench.seeds import named_rng
from liftbench.types import Reconstruction
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.cad import read_cad
from liftbench_datasets.pascal3d.surfaces import read_surfaces


def test_meshes_are_those_of_the_models_and_read_when_asked_for(root: Path) -> None:
    models = models_of("car", 3)
    data = Pascal3d().load(root, "all", "train")
    meshes = meshes_of(data)
    assert len(meshes) == 3 + 2
    assert truth_of(data).group.tolist() == ["car"] * 3
    assert mesh_numbers_of(data).tolist() == [0, 1, 1]
    assert meshes[1] is meshes[1]
    for number in range(3):
        mesh = meshes[number]
        np.testing.assert_allclose(mesh.vertices, models[number, : 4 + number])
        assert mesh.faces[3].tolist() == [1, 2, 3 + number]
    test = Pascal3d().load(root, "all", "test")
    assert dict(zip(truth_of(test).group, mesh_numbers_of(test), strict=True)) == {
        "car": 0,
        "bus": 4,
    }
    assert len(meshes[4].vertices) == 5
    random = Pascal3d(views="random", random_views=20).load(root, "all", "all")
    assert mesh_numbers_of(random).tolist() == [i % 3 for i in range(20)] + [
        3 + i % 2 for i in range(20)
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"faces": np.array([[0, 1, 2]])}, "faces of model 1: expected vertices from 1 to 4"),
        ({"faces": np.array([[1, 2, 5]])}, "faces of model 1: expected vertices from 1 to 4"),
        ({"faces": np.array([[1.5, 2, 3]])}, "faces of model 1: expected vertices from 1 to 4"),
        (
            {"faces": np.array([[1, 2, 3, 4]])},
            r"faces of model 1: .* \(any, 3\), got shape \(1, 4\)",
        ),
        ({"vertices": np.full((4, 3), np.nan)}, "vertices of model 1: expected finite numbers"),
        ({"vertices": np.full((4, 3), 11.0)}, "vertices of model 1: expected numbers of at most"),
        ({"vertices": EMPTY}, r"vertices of model 1: .*, got shape \(1, 0\)"),
        ({"vertices": "none"}, "vertices of model 1: expected numbers of shape .*, got <U4"),
    ],
)
def test_damaged_surfaces_are_reported_when_they_are_asked_for(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_cad(tmp_path / "pascal3d", "car", models_of("car", 2), **changes)
    truth = truth_of(Pascal3d(views="random", random_views=20).load(tmp_path, "car", "all"))
    with pytest.raises(UserError, match=message) as caught:
        not_none(truth.meshes)[0]
    assert str(tmp_path / "pascal3d" / "CAD" / "car.mat") in str(caught.value)
    assert "\n" not in str(caught.value)
    failed = [f.detail for f in Pascal3d().check(tmp_path) if not f.ok]
    assert failed == [str(caught.value)]


@pytest.mark.parametrize("category", ["chair", "bus", "bicycle"])
def test_real_surfaces_before_the_camera_cover_their_points(
    shared_data: Path, category: str
) -> None:
    models = read_cad(shared_data / "pascal3d" / "CAD" / f"{category}.mat", category)
    count = len(models)
    data = Pascal3d(views="random", random_views=count).load(shared_data, category, "all")
    truth = truth_of(data)
    assert len(not_none(truth.meshes)) == count
    turns = random_rotations(named_rng("pascal3d", "view", 0, category), count)
    for number, turn, points, defined in zip(
        not_none(truth.mesh).tolist(), turns, truth.points_3d, not_none(truth.mask), strict=True
    ):
        mesh = not_none(truth.meshes)[number]
        seen = 300 + 300 * (mesh.vertices - np.nanmean(models[number], axis=0)) @ turn.T
        mask = binary_dilation(covered_pixels(seen, mesh.faces, (600, 600)), iterations=5)
        column, row = np.rint(300 + 300 * points[defined, :2]).astype(int).T
        assert mask[row, column].all()
    own = not_none(truth.meshes)[0]
    vertices = np.broadcast_to(own.vertices, (count, *own.vertices.shape))
    made = Reconstruction(truth.points_3d, canonical_vertices=vertices, faces=own.faces)
    np.testing.assert_array_equal(volume_overlap(made, data) == 1, truth.mesh == 0)


def test_another_number_of_surfaces_is_reported(tmp_path: Path) -> None:
    write_cad(tmp_path, "car", models_of("car", 2))
    with pytest.raises(UserError, match="2 'vertices' of 3 models"):
        read_surfaces(tmp_path / "CAD" / "car.mat", "car", 3)

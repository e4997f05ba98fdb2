"""Models that stand for their categories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.pascal3d.conftest import models_of, write_cad

from liftbench.types import Floats, Mesh
from liftbench_datasets.geometry.cell_surface import union_surface
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.template import cad_template, mark_points


def box() -> Mesh:
    return union_surface(np.array([[[-0.2, -0.4, -0.1], [0.2, 0.4, 0.1]]]), 0.1)


def test_points_are_where_they_are_marked() -> None:
    mesh = box()
    places = np.array([[0.2, 0.13, 0.02], [0.0, -0.4, 0.1], [0.05, 0.1, 0.05]])
    template = mark_points(mesh, places)
    np.testing.assert_allclose(template.points_3d, places, atol=1e-9)
    np.testing.assert_allclose(template.points.sum(axis=1), 1)
    assert ((template.points != 0).sum(axis=1) <= 8).all()


def test_a_point_beyond_a_flat_side_is_the_nearest_of_its_plane() -> None:
    """Its nearest vertices all lie on the side, so no weights reach it."""
    template = mark_points(box(), np.array([[0.02, 0.03, 0.9]]))
    np.testing.assert_allclose(template.points_3d, [[0.02, 0.03, 0.1]], atol=1e-9)


def bus(tmp_path: Path, models: Floats) -> Path:
    write_cad(tmp_path, "bus", models)
    return tmp_path / "CAD" / "bus.mat"


def test_the_model_with_most_points_stands_for_the_category(tmp_path: Path) -> None:
    models = models_of("bus", 3)
    models[0, 2], models[2, :2] = np.nan, np.nan
    template = cad_template(bus(tmp_path, models), "bus")
    corners = models[1, :4]
    away = np.linalg.norm(corners[:, None] - template.mesh.vertices, axis=2).min(axis=1)
    assert away.max() < 2 * 0.035
    assert template.points.shape == (models.shape[1], len(template.mesh.vertices))


def test_a_point_that_it_lacks_is_where_others_have_it(tmp_path: Path) -> None:
    models = models_of("bus", 3)
    # Inside all surfaces of the test's models, where weights of vertices reach it.
    models[:, -1] = 0.0
    models[1:, 0] = np.nan
    models[0, -1] = np.nan
    models[2, -2] = np.nan
    template = cad_template(bus(tmp_path, models), "bus")
    near = np.sort(np.linalg.norm(template.mesh.vertices, axis=1))[:8].mean()
    assert np.linalg.norm(template.points_3d[-1]) <= near


def test_the_template_of_the_release_is_closed(shared_data: Path) -> None:
    data = Pascal3d(views="random", random_views=10, template=True).load(
        shared_data, "aeroplane", "train"
    )
    template = not_none(data.observations.template)
    faces = template.mesh.faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert len(np.unique(np.sort(edges, axis=1), axis=0)) == len(edges) / 2
    assert 400 < len(template.mesh.vertices) < 2000
    models = not_none(data.truth).meshes
    size = np.ptp(not_none(models)[0].vertices, axis=0)
    assert np.abs(np.ptp(template.mesh.vertices, axis=0) - size).max() < 3 * 0.035


@pytest.mark.parametrize(
    ("subset", "template", "given"),
    [("bus", True, True), ("bus", False, False), ("all", True, False)],
)
def test_a_category_has_a_template_if_it_is_asked_for(
    tmp_path: Path, subset: str, template: bool, given: bool
) -> None:
    bus(tmp_path, models_of("bus", 2))
    adapter = Pascal3d(views="random", random_views=10, template=template)
    data = adapter.load(tmp_path, subset, "train")
    assert (data.observations.template is not None) == given

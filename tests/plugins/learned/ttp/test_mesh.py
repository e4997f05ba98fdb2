"""The template in the unit of the layer, and the mirror images of its vertices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.plugins.learned.ttp.conftest import closed_mesh

from liftbench import Mesh, Template
from liftbench_plugins.learned.ttp.mesh import find_partners, prepare


def template() -> Template:
    vertices, faces = closed_mesh(60)
    points = np.zeros((3, 60))
    points[[0, 1, 2], [4, 9, 30]] = 1
    return Template(Mesh(40 + 3 * vertices.numpy(), faces.numpy()), points)


def test_the_template_is_normalised_and_can_be_given_back() -> None:
    mesh = prepare(template(), "cpu")
    assert mesh.vertices.mean(dim=0).abs().max() < 1e-5
    assert float(mesh.vertices.square().mean()) == pytest.approx(1, abs=1e-5)
    back = mesh.original(mesh.vertices[None])[0]
    np.testing.assert_allclose(back, template().mesh.vertices, atol=1e-4)
    places = mesh.original((mesh.points @ mesh.vertices)[None])[0]
    np.testing.assert_allclose(places, template().points_3d, atol=1e-4)


def test_an_open_template_is_refused() -> None:
    whole = template()
    cut = Template(Mesh(whole.mesh.vertices, whole.mesh.faces[1:]), whole.points)
    with pytest.raises(ValueError, match="the mesh is open"):
        prepare(cut, "cpu")


def test_partners_are_at_the_mirrored_places() -> None:
    half = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)) + torch.tensor([3, 0, 0])
    middle = torch.tensor([[0.0, 1, 2], [0, -4, 1]])
    whole = torch.cat([half, middle, half * torch.tensor([-1, 1, 1])])
    expected = [*range(22, 42), 20, 21, *range(20)]
    partner = find_partners(whole + 1e-4)
    assert partner is not None
    assert partner.tolist() == expected


def test_a_template_that_is_not_symmetric_has_no_partners() -> None:
    lopsided = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    assert find_partners(lopsided) is None

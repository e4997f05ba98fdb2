"""Smooth modes of a ring in closed form, and of meshes by their definition."""

from __future__ import annotations

import math

import pytest
import torch
from tests.plugins.learned.ttp.conftest import closed_mesh

from liftbench_plugins.learned.ttp import modes
from liftbench_plugins.learned.ttp.arap import Neighbours, find_neighbours
from liftbench_plugins.learned.ttp.modes import smooth_fields, smooth_modes


def ring(count: int) -> Neighbours:
    one = torch.arange(count)
    two = (one + 1) % count
    return Neighbours(torch.cat([one, two]), torch.cat([two, one]), torch.ones(2 * count))


def test_the_modes_of_a_ring_are_its_waves() -> None:
    found = smooth_modes(ring(30), 30, 4).double()
    angle = torch.arange(30).double() * 2 * math.pi / 30
    for number, speed in ((0, 1), (2, 2)):
        waves = math.sqrt(2) * torch.stack([(speed * angle).cos(), (speed * angle).sin()], dim=1)
        pair = found[:, number : number + 2]
        torch.testing.assert_close(waves @ (waves.T @ pair) / 30, pair, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dense", [True, False])
def test_modes_are_orthogonal_and_ordered_by_how_fast_they_change(
    dense: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modes, "_DENSE", 1000 if dense else 0)
    vertices, faces = closed_mesh(120)
    neighbours = find_neighbours(vertices, faces)
    found = smooth_modes(neighbours, 120, 10).double()
    torch.testing.assert_close(found.T @ found / 120, torch.eye(10).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.sum(dim=0), torch.zeros(10).double(), atol=1e-3, rtol=0)
    change = found[neighbours.vertex] - found[neighbours.other]
    energy = (neighbours.weight.clamp_min(0)[:, None] * change.square()).sum(dim=0)
    assert (energy.diff() > -1e-6 * energy[-1]).all()
    # The slowest wave runs along the longest axis.
    along = vertices[:, 0] - vertices[:, 0].mean()
    share = (along @ found[:, 0]).abs() / (along.norm() * found[:, 0].norm())
    assert share > 0.9


def test_a_small_mesh_has_all_its_modes() -> None:
    assert smooth_modes(ring(5), 5, 32).shape == (5, 4)


def test_fields_are_orthogonal_and_span_coordinates_and_modes() -> None:
    vertices, faces = closed_mesh(80)
    found = smooth_modes(find_neighbours(vertices, faces), 80, 10)
    fields = smooth_fields(vertices, found).double()
    torch.testing.assert_close(fields.T @ fields / 80, torch.eye(14).double(), atol=1e-5, rtol=0)
    given = torch.cat([vertices, found, torch.ones(80, 1)], dim=1).double()
    torch.testing.assert_close(fields @ (fields.T @ given) / 80, given, atol=1e-4, rtol=0)

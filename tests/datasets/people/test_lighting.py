"""Light on dull surfaces, in closed form on a sphere."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.geometry.tubes import Ring, ring_vertices, tube_faces
from liftbench_datasets.people.lighting import (
    Lamps,
    brightness,
    draw_lamps,
    unit_vectors,
    vary_lamps,
    vertex_normals,
)

UP = np.array([0.0, 1.0, 0.0])
DARK = np.zeros(3)


def sphere(rings: int = 40) -> tuple[Floats, np.ndarray]:
    """Return vertices and faces of a sphere about the origin."""
    angle = np.linspace(0, np.pi, rings)
    made = [Ring("", (0, float(np.cos(a)), 0), (float(np.sin(a)), float(np.sin(a)))) for a in angle]
    middles = np.array([[ring.middle for ring in made]])
    halves = np.array([[ring.half for ring in made]])
    halves[:, [0, -1]] = 0
    return ring_vertices(middles, halves, np.zeros(rings, dtype=bool))[0], tube_faces([rings])


def normals() -> Floats:
    return unit_vectors(named_rng("normals").standard_normal((200, 3)))


def test_one_lamp_lights_by_the_cosine() -> None:
    towards = unit_vectors(np.array([[1.0, 2.0, -1.0]]))
    lamps = Lamps(towards, np.array([[0.5, 0.6, 0.7]]), DARK, DARK)
    light = brightness(lamps, normals(), np.ones(200))
    expected = np.maximum(normals() @ towards[0], 0)[:, None] * [0.5, 0.6, 0.7]
    np.testing.assert_allclose(light, expected)
    np.testing.assert_allclose(brightness(lamps, normals(), np.full(200, 0.25)), expected / 4)


def test_a_shadow_takes_the_first_lamp_alone_and_lamps_add_up() -> None:
    towards = unit_vectors(np.array([[1.0, 2.0, -1.0], [-2.0, 1.0, 0.0]]))
    both = Lamps(towards, np.full((2, 3), 0.5), DARK, DARK)
    one, other = (Lamps(towards[[i]], np.full((1, 3), 0.5), DARK, DARK) for i in range(2))
    lit, shaded = np.ones(200), np.zeros(200)
    alone = brightness(other, normals(), lit)
    np.testing.assert_allclose(brightness(both, normals(), shaded), alone)
    np.testing.assert_allclose(
        brightness(both, normals(), lit), alone + brightness(one, normals(), lit)
    )


def test_sky_and_ground_light_from_above_and_below() -> None:
    lamps = Lamps(UP[None], np.zeros((1, 3)), np.full(3, 0.4), np.full(3, 0.2))
    above, aside, below = brightness(lamps, np.array([UP, [1, 0, 0], -UP]), np.ones(3))
    np.testing.assert_allclose([above[0], aside[0], below[0]], [0.4, 0.3, 0.2])


def test_normals_of_a_sphere_point_away_from_its_middle() -> None:
    vertices, faces = sphere()
    used = np.unique(faces)
    found = unit_vectors(vertex_normals(vertices, faces))[used]
    outward = np.einsum("vd,vd->v", found, unit_vectors(vertices[used]))
    assert outward.min() > 0.99


@pytest.mark.parametrize("seed", range(8))
def test_the_first_lamp_is_the_brightest_and_stands_high(seed: int) -> None:
    lamps = draw_lamps(named_rng("lamps", seed))
    np.testing.assert_allclose(np.linalg.norm(lamps.towards, axis=1), 1)
    assert lamps.towards[0, 1] > 0.6
    assert (lamps.towards[:, 1] > 0).all()
    assert lamps.colours.mean(axis=1).argmax() == 0
    assert lamps.sky.mean() > lamps.ground.mean()


def test_lamps_of_another_day_hang_about_where_they_hung() -> None:
    lamps = draw_lamps(named_rng("lamps"))
    days = [vary_lamps(named_rng("day", i), lamps) for i in range(20)]
    for day in days:
        np.testing.assert_allclose(np.linalg.norm(day.towards, axis=1), 1)
        assert np.degrees(np.arccos((day.towards * lamps.towards).sum(axis=1))).max() < 15
        np.testing.assert_allclose(day.colours, lamps.colours, rtol=0.4)
    assert np.std([day.towards for day in days], axis=0).max() > 0.02
    assert np.std([day.sky for day in days]) > 0.02

"""Rooms: where rays meet floor and walls, and what they look like."""

from __future__ import annotations

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.h36m.synthetic.rooms import NORMALS, draw_room, look_around
from liftbench_datasets.people.lighting import draw_lamps

ROOMS = [draw_room(named_rng("room", i), draw_lamps(named_rng("lamps"))) for i in range(12)]
EYE = np.array([3.2, 1.6, -3.1])


def rays(count: int = 500) -> Floats:
    return named_rng("rays").standard_normal((count, 3)) * [1, 0.3, 1]


def test_rays_meet_the_first_plane_on_their_way() -> None:
    for room in ROOMS:
        met = look_around(room, EYE, rays())
        steps = met.points - EYE
        np.testing.assert_allclose(np.cross(steps, rays()), 0, atol=1e-9)
        assert (np.einsum("nd,nd->n", steps, rays()) > 0).all()
        x, y, z = met.points.T
        np.testing.assert_allclose(y[met.surface == 0], 0, atol=1e-12)
        assert (y > -1e-9).all()
        assert (np.abs(x) < room.half[0] + 1e-9).all()
        assert (np.abs(z) < room.half[1] + 1e-9).all()
        at_wall = np.isclose(np.abs(x), room.half[0]) | np.isclose(np.abs(z), room.half[1])
        assert at_wall[met.surface > 0].all()


def test_normals_face_the_eye() -> None:
    met = look_around(ROOMS[0], EYE, rays())
    assert set(met.surface.tolist()) == set(range(5))
    assert (np.einsum("nd,nd->n", NORMALS[met.surface], rays()) < 0).all()
    at = np.array([0, *np.repeat(ROOMS[0].half, 2)])[met.surface]
    np.testing.assert_allclose(
        np.einsum("nd,nd->n", NORMALS[met.surface], met.points), -at, atol=1e-9
    )


def test_rooms_differ_and_their_colours_are_colours() -> None:
    seen = np.array([look_around(room, EYE, rays()).colours for room in ROOMS])
    assert seen.min() > 0
    assert seen.max() < 1.3  # the grain may lift a light colour above 1
    apart = np.abs(seen[:, None] - seen[None]).mean(axis=(2, 3))
    assert apart[~np.eye(len(ROOMS), dtype=bool)].min() > 0.03
    assert len({room.floor for room in ROOMS}) > 2
    assert len({wall for room in ROOMS for wall in room.wall}) > 3


def test_a_place_keeps_its_colour_whatever_else_is_seen() -> None:
    """A colour belongs to the place: rays one by one meet what they meet together."""
    room = ROOMS[1]
    together = look_around(room, EYE, rays(20)).colours
    alone = [look_around(room, EYE, ray[None]).colours[0] for ray in rays(20)]
    np.testing.assert_allclose(together, alone)

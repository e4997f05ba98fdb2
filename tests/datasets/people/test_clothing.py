"""Clothes: what they cover, their patterns, and that they do not tell left from right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.people.clothing import (
    FACE_PARTS,
    PATTERNS,
    Cloth,
    Looks,
    draw_looks,
    folds,
    surface_colours,
)
from liftbench_datasets.people.surface import FACES, REST, VERTEX_TUBES

RED, BLUE, GREEN = np.eye(3)[[0, 2, 1]]
MIDDLES = REST[FACES].mean(axis=1)
FACE_TUBES = VERTEX_TUBES[FACES[:, 0]]


def looks(sleeve: float = 0.4, leg: float = 0.5, pattern: str = "plain") -> Looks:
    shirt = Cloth(pattern, np.array([RED, GREEN]), 0.1, (0.0, 0.0))
    trousers = Cloth("plain", np.array([BLUE, BLUE]), 0.1, (0.0, 0.0))
    skin, hair, shoes, socks = (np.full(3, grey) for grey in (0.8, 0.1, 0.3, 0.6))
    return Looks(skin, hair, shoes, socks, shirt, trousers, sleeve, leg, 0.0, 0.0, 0.1)


def colours(dress: Looks) -> Floats:
    return surface_colours(dress, FACE_PARTS, MIDDLES)


def on(tube: str, low: float, high: float) -> list[int]:
    """Return the faces of a tube between two heights."""
    height = MIDDLES[:, 1]
    return np.flatnonzero((tube == FACE_TUBES) & (height > low) & (height < high)).tolist()


def test_each_part_has_its_cloth() -> None:
    seen = colours(looks())
    for tube, low, high, colour in (
        ("trunk", 0.1, 0.5, RED),
        ("trunk", -0.2, 0.0, BLUE),
        ("larm", 0.25, 0.4, RED),
        ("rarm", -0.3, 0.1, np.full(3, 0.8)),
        ("lleg", -0.4, -0.1, BLUE),
        ("rleg", -0.75, -0.55, np.full(3, 0.8)),
        ("lfoot", -1.2, 0.0, np.full(3, 0.3)),
    ):
        faces = on(tube, low, high)
        assert faces
        np.testing.assert_array_equal(seen[faces], np.broadcast_to(colour, (len(faces), 3)))


def test_longer_sleeves_and_trousers_cover_more() -> None:
    def covered(dress: Looks) -> int:
        return int((np.abs(colours(dress) - 0.8) > 1e-9).any(axis=1).sum())

    shares = [covered(looks(share, share)) for share in (0.0, 0.3, 0.6, 1.0)]
    assert shares == sorted(set(shares))


def test_hair_is_above_and_behind_the_face() -> None:
    seen = colours(looks())
    head = on("trunk", 0.62, 1.0)
    hair = [i for i in head if np.allclose(seen[i], 0.1)]
    face = [i for i in head if np.allclose(seen[i], 0.8)]
    assert sorted(hair + face) == head
    assert MIDDLES[hair, 1].mean() > MIDDLES[face, 1].mean() + 0.02
    assert MIDDLES[hair, 2].mean() < MIDDLES[face, 2].mean() - 0.03


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_shows_both_colours_and_is_even(pattern: str) -> None:
    """Left and right look alike: a place and its mirror image have one colour."""
    dress = looks(pattern=pattern)
    rng = named_rng("places")
    places = rng.uniform((0, 0.05, -0.12), (0.15, 0.5, 0.12), (4000, 3))
    trunk = np.zeros(len(places), dtype=np.int64)
    seen = surface_colours(dress, trunk, places)
    np.testing.assert_array_equal(surface_colours(dress, trunk, places * [-1, 1, 1]), seen)
    share = seen[:, 1].mean()
    assert seen.min() >= 0
    assert (share == 0) == (pattern == "plain")
    assert share < 0.8


def test_people_wear_different_clothes_that_are_alike_on_both_sides() -> None:
    people = [draw_looks(named_rng("looks", i)) for i in range(24)]
    left = np.char.startswith(FACE_TUBES, "l")
    mirror = MIDDLES * [-1, 1, 1]
    means = []
    for dress in people:
        one, other = (surface_colours(dress, FACE_PARTS, place) for place in (MIDDLES, mirror))
        np.testing.assert_allclose(one[left], other[left])
        assert one.min() >= 0
        assert one.max() <= 1
        means.append(one.mean(axis=0))
    apart = np.linalg.norm(np.array(means)[:, None] - means, axis=2)
    assert np.median(apart[np.triu_indices(24, 1)]) > 0.05
    assert len({dress.shirt.pattern for dress in people}) > 3


def test_deeper_folds_bend_normals_more() -> None:
    shallow, deep = (folds(replace(looks(), crease=depth), MIDDLES) for depth in (0.1, 0.2))
    np.testing.assert_allclose(deep, 2 * shallow)
    assert 0.05 < np.abs(shallow).max() <= 0.1

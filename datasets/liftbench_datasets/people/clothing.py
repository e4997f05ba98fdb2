"""The clothes, skin and hair of people: colours of places on the body at rest.

A pattern is even in x, so that the left side of a person looks like the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats
from liftbench_datasets.people.surface import FACES, VERTEX_TUBES

_SKIN = np.array(
    [
        (0.93, 0.76, 0.65),
        (0.85, 0.65, 0.52),
        (0.72, 0.52, 0.39),
        (0.52, 0.36, 0.26),
        (0.34, 0.23, 0.18),
    ]
)
_HAIR = np.array(
    [
        (0.08, 0.07, 0.07),
        (0.20, 0.13, 0.09),
        (0.38, 0.25, 0.15),
        (0.62, 0.47, 0.27),
        (0.55, 0.28, 0.14),
        (0.62, 0.60, 0.58),
    ]
)
_DYES = np.array(
    [
        (0.90, 0.89, 0.86),
        (0.12, 0.12, 0.14),
        (0.45, 0.46, 0.48),
        (0.16, 0.22, 0.42),
        (0.28, 0.44, 0.68),
        (0.62, 0.14, 0.15),
        (0.18, 0.40, 0.26),
        (0.74, 0.60, 0.22),
        (0.66, 0.55, 0.42),
        (0.38, 0.26, 0.19),
        (0.52, 0.26, 0.48),
        (0.80, 0.48, 0.38),
    ]
)
# Heights in the rest pose above the root, metres.
_WAIST, _NECK, _CHIN, _BROW, _CROWN = 0.04, 0.57, 0.60, 0.755, 0.77
_SHOULDER, _ARM, _HIP, _LEG = 0.47, 0.72, -0.02, 0.93
_SLEEVES = (0.30, 0.42, 0.72)  # short, to the elbow, long: shares of the arm
_LEGS = (0.32, 0.48, 0.72, 0.95)
_TUBES = ("trunk", "arm", "leg", "foot")
# Of each face: which of `_TUBES` it belongs to.
FACE_PARTS = np.array(
    [_TUBES.index(str(t) if t == "trunk" else str(t)[1:]) for t in VERTEX_TUBES[FACES[:, 0]]]
)


@dataclass(frozen=True)
class Cloth:
    """A cloth.

    Attributes:
        pattern: one of `PATTERNS`.
        colours: (2, 3) of the cloth and of its pattern.
        size: length of the pattern's period, metres.
        phase: its start along y and z, as shares of a period.
    """

    pattern: str
    colours: Floats
    size: float
    phase: tuple[float, float]


@dataclass(frozen=True)
class Looks:
    """What a person wears, and the colours of skin and hair.

    Attributes:
        skin, hair, shoes, socks: colours (3,).
        shirt, trousers: their cloths.
        sleeve, leg: share of the arm and of the leg that is covered.
        hairline: height of the hair above the brow in front, metres.
        hair_length: how far the hair falls below the ears behind, metres.
        crease: depth of the folds of the cloth.
    """

    skin: Floats
    hair: Floats
    shoes: Floats
    socks: Floats
    shirt: Cloth
    trousers: Cloth
    sleeve: float
    leg: float
    hairline: float
    hair_length: float
    crease: float


def draw_looks(rng: np.random.Generator) -> Looks:
    """Draw the looks of a person."""
    shirt = _draw_cloth(rng, 1.0)
    trousers = _draw_cloth(rng, 0.25)
    return Looks(
        skin=_one_of(rng, _SKIN, 0.02),
        hair=_one_of(rng, _HAIR, 0.02),
        shoes=_one_of(rng, _DYES, 0.03),
        socks=_one_of(rng, _DYES, 0.03),
        shirt=shirt,
        trousers=trousers,
        sleeve=float(rng.choice(_SLEEVES) * rng.uniform(0.95, 1.05)),
        leg=float(rng.choice(_LEGS, p=(0.15, 0.2, 0.1, 0.55)) * rng.uniform(0.96, 1.03)),
        hairline=rng.uniform(-0.02, 0.04),
        hair_length=rng.choice((-0.02, 0.0, 0.06, 0.22)),
        crease=rng.uniform(0.05, 0.2),
    )


def surface_colours(looks: Looks, part: NDArray[np.int64], place: Floats) -> Floats:
    """Return the colours (N, 3), from 0 to 1, of places on the body.

    Args:
        looks: the person's looks.
        part: (N,) see `FACE_PARTS`.
        place: (N, 3) in the rest pose of the mean body, metres from its root.
    """
    colours = np.empty_like(place)
    trunk, arm, leg, foot = (part == i for i in range(len(_TUBES)))
    height = place[:, 1]
    upper = (trunk & (height >= _WAIST) & (height < _NECK)) | (
        arm & ((_SHOULDER - height) / _ARM < looks.sleeve)
    )
    lower = (trunk & (height < _WAIST)) | (leg & ((_HIP - height) / _LEG < looks.leg))
    colours[:] = looks.skin
    colours[_in_hair(looks, trunk, place)] = looks.hair
    colours[leg & ~lower & (height < -0.80)] = looks.socks
    colours[foot] = looks.shoes
    for cloth, covered in ((looks.shirt, upper), (looks.trousers, lower)):
        colours[covered] = _cloth_colours(cloth, place[covered])
    return colours


def folds(looks: Looks, place: Floats) -> Floats:
    """Return how folds of the cloth turn the normals at places (N, 3) in the rest pose, (N, 3)."""
    waves = 2 * np.pi * place @ _FOLDS
    bent: Floats = looks.crease * np.sin(waves)
    return bent


_FOLDS = np.array([[3.0, 9.0, 4.0], [8.0, 5.0, 13.0], [7.0, 4.0, 6.0]])


def _in_hair(looks: Looks, trunk: Bools, place: Floats) -> Bools:
    """Return which places (N,) are in the hair: above a line that falls from the brow backwards."""
    height, front = place[:, 1], place[:, 2] - 0.02
    brow = _BROW + looks.hairline
    nape = 0.63 - looks.hair_length
    line = np.interp(front, (-0.06, -0.01, 0.03, 0.07), (nape, max(nape, 0.66), brow - 0.02, brow))
    inside: Bools = trunk & (height > line) & (height > _CHIN - looks.hair_length)
    return inside


def _cloth_colours(cloth: Cloth, place: Floats) -> Floats:
    wave = 2 * np.pi * (place / cloth.size + [0, *cloth.phase])
    name = cloth.pattern
    share = (_REPEATS[name](wave) if name in _REPEATS else _SINGLE[name](place))[:, None]
    colours: Floats = cloth.colours[0] + share * (cloth.colours[1] - cloth.colours[0])
    return colours


def _sharp(wave: Floats) -> Floats:
    """Return 0 where a wave is low and 1 where it is high, with a soft edge."""
    share: Floats = (0.5 + 2 * wave).clip(0, 1)
    return share


_CHEST = np.array([0, 0.33, 0.11])
_Pattern = Callable[[Floats], Floats]
# The share of a cloth's second colour, from the phases (N, 3) of a period.
_REPEATS: Mapping[str, _Pattern] = {
    "stripes": lambda wave: _sharp(np.cos(wave[:, 1])),
    "lines": lambda wave: _sharp(np.cos(wave[:, 0])),
    "plaid": lambda wave: _sharp(np.cos(wave[:, :2])).mean(axis=1),
    "dots": lambda wave: _sharp(np.cos(wave).sum(axis=1) - 1.2),
}
# The same from the places (N, 3) on the body.
_SINGLE: Mapping[str, _Pattern] = {
    "plain": lambda place: np.zeros(len(place)),
    "yoke": lambda place: _sharp(40 * (place[:, 1] - 0.33)),
    "print": lambda place: _sharp(0.4 - 8 * np.abs(place - _CHEST).max(axis=1)),
}
PATTERNS = (*_REPEATS, *_SINGLE)


def _draw_cloth(rng: np.random.Generator, patterned: float) -> Cloth:
    pattern = str(rng.choice(PATTERNS)) if rng.random() < patterned else "plain"
    first, second = _one_of(rng, _DYES, 0.04), _one_of(rng, _DYES, 0.04)
    return Cloth(pattern, np.array([first, second]), rng.uniform(0.06, 0.16), tuple(rng.random(2)))


def _one_of(rng: np.random.Generator, colours: Floats, spread: float) -> Floats:
    colour: Floats = colours[int(rng.integers(len(colours)))] * rng.uniform(0.8, 1.1)
    return (colour + rng.normal(0, spread, 3)).clip(0.02, 0.98)

"""The colours of a species, and of the vertices of its birds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from liftbench.types import Floats
from liftbench_datasets.cub.synthetic.surface import VERTEX_HEIGHTS, VERTEX_RINGS, VERTEX_TUBES

Colour = tuple[float, float, float]
_COLOURS: Mapping[str, Colour] = {
    "black": (0.10, 0.10, 0.11),
    "slate": (0.33, 0.36, 0.40),
    "grey": (0.55, 0.55, 0.54),
    "white": (0.93, 0.92, 0.89),
    "cream": (0.88, 0.82, 0.68),
    "buff": (0.78, 0.64, 0.44),
    "brown": (0.42, 0.31, 0.21),
    "rufous": (0.62, 0.34, 0.17),
    "olive": (0.45, 0.45, 0.24),
    "yellow": (0.91, 0.79, 0.18),
    "orange": (0.89, 0.50, 0.14),
    "red": (0.74, 0.15, 0.13),
    "blue": (0.21, 0.39, 0.68),
    "teal": (0.15, 0.48, 0.46),
    "pink": (0.80, 0.56, 0.50),
}
_UPPER = ("black", "slate", "grey", "brown", "brown", "rufous", "olive", "olive", "blue", "teal")
_LOWER = ("white", "white", "cream", "cream", "buff", "grey", "yellow", "yellow", "orange", "red")
_HEAD = ("black", "slate", "grey", "brown", "rufous", "yellow", "red", "white", "blue")
_HORN = ("black", "slate", "grey", "brown", "orange", "yellow", "pink")
REGIONS = (
    *("back", "belly", "breast", "crown", "cheek", "throat", "wing", "bar", "primary", "tail"),
    *("beak", "leg"),
)
EYE: Colour = (0.05, 0.04, 0.04)


def draw_plumage(rng: np.random.Generator) -> Floats:
    """Return the colours of a species by region, (R, 3) from 0 to 1."""
    back, belly = _one_of(rng, _UPPER), _one_of(rng, _LOWER)
    head = _one_of(rng, _HEAD) if rng.random() < 0.55 else back
    wing = back * rng.uniform(0.55, 0.95)
    colours = {
        "back": back,
        "belly": belly,
        "breast": belly if rng.random() < 0.6 else _one_of(rng, _LOWER + _UPPER),
        "crown": head,
        "cheek": head if rng.random() < 0.4 else 0.5 * back + 0.5 * belly,
        "throat": _one_of(rng, _LOWER) if rng.random() < 0.5 else belly,
        "wing": wing,
        "bar": np.array(_COLOURS["cream"]) if rng.random() < 0.5 else wing,
        "primary": 0.55 * wing,
        "tail": back * rng.uniform(0.45, 0.9),
        "beak": _one_of(rng, _HORN),
        "leg": _one_of(rng, _HORN),
    }
    return np.stack([colours[region] for region in REGIONS])


def vertex_colours(rng: np.random.Generator, plumage: Floats) -> Floats:
    """Return the colours of a bird's vertices (V, 3), which vary a little within a region."""
    tone = 1 + 0.07 * rng.standard_normal((len(_SHARES), 1))
    colours: Floats = (_SHARES @ plumage * tone).clip(0, 1)
    return colours


def _one_of(rng: np.random.Generator, names: Sequence[str]) -> Floats:
    name = names[int(rng.integers(len(names)))]
    colour: Floats = (_COLOURS[name] + rng.normal(0, 0.03, 3)).clip(0, 1)
    return colour


def _region(tube: str, ring: int, height: float) -> dict[str, float]:
    """Return the share of each region in the colour of a vertex."""
    if tube == "spine":
        return _spine_region(ring, height)
    if tube.endswith("wing"):
        part = "primary" if ring > 3 else "bar" if ring == 2 and height < -0.2 else "wing"
        return {part: 1.0}
    return {"belly": 1.0} if tube.endswith("leg") and ring < 3 else {"leg": 1.0}


def _spine_region(ring: int, height: float) -> dict[str, float]:
    if ring < 3:
        return {"beak": 1.0}
    if ring < 8:
        return {"crown" if height > 0.35 else "throat" if height < -0.35 else "cheek": 1.0}
    if ring > 15:
        return {"tail": 1.0}
    above = float(np.clip(0.5 + 1.6 * height, 0, 1))
    return {"back": above, "breast" if ring < 11 else "belly": 1 - above}


def _shares() -> Floats:
    shares = np.zeros((len(VERTEX_RINGS), len(REGIONS)))
    vertices = zip(VERTEX_TUBES, VERTEX_RINGS, VERTEX_HEIGHTS, strict=True)
    for row, (tube, ring, height) in zip(shares, vertices, strict=True):
        for region, share in _region(str(tube), int(ring), float(height)).items():
            row[REGIONS.index(region)] += share
    return shares


_SHARES = _shares()

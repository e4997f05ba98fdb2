"""The rooms in which people are drawn: a floor, four walls, and what hangs and lies there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.people.lighting import Lamps, vary_lamps

_FLOOR_COLOURS = np.array(
    [
        (0.58, 0.46, 0.34),
        (0.45, 0.44, 0.43),
        (0.36, 0.28, 0.22),
        (0.62, 0.60, 0.56),
        (0.40, 0.44, 0.50),
    ]
)
_WALL_COLOURS = np.array(
    [
        (0.76, 0.74, 0.69),
        (0.62, 0.66, 0.70),
        (0.70, 0.64, 0.54),
        (0.50, 0.54, 0.50),
        (0.56, 0.50, 0.52),
    ]
)
# Of the floor and of the walls at +x, -x, +z and -z.
NORMALS = np.array([(0, 1, 0), (-1, 0, 0), (1, 0, 0), (0, 0, -1), (0, 0, 1)], dtype=np.float64)
_POSTERS = 4  # on each wall
_LATTICE = 256  # texels of the noise along an edge
_TEXEL = 0.04  # metres
_PLINTH = 0.10  # metres


@dataclass(frozen=True)
class Room:
    """A room around the origin of the world; lengths are metres.

    Attributes:
        half: (2,) distance of the walls from the middle along x and z.
        floor: name of the floor's pattern in `_FLOORS`.
        wall: (4,) names of the patterns of the walls at +x, -x, +z and -z in `_WALLS`.
        colours: (5, 3) of the floor and of the walls.
        shades: (5, 3) second colours of their patterns.
        size: (5,) period of their patterns.
        turn: direction of the floor's pattern in radians.
        rug: (4,) middle and half sizes of a rug on the floor.
        rug_colour: (3,) its colour.
        posters: (4, P, 4) middle along the wall and height, half width and half height.
        paints: (4, P, 3) their colours.
        shift: (5, 2) start of the noise.
        lamps: the light.
    """

    half: Floats
    floor: str
    wall: tuple[str, ...]
    colours: Floats
    shades: Floats
    size: Floats
    turn: float
    rug: Floats
    rug_colour: Floats
    posters: Floats
    paints: Floats
    shift: Floats
    lamps: Lamps


def draw_room(rng: np.random.Generator, lamps: Lamps) -> Room:
    """Draw a room that about these lamps light."""
    floor = _FLOOR_COLOURS[rng.integers(len(_FLOOR_COLOURS))]
    walls = _WALL_COLOURS[rng.integers(len(_WALL_COLOURS), size=4)]
    colours = np.concatenate([floor[None], walls]) * rng.uniform(0.75, 1.2, (5, 1))
    colours = (colours + rng.normal(0, 0.03, (5, 3))).clip(0.05, 0.95)
    middle = rng.uniform((-4, 0.8), (4, 2.0), (4, _POSTERS, 2))
    return Room(
        half=rng.uniform(4.2, 5.6, 2),
        floor=str(rng.choice(list(_FLOORS))),
        wall=tuple(str(name) for name in rng.choice(list(_WALLS), 4)),
        colours=colours,
        shades=colours * rng.uniform(0.65, 0.95, (5, 1)),
        size=rng.uniform((0.25, *[0.4] * 4), (0.6, *[1.4] * 4)),
        turn=rng.uniform(0, np.pi),
        rug=np.concatenate([rng.normal(0, 0.8, 2), rng.uniform(-1.4, 1.8, 2)]),  # half have none
        rug_colour=rng.uniform(0.1, 0.8, 3),
        posters=np.concatenate([middle, rng.uniform(0.15, 0.6, (4, _POSTERS, 2))], axis=2),
        paints=rng.uniform(0.08, 0.9, (4, _POSTERS, 3)),
        shift=rng.uniform(0, _LATTICE, (5, 2)),
        lamps=vary_lamps(rng, lamps),
    )


@dataclass(frozen=True)
class Backdrop:
    """What N rays from a camera meet.

    Attributes:
        colours: (N, 3) from 0 to 1, before light.
        surface: (N,) 0 on the floor, 1 to 4 on the walls at +x, -x, +z and -z; see `NORMALS`.
        points: (N, 3) in the world's frame, metres.
    """

    colours: Floats
    surface: NDArray[np.int64]
    points: Floats


def look_around(room: Room, eye: Floats, rays: Floats) -> Backdrop:
    """Return what rays (N, 3) from `eye` (3,) inside a room meet."""
    walls = np.array([room.half[0], 0.0, room.half[1]])
    with np.errstate(divide="ignore"):
        reach = np.abs((np.where(rays > 0, walls, -walls) - eye) / rays)
    reach[:, 1] = np.where(rays[:, 1] < 0, reach[:, 1], np.inf)
    axis = reach.argmin(axis=1)
    points = eye + np.take_along_axis(reach, axis[:, None], axis=1) * rays
    ahead = rays[np.arange(len(rays)), axis]
    surface = np.where(axis == 1, 0, 1 + axis + (ahead < 0))
    colours = np.empty_like(points)
    for number in np.unique(surface).tolist():
        met = surface == number
        flat = points[met][:, [0, 2] if number == 0 else [2, 1] if number < 3 else [0, 1]]
        paint = _wall(room, number, flat) if number else _floor(room, flat)
        colours[met] = paint * _grain(room, number, flat)[:, None]
    return Backdrop(colours, surface, points)


def _floor(room: Room, flat: Floats) -> Floats:
    """Return the colours (N, 3) of the floor at x and z (N, 2)."""
    cos, sin = np.cos(room.turn), np.sin(room.turn)
    tiles = flat @ np.array([[cos, -sin], [sin, cos]]) / room.size[0]
    colours = _mix(room, 0, _FLOORS[room.floor](tiles))
    on_rug = (np.abs(flat - room.rug[:2]) < room.rug[2:]).all(axis=1)
    colours[on_rug] = room.rug_colour * (0.85 + 0.15 * np.cos(9 * flat[on_rug, :1]))
    return colours


def _wall(room: Room, number: int, flat: Floats) -> Floats:
    """Return the colours (N, 3) of a wall at places along it and heights (N, 2)."""
    tiles = flat / room.size[number]
    colours = _mix(room, number, _WALLS[room.wall[number - 1]](tiles))
    for place, paint in zip(room.posters[number - 1], room.paints[number - 1], strict=True):
        colours[(np.abs(flat - place[:2]) < place[2:]).all(axis=1)] = paint
    colours[flat[:, 1] < _PLINTH] = room.shades[number] * 0.6
    return colours


def _checkers(tiles: Floats) -> Floats:
    share: Floats = np.floor(tiles).sum(axis=1) % 2
    return share


def _carpet(tiles: Floats) -> Floats:
    share: Floats = 0.5 + 0.5 * np.sin(4 * tiles).prod(axis=1)
    return share


def _panels(tiles: Floats) -> Floats:
    return np.where(np.abs(tiles[:, 0] % 1 - 0.5) > 0.47, 1.0, 0.0)


def _bricks(tiles: Floats) -> Floats:
    row = np.floor(6 * tiles[:, 1])
    return _scatter(np.floor(2 * tiles[:, 0] + 0.5 * (row % 2)), row)


def _planks(tiles: Floats) -> Floats:
    row = np.floor(3 * tiles[:, 1])
    return _scatter(np.floor(0.3 * tiles[:, 0] + 0.37 * row), row)


# The share of a surface's second colour (N,) at places (N, 2), where 1 is a period.
_Pattern = Callable[[Floats], Floats]
_FLOORS: Mapping[str, _Pattern] = {
    "plain": lambda tiles: np.zeros(len(tiles)),
    "planks": _planks,
    "tiles": _checkers,
    "carpet": _carpet,
}
_WALLS: Mapping[str, _Pattern] = {
    "plain": lambda tiles: np.zeros(len(tiles)),
    "panels": _panels,
    "bricks": _bricks,
    "paper": lambda tiles: 0.5 + 0.5 * np.cos(6 * np.pi * tiles[:, 0]),
}


def _mix(room: Room, number: int, share: Floats) -> Floats:
    first, second = room.colours[number], room.shades[number]
    mixed: Floats = first + share[:, None] * (second - first)
    return mixed


def _scatter(column: Floats, row: Floats) -> Floats:
    """Return a share from 0 to 1 (N,) that looks random for each cell."""
    share: Floats = np.modf(np.abs(np.sin(12.9898 * column + 78.233 * row)) * 437.585)[0]
    return share


def _grain(room: Room, number: int, flat: Floats) -> Floats:
    """Return the brightness (N,) of a surface, which varies a little over it."""
    column, row = (np.rint(flat / _TEXEL + room.shift[number]).astype(np.int64) % _LATTICE).T
    grain: Floats = _noise()[row, column]
    return grain


@cache
def _noise() -> Floats:
    """Return a lattice of brightness around 1 that repeats without a seam."""
    raw = named_rng("rooms", "noise").standard_normal((3, _LATTICE, _LATTICE))
    smooth = [
        gaussian_filter(layer, s, mode="wrap") for layer, s in zip(raw, (1, 4, 16), strict=True)
    ]
    octaves = [layer / layer.std() for layer in smooth]
    noise: Floats = 1 + octaves[0] * 0.04 + octaves[1] * 0.04 + octaves[2] * 0.06
    return noise

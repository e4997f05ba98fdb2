"""Scenes, a person in a room before a camera, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from liftbench.meshes.rasteriser import rasterise
from liftbench.types import Floats
from liftbench_datasets.h36m.cameras import Lens, Place
from liftbench_datasets.h36m.synthetic.crops import Crop
from liftbench_datasets.h36m.synthetic.rooms import NORMALS, Room, look_around
from liftbench_datasets.people.clothing import FACE_PARTS, Looks, folds, surface_colours
from liftbench_datasets.people.lighting import brightness, unit_vectors, vertex_normals
from liftbench_datasets.people.shadows import ShadowMap, cast_shadow, contact_shade
from liftbench_datasets.people.surface import OUTWARD, REST

_FINER = 2  # a person is drawn this many times finer and averaged
_GRID = 9  # rays along an edge that are traced back through the lens; the others lie between them
_TEXEL = 0.014  # of shadows, metres
_CONTACT = 0.75  # of the light from all sides that the floor loses below a body
_GAMMA, _NOISE = 0.8, 0.012  # of the sensor, where 1 is white


@dataclass(frozen=True, eq=False)
class Scene:
    """A person in a room before a camera.

    Attributes:
        skin: (V, 3) vertices of the person in the room, metres.
        looks: what the person wears.
        room: the room.
        place: where the camera stands, mm.
        lens: the lens of the camera.
        crop: the part of the camera's image that the picture shows.
    """

    skin: Floats
    looks: Looks
    room: Room
    place: Place
    lens: Lens
    crop: Crop


def draw_scene(rng: np.random.Generator, scene: Scene) -> NDArray[np.uint8]:
    """Return the picture (N, N, 3) of a scene, with the noise of a sensor drawn from `rng`."""
    shadow = cast_shadow(scene.skin, OUTWARD, scene.room.lamps.towards[0], _TEXEL)
    person, cover = _draw_person(scene, shadow)
    light = _draw_room(scene, shadow) * (1 - cover) + person
    signal = light.clip(0, 1) ** _GAMMA + rng.normal(0, _NOISE, light.shape)
    levels: Floats = np.rint(255 * signal.clip(0, 1))
    return levels.astype(np.uint8)


def _draw_person(scene: Scene, shadow: ShadowMap) -> tuple[Floats, Floats]:
    """Return the light (N, N, 3) that comes from the person, and the share (N, N, 1) it covers."""
    size = scene.crop.size
    shown = rasterise(_fine_pixels(scene), OUTWARD, (_FINER * size, _FINER * size))
    normals = unit_vectors(vertex_normals(scene.skin, OUTWARD))
    values = shown.between(np.concatenate([REST, normals, scene.skin], axis=1), OUTWARD)
    at_rest, normals, points = np.split(values, 3, axis=1)
    normals = unit_vectors(normals + folds(scene.looks, at_rest))
    light = surface_colours(scene.looks, FACE_PARTS[shown.face], at_rest)
    light *= brightness(scene.room.lamps, normals, shadow.lit(points))
    pixel = (shown.row // _FINER) * size + shown.column // _FINER
    layers = [*light.T, np.ones(len(light))]
    sums = np.stack([np.bincount(pixel, layer, size * size) for layer in layers], axis=1)
    light, cover = np.split(sums.reshape(size, size, 4) / _FINER**2, [3], axis=2)
    return light, cover


def _fine_pixels(scene: Scene) -> Floats:
    """Return the vertices (V, 3) in pixels of the finer picture, as `rasterise` wants them."""
    seen = scene.place.views(1000 * scene.skin)
    places = scene.crop.place(scene.lens.pixels(seen[:, :2] / seen[:, 2:]))
    return np.concatenate([_FINER * places - 0.5, seen[:, 2:]], axis=1)


def _draw_room(scene: Scene, shadow: ShadowMap) -> Floats:
    """Return the light (N, N, 3) that comes from the room."""
    size = scene.crop.size
    met = look_around(scene.room, scene.place.position / 1000, _rays(scene))
    dark, bright = (brightness(scene.room.lamps, NORMALS, np.full(5, lit)) for lit in (0.0, 1.0))
    lit = shadow.lit(met.points)[:, None]
    light = (1 - lit) * dark[met.surface] + lit * bright[met.surface]
    floor = met.surface == 0
    shade = contact_shade(scene.skin, OUTWARD, met.points[floor][:, [0, 2]])
    light[floor] *= 1 - _CONTACT * shade[:, None]
    return (met.colours * light).reshape(size, size, 3)


def _rays(scene: Scene) -> Floats:
    """Return the directions (N * N, 3) in the room of the rays through the middles of pixels."""
    size = scene.crop.size
    ticks = np.linspace(0, size, _GRID)
    places = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    plane = scene.lens.plane(scene.crop.pixels(places))
    rays = np.concatenate([plane, np.ones((_GRID, _GRID, 1))], axis=2) @ scene.place.rotation
    hats = _hats(size)
    between: Floats = np.einsum("ra,abc,sb->rsc", hats, rays, hats, optimize=True)
    return between.reshape(-1, 3)


@cache
def _hats(size: int) -> Floats:
    """Return the weights (N, _GRID) that interpolate between the rays of `_rays`."""
    ticks, middles = np.linspace(0, size, _GRID), np.arange(size) + 0.5
    return np.stack([np.interp(middles, ticks, row) for row in np.eye(_GRID)], axis=1)

"""Photographs of drawn objects: painted boxes before a blurred background, and their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftbench.meshes.rasteriser import Fragments, covered_pixels, rasterise
from liftbench.types import Bools, Floats
from liftbench_datasets.adapting.backdrops import draw_backdrop, to_bytes
from liftbench_datasets.adapting.drawn_files import write_drawing
from liftbench_datasets.pascal3d.synthetic.bodies import box_surface

WIDTH, HEIGHT = 500, 375  # pixels, as photographs of PASCAL VOC
_FIRST = 1.0  # position of the middle of the first pixel
_LIGHT = np.array([-0.4, -0.8, -0.45]) / np.linalg.norm([-0.4, -0.8, -0.45])
_AMBIENT, _DIFFUSE = 0.5, 0.6
_SIDES = 6  # of a box, two triangles each, in the order of `box_surface`
_FRONT, _BACK, _LOWER = 2, 3, 4
_SHARES = (0.0, 0.45, 0.8, 0.25, 1.0)  # of the second colour, by the number of a box in turn
_GLASS = np.array([0.13, 0.17, 0.24])
_GLASS_BAND = (0.62, 0.92)  # of the height of a body's second box
_LAMPS = {_FRONT: np.array([1.0, 0.95, 0.75]), _BACK: np.array([0.75, 0.08, 0.08])}
_LAMP_PLACE, _LAMP_RADIUS = 0.36, 0.11  # across a box from its middle; of its width
_TYRE = np.array([0.07, 0.07, 0.08])
_TYRE_RADIUS = 0.075  # of the body's diagonal


@dataclass(frozen=True)
class Scene:
    """An object before the camera.

    Attributes:
        boxes: (B, 2, 3) lower and upper corners, in the model frame.
        turn: (3, 3) rotation to the camera frame.
        scale: pixels per unit of the model.
        shift: (3,) place of the model's origin, pixels.
        wheels: (W, 3) middles of wheels on the boxes, in the model frame.
    """

    boxes: Floats
    turn: Floats
    scale: float
    shift: Floats
    wheels: Floats

    def place(self, points: Floats) -> Floats:
        """Return points (N, 3) of the model in the image, pixels from its first pixel's middle."""
        placed: Floats = self.scale * points @ self.turn.T + self.shift - (_FIRST, _FIRST, 0.0)
        return placed


def write_picture(rng: np.random.Generator, scene: Scene, file: str, mask: str) -> None:
    """Write the picture of an object and its mask; an interrupted write leaves no file.

    Raises:
        UserError: the files cannot be written.
    """
    write_drawing(file, draw_object(rng, scene))
    write_drawing(mask, object_mask(scene))


def object_mask(scene: Scene) -> Bools:
    """Return which pixels (375, 500) an object covers."""
    surface = box_surface(scene.boxes)
    return covered_pixels(scene.place(surface.vertices), surface.faces, (HEIGHT, WIDTH))


def draw_object(rng: np.random.Generator, scene: Scene) -> NDArray[np.uint8]:
    """Return a picture (375, 500, 3) of an object in two random colours."""
    canvas = np.asarray(draw_backdrop(rng, WIDTH, HEIGHT)) / 255
    paints = rng.uniform(0.12, 0.95, (2, 3))
    surface = box_surface(scene.boxes)
    seen = rasterise(scene.place(surface.vertices), surface.faces, (HEIGHT, WIDTH))
    colours = _colours(scene, seen, seen.between(surface.vertices, surface.faces), paints)
    first, second, third = np.moveaxis(surface.vertices[surface.faces], 1, 0)
    normals = np.cross(second - first, third - first) @ scene.turn.T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = _AMBIENT + _DIFFUSE * (normals @ _LIGHT).clip(0)
    canvas[seen.row, seen.column] = colours * light[seen.face, None]
    return to_bytes(canvas)


def _colours(scene: Scene, seen: Fragments, place: Floats, paints: Floats) -> Floats:
    """Return the paint (N, 3) of pixels that show places (N, 3) of the model."""
    box, side = np.divmod(seen.face // 2, _SIDES)
    share = np.resize(_SHARES, len(scene.boxes))[box, None]
    colours: Floats = (1 - share) * paints[0] + share * paints[1]
    low, high = scene.boxes[box, 0], scene.boxes[box, 1]
    within = (place - low) / (high - low)
    upright = side < _LOWER
    band = (within[:, 2] > _GLASS_BAND[0]) & (within[:, 2] < _GLASS_BAND[1])
    colours[(box == 1) & upright & band] = _GLASS
    across = np.abs(within[:, 0] - 0.5) - _LAMP_PLACE
    up = (within[:, 2] - 0.5) * (high - low)[:, 2] / (high - low)[:, 0]
    lamp = (box == 0) & (np.hypot(across, up) < _LAMP_RADIUS)
    for number, colour in _LAMPS.items():
        colours[lamp & (side == number)] = colour
    for wheel in scene.wheels:
        colours[np.linalg.norm(place - wheel, axis=1) < _TYRE_RADIUS] = _TYRE
    return colours

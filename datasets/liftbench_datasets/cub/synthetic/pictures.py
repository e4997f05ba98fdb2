"""Pictures of birds: a shaded surface before a blurred background, and its mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from liftbench.meshes.normals import vertex_normals
from liftbench.meshes.rasteriser import covered_pixels, rasterise
from liftbench.types import Bools, Floats
from liftbench_datasets.adapting.backdrops import draw_backdrop, to_bytes
from liftbench_datasets.adapting.drawn_files import write_drawing
from liftbench_datasets.cub.synthetic.plumage import EYE
from liftbench_datasets.cub.synthetic.surface import FACES

SIZE = 256  # pixels of a picture's edge
_FINER = 2  # pictures are drawn this many times finer and averaged
_LIGHT = np.array([-0.45, -0.75, -0.5]) / np.linalg.norm([-0.45, -0.75, -0.5])
_AMBIENT, _DIFFUSE = 0.48, 0.62
_BARK = np.array([0.36, 0.28, 0.21])


@dataclass(frozen=True)
class Bird:
    """A bird before the camera.

    Attributes:
        vertices: (V, 3) in pixels from the middle of the first pixel; z points away.
        colours: (V, 3) from 0 to 1.
        eyes: (N, 2) places of the visible eyes, pixels.
        unit: length of the trunk, pixels.
        perch: (2,) place where it sits, pixels; None if it flies.
    """

    vertices: Floats
    colours: Floats
    eyes: Floats
    unit: float
    perch: Floats | None


def write_picture(rng: np.random.Generator, bird: Bird, file: str, mask: str) -> None:
    """Write the picture of a bird and its mask; an interrupted write leaves no file.

    Raises:
        UserError: the files cannot be written.
    """
    write_drawing(file, bird_picture(rng, bird))
    write_drawing(mask, bird_mask(bird))


def bird_mask(bird: Bird) -> Bools:
    """Return which pixels (256, 256) the bird covers."""
    return covered_pixels(bird.vertices, FACES, (SIZE, SIZE))


def bird_picture(rng: np.random.Generator, bird: Bird) -> NDArray[np.uint8]:
    """Return a picture (256, 256, 3) of a bird before a random background."""
    canvas = _background(rng, bird)
    vertices = _FINER * bird.vertices + (_FINER - 1) / 2
    seen = rasterise(vertices, FACES, canvas.shape[:2])
    normals = seen.between(vertex_normals(vertices, FACES), FACES)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    light = _AMBIENT + _DIFFUSE * (normals @ _LIGHT).clip(0)
    canvas[seen.row, seen.column] = seen.between(bird.colours, FACES) * light[:, None]
    for eye in bird.eyes:
        _dot(canvas, _FINER * eye + (_FINER - 1) / 2, _FINER * bird.unit * 0.026)
    return to_bytes(canvas.reshape(SIZE, _FINER, SIZE, _FINER, 3).mean(axis=(1, 3)))


def _background(rng: np.random.Generator, bird: Bird) -> Floats:
    """Return colour blobs and the branch that the bird sits on, at `_FINER` times the size."""
    image = draw_backdrop(rng, _FINER * SIZE, _FINER * SIZE)
    if bird.perch is not None:
        _draw_branch(rng, ImageDraw.Draw(image), _FINER * bird.perch, _FINER * bird.unit)
    return np.asarray(image) / 255


def _draw_branch(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, perch: Floats, unit: float
) -> None:
    """Draw a branch across the picture, darker below than above."""
    (x, y), far = perch, _FINER * SIZE
    slope, width = rng.normal(0, 0.15), rng.uniform(0.06, 0.13) * unit
    bark = _BARK * rng.uniform(0.6, 1.3)
    for down, share, tone in ((0.5, 1.0, 0.75), (0.4, 0.7, 1.0), (0.25, 0.25, 1.25)):
        ends = [(end, y + down * width + slope * (end - x)) for end in (-far, 2 * far)]
        red, green, blue = to_bytes(tone * bark).tolist()
        pen.line(ends, fill=(red, green, blue), width=max(1, round(share * width)))


def _dot(canvas: Floats, place: Floats, radius: float) -> None:
    """Draw an eye with a highlight."""
    rows, columns = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    x, y = place
    canvas[(columns - x) ** 2 + (rows - y) ** 2 <= radius**2] = EYE
    canvas[(columns - x + radius / 3) ** 2 + (rows - y + radius / 3) ** 2 <= radius**2 / 9] = 0.9

"""Birds before weakly perspective cameras, distributed as those of CUB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.types import Bools, Floats, Mesh
from liftbench_datasets.adapting.frame_arrays import FrameArrays
from liftbench_datasets.cub.adapter import SKELETON
from liftbench_datasets.cub.synthetic.pictures import SIZE
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.shapes import POSE, draw_measures, draw_poses
from liftbench_datasets.cub.synthetic.surface import FACES, bird_surface
from liftbench_datasets.geometry.boxes import point_boxes
from liftbench_datasets.geometry.line_of_sight import orthographic_occlusion
from liftbench_datasets.geometry.viewpoints import viewpoint_rotations

# How far the surface must lie before a part to hide it, in lengths of the trunk. CUB annotates
# parts of a side where they are seen, and parts along the middle as long as their outline shows.
SIDE_SKIN, MIDDLE_SKIN = 0.04, 0.22
# Mean and spread in degrees. Source: CMR's cameras of CUB, which look at birds from the side and
# from before more often than from behind.
AZIMUTH, ELEVATION, ROLL_SPREAD = (75.0, 32.0), (4.0, 9.0), 3.0
# In pixels: the larger side of a bird's box, and the spread of its middle.
EXTENT, EXTENT_RANGE, PLACE_SPREAD = (195.0, 30.0), (110.0, 245.0), 8.0
NEAR_SHARE, NEAR, NEAR_SPREAD = 0.12, (1.15, 1.5), 24.0  # of pictures that cut off a bird

_SIDED = sorted(part for pair in SKELETON.left_right for part in pair)
_MIDDLE = sorted(set(range(len(VERTICES))) - set(_SIDED))


@dataclass(frozen=True)
class Views(FrameArrays):
    """F birds before the camera.

    Attributes:
        number: (F,) of the bird in the endless list of all birds.
        species: (F,) number of its species.
        measures: (F, M) see `shapes`.
        poses: (F, A) see `shapes`.
        turn: (F, 3, 3) rotation from the model frame to the camera's.
        scale: (F,) length of the trunk, pixels.
        shift: (F, 3) place of the middle of the trunk, pixels.
        points_3d: (F, 15, 3) pixels, with a mean depth of zero.
        visible: (F, 15) parts that neither the bird nor the edge of the picture hides.
        box: (F, 4) x, y, width and height of the bird within the picture.
    """

    number: NDArray[np.int64]
    species: NDArray[np.int64]
    measures: Floats
    poses: Floats
    turn: Floats
    scale: Floats
    shift: Floats
    points_3d: Floats
    visible: Bools
    box: Floats

    def mesh(self, frame: int) -> Mesh:
        """Return the surface of a bird in its model frame."""
        bird = slice(frame, frame + 1)
        return Mesh(bird_surface(self.measures[bird], self.poses[bird])[0], FACES)

    def picture_vertices(self, frame: int) -> Floats:
        """Return the vertices (V, 3) of a bird in the picture, pixels."""
        turned = self.mesh(frame).vertices @ self.turn[frame].T
        vertices: Floats = self.scale[frame] * turned + self.shift[frame]
        return vertices


def draw_views(rng: np.random.Generator, kinds: Floats, number: NDArray[np.int64]) -> Views:
    """Draw birds of species (S, M) before cameras, also those that show few parts."""
    species = rng.integers(len(kinds), size=len(number))
    measures, poses = draw_measures(rng, kinds[species]), draw_poses(rng, len(number))
    turn = _draw_turns(rng, poses[:, POSE.index("rise")])
    surface = bird_surface(measures, poses) @ turn.swapaxes(1, 2)
    clear = _clear(surface)
    scale, shift = _in_picture(rng, surface)
    surface = scale[:, None, None] * surface + shift[:, None]
    points = surface[:, VERTICES]
    low, high = -0.5, SIZE - 0.5
    inside = ((points[..., :2] > low) & (points[..., :2] < high)).all(axis=2)
    box = point_boxes(surface[..., :2].clip(low, high))
    return Views(number, species, measures, poses, turn, scale, shift, points, clear & inside, box)


def _draw_turns(rng: np.random.Generator, rise: Floats) -> Floats:
    """Return the rotations from the model frame to the camera frame, (F, 3, 3)."""
    azimuth = np.abs(rng.normal(*AZIMUTH, len(rise)))
    azimuth = np.where(azimuth > 180, 360 - azimuth, azimuth) * rng.choice([-1, 1], len(rise))
    elevation = rng.normal(*ELEVATION, len(rise))
    roll = rng.normal(0, ROLL_SPREAD, len(rise))
    risen = Rotation.from_euler("X", -rise[:, None], degrees=True).as_matrix()
    turns: Floats = viewpoint_rotations(azimuth, elevation, roll) @ risen
    return turns


def _clear(surface: Floats) -> Bools:
    """Return which parts (F, 15) a bird (F, V, 3) before the camera does not hide."""
    clear = np.empty((len(surface), len(VERTICES)), dtype=np.bool_)
    for parts, skin in ((_SIDED, SIDE_SKIN), (_MIDDLE, MIDDLE_SKIN)):
        clear[:, parts] = ~orthographic_occlusion(surface[:, VERTICES[parts]], surface, FACES, skin)
    return clear


def _in_picture(rng: np.random.Generator, surface: Floats) -> tuple[Floats, Floats]:
    """Return scale (F,) and shift (F, 3) that bring turned birds (F, V, 3) into their pictures."""
    frames = len(surface)
    near = rng.random(frames) < NEAR_SHARE
    extent = rng.normal(*EXTENT, frames).clip(*EXTENT_RANGE)
    extent *= np.where(near, rng.uniform(*NEAR, frames), 1)
    spread = np.where(near, NEAR_SPREAD, PLACE_SPREAD)[:, None]
    place = (SIZE - 1) / 2 + spread * rng.standard_normal((frames, 2))
    low, high = surface[..., :2].min(axis=1), surface[..., :2].max(axis=1)
    scale = extent / (high - low).max(axis=1)
    depth = surface[:, VERTICES, 2].mean(axis=1)
    middle = np.concatenate([(low + high) / 2, depth[:, None]], axis=1)
    return scale, np.pad(place, ((0, 0), (0, 1))) - scale[:, None] * middle

"""The measurement matrix W of the classical methods, and the way back to a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import Observations, Reconstruction
from liftbench.cameras import in_place
from liftbench.types import Bools, Floats

# Singular values below this share of the largest count as zero.
NO_VALUE = 1e-9


@dataclass(frozen=True, eq=False)
class Tracks:
    """The 2D points of F frames as a matrix, without their position and size.

    Attributes:
        rows: W, (2F, P): rows 2f and 2f+1 hold x and y of frame f, minus the mean of its visible
            points, divided by `size`; zero at hidden points.
        visible: which points are visible, (F, P).
        size: root mean square of the centred visible coordinates, in the unit of the image.
    """

    rows: Floats
    visible: Bools
    size: float

    @property
    def frames(self) -> int:
        """The number of frames F."""
        return len(self.visible)

    @property
    def points(self) -> int:
        """The number of points P."""
        return int(self.rows.shape[1])


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Shapes as combinations of atoms.

    Attributes:
        atoms: (K, P, 3), in the unit of `Tracks.rows`.
        codes: (F, K), the weights of the atoms.
    """

    atoms: Floats
    codes: Floats


@dataclass(frozen=True, eq=False)
class Factors:
    """The result of a classical method: W is the first two rows of each rotation times its shape.

    Attributes:
        rotation: (F, 3, 3), body to camera.
        shape: (F, P, 3) in the body's frame and the unit of `Tracks.rows`, at any position.
        dictionary: what the shapes are combined from; None where a method has no dictionary.
    """

    rotation: Floats
    shape: Floats
    dictionary: Dictionary | None = None


def tracks_of(observations: Observations) -> Tracks:
    """Return the measurement matrix of all frames.

    Raises:
        ValueError: a frame has no visible point, or the points of every frame coincide.
    """
    visible = observations.visible
    count = visible.sum(axis=1)
    if not count.all():
        raise ValueError(f"frame {int((count == 0).argmax())} has no visible point")
    points = np.where(visible[..., None], observations.points_2d, 0.0)
    centre = points.sum(axis=1) / count[:, None]
    offset = (points - centre[:, None]) * visible[..., None]
    size = float(np.sqrt(np.square(offset).sum() / (2 * visible.sum())))
    if size <= NO_VALUE * np.abs(points).max(initial=0.0):
        raise ValueError("the points of every frame coincide: there is no shape to reconstruct")
    return Tracks(matrix_of(offset / size), visible, size)


def reconstruction(observations: Observations, size: float, factors: Factors) -> Reconstruction:
    """Return the shapes in the camera's frame, moved in x and y onto the visible points.

    Shapes in the body's frame get the size of the image too. Depth keeps the method's zero.

    Args:
        observations: what the tracks were made from.
        size: `size` of the tracks.
        factors: what the method found for the tracks.
    """
    shape = factors.shape * size
    points_3d = in_place(shape @ factors.rotation.swapaxes(1, 2), observations)
    return Reconstruction(points_3d=points_3d, rotation=factors.rotation, canonical_3d=shape)


def matrix_of(points: Floats) -> Floats:
    """Return frames (F, P, D) as a matrix (DF, P): D rows for each frame."""
    matrix: Floats = points.swapaxes(1, 2).reshape(-1, points.shape[1])
    return matrix


def frames_of(matrix: Floats, coordinates: int) -> Floats:
    """Return the frames (F, P, D) of a matrix (DF, P), where D is `coordinates`."""
    frames: Floats = matrix.reshape(-1, coordinates, matrix.shape[1]).swapaxes(1, 2)
    return frames

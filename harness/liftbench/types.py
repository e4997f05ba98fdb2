"""The data of the harness: frozen dataclasses, checked when they are built.

The axis order is frame, point, coordinate everywhere. Arrays are made read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from liftbench.images import Images

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Camera = Literal["orthographic", "weak_perspective", "perspective"]
_SUM = 1e-6  # how far the sum of weights may be from 1
CAMERAS: tuple[Camera, ...] = get_args(Camera)


@dataclass(frozen=True)
class Skeleton:
    """Named points and the edges between them.

    Attributes:
        points: the name of each of the P points.
        edges: pairs of point indices.
        left_right: pairs of point indices that a mirror swaps.
        root: index of the root point.
    """

    points: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    left_right: tuple[tuple[int, int], ...] = ()
    root: int = 0

    def __post_init__(self) -> None:
        count = len(self.points)
        if len(set(self.points)) != count:
            raise ValueError("Skeleton.points: names repeat")
        used = {i for pair in (*self.edges, *self.left_right) for i in pair} | {self.root}
        if not all(0 <= i < count for i in used):
            raise ValueError(f"Skeleton: an index lies outside 0..{count - 1}")


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles.

    Attributes:
        vertices: (V, 3).
        faces: (N, 3) indices of vertices.
    """

    vertices: Floats
    faces: NDArray[np.int64]

    def __post_init__(self) -> None:
        vertices = _array(self, "vertices", np.float64, (None, 3))
        _finite(self, "vertices", vertices)
        _indices(self, "faces", _array(self, "faces", np.int64, (None, 3)), len(vertices))


@dataclass(frozen=True, eq=False)
class Template:
    """A surface of a category that methods may know; it is not the truth of any frame.

    Attributes:
        mesh: in the canonical frame of the category, in any unit.
        points: (P, V) weights that make each point of the skeleton from the vertices; each row has
            the sum 1.
    """

    mesh: Mesh
    points: Floats

    def __post_init__(self) -> None:
        points = _array(self, "points", np.float64, (None, len(self.mesh.vertices)))
        _finite(self, "points", points)
        if not np.allclose(points.sum(axis=1), 1, atol=_SUM):
            raise ValueError("Template.points: the weights of a point must have the sum 1")

    @property
    def points_3d(self) -> Floats:
        """The points of the skeleton on the mesh, (P, 3)."""
        places: Floats = self.points @ self.mesh.vertices
        return places


@dataclass(frozen=True, eq=False)
class Observations:
    """What a method may see: 2D points, never the 3D truth.

    Attributes:
        points_2d: (F, P, 2); hidden points are NaN, so that a method that reads them fails.
            Perspective points lie on the unit focal plane, others are in the data's length unit.
        visible: (F, P).
        sequence: (F,) integer id of the sequence that each frame belongs to; the frames of a
            sequence are adjacent and in the order of time. A frame without neighbours in time is a
            sequence by itself.
        camera: the model that made `points_2d`.
        skeleton: names and edges of the points.
        box: optional (F, 4) image box x, y, width, height, in the unit of `points_2d` and from
            their origin.
        images: optional images of the F frames, which are read on demand.
        pixel: optional (F,) size of a pixel in the unit of `points_2d`; None if the points do not
            come from images.
        origin: optional (F, 2) position in the image of the origin of `points_2d`, so that a point
            lies at `points_2d / pixel + origin`. Positions are pixels from the upper left corner
            of the image: the middle of its first pixel is at (0.5, 0.5).
        template: optional surface of the category of all frames.
    """

    points_2d: Floats
    visible: Bools
    sequence: NDArray[np.int64]
    camera: Camera
    skeleton: Skeleton
    box: Floats | None = None
    images: Images | None = None
    pixel: Floats | None = None
    origin: Floats | None = None
    template: Template | None = None

    def __post_init__(self) -> None:
        count = len(self.skeleton.points)
        points = _array(self, "points_2d", np.float64, (None, count, 2))
        frames = points.shape[0]
        visible = _array(self, "visible", np.bool_, (frames, count))
        _array(self, "sequence", np.int64, (frames,))
        if self.box is not None:
            _finite(self, "box", _array(self, "box", np.float64, (frames, 4)))
        if self.pixel is not None:
            _finite(self, "pixel", _array(self, "pixel", np.float64, (frames,)))
            if not (self.pixel > 0).all():
                raise ValueError("Observations.pixel: expected sizes above 0")
        if self.origin is not None:
            _finite(self, "origin", _array(self, "origin", np.float64, (frames, 2)))
        if self.images is not None and len(self.images) != frames:
            raise ValueError(
                f"Observations.images: expected {frames} images, got {len(self.images)}"
            )
        if self.template is not None and len(self.template.points) != count:
            raise ValueError(
                f"Observations.template: expected weights of {count} points, got "
                f"{len(self.template.points)}"
            )
        if self.camera not in CAMERAS:
            raise ValueError(f"Observations.camera: expected one of {CAMERAS}, got {self.camera!r}")
        shown = visible[..., None]
        if not np.where(shown, np.isfinite(points), np.isnan(points)).all():
            raise ValueError(
                "Observations.points_2d: visible points must be finite and hidden points NaN"
            )

    @property
    def frames(self) -> int:
        """The number of frames F."""
        return int(self.points_2d.shape[0])

    def take(self, frames: NDArray[np.int64]) -> Observations:
        """Return the frames with these indices, in their order."""
        return replace(
            self,
            points_2d=self.points_2d[frames],
            visible=self.visible[frames],
            sequence=self.sequence[frames],
            box=None if self.box is None else self.box[frames],
            images=None if self.images is None else self.images.take(frames),
            pixel=None if self.pixel is None else self.pixel[frames],
            origin=None if self.origin is None else self.origin[frames],
        )

    def in_pixels(self) -> Observations:
        """Return these observations with points and boxes as positions in their images.

        The camera is weakly perspective: with one scale per frame, the same as before.

        Raises:
            ValueError: `pixel` or `origin` is unknown.
        """
        if self.pixel is None or self.origin is None:
            raise ValueError("Observations.in_pixels: it needs `pixel` and `origin`")
        pixel, box = self.pixel[:, None], self.box
        return replace(
            self,
            points_2d=self.points_2d / pixel[:, None] + self.origin[:, None],
            box=None if box is None else box / pixel + np.pad(self.origin, ((0, 0), (0, 2))),
            pixel=np.ones_like(self.pixel),
            origin=np.zeros_like(self.origin),
            camera="weak_perspective",
        )


class Meshes(Protocol):
    """Meshes by index: a tuple, or an object that builds each mesh on demand."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Mesh: ...


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The true 3D points, which only scoring sees.

    Attributes:
        points_3d: (F, P, 3) in the camera's frame; z points away from the camera.
        unit: length unit of `points_3d`, such as `m`.
        group: (F,) name of the group of each frame (category, action, subject); protocols may
            average over groups.
        sequence: (F,) integer id of the sequence that each frame belongs to.
        mask: (F, P) points that count; None means all. A frame in which no point counts has no
            truth and no score.
        groups: names of all groups that a mean should cover; tables list the groups that have no
            frame. If empty, a mean covers the groups that occur.
        meshes: optional true surfaces in the canonical frame of their category.
        mesh: (F,) index into `meshes` for each frame; None without meshes.
        rotation: optional (F, 3, 3) rotations from the body's frame to the camera's frame.
    """

    points_3d: Floats
    unit: str
    group: NDArray[np.str_]
    sequence: NDArray[np.int64]
    mask: Bools | None = None
    groups: tuple[str, ...] = ()
    meshes: Meshes = ()
    mesh: NDArray[np.int64] | None = None
    rotation: Floats | None = None

    def __post_init__(self) -> None:
        points = _array(self, "points_3d", np.float64, (None, None, 3))
        _finite(self, "points_3d", points)
        frames, count = points.shape[:2]
        group = _array(self, "group", np.str_, (frames,))
        if self.groups and (others := set(group.tolist()) - set(self.groups)):
            raise ValueError(f"GroundTruth.group: '{min(others)}' is not one of `groups`")
        _array(self, "sequence", np.int64, (frames,))
        if self.mask is not None:
            _array(self, "mask", np.bool_, (frames, count))
        if self.mesh is not None:
            _indices(self, "mesh", _array(self, "mesh", np.int64, (frames,)), len(self.meshes))
        if self.rotation is not None:
            _finite(self, "rotation", _array(self, "rotation", np.float64, (frames, 3, 3)))

    def take(self, frames: NDArray[np.int64]) -> GroundTruth:
        """Return the truth of the frames with these indices, in their order."""
        optional = {"mask": self.mask, "mesh": self.mesh, "rotation": self.rotation}
        return replace(
            self,
            points_3d=self.points_3d[frames],
            group=self.group[frames],
            sequence=self.sequence[frames],
            **{name: value if value is None else value[frames] for name, value in optional.items()},  # type: ignore[arg-type]
        )


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What a method returns for F frames of P points.

    Attributes:
        points_3d: (F, P, 3) in the camera's frame.
        rotation: optional (F, 3, 3), canonical frame to camera frame.
        canonical_3d: optional (F, P, 3) in the canonical frame.
        points_2d: optional (F, P, 2) positions of the points in the image.
        visible: optional (F, P) predicted visibility.
        vertices: optional (F, V, 3) surface in the camera's frame; x and y are as in `points_2d`.
        canonical_vertices: optional (F, V, 3) surface in the canonical frame.
        faces: optional (N, 3) vertex indices of the triangles of both surfaces.
        colours: optional (F, V, 3) red, green and blue of each vertex, from 0 to 1.
    """

    points_3d: Floats
    rotation: Floats | None = None
    canonical_3d: Floats | None = None
    points_2d: Floats | None = None
    visible: Bools | None = None
    vertices: Floats | None = None
    canonical_vertices: Floats | None = None
    faces: NDArray[np.int64] | None = None
    colours: Floats | None = None

    def __post_init__(self) -> None:
        points = _array(self, "points_3d", np.float64, (None, None, 3))
        _finite(self, "points_3d", points)
        frames, count = points.shape[:2]
        shapes: dict[str, tuple[int | None, ...]] = {
            "rotation": (frames, 3, 3),
            "canonical_3d": (frames, count, 3),
            "points_2d": (frames, count, 2),
            "vertices": (frames, None, 3),
            "canonical_vertices": (frames, None, 3),
            "colours": (frames, None, 3),
        }
        for name, shape in shapes.items():
            if getattr(self, name) is not None:
                _finite(self, name, _array(self, name, np.float64, shape))
        if self.visible is not None:
            _array(self, "visible", np.bool_, (frames, count))
        if self.faces is not None:
            faces = _array(self, "faces", np.int64, (None, 3))
            for surface in (self.vertices, self.canonical_vertices):
                if surface is not None:
                    _indices(self, "faces", faces, surface.shape[1])
        if self.colours is not None:
            surface = self.canonical_vertices if self.vertices is None else self.vertices
            if surface is None or surface.shape[1] != self.colours.shape[1]:
                raise ValueError("Reconstruction.colours: expected one of each vertex of a surface")
            if self.colours.size and not 0 <= self.colours.min() <= self.colours.max() <= 1:
                raise ValueError("Reconstruction.colours: expected numbers from 0 to 1")


@dataclass(frozen=True, eq=False)
class Dataset:
    """One split of one subset of a dataset.

    Attributes:
        observations: what methods see.
        truth: what predictions are compared with; None if it is unknown: then predictions are kept
            without a score.
    """

    observations: Observations
    truth: GroundTruth | None

    def __post_init__(self) -> None:
        seen, true = self.observations, self.truth
        if true is None:
            return
        if seen.points_2d.shape[:2] != true.points_3d.shape[:2]:
            raise ValueError(
                f"Dataset: observations are {seen.points_2d.shape[:2]} frames and points, "
                f"truth is {true.points_3d.shape[:2]}"
            )
        if not np.array_equal(seen.sequence, true.sequence):
            raise ValueError("Dataset: observations and truth disagree on `sequence`")

    def take(self, frames: NDArray[np.int64]) -> Dataset:
        """Return the frames with these indices, in their order."""
        truth = self.truth and self.truth.take(frames)
        return Dataset(self.observations.take(frames), truth)


def _array(owner: object, name: str, dtype: DTypeLike, shape: Sequence[int | None]) -> NDArray[Any]:
    """Replace a field by a read-only array of `dtype` and check its shape (None: any length)."""
    value: ArrayLike = getattr(owner, name)
    label = f"{type(owner).__name__}.{name}"
    given = np.asarray(value)
    if given.dtype.kind not in _ACCEPTED[np.dtype(dtype).kind]:
        raise TypeError(f"{label}: expected {np.dtype(dtype).name} values, got {given.dtype}")
    array = given.astype(dtype, copy=_writable(given))
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{label}: expected shape ({expected}), got {array.shape}")
    array.flags.writeable = False
    object.__setattr__(owner, name, array)
    return array


def _writable(array: NDArray[Any]) -> bool:
    """Return whether the values can change: the base of a read-only view may be writable."""
    base = array.base
    return array.flags.writeable or (isinstance(base, np.ndarray) and base.flags.writeable)


def _finite(owner: object, name: str, array: Floats) -> None:
    bad = ~np.isfinite(array).all(axis=tuple(range(1, array.ndim)), keepdims=True)
    if bad.any():
        raise ValueError(
            f"{type(owner).__name__}.{name}: {int(bad.sum())} of {bad.size} frames hold NaN or "
            f"infinite values, first frame {int(bad.argmax())}"
        )


def _indices(owner: object, name: str, array: NDArray[np.int64], count: int) -> None:
    if array.size and not (array.min() >= 0 and array.max() < count):
        raise ValueError(f"{type(owner).__name__}.{name}: an index lies outside 0..{count - 1}")


# Kinds of arrays that a field accepts: integers become floats, never the other way round.
_ACCEPTED = {"f": "fiu", "b": "b", "i": "iu", "U": "U"}

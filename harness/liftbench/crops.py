"""Squares of pictures about boxes, decoded once and kept on disk for all processes.

Positions in a crop are counted like those in an image, in its own pixels from its upper left
corner: a crop reaches from 0 to N, and the middle of its first pixel is at (0.5, 0.5).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from PIL import Image

from liftbench.arrays import cache_folder, unwritable_cache
from liftbench.errors import DataMissingError, UserError
from liftbench.images import Images, open_image
from liftbench.types import Floats

FOLDER = "LIFTBENCH_CROPS"  # environment of a child process, which has no path of other caches
_VERSION = 1  # raise it when a crop's pixels change
_CHUNK = 64  # pictures in memory at once
_FARTHEST = 8  # a crop's edge in edges of its picture; more is a mistake and costs memory


@dataclass(frozen=True, eq=False)
class Crops:
    """The crops of F frames; an instance holds no pixels and can be copied and pickled.

    Attributes:
        file: where the pixels are.
        size: edge N of a crop in its own pixels.
        corner: (F, 2) position of the upper left corners in the images.
        edge: (F,) edges in pixels of the images.
    """

    file: Path
    size: int
    corner: Floats
    edge: Floats

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """A new read-only memory map (F, N, N, 3) of the crops; memory is freed with it."""
        pixels: NDArray[np.uint8] = np.load(self.file, "r", allow_pickle=False)
        return pixels

    def to_crop(self, positions: Floats) -> Floats:
        """Return where positions (F, P, 2) in the images lie in the crops."""
        scale = (self.size / self.edge)[:, None, None]
        moved: Floats = (positions - self.corner[:, None]) * scale
        return moved

    def to_image(self, positions: Floats) -> Floats:
        """Return where positions (F, P, 2) in the crops lie in the images."""
        scale = (self.edge / self.size)[:, None, None]
        moved: Floats = positions * scale + self.corner[:, None]
        return moved


def make_crops(
    images: Images, boxes: Floats | None, size: int, margin: float = 0.1, jobs: int = 1
) -> Crops:
    """Return the squares about boxes, resized to `size` pixels; black beyond the images.

    They are read from the cache if the same files were cropped alike before. Memory does not grow
    with the number of frames.

    Args:
        images: the images of F frames.
        boxes: (F, 4) x, y, width and height in pixels of the images, see
            `Observations.in_pixels`; None for the whole images.
        size: edge of a crop in its own pixels.
        margin: space left at each side of a box, in shares of its longer side.
        jobs: threads that read images.

    Raises:
        DataMissingError: images are not there; the message counts them and names the first.
        UserError: an image cannot be read, a box is empty or outside its image, or the cache
            cannot be written.
    """
    images = images.draw_all()
    if missing := [file for file in dict.fromkeys(images.files) if not Path(file).is_file()]:
        files = len(set(images.files))
        raise DataMissingError(f"{len(missing)} of {files} images are missing, first {missing[0]}")
    corner, edge = _squares(images, boxes, margin)
    crops = Crops(_cache_file(images, corner, edge, size), size, corner, edge)
    if not _is_whole(crops):
        if boxes is not None:
            _require_inside(images, boxes, edge)
        _write(crops, images, jobs)
    return crops


def crops_folder() -> Path:
    """Return the folder of all crops."""
    return Path(os.environ.get(FOLDER) or cache_folder() / "crops")


def _squares(images: Images, boxes: Floats | None, margin: float) -> tuple[Floats, Floats]:
    """Return corners (F, 2) and edges (F,) of the squares about boxes."""
    if boxes is None:
        whole = images.sizes().astype(np.float64)
        boxes, margin = np.concatenate([np.zeros_like(whole), whole], axis=1), 0.0
    empty = ~(boxes[:, 2:] > 0).all(axis=1)
    if empty.any():
        frame = int(empty.argmax())
        raise UserError(f"frame {frame}: its box is empty: {_box_text(boxes[frame])}")
    edge = (1 + 2 * margin) * boxes[:, 2:].max(axis=1)
    corner: Floats = boxes[:, :2] + boxes[:, 2:] / 2 - edge[:, None] / 2
    return corner, edge


def _require_inside(images: Images, boxes: Floats, edge: Floats) -> None:
    """Raise UserError if a box does not meet its image, or is far larger."""
    sizes = images.sizes()
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    outside = (low >= sizes).any(axis=1) | (high <= 0).any(axis=1)
    outside |= edge > _FARTHEST * sizes.max(axis=1)
    if outside.any():
        frame = int(outside.argmax())
        width, height = sizes[frame]
        raise UserError(
            f"frame {frame}: its box ({_box_text(boxes[frame])}) is not one of "
            f"{images.files[frame]}, which is {width} x {height} pixels"
        )


def _box_text(box: Floats) -> str:
    return "x {:g}, y {:g}, width {:g}, height {:g}".format(*box)


def _cache_file(images: Images, corner: Floats, edge: Floats, size: int) -> Path:
    """Return the file for these crops; its name is a digest of the identity of the images."""
    total = hashlib.sha256(f"{_VERSION} {size}\n".encode())
    for file in images.files:
        stat = Path(file).stat()
        total.update(f"{Path(file).absolute()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    total.update(corner.tobytes() + edge.tobytes())
    return crops_folder() / f"{total.hexdigest()}.npy"


def _is_whole(crops: Crops) -> bool:
    """Return whether the file holds all crops; one that is cut or damaged is written anew."""
    try:
        pixels = crops.pixels
    except (OSError, ValueError, EOFError):
        return False
    return pixels.shape == (len(crops.edge), crops.size, crops.size, 3) and pixels.dtype == np.uint8


def _write(crops: Crops, images: Images, jobs: int) -> None:
    """Write all crops to a file of another name, then rename it: other processes may do the same.

    Raises:
        UserError: an image cannot be read, or the cache cannot be written.
    """
    with _new_file(crops.file) as handle, os.fdopen(handle, "wb") as stream:
        shape = (len(crops.edge), crops.size, crops.size, 3)
        head = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, head)
        for part in _read(crops, images, jobs):
            stream.write(part.tobytes())


def _read(crops: Crops, images: Images, jobs: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the crop (N, N, 3) of each frame in their order; a few are in memory at once."""
    frames = range(len(crops.edge))
    with Parallel(jobs, backend="threading") as parallel:
        for start in range(0, len(frames), _CHUNK):
            chunk = frames[start : start + _CHUNK]
            yield from parallel(
                delayed(_crop)(images.files[i], crops.corner[i], float(crops.edge[i]), crops.size)
                for i in chunk
            )


def _crop(file: str, corner: Floats, edge: float, size: int) -> NDArray[np.uint8]:
    """Return a square of an image, resized with antialiasing."""
    low = np.floor(corner).astype(int)
    high = np.ceil(corner + edge).astype(int)
    x, y = (corner - low).tolist()
    with open_image(file) as image:
        part = image.convert("RGB").crop((low[0], low[1], high[0], high[1]))
        square = (x, y, x + edge, y + edge)
        return np.asarray(part.resize((size, size), Image.Resampling.BILINEAR, square))


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[int]:
    """Yield the handle of a new file that becomes `path` at the end, unless an error ends it."""
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        yield handle
        Path(name).replace(path)
    except OSError as error:
        raise unwritable_cache(path, error) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)

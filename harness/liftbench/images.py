"""Images of frames, each read from its file on demand."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from liftbench.errors import DataMissingError, UserError

MOST_PIXELS = 89_478_485  # of an image; beyond this PIL warns of decompression bombs
_SOME = 8  # files; fewer are drawn sooner than other processes start
_DRAWING = Lock()  # runs that start at once want the same pictures
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, UnidentifiedImageError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)


@dataclass(frozen=True)
class Images:
    """The image files of F frames.

    Attributes:
        files: F paths.
        masks: F paths of masks, images that are black outside the object; None without masks.
        draw: function that writes the files of a frame, given its index; None if all files exist.
    """

    files: tuple[str, ...]
    masks: tuple[str, ...] | None = None
    draw: Callable[[int], None] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.masks is not None and len(self.masks) != len(self.files):
            raise ValueError(f"Images: {len(self.files)} files and {len(self.masks)} masks")

    def __len__(self) -> int:
        return len(self.files)

    def take(self, frames: NDArray[np.int64]) -> Images:
        """Return the images of these frames, in their order."""
        masks = None if self.masks is None else tuple(self.masks[i] for i in frames)
        draw = self.draw and partial(_draw_by_old_index, self.draw, frames.tolist())
        return Images(tuple(self.files[i] for i in frames), masks, draw)

    def image(self, frame: int) -> NDArray[np.uint8]:
        """Return the image of a frame, (height, width, 3) from 0 to 255.

        Raises:
            DataMissingError: the file is not there.
            UserError: the file is not an image.
        """
        self._ensure_drawn(frame, self.files)
        return _pixels(self.files[frame], "RGB")

    def mask(self, frame: int) -> NDArray[np.bool_]:
        """Return the mask (height, width) of a frame: True where its image shows the object.

        Raises:
            DataMissingError: the file is not there.
            UserError: the file is not an image, it has another size than the image, or there are
                no masks.
        """
        if self.masks is None:
            raise UserError("these images have no masks")
        self._ensure_drawn(frame, self.masks)
        pixels = _pixels(self.masks[frame], "L")
        if Path(self.files[frame]).is_file():
            _require_size(self.masks[frame], pixels.shape[::-1], self.files[frame])
        return pixels > 0

    def sizes(self) -> NDArray[np.int64]:
        """Return the width and height of each image, (F, 2), from the heads of the files.

        Raises:
            DataMissingError: a file is not there.
            UserError: a file is not an image.
        """
        return np.array([_size(file) for file in self.files], dtype=np.int64).reshape(-1, 2)

    def missing(self) -> list[str]:
        """Return the files, also those of masks, that are not there; none if they are drawn."""
        promised = () if self.draw else dict.fromkeys((*self.files, *(self.masks or ())))
        return [file for file in promised if not Path(file).is_file()]

    def draw_all(self, jobs: int | None = None) -> Images:
        """Draw all missing files and return images that another process can read.

        Args:
            jobs: processes that draw; None for one on each processor.
        """
        if self.draw is None:
            return self
        with _DRAWING:
            frames = self._not_drawn()
            jobs = 1 if len(frames) < _SOME else jobs or os.cpu_count() or 1
            if jobs == 1:
                _draw_each(self.draw, frames)
            else:
                parts = [frames[start::jobs] for start in range(jobs)]
                tasks = [delayed(_draw_each)(self.draw, part) for part in parts]
                # In the threads that joblib runs methods in, it starts threads, no processes.
                with ThreadPoolExecutor(1) as thread:
                    thread.submit(lambda: Parallel(jobs)(tasks)).result()
        return replace(self, draw=None)

    def _not_drawn(self) -> list[int]:
        lists = (self.files, self.masks) if self.masks else (self.files,)
        return [
            frame
            for frame, files in enumerate(zip(*lists, strict=True))
            if not all(Path(file).is_file() for file in files)
        ]

    def _ensure_drawn(self, frame: int, files: Sequence[str]) -> None:
        if self.draw is not None and not Path(files[frame]).is_file():
            self.draw(frame)


def _draw_each(draw: Callable[[int], None], frames: Sequence[int]) -> None:
    for frame in frames:
        draw(frame)


def _require_size(mask: str, size: tuple[int, ...], file: str) -> None:
    """Raise UserError unless an image has the size of its mask."""
    expected = _size(file)
    if size != expected:
        found, wanted = ("{} x {}".format(*pixels) for pixels in (size, expected))
        raise UserError(f"{mask}: expected a mask of {wanted} pixels as {file} has, got {found}")


def _draw_by_old_index(draw: Callable[[int], None], numbers: Sequence[int], frame: int) -> None:
    """Draw a frame by the index that it had before `Images.take`."""
    draw(numbers[frame])


def _size(file: str) -> tuple[int, int]:
    with open_image(file) as image:
        return image.size


def _pixels(file: str, mode: str) -> NDArray[Any]:
    with open_image(file) as image:
        return np.asarray(image.convert(mode))


@contextlib.contextmanager
def open_image(file: str) -> Iterator[Image.Image]:
    """Open an image; any fault of the file, also one found while reading, is one line.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is not an image, is cut short, or is larger than PIL thinks safe.
    """
    path = Path(file)
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            yield image
    except FileNotFoundError as error:
        raise DataMissingError(f"{path}: no such image") from error
    except _DAMAGE as error:
        raise UserError(f"{path}: expected an image: {error}") from error

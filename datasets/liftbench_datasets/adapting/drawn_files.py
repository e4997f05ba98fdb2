"""Files of pictures that generated datasets draw into the cache."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from liftbench.arrays import unwritable_cache
from liftbench.files import write_atomic


def picture_files(folder: Path, numbers: Iterable[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files of pictures and of their masks, which need not exist yet."""
    stems = [str(folder / f"{number:06}") for number in numbers]
    return tuple(f"{stem}.png" for stem in stems), tuple(f"{stem}_mask.png" for stem in stems)


def write_drawing(file: str, pixels: NDArray[Any], **options: Any) -> None:  # noqa: ANN401 PIL's
    """Write a picture, whole or not at all.

    Args:
        file: its path; the ending says the format.
        pixels: (H, W) or (H, W, 3).
        options: of the format, as PIL's `Image.save` has them.

    Raises:
        UserError: the file cannot be written.
    """
    path, content = Path(file), io.BytesIO()
    Image.fromarray(pixels).save(content, path.suffix[1:], **options)
    try:
        write_atomic(path, content.getvalue())
    except OSError as error:
        raise unwritable_cache(path, error) from error

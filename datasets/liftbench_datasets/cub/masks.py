"""CMR's masks of birds, unpacked once into image files in the cache."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from liftbench.arrays import cache_folder, unwritable_cache
from liftbench.files import checksum
from liftbench_datasets.cub.cmr import as_list
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors

_NAME = "{:05d}.png"


def unpack_masks(path: Path, count: int) -> tuple[str, ...]:
    """Unpack the masks of `<split>_cub_cleaned.mat` and return their files, one per bird.

    They lie in the cache, in a folder named by the checksum of the file. The folder appears only
    when all masks are written.

    Args:
        path: the file.
        count: number of its birds.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged, or the cache cannot be written.
    """
    folder = cache_folder() / "masks" / "cub" / checksum([path])
    if not folder.is_dir():
        _unpack(path, count, folder)
    return tuple(str(folder / _NAME.format(i)) for i in range(count))


def _unpack(path: Path, count: int, folder: Path) -> None:
    masks = as_list(read_mat(path, "images")["images"].get("mask"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError as error:
        raise unwritable_cache(folder, error) from error
    try:
        with one_line_errors(path, "a struct array 'images' whose entries have a mask"):
            if len(masks) != count:
                raise ValueError(f"{len(masks)} masks of {count} birds")
            for i, mask in enumerate(masks):
                _save(np.asarray(mask), unfinished / _NAME.format(i))
        if not folder.is_dir():
            unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _save(mask: NDArray[Any], path: Path) -> None:
    if mask.ndim != 2 or mask.dtype.kind not in "bui" or not mask.size:
        raise ValueError("a 'mask' is not an image of numbers")
    Image.fromarray(mask > 0).save(path)

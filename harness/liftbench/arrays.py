"""Named arrays as `.npz` files that never hold pickled objects."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from liftbench.errors import UserError
from liftbench.files import write_atomic

Arrays = dict[str, NDArray[Any]]

# The record at the end of a zip file that has no comment.
_END_BYTES = 22
# Exceptions that zipfile and numpy raise for damaged bytes.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, RuntimeError, ValueError)


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write `arrays` to `path`, whole or not at all.

    Raises:
        ValueError: an array holds Python objects.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{path}: array '{name}' holds Python objects")
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy 2.0 has no allow_pickle
    write_atomic(path, buffer.getbuffer().tobytes())


def load_arrays(path: Path) -> Arrays:
    """Read the arrays that `save_arrays` wrote.

    Raises:
        ValueError: the file is damaged or holds pickled objects.
    """
    with path.open("rb") as stream:
        try:
            entries = _entries(stream)
            with np.lib.npyio.NpzFile(stream, allow_pickle=False) as stored:
                # A damaged directory may end early; zipfile takes that for its end.
                if len(stored.files) != entries:
                    raise zipfile.BadZipFile(f"{len(stored.files)} of {entries} arrays")
                return {name: stored[name] for name in stored.files}
        except _DAMAGE as error:
            raise ValueError(f"{path}: not a whole .npz file: {error}") from error


def _entries(stream: BinaryIO) -> int:
    """Return the number of entries that a zip file without a comment states at its end."""
    stream.seek(-_END_BYTES, os.SEEK_END)
    entries = int.from_bytes(stream.read()[10:12], "little")
    stream.seek(0)
    return entries


def cache_arrays(kind: str, checksum: str, build: Callable[[], Arrays]) -> Arrays:
    """Return the arrays that `build` makes, from the cache on disk if they are there.

    They are stored in `cache_folder` under `kind` and `checksum`, the checksum of the files that
    `build` reads. A damaged or unwritable cache costs time, never the result.
    """
    path = cache_folder() / "parsed" / kind / f"{checksum}.npz"
    try:
        return load_arrays(path)
    except (OSError, ValueError):
        arrays = build()
    with contextlib.suppress(OSError):
        save_arrays(path, arrays)
    return arrays


def cache_folder() -> Path:
    """Return `$LIFTBENCH_CACHE`, or `liftbench` in the user's cache folder."""
    if folder := os.environ.get("LIFTBENCH_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "liftbench"


def unwritable_cache(path: Path, error: OSError) -> UserError:
    """Return the error for a file or folder of the cache that cannot be written."""
    return UserError(f"{path}: cannot be written, set LIFTBENCH_CACHE: {error}")

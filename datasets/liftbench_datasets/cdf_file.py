"""Reader of NASA's Common Data Format that a hostile file cannot make large or endless."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import cdflib
import numpy as np
from numpy.typing import NDArray

from liftbench_datasets.guarded import guarded

_GREATEST_RATIO = 1100  # deflate cannot do better, so that a file cannot ask for more than this
_WIDEST = 16  # bytes of a value
_MOST_READS = 100_000
_HEADERS = 100_000  # bytes of records that are read again and again, however short the file


def read_cdf(path: Path, variable: str) -> NDArray[Any]:
    """Return a variable of a .cdf file, with its records first.

    Raises:
        DataMissingError: the file is not there.
        UserError: it is damaged, lacks the variable or claims more than it can hold.
    """
    with guarded(path, f"a CDF file with a variable '{variable}'"):
        size = path.stat().st_size
        file: Any = cdflib.CDF(path)
        file._f = _Meter(file._f, 4 * size + _HEADERS)
        found = file.vdr_info(variable)
        values = np.prod(found.dim_sizes, dtype=object) * (found.max_rec + 1) * found.num_elements
        if not 0 <= values * _WIDEST <= _GREATEST_RATIO * size:
            raise ValueError(f"it claims {values} values in {size} bytes")
        return np.asarray(file.varget(variable))


class _Meter:
    """A file that ends the loops in which cdflib follows whatever counts and links it claims."""

    def __init__(self, stream: BinaryIO, bytes_left: int) -> None:
        self._stream = stream
        self._bytes_left = bytes_left
        self._reads_left = _MOST_READS

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place."""
        return self._stream.seek(offset, whence)

    def read(self, size: int) -> bytes:
        """Read, as long as that is less than any whole file needs.

        Raises:
            ValueError: it is more.
        """
        content = self._stream.read(size)
        self._reads_left -= 1
        self._bytes_left -= len(content)
        if min(self._reads_left, self._bytes_left) < 0:
            raise ValueError("its records refer to each other without end")
        return content

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

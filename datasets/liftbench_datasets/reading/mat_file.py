"""Reader of MATLAB files of every version, as plain dicts, lists and arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pymatreader

from liftbench_datasets.reading.mat_checks import check_content
from liftbench_datasets.reading.one_line_errors import one_line_errors

_GREATEST_RATIO = 1100  # deflate cannot compress better, so no intact array exceeds it


def read_mat(path: Path, *variables: str) -> dict[str, Any]:
    """Return the variables of a .mat file of version 4 to 7.3.

    A struct becomes a dict, an array of structs a dict of lists, a cell array a list, a vector a
    1-D array, and a 1x1 array a number.

    Args:
        path: the file.
        variables: names of the variables to read, which must be there; without names, all are read.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is damaged or lacks a variable.
    """
    with one_line_errors(path, "a MATLAB file"):
        if h5py.is_hdf5(path):
            _refuse_oversized(path)
        else:
            check_content(path.read_bytes())
        content = pymatreader.read_mat(str(path), variable_names=variables or None)
        missing = [name for name in variables if name not in content]
        if missing:
            raise KeyError(f"no variable '{missing[0]}'")
    return {name: value for name, value in content.items() if not name.startswith("__")}


def _refuse_oversized(path: Path) -> None:
    """Raise if an array claims more bytes than its file can hold: HDF5 would return fill values."""
    greatest = _GREATEST_RATIO * path.stat().st_size

    def check(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.nbytes > greatest:
            raise ValueError(f"'{name}' claims {item.nbytes} bytes in a file of far fewer")

    with h5py.File(path) as file:
        file.visititems(check)

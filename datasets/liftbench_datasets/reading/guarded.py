"""Reading of files that anybody may have written: all damage is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.errors import DataMissingError, UserError
from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import GREATEST


@contextmanager
def guarded(path: Path, expected: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a `UserError` that names it.

    Readers of others raise nearly anything on damaged bytes, so nothing less than every
    exception is caught; the block should hold the reading and the checks of what was read.

    Args:
        path: the file.
        expected: what it should hold, such as `the poses of an image`.

    Raises:
        DataMissingError: the file is not there.
        UserError: it cannot be read as what was expected.
    """
    if not path.is_file():
        raise DataMissingError(f"{path}: not found, expected {expected}")
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{path}: expected {expected}: {reason}") from error


def finite_numbers(value: Any, name: str, shape: tuple[int, ...]) -> Floats:  # noqa: ANN401 from a file
    """Return numbers of a shape, none beyond `GREATEST`; -1 stands for any length.

    Raises:
        ValueError: they are something else.
    """
    array = np.asarray(value)
    fits = array.ndim == len(shape) and all(
        want in (-1, have) for want, have in zip(shape, array.shape, strict=True)
    )
    numbers = fits and array.dtype.kind in "fiu"
    # As float64, for the least integer has no absolute value among integers.
    if not numbers or not (np.abs(array.astype(np.float64)) <= GREATEST).all():
        wanted = " x ".join("n" if length < 0 else str(length) for length in shape)
        raise ValueError(f"'{name}' is not {wanted} finite numbers up to {GREATEST:g}")
    return array.astype(np.float64)

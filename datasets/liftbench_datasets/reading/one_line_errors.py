"""Reading of files that anybody may have written: any damage becomes a one-line error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liftbench.errors import DataMissingError, UserError


@contextmanager
def one_line_errors(path: Path, expected: str) -> Iterator[None]:
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

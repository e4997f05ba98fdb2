"""One-line errors for untrusted files, whatever the damage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liftbench.errors import DataMissingError, UserError


@contextmanager
def one_line_errors(path: Path, expected: str) -> Iterator[None]:
    """Turn any exception while a file is read into a `UserError` that names the file.

    Third-party readers raise almost any exception on damaged bytes, so all are caught. The block
    should read the file and check its content.

    Args:
        path: the file.
        expected: what it should hold, such as `the poses of an image`.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file does not hold what was expected.
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

"""Numbers that papers print, read from CSV files with one number per row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from liftbench.errors import UserError

COLUMNS = (
    *("paper", "table", "dataset", "subset", "split", "setting"),
    *("method", "metric", "unit", "value", "std", "note"),
)

SENTENCES = "text"  # in place of a table's name, for a number that stands in a sentence


@dataclass(frozen=True)
class PublishedNumber:
    """One printed number; `source` names its paper and table.

    `decimals` is how many digits it is printed with after the point, which floats do not keep.
    """

    paper: str
    table: str
    dataset: str
    subset: str
    split: str
    setting: str
    method: str
    metric: str
    unit: str
    value: float
    std: float | None
    note: str
    decimals: int

    @property
    def source(self) -> str:
        """Paper and table."""
        return f"{self.paper} {self.table}"

    @property
    def text(self) -> str:
        """The value as it is printed."""
        return f"{self.value:.{self.decimals}f}"


def read_published(paths: Iterable[Path]) -> tuple[PublishedNumber, ...]:
    """Read all numbers of the files.

    Raises:
        UserError: a file cannot be read, columns are not as expected, or a value is not a finite
            number; the message names the line.
    """
    return tuple(number for path in paths for number in _read(path))


def _read(path: Path) -> list[PublishedNumber]:
    try:
        content = path.read_bytes()
        lines = content.decode().splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path} line {line}: a byte is not UTF-8") from error
    rows = csv.reader(lines, strict=True)
    try:
        if tuple(next(rows, ())) != COLUMNS:
            raise UserError(f"{path} line 1: expected columns {','.join(COLUMNS)}")
        return [_number(row) for row in rows if row]
    except (csv.Error, ValueError) as error:
        raise UserError(f"{path} line {rows.line_num}: {error}") from error


def _number(fields: Sequence[str]) -> PublishedNumber:
    if len(fields) != len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} fields, got {len(fields)}")
    row = dict(zip(COLUMNS, fields, strict=True))
    value, std = row.pop("value"), row.pop("std")
    return PublishedNumber(
        **row,
        value=_finite(value),
        std=_finite(std) if std else None,
        decimals=_decimals(value),
    )


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"'{word}' is not a finite number")
    return number


def _decimals(word: str) -> int:
    exponent = Decimal(word).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0

"""Numbers that papers print, read from CSV files with one number a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from liftbench.errors import UserError

COLUMNS = (
    *("paper", "table", "dataset", "subset", "split", "setting"),
    *("method", "metric", "unit", "value", "std", "note"),
)


@dataclass(frozen=True)
class PublishedNumber:
    """One printed number; `source` says where it stands."""

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

    @property
    def source(self) -> str:
        """Paper and table."""
        return f"{self.paper} {self.table}"


def read_published(paths: Iterable[Path]) -> tuple[PublishedNumber, ...]:
    """Read all numbers of the files.

    Raises:
        UserError: columns are not as expected, or a value is not a number.
    """
    return tuple(number for path in paths for number in _read(path))


def _read(path: Path) -> list[PublishedNumber]:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if tuple(frame.columns) != COLUMNS:
        raise UserError(f"{path} line 1: expected columns {','.join(COLUMNS)}")
    numbers = []
    for line, values in enumerate(frame.itertuples(index=False), start=2):
        row = dict(zip(COLUMNS, map(str, values), strict=True))
        try:
            value = float(row.pop("value"))
            std = row.pop("std")
            numbers.append(PublishedNumber(**row, value=value, std=float(std) if std else None))
        except ValueError as error:
            raise UserError(f"{path} line {line}: {error}") from error
    return numbers

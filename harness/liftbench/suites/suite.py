"""Suites: YAML files that say which methods meet which data under which protocol."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from liftbench.errors import UserError, require_known, unknown_name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteData(_Strict):
    """Subsets of one dataset, each a column of the table.

    Attributes:
        dataset: key of the dataset.
        subsets: names of its subsets.
        params: parameters of the adapter.
        corruption: parameters of each corruption by its key, applied in this order.
        setting: distinguishes these columns from others; the suite's setting if left out.
        fit: the split that methods learn from.
        fit_subset: the subset that methods learn from, if it is not that of the column.
        evaluate: the splits that methods predict.
        seeds: number of seeds to run; the table shows means over them.
        methods: the rows that these columns have, beside the baselines; all rows if left out.
    """

    dataset: str
    subsets: tuple[str, ...] = Field(min_length=1)
    params: dict[str, Any] = {}
    corruption: dict[str, dict[str, Any]] = {}
    setting: str | None = None
    fit: str
    fit_subset: str | None = None
    evaluate: tuple[str, ...] = Field(min_length=1)
    seeds: Annotated[int, Field(ge=1)] = 1
    methods: Annotated[tuple[str, ...], Field(min_length=1)] | None = None


class SuiteExtra(_Strict):
    """A second data set, whose 2D points and images a row learns from beside its column's data.

    Attributes:
        dataset: key of the dataset.
        subset: name of its subset.
        params: parameters of the adapter.
        split: the split that the row learns from.
    """

    dataset: str
    subset: str
    params: dict[str, Any] = {}
    split: str


class SuiteMethod(_Strict):
    """A row of the table: a plugin's method and its parameters.

    Attributes:
        plugin: key of the method's spec; the row's own key if left out.
        params: parameters that differ from the defaults.
        extra: a second data set to learn from.
    """

    plugin: str | None = None
    params: dict[str, Any] = {}
    extra: SuiteExtra | None = None


class PrintedRow(_Strict):
    """The method and the setting of printed numbers, as in the CSV files.

    `settings` has further ones, whose numbers stand in the same row.
    """

    method: str
    setting: str
    settings: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Method and setting of all its numbers."""
        return tuple((self.method, setting) for setting in (self.setting, *self.settings))


class SuitePublished(_Strict):
    """A published table that the suite repeats.

    Attributes:
        paper: as in the CSV files.
        table: as in the CSV files.
        only: a part that the printed settings of these numbers have, such as `part=total`, for a
            table whose settings also say what is measured; all its numbers if left out.
        datasets: printed dataset to the suite's dataset, where they differ.
        splits: printed split to the suite's split, where they differ.
        settings: printed setting to the suite's setting, where they differ.
        methods: printed method key to the suite's method key, where they differ.
        metrics: printed metric to the suite's protocol, where they differ.
        rows: the suite's method key to the printed method and setting, where a printed setting
            names a row here, such as the weight of a loss. These numbers go to the columns with
            the suite's setting, unless `settings` has another one for theirs.
    """

    paper: str
    table: str
    only: str = ""
    datasets: dict[str, str] = {}
    splits: dict[str, str] = {}
    settings: dict[str, str] = {}
    methods: dict[str, str] = {}
    metrics: dict[str, str] = {}
    rows: dict[str, PrintedRow] = {}

    @model_validator(mode="after")
    def _has_each_printed_row_once(self) -> SuitePublished:
        first: dict[tuple[str, str], str] = {}
        for row, key in ((row, key) for row, printed in self.rows.items() for key in printed.keys):
            if (other := first.setdefault(key, row)) != row:
                raise ValueError(
                    f"rows: '{other}' and '{row}' have the same printed numbers; keep one"
                )
        return self


class Limits(_Strict):
    """What one run may take: seconds of wall clock and GiB of memory."""

    seconds: Annotated[float, Field(gt=0)] = 3600.0
    memory_gib: Annotated[float, Field(gt=0)] = 8.0


class Suite(_Strict):
    """A suite asks for one table: methods as rows, subsets under settings as columns.

    Attributes:
        name: stem of the suite's file.
        title: the heading of the table.
        protocol: the protocol of the table's numbers.
        also: further protocols, each with its own table.
        setting: the setting of all columns whose data names none.
        data: the columns.
        methods: the rows; empty if no method here predicts what the printed table measures, so that
            the printed numbers stand alone.
        published: the printed tables that the suite repeats.
        limits: the limits on the time and memory of each run.
        device: where methods compute unless a command says another one.
        sweep: grids of severities; each column is run at every combination of each grid. A grid
            maps the key of each corruption to its parameters, with a list of values for its
            severity. The key `data` maps parameters of the adapter to lists of values.
        notes: sentences for readers of the table.
    """

    name: str
    title: str
    protocol: str
    also: tuple[str, ...] = ()
    setting: str = ""
    data: tuple[SuiteData, ...] = Field(min_length=1)
    methods: dict[str, SuiteMethod]
    published: tuple[SuitePublished, ...] = ()
    limits: Limits = Limits()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    sweep: tuple[Annotated[dict[str, dict[str, Any]], Field(min_length=1)], ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_rows(self) -> Suite:
        if not self.methods and not self.published:
            raise ValueError("methods: expected at least one, or a published table")
        return self

    @model_validator(mode="after")
    def _has_every_row_that_it_names(self) -> Suite:
        named = [(f"data.{i}.methods", data.methods or ()) for i, data in enumerate(self.data)]
        named += [(f"published.{i}.rows", tuple(p.rows)) for i, p in enumerate(self.published)]
        for place, rows in named:
            for row in rows:
                if row not in self.methods:
                    raise ValueError(f"{place}: {unknown_name('method', row, self.methods)}")
        return self

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names of all protocols, the main one first."""
        return (self.protocol, *self.also)


def read_suite(path: Path) -> Suite:
    """Read and check a suite; its name is the file's stem.

    Raises:
        UserError: the file is not a YAML mapping, or a key or value is not as expected.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a mapping with the keys of a suite")
    for key in content:
        if not isinstance(key, str):
            raise UserError(f"{path}: expected text as the name of a key, got {key!r}")
    if "name" in content:
        raise UserError(f"{path}: a suite is named by its file; remove the key 'name'")
    try:
        return Suite(name=path.stem, **content)
    except ValidationError as error:
        raise _first_problem(path, error) from error


def make_params(owner: str, params_type: type, given: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the parameter dataclass filled with `given` over its defaults.

    Raises:
        UserError: a name is unknown or a value is refused; `owner` says whose parameters.
    """
    known = [f.name for f in fields(params_type)]
    for name in given:
        require_known(f"parameter of {owner}", name, known)
    for name, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{owner}: {name}: expected a finite number, got {value}")
    try:
        return _validator(params_type).validate_python(given)
    except ValidationError as error:
        problem = error.errors()[0]
        place = "".join(f" {step}:" for step in problem["loc"])
        raise UserError(f"{owner}:{place} {_one_line(problem['msg'])}") from error


@cache
def _validator(params_type: type) -> TypeAdapter[Any]:
    """Return the validator of a parameter dataclass; to build one takes milliseconds."""
    return TypeAdapter(params_type)


def _first_problem(path: Path, error: ValidationError) -> UserError:
    # pydantic may report a misspelt key as a missing one too; the misspelling helps more.
    problem = min(error.errors(), key=lambda p: p["type"] != "extra_forbidden")
    place = [str(step) for step in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        wrong = unknown_name("key", place[-1], _keys_beside(place))
        return UserError(f"{path}: {'.'.join(place)}: {wrong}")
    return UserError(
        ": ".join(filter(None, [str(path), ".".join(place), _one_line(problem["msg"])]))
    )


def _one_line(message: str) -> str:
    """Return a message of pydantic on one line, without its prefix of our own messages."""
    return " ".join(message.removeprefix("Value error, ").split())


def _keys_beside(place: list[str]) -> list[str]:
    """Return the known keys at the place of an unknown one."""
    models: dict[str, type[BaseModel]] = {
        "data": SuiteData,
        "methods": SuiteMethod,
        "published": SuitePublished,
        "limits": Limits,
    }
    inner: dict[str, type[BaseModel]] = {"extra": SuiteExtra, "rows": PrintedRow}
    model = models.get(place[0], Suite) if len(place) > 1 else Suite
    if len(place) > 3:
        model = inner.get(place[2], model)
    return [name for name in model.model_fields if (model, name) != (Suite, "name")]

"""Grids of severities: the columns of a suite, corrupted at every combination of their axes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.plugin.registry import Registry
from liftbench.suites.suite import Suite, SuiteData, make_params

OF_DATA = "data"  # in place of a corruption's key where a parameter of the data varies
Index = tuple[int, ...]
_STAGE_NAMES = {"fit": "train", "predict": "test"}
_STAGES = {"fit": "only learned from", "predict": "only predicted from"}


@dataclass(frozen=True)
class Axis:
    """Severities of one corruption, or values of one parameter of the data.

    Attributes:
        key: the key of the corruption, or `OF_DATA`.
        parameter: the parameter that varies.
        values: its values: the clean one first, the others by their distance from it.
        title: the title in tables and figures.
        unit: the unit of the values; `%` means that they are shares.
        fixed: further parameters of the corruption.
        stage: the only stage that sees the corruption if it leaves a choice; else empty.
        last: whether it drops frames: then it follows the corruptions that draw for every frame.
    """

    key: str
    parameter: str
    values: tuple[Any, ...]
    title: str
    unit: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    stage: str = ""
    last: bool = False

    @property
    def name(self) -> str:
        """Name of the corruption or the parameter, with its stage if it has one: `test_noise`."""
        name = self.parameter if self.key == OF_DATA else self.key
        return f"{_STAGE_NAMES[self.stage]}_{name}" if self.stage else name

    @property
    def name_and_unit(self) -> str:
        """The name with the unit of the values, such as `noise (px)`."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The values as text without their unit."""
        return tuple(map(self._label, self.values))

    @property
    def severities(self) -> tuple[float, ...]:
        """How far each value is from the clean one."""
        first = self.values[0]
        if all(_is_number(value) for value in self.values):
            return tuple(abs(value - first) for value in self.values)
        return tuple(float(i) for i in range(len(self.values)))

    @property
    def heading(self) -> str:
        """The title with the unit, and the stage if only one sees the corruption."""
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.title}{unit}" + (f", {_STAGES[self.stage]}" if self.stage else "")

    def _label(self, value: object) -> str:
        if not _is_number(value):
            return str(value).lower() if isinstance(value, bool) else str(value)
        return f"{100 * value if self.unit == '%' else value:g}"  # type: ignore[operator]


@dataclass(frozen=True)
class Grid:
    """Every combination of the values of its axes; index 0 everywhere is clean."""

    axes: tuple[Axis, ...]

    @property
    def name(self) -> str:
        """Name of the grid's files."""
        return "-".join(axis.name for axis in self.axes)

    @property
    def shape(self) -> Index:
        """The number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def setting(self, base: str, index: Index) -> str:
        """Return the setting of a combination, such as `noise=3;missing=30`."""
        parts = (f"{axis.name}={axis.labels[i]}" for axis, i in zip(self.axes, index, strict=True))
        return ";".join(filter(None, [base, *parts]))

    def columns(self, suite: Suite) -> Iterator[SuiteData]:
        """Yield the columns of a suite at every combination."""
        for data in suite.data:
            for index in np.ndindex(self.shape):
                yield self._column(data, base_setting(suite, data), index)

    def _column(self, data: SuiteData, base: str, index: Index) -> SuiteData:
        chosen = list(zip(self.axes, index, strict=True))
        chosen.sort(key=lambda pair: pair[0].last)
        corruption, params = dict(data.corruption), dict(data.params)
        for axis, i in chosen:
            value = {axis.parameter: axis.values[i]}
            if axis.key == OF_DATA:
                params |= value
            else:
                corruption[axis.key] = {**axis.fixed, **value}
        changes = {
            "corruption": corruption,
            "params": params,
            "setting": self.setting(base, index),
        }
        return data.model_copy(update=changes)


def base_setting(suite: Suite, data: SuiteData) -> str:
    """Return the setting of the columns of a suite before they are swept."""
    return suite.setting if data.setting is None else data.setting


def grids_of(suite: Suite, registry: Registry) -> tuple[Grid, ...]:
    """Return the grids that a suite asks for under `sweep`.

    Raises:
        UserError: a corruption is unknown, or its severity is not a list of values.
    """
    return tuple(
        Grid(tuple(axis for key, params in grid.items() for axis in _axes(registry, key, params)))
        for grid in suite.sweep
    )


def read_grids(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the grids of earlier sweeps, in the form of a suite's section `sweep`.

    Args:
        folder: where `write_grid` has written them.

    Raises:
        UserError: a file is damaged.
    """
    return tuple(_read_grid(path) for path in sorted(folder.glob("*.json")))


def write_grid(grid: Mapping[str, Any], path: Path) -> None:
    """Write an entry of a suite's section `sweep`."""
    write_atomic(path, f"{json.dumps(grid, indent=1)}\n".encode())


def _read_grid(path: Path) -> dict[str, Any]:
    try:
        grid = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}; delete it or sweep again") from error
    if not (isinstance(grid, dict) and all(isinstance(params, dict) for params in grid.values())):
        raise UserError(f"{path}: expected parameters by corruption; delete it or sweep again")
    return grid


def unfold(suite: Suite, registry: Registry) -> Suite:
    """Return a suite with the columns of all its grids in place of the clean ones."""
    grids = grids_of(suite, registry)
    if not grids:
        return suite
    columns = tuple(column for grid in grids for column in grid.columns(suite))
    return suite.model_copy(update={"data": columns, "sweep": ()})


def _axes(registry: Registry, key: str, params: Mapping[str, Any]) -> Iterator[Axis]:
    if key == OF_DATA:
        for name, values in params.items():
            yield Axis(key, name, _several(key, name, values), f"Data with {name}")
        return
    spec = registry.corruptions[key]
    if spec.severity is None:
        raise UserError(f"sweep: corruption '{key}' has no severity to sweep over")
    fixed = {name: value for name, value in params.items() if name != spec.severity}
    values = _several(key, spec.severity, params.get(spec.severity))
    for value in values:
        if not _is_number(value):
            raise UserError(f"sweep: {key}: {spec.severity}: expected numbers, got {value!r}")
        given = {**fixed, spec.severity: value}
        stage = make_params(f"sweep: corruption '{key}'", spec.params, given).stage
    ordered = sorted({spec.clean, *values}, key=lambda value: abs(value - spec.clean))
    if len(ordered) < 2:
        raise UserError(f"sweep: {key}: {spec.severity}: expected a value that changes something")
    yield Axis(
        key,
        spec.severity,
        tuple(ordered),
        spec.title,
        spec.unit,
        fixed,
        "" if stage == spec.params.stage else stage,
        spec.params.stage == "fit",
    )


def _several(key: str, parameter: str, values: object) -> tuple[Any, ...]:
    """Return the values of an axis, each once.

    Raises:
        UserError: the values are not a list, or the list is empty.
    """
    if not isinstance(values, (list, tuple)) or not values:
        raise UserError(f"sweep: {key}: {parameter}: expected a list of values, got {values!r}")
    return tuple(dict.fromkeys(values))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

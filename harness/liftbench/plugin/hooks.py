"""The hooks that a plugin may implement; each returns specs and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import pluggy

if TYPE_CHECKING:
    from liftbench.corruption import CorruptionSpec
    from liftbench.plugin.specs import DatasetSpec, MethodSpec
    from liftbench.protocols.metrics import Metric
    from liftbench.protocols.protocol import Protocol
    from liftbench.protocols.time_metrics import TimeMetric
    from liftbench.protocols.view_metrics import ViewMetric

PROJECT = "liftbench"

_Function = TypeVar("_Function", bound=Callable[..., object])
hookimpl = cast("Callable[[_Function], _Function]", pluggy.HookimplMarker(PROJECT))
_hookspec = cast("Callable[[_Function], _Function]", pluggy.HookspecMarker(PROJECT))


@_hookspec
def liftbench_methods() -> Sequence[MethodSpec]:  # type: ignore[empty-body]
    """Return the methods of this plugin."""


@_hookspec
def liftbench_datasets() -> Sequence[DatasetSpec]:  # type: ignore[empty-body]
    """Return the datasets of this plugin."""


@_hookspec
def liftbench_corruptions() -> Sequence[CorruptionSpec]:  # type: ignore[empty-body]
    """Return the corruptions of this plugin."""


@_hookspec
def liftbench_metrics() -> Sequence[Metric | ViewMetric | TimeMetric]:  # type: ignore[empty-body]
    """Return the frame errors and view scores of this plugin."""


@_hookspec
def liftbench_protocols() -> Sequence[Protocol]:  # type: ignore[empty-body]
    """Return the protocols of this plugin."""


@_hookspec
def liftbench_suites() -> Sequence[Path]:  # type: ignore[empty-body]
    """Return the YAML files of this plugin's suites; the file's stem is the suite's name."""


@_hookspec
def liftbench_published() -> Sequence[Path]:  # type: ignore[empty-body]
    """Return CSV files of numbers that papers print, one number per row."""

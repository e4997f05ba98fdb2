"""Finds plugins and gathers what they register; a broken plugin breaks nothing else."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import pluggy

from liftbench.corruption import BUILTIN_CORRUPTIONS, CorruptionSpec
from liftbench.errors import UserError, require_known
from liftbench.plugin import hooks
from liftbench.plugin.specs import DatasetSpec, MethodSpec
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS, Metric
from liftbench.protocols.protocol import Protocol
from liftbench.protocols.time_metrics import BUILTIN_TIME_METRICS, TimeMetric
from liftbench.protocols.view_metrics import BUILTIN_VIEW_METRICS, ViewMetric

Item = TypeVar("Item")


@dataclass(frozen=True)
class PluginStatus:
    """A plugin's name and source, and its error if it did not load."""

    name: str
    source: str
    error: str | None = None


@dataclass(frozen=True)
class Catalogue(Generic[Item]):
    """All registered items of one kind by name, and the source of each."""

    kind: str
    items: dict[str, Item] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Item:
        """Return the item called `name`; raise `UserError` with the nearest name without one."""
        require_known(self.kind, name, self.items)
        return self.items[name]

    def add(self, name: str, item: Item, source: str) -> None:
        """Add `item`; raise `UserError` with both sources if the name is taken."""
        if name in self.items:
            raise UserError(
                f"{self.kind} '{name}' is registered by both {self.sources[name]} and {source}; "
                "uninstall one of them or rename its key"
            )
        self.items[name] = item
        self.sources[name] = source


@dataclass(frozen=True)
class Registry:
    """All that the loaded plugins register."""

    plugins: tuple[PluginStatus, ...]
    methods: Catalogue[MethodSpec]
    datasets: Catalogue[DatasetSpec]
    corruptions: Catalogue[CorruptionSpec]
    metrics: Catalogue[Metric | ViewMetric | TimeMetric]
    protocols: Catalogue[Protocol]
    suites: Catalogue[Path]
    published: tuple[Path, ...]

    @property
    def broken(self) -> tuple[PluginStatus, ...]:
        """The plugins that did not load."""
        return tuple(plugin for plugin in self.plugins if plugin.error)


class _Core:
    """What the harness itself registers."""

    @hooks.hookimpl
    def liftbench_corruptions(self) -> Sequence[CorruptionSpec]:
        return BUILTIN_CORRUPTIONS

    @hooks.hookimpl
    def liftbench_metrics(self) -> Sequence[Metric | ViewMetric | TimeMetric]:
        return (*BUILTIN_METRICS, *BUILTIN_VIEW_METRICS, *BUILTIN_TIME_METRICS)

    @hooks.hookimpl
    def liftbench_protocols(self) -> Sequence[Protocol]:
        return BUILTIN_PROTOCOLS


def load_registry(plugin_files: Iterable[Path] = ()) -> Registry:
    """Load the harness's own specs, all installed plugins, and uninstalled `plugin_files`.

    Raises:
        UserError: two plugins register the same name, or a plugin file does not exist.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    errors: dict[str, str] = {}
    sources = {"liftbench": "liftbench"}
    manager.register(_Core(), name="liftbench")
    for given, source, load in _candidates(plugin_files):
        name = given if given not in sources else f"{given} ({source})"
        sources[name] = source
        try:
            manager.register(load(), name=name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 a plugin may raise anything
            errors[name] = _one_line(error)
    _refuse_unknown_hooks(manager, errors)
    return _collect(manager, sources, errors)


def _refuse_unknown_hooks(manager: pluggy.PluginManager, errors: dict[str, str]) -> None:
    """Unregister plugins that implement an unknown `liftbench_` hook, such as a misspelt one."""
    while True:
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = manager.get_name(error.plugin) or ""
            errors[name] = _one_line(error)
            manager.unregister(error.plugin)
        else:
            return


def _candidates(
    plugin_files: Iterable[Path],
) -> list[tuple[str, str, Callable[[], object]]]:
    found: list[tuple[str, str, Callable[[], object]]] = []
    for entry in sorted(entry_points(group=hooks.PROJECT), key=lambda e: (e.name, e.value)):
        found.append((entry.name, _distribution(entry), entry.load))
    for path in plugin_files:
        if not path.is_file():
            raise UserError(f"--plugin {path}: no such file")
        found.append((path.stem, str(path), partial(load_plugin_file, path)))
    return found


def load_plugin_file(path: Path) -> ModuleType:
    """Import a plugin from a file that is not installed."""
    # Two files may have the same name, but each needs its own module to look up its types in.
    mark = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"liftbench_file_{path.stem}_{mark}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"--plugin {path}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _collect(
    manager: pluggy.PluginManager, sources: dict[str, str], errors: dict[str, str]
) -> Registry:
    methods: Catalogue[MethodSpec] = Catalogue("method")
    datasets: Catalogue[DatasetSpec] = Catalogue("dataset")
    corruptions: Catalogue[CorruptionSpec] = Catalogue("corruption")
    metrics: Catalogue[Metric | ViewMetric | TimeMetric] = Catalogue("metric")
    protocols: Catalogue[Protocol] = Catalogue("protocol")
    suites: Catalogue[Path] = Catalogue("suite")
    published: list[Path] = []
    for plugin in sources:
        if plugin in errors:
            continue
        try:
            offered = {hook: _call(manager, plugin, hook) for hook in _HOOKS}
        except (Exception, SystemExit) as error:  # noqa: BLE001 a plugin may raise anything
            errors[plugin] = _one_line(error)
            continue
        source = sources[plugin]
        _add_all(methods, offered["liftbench_methods"], source, lambda item: item.key)
        _add_all(datasets, offered["liftbench_datasets"], source, lambda item: item.key)
        _add_all(corruptions, offered["liftbench_corruptions"], source, lambda item: item.key)
        _add_all(metrics, offered["liftbench_metrics"], source, lambda item: item.name)
        _add_all(protocols, offered["liftbench_protocols"], source, lambda item: item.name)
        _add_all(suites, offered["liftbench_suites"], source, lambda item: item.stem)
        published.extend(offered["liftbench_published"])
    status = tuple(PluginStatus(n, s, errors.get(n)) for n, s in sources.items())
    return Registry(
        status, methods, datasets, corruptions, metrics, protocols, suites, tuple(published)
    )


def _call(manager: pluggy.PluginManager, plugin: str, hook: str) -> list[Any]:
    """Return the items of one plugin's implementation of one hook; empty without one."""
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin_name == plugin:
            items = list(implementation.function())
            kinds = _HOOKS[hook]
            wrong = [item for item in items if not isinstance(item, kinds)]
            if wrong:
                expected = " or ".join(kind.__name__ for kind in kinds)
                raise TypeError(f"{hook}: expected {expected}, got {type(wrong[0]).__name__}")
            return items
    return []


def _add_all(
    catalogue: Catalogue[Item], items: Iterable[Item], source: str, name: Callable[[Item], str]
) -> None:
    for item in items:
        catalogue.add(name(item), item, source)


def _one_line(error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})".replace("\n", " ")


_HOOKS: dict[str, tuple[type, ...]] = {
    "liftbench_methods": (MethodSpec,),
    "liftbench_datasets": (DatasetSpec,),
    "liftbench_corruptions": (CorruptionSpec,),
    "liftbench_metrics": (Metric, ViewMetric, TimeMetric),
    "liftbench_protocols": (Protocol,),
    "liftbench_suites": (Path,),
    "liftbench_published": (Path,),
}

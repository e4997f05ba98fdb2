"""Find the checks of the method, the dataset or both that have a given key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from liftbench.errors import UserError, unknown_name
from liftbench.plugin.registry import Registry, load_registry
from liftbench.testing.datasets import DATASET_CHECK_NAMES, check_dataset
from liftbench.testing.methods import METHOD_CHECK_NAMES, PATIENCE, Patience, check_method
from liftbench.testing.outcomes import Outcome


@dataclass(frozen=True)
class Checks:
    """The checks of a method or a dataset.

    Attributes:
        kind: `method` or `dataset`.
        names: names of the checks, in any order.
        run: runs the checks and yields their outcomes.
    """

    kind: str
    names: Sequence[str]
    run: Callable[[], Iterator[Outcome]]


def checks_of(
    key: str,
    *,
    plugin_files: Sequence[Path] = (),
    params: Mapping[str, Any] | None = None,
    data_root: Path | None = None,
    patience: Patience = PATIENCE,
) -> list[Checks]:
    """Return the checks of the method and of the dataset with this key.

    Args:
        key: key of a method, a dataset, or both.
        plugin_files: files of plugins that are not installed.
        params: parameters instead of those in the spec's `conformance`.
        data_root: folder that may hold the files of the dataset.
        patience: how long the method may take.

    Raises:
        UserError: there is no such method or dataset, or its plugin did not load.
    """
    files = tuple(plugin_files)
    registry = load_registry(files)
    found = []
    if key in registry.methods.items:
        check = partial(check_method, key, plugin_files=files, params=params, patience=patience)
        found.append(Checks("method", METHOD_CHECK_NAMES, check))
    if key in registry.datasets.items:
        check = partial(check_dataset, key, plugin_files=files, params=params, data_root=data_root)
        found.append(Checks("dataset", DATASET_CHECK_NAMES, check))
    if not found:
        raise _unknown(registry, key)
    return found


def _unknown(registry: Registry, key: str) -> UserError:
    for plugin in registry.broken:
        if plugin.name == key:
            return UserError(f"plugin '{key}' did not load: {plugin.error}")
    return unknown_name(
        "method or dataset", key, [*registry.methods.items, *registry.datasets.items]
    )

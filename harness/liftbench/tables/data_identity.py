"""Names the data behind the numbers: dataset, parameters, version, checksums."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from liftbench.plugin.registry import Catalogue, Registry
from liftbench.plugin.specs import MethodSpec
from liftbench.runs.method_params import jsonable
from liftbench.runs.plan import Cell

DIGITS = 12  # of a SHA-256: enough to distinguish the datasets of one table


def data_identities(cells: Iterable[Cell], registry: Registry) -> tuple[str, ...]:
    """Return a line for each dataset: key, changed parameters, version, subsets with checksums."""
    subsets: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.runs:
            data = cell.runs[0].dataset
            name = f"{describe(registry.datasets, data)} version {data['version']}"
            known = subsets.setdefault(name, {})
            known[f"{data['subset']} {data['checksum'][:DIGITS]}"] = None
    return tuple(f"{name}: {', '.join(found)}" for name, found in subsets.items())


def describe(catalogue: Catalogue[Any], part: Mapping[str, Any]) -> str:
    """Return the key of a method, dataset or corruption, with parameters that are not defaults.

    Args:
        catalogue: the plugins of that kind.
        part: the method, dataset or corruption of a run's spec.
    """
    item = catalogue.items.get(part["key"])
    defaults = _defaults(item.params) if item else {}
    if isinstance(item, MethodSpec):
        defaults |= jsonable(item.retired_params)
    changed = [
        f"{name}={value}"
        for name, value in part["params"].items()
        if name not in defaults or value != defaults[name]
    ]
    return f"{part['key']} ({', '.join(changed)})" if changed else part["key"]


def _defaults(params: type) -> dict[str, Any]:
    """Return the defaults of a dataclass as JSON returns them: tuples become lists."""
    found = {f.name: f.default for f in fields(params) if f.default is not MISSING}
    found |= {
        f.name: f.default_factory() for f in fields(params) if f.default_factory is not MISSING
    }
    defaults: dict[str, Any] = json.loads(json.dumps(found))
    return defaults

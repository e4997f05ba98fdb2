"""Writes a package with a working plugin that a user can change, from the folder `templates`."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Literal, get_args

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry

Kind = Literal["method", "dataset"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_TEMPLATES = Path(__file__).with_name("templates")
_SUFFIX = ".template"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def write_package(registry: Registry, name: str, kind: Kind, folder: Path) -> Path:
    """Write the package `name` into a folder and return the folder of the package.

    Args:
        registry: the keys that the package must not use.
        name: the name of the package, and the key of its method or dataset.
        kind: whether it adds a method or a dataset.
        folder: where the package's folder is made.

    Raises:
        UserError: the name cannot be used, or the folder is absent, has an entry of that name or
            cannot be written to. Nothing is left behind.
    """
    _require_free(registry, name, kind)
    target = folder / name
    if not folder.is_dir():
        raise UserError(f"--folder {folder}: no such folder; make it or name another")
    if target.exists():
        raise UserError(f"{target} exists; choose another name or --folder, or delete it")
    files = dict(_render(name, kind))
    try:
        for path, text in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise UserError(f"{target}: {error.strerror}") from error
    return target


def _render(name: str, kind: Kind) -> Iterator[tuple[Path, str]]:
    """Yield the path of each file below the package's folder, and its text."""
    for root in (_TEMPLATES / "package", _TEMPLATES / kind):
        for template in sorted(root.rglob(f"*{_SUFFIX}")):
            path = str(template.relative_to(root)).removesuffix(_SUFFIX).replace("NAME", name)
            text = Template(template.read_text(encoding="utf-8")).substitute(name=name, kind=kind)
            yield Path(path), text


def _require_free(registry: Registry, name: str, kind: Kind) -> None:
    """Raise `UserError` unless the name can serve for the module, the plugin and its key."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"name '{name}': expected small letters, digits and _, a letter first, such as "
            "'my_method'"
        )
    if keyword.iskeyword(name):
        raise UserError(f"name '{name}': it is a keyword of Python; choose another")
    if kind == "dataset" and name.startswith("synthetic_"):
        raise UserError(
            f"name '{name}': only keys of generated data begin with synthetic_; this has files"
        )
    for catalogue in (registry.methods, registry.datasets, registry.suites):
        if name in catalogue.items:
            raise UserError(
                f"name '{name}': it is the key of a {catalogue.kind} of "
                f"{catalogue.sources[name]}; choose another"
            )
    if importlib.util.find_spec(name) is not None:
        raise UserError(f"name '{name}': there is a Python module of that name; choose another")

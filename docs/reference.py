"""Writes the lists of the documentation from the code: python docs/reference.py.

A page holds each list between the lines `<!-- list: NAME -->` and `<!-- end -->`; what stands
between them is replaced. A test fails when a page is not current.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click

from liftbench.cli import main as liftbench
from liftbench.plugin import hooks
from liftbench.plugin.registry import Catalogue, Registry, load_registry
from liftbench.plugin.specs import Capabilities, DatasetSpec, MethodSpec, NoParams
from liftbench.protocols.metrics import Metric
from liftbench.protocols.time_metrics import TimeMetric
from liftbench.suites.suite import Suite, read_suite

Item = TypeVar("Item")

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SOURCES = ("harness/liftbench", "plugins/liftbench_plugins", "datasets/liftbench_datasets")
_LIST = re.compile(r"(<!-- list: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Write the lists of all pages anew."""
    registry = load_registry()
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (current := with_lists(text, registry)) != text:
            page.write_text(current, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


def with_lists(page: str, registry: Registry) -> str:
    """Return a page with its lists as the code has them."""
    return _LIST.sub(lambda m: f"{m[1]}\n{LISTS[m[2]](registry)}\n\n{m[3]}", page)


def _ours(catalogue: Catalogue[Item]) -> Iterator[tuple[str, Item]]:
    """Yield what liftbench itself registers, not what other installed plugins do."""
    for name, item in catalogue.items.items():
        if catalogue.sources[name].split()[0] == "liftbench":
            yield name, item


def _methods(registry: Registry) -> str:
    rows = [
        (f"`{key}`", spec.title, spec.reference, _abilities(spec.capabilities), _place(spec))
        for key, spec in _ours(registry.methods)
    ]
    return _table(("key", "method", "reference", "takes", "code"), rows)


def _place(spec: MethodSpec) -> str:
    """Return the module or package that defines a method."""
    names = [
        name
        for name, module in sys.modules.items()
        if name.startswith("liftbench_plugins.")
        and any(spec is v or (isinstance(v, tuple) and spec in v) for v in vars(module).values())
    ]
    place = ROOT / "plugins" / max(names, key=len).replace(".", "/")
    return f"`{(place if place.is_dir() else place.with_suffix('.py')).relative_to(ROOT)}`"


def _abilities(can: Capabilities) -> str:
    words = [", ".join(can.cameras)]
    words += ["hidden points"] if can.missing_points else []
    words += ["needs images"] if can.images else []
    words += ["needs sequences"] if can.needs_sequences else []
    words += [f"at most {can.most_frames} frames"] if can.most_frames else []
    words += ["no unseen frames"] if can.transductive else []
    return "; ".join(words)


def _datasets(registry: Registry) -> str:
    return "\n\n".join(_dataset(spec) for _, spec in _ours(registry.datasets))


def _dataset(spec: DatasetSpec) -> str:
    info = spec.info
    made = spec.make if spec.params is NoParams else spec.params
    folder = made.__module__.rpartition(".")[0].replace(".", "/")
    facts = {
        "Reference": spec.reference,
        "Files": "none: it is generated" if spec.synthetic else info.layout,
        "Download": "" if spec.synthetic else info.download,
        "Licence": info.licence,
        "Size": info.size,
        "Splits": ", ".join(spec.splits),
        "Code": f"`datasets/{folder}`",
    }
    lines = [f"- {name}: {_text(value)}" for name, value in facts.items() if value]
    return "\n".join([f"### {spec.key}", "", f"{spec.title}.", "", *lines])


def _corruptions(registry: Registry) -> str:
    rows = [
        (f"`{key}`", spec.title, f"`{spec.severity}`" if spec.severity else "", spec.unit)
        for key, spec in _ours(registry.corruptions)
    ]
    return _table(("key", "corruption", "severity", "unit on the command line"), rows)


def _protocols(registry: Registry) -> str:
    rows = [
        (f"`{key}`", str(p.version), f"`{p.metric}`", p.description)
        for key, p in _ours(registry.protocols)
    ]
    return _table(("protocol", "version", "metric", "steps"), rows)


def _metrics(registry: Registry) -> str:
    rows: list[tuple[str, str, str]] = []
    for key, metric in _ours(registry.metrics):
        if isinstance(metric, Metric | TimeMetric):
            rows.append((f"`{key}`", metric.description, metric.unit))
        else:
            rows.append((f"`{key}`", metric.description, f"{metric.unit}, more is better"))
    return _table(("metric", "of a frame", "unit"), rows)


def _suites(registry: Registry) -> str:
    suites = [read_suite(path) for _, path in _ours(registry.suites)]
    rows = [
        (
            f"`{suite.name}`",
            suite.title,
            _words(d.dataset for d in suite.data),
            _words(suite.protocols),
            _printed(suite),
        )
        for suite in suites
    ]
    return _table(("suite", "title", "data", "protocols", "printed tables"), rows)


def _printed(suite: Suite) -> str:
    return _words(f"{table.paper} {table.table}" for table in suite.published)


def _hooks(_registry: Registry) -> str:
    found = inspect.getmembers(hooks, inspect.isfunction)
    rows = [
        (f"`{name}`", _code(hook.__annotations__["return"]), inspect.getdoc(hook) or "")
        for name, hook in found
        if name.startswith("liftbench_")
    ]
    return _table(("hook", "type", "does"), rows)


def _commands(_registry: Registry) -> str:
    return "\n\n".join(_command(words, command) for words, command in commands())


def commands() -> list[tuple[str, click.Command]]:
    """Return every command that does something, by the words that call it."""
    return list(_below("liftbench", liftbench))


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, part in command.commands.items():
            yield from _below(f"{words} {name}", part)
    else:
        yield words, command


def _command(words: str, command: click.Command) -> str:
    context = click.Context(command)
    arguments = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    rows = [
        (f"`{', '.join(p.opts)}`", _values(p), p.help or "")
        for p in command.params
        if isinstance(p, click.Option)
    ]
    parts = [f"### {words}", f"`{' '.join([words, *arguments])}`", _docstring(command)]
    return "\n\n".join([*parts, *([_table(("option", "values", "meaning"), rows)] if rows else [])])


def _docstring(command: click.Command) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.help or ""))


def _values(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        values = ", ".join(map(str, option.type.choices))
    else:
        values = (option.metavar or option.type.name).lower()
    default = option.default
    shown = option.show_default and default is not None and not callable(default)
    return f"{values}; default {default}" if shown else values


def _map(_registry: Registry) -> str:
    return "\n\n".join(_folder(folder) for folder in _folders())


def _folders() -> Iterator[Path]:
    for source in SOURCES:
        yield from sorted({path.parent for path in (ROOT / source).rglob("*.py")})


def _folder(folder: Path) -> str:
    rows = []
    for path in sorted(folder.glob("*.py")):
        summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]
        if path.name != "__init__.py" or summary:
            rows.append((f"`{path.name}`", summary))
    return f"### {folder.relative_to(ROOT)}\n\n{_table(('module', 'holds'), rows)}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(_text(cell) for cell in line)} |" for line in lines)


def _text(value: str) -> str:
    """Return text in which Markdown finds no column, tag or emphasis."""
    return value if value.startswith("`") else re.sub(r"([|<*])", r"\\\1", value)


def _code(value: str) -> str:
    return f"`{value}`".replace("|", "\\|")


def _words(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


LISTS: dict[str, Callable[[Registry], str]] = {
    "methods": _methods,
    "datasets": _datasets,
    "corruptions": _corruptions,
    "protocols": _protocols,
    "metrics": _metrics,
    "suites": _suites,
    "hooks": _hooks,
    "commands": _commands,
    "map": _map,
}

if __name__ == "__main__":
    main()

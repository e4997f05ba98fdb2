"""The house: three source roots, and imports that run one way."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from liftbench.plugin import hooks

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOTS = {
    "harness": "liftbench",
    "plugins": "liftbench_plugins",
    "datasets": "liftbench_datasets",
}


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def imports_of(package: str) -> dict[str, set[str]]:
    folder = next(ROOT / root / name for root, name in SOURCE_ROOTS.items() if name == package)
    modules = {str(path.relative_to(ROOT)): set(imported(path)) for path in folder.rglob("*.py")}
    assert len(modules) > 3
    return modules


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_source_root_holds_its_package_alone(root: str) -> None:
    """A `datasets/__init__.py` would shadow the package of that name."""
    assert not (ROOT / root / "__init__.py").exists()
    importable = [
        path.name
        for path in (ROOT / root).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    assert importable == [SOURCE_ROOTS[root]]


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("liftbench", {"liftbench_plugins", "liftbench_datasets"}),
        ("liftbench_plugins", {"liftbench_datasets"}),
        ("liftbench_datasets", {"liftbench_plugins"}),
    ],
)
def test_imports_run_one_way(package: str, forbidden: set[str]) -> None:
    wrong = {module: used & forbidden for module, used in imports_of(package).items()}
    assert {module: used for module, used in wrong.items() if used} == {}
    assert any("liftbench" in used for used in imports_of(package).values())


def test_every_hook_says_what_to_return() -> None:
    found = {
        n: f for n, f in inspect.getmembers(hooks, inspect.isfunction) if n[:10] == "liftbench_"
    }
    assert "liftbench_methods" in found
    for name, hook in found.items():
        text = inspect.getdoc(hook) or ""
        assert text.startswith("Return "), name
        assert hook.__annotations__["return"], name


MODULE = re.compile(r"\bliftbench(?:_plugins|_datasets)?(?:\.\w+)+")
FILE = re.compile(r"(?<![\w/.])\w+(?:/\w+)+\.(?:py|csv|md|yaml)\b")


def names_in_docstrings() -> Iterator[tuple[str, str]]:
    """Yield each module and each file in a folder that a docstring names, and where it stands."""
    for path in (path for root in SOURCE_ROOTS for path in (ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = ast.get_docstring(node) or ""
                yield from ((name.replace(".", "/"), str(path)) for name in MODULE.findall(text))
                yield from ((name, str(path)) for name in FILE.findall(text))


def test_docstrings_name_modules_and_files_that_exist() -> None:
    tops = (*SOURCE_ROOTS, "docs", "results", "tests")
    files = {f"/{path.relative_to(ROOT)}" for top in tops for path in (ROOT / top).rglob("*.*")}
    endings = ("", ".py", "/__init__.py")
    named = set(names_in_docstrings())
    assert len(named) > 5
    missing = {
        (name, where)
        for name, where in named
        if not any(file.endswith(f"/{name}{ending}") for file in files for ending in endings)
    }
    assert missing == set()

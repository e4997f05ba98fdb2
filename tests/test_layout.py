"""The layout of the code: where modules are, how large they are, and what they may import."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from liftbench.plugin import hooks

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOTS = {
    "harness": "liftbench",
    "plugins": "liftbench_plugins",
    "datasets": "liftbench_datasets",
}


MOST_MODULES = 20  # in a folder
MOST_AT_THE_TOP = 10  # modules directly in harness/liftbench
LONGEST = 45  # lines of a function, from `def` to its end
MEDIAN = 7  # lines of a function's body
RUN = 6  # so many identical lines stand once only

Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_files() -> list[Path]:
    """Return the modules of the three packages."""
    return sorted(path for root in SOURCE_ROOTS for path in (ROOT / root).rglob("*.py"))


def functions() -> Iterator[tuple[str, Function]]:
    """Yield the place and the node of every function of the three packages."""
    for path in source_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


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


# --- sizes ----------------------------------------------------------------------------------------


def test_no_folder_holds_many_modules() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in source_files():
        counts[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}
    assert counts["harness/liftbench"] <= MOST_AT_THE_TOP


def length(node: ast.AST) -> int:
    """Return the lines of a statement from its first to its last."""
    return (getattr(node, "end_lineno", None) or 0) - getattr(node, "lineno", 0) + 1


def body_length(function: Function) -> int:
    """Return the lines of a function's body: from its first statement after the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_function_is_long() -> None:
    assert {place: length(f) for place, f in functions() if length(f) > LONGEST} == {}


def test_most_functions_are_short() -> None:
    assert median(body_length(function) for _, function in functions()) <= MEDIAN


def test_ruff_bounds_the_complexity() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert lint["mccabe"] == {"max-complexity": 12}
    assert "C90" in lint["select"]


# --- names ----------------------------------------------------------------------------------------

# Participles without -ed, less the words that are verbs too: read, split, set, cut, put.
IRREGULAR = [
    "told",
    "seen",
    "made",
    "taken",
    "given",
    "found",
    "held",
    "shown",
    "drawn",
    "known",
    "written",
    "kept",
    "brought",
    "grown",
    "torn",
    "built",
    "said",
    "left",
    "bound",
    "thrown",
    "chosen",
    "hidden",
    "lost",
    "sent",
    "born",
]


PARTICLES = [
    "again",
    "apart",
    "as",
    "at",
    "by",
    "from",
    "in",
    "into",
    "of",
    "on",
    "over",
    "to",
    "with",
]


def is_property(function: Function) -> bool:
    decorators = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    return bool(decorators & {"property", "cached_property"})


def is_participle(word: str) -> bool:
    return word.endswith("ed") or word in IRREGULAR


def test_functions_are_named_by_what_they_do() -> None:
    """Or by what they return (`masked_points`), not by a participle (`masked`, `placed_in_box`)."""
    wrong = []
    for place, function in functions():
        words = function.name.strip("_").split("_")
        nouns = [word for word in words[1:] if not is_participle(word)]
        if is_participle(words[0]) and (not nouns or words[1] in PARTICLES):
            wrong += [] if is_property(function) else [place]
    assert wrong == []


# --- each idea once -------------------------------------------------------------------------------


def code_lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a module without imports, blanks, brackets and comments."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    left_out = {
        number
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for number in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [
        (number, line)
        for number, line in lines
        if number not in left_out and not line.startswith("#") and line.strip("()[]{},:") != ""
    ]


def test_no_run_of_identical_lines_stands_twice() -> None:
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in source_files():
        lines = code_lines(path)
        for start in range(len(lines) - RUN + 1):
            run = lines[start : start + RUN]
            places[tuple(line for _, line in run)].append(f"{path.relative_to(ROOT)}:{run[0][0]}")
    assert [found for found in places.values() if len(found) > 1] == []


def test_tests_mirror_the_source() -> None:
    """Each folder of tests is a folder of the source, and each test module lies in one of them."""
    for root, package in SOURCE_ROOTS.items():
        folders = {path.parent for path in (ROOT / "tests" / root).rglob("*.py")}
        wrong = [
            str(folder.relative_to(ROOT))
            for folder in folders
            if not (ROOT / root / package / folder.relative_to(ROOT / "tests" / root)).is_dir()
        ]
        assert wrong == []


# --- hooks ----------------------------------------------------------------------------------------


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

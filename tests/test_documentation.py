"""The documentation names everything that exists, and nothing else."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import click
import pytest
from docs.reference import DOCS, LISTS, commands, with_lists

from liftbench.cli import main
from liftbench.plugin.hooks import PROJECT
from liftbench.plugin.registry import Registry, load_registry
from liftbench_datasets.points.file import FIELDS

ROOT = DOCS.parent
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [ROOT / name for name in TOP] + sorted(DOCS.glob("*.md"))
PAGES += [ROOT / "plugins/liftbench_plugins/published/README.md"]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows_of(page: str, name: str) -> list[list[str]]:
    """Return the cells of the rows of a list of a page."""
    part = text_of(page).split(f"<!-- list: {name} -->")[1].split("<!-- end -->")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def keys_of(page: str, name: str) -> list[str]:
    return [row[0].strip("`| ") for row in rows_of(page, name)]


# --- links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target.is_relative_to(ROOT / "results") and not (ROOT / "results").exists():
            continue  # a source distribution has no results
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_index_names_every_page() -> None:
    linked = set(LINK.findall(text_of("README.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= linked


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_lists_of_a_page_are_current(page: Path, registry: Registry) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == with_lists(text, registry), "run: python docs/reference.py"


def test_every_list_stands_in_one_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert sorted(re.findall("<!-- list: (.+?) -->", pages)) == sorted(LISTS)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("methods.md", "methods"),
        ("robustness.md", "corruptions"),
        ("protocols.md", "protocols"),
        ("protocols.md", "metrics"),
        ("suites.md", "suites"),
    ],
)
def test_everything_registered_is_documented_and_nothing_else(
    page: str, name: str, registry: Registry
) -> None:
    catalogue = getattr(registry, name)
    ours = [key for key, source in catalogue.sources.items() if source.startswith("liftbench")]
    assert keys_of(page, name) == ours


def test_every_dataset_is_documented_and_nothing_else(registry: Registry) -> None:
    heads = re.findall(r"^### (.+)$", text_of("datasets.md"), re.MULTILINE)
    assert heads == list(registry.datasets.items)


def test_every_field_of_own_points_is_documented_and_nothing_else() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", text_of("your_points.md"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(FIELDS)


def test_every_hook_is_documented_and_nothing_else() -> None:
    source = (ROOT / "harness/liftbench/plugin/hooks.py").read_text(encoding="utf-8")
    hooks = re.findall(rf"^def ({PROJECT}_\w+)", source, re.MULTILINE)
    assert keys_of("your_method.md", "hooks") == sorted(hooks)


def test_every_command_and_option_is_documented_and_nothing_else() -> None:
    page = text_of("commands.md")
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [words for words, _ in commands()]
    options = {o for _, c in commands() for p in c.params for o in p.opts if o.startswith("--")}
    assert set(re.findall(r"^\| `(--[\w-]+)`", page, re.MULTILINE)) == options


def test_every_command_and_option_says_what_it_does() -> None:
    for words, command in [("liftbench", main), *commands()]:
        assert command.help, words
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{words} {option.name}"


def test_every_suite_answers_a_question(registry: Registry) -> None:
    """Its name, or that of the suite for which it is a stand-in, is in the hand-written table."""
    table = text_of("suites.md").split("<!-- list")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert {name for name in registry.suites.items if name.removesuffix("_standin") in named} | {
        name for name in registry.suites.items if name in named
    } == set(registry.suites.items)


# --- code that pages name -------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_the_code_exists(page: Path) -> None:
    paths = re.findall(r"`((?:harness|plugins|datasets|tests)/[\w./]+)`", page.read_text("utf-8"))
    wrong = {path for path in paths if not re.search(r"NAME|METHOD", path)}
    assert {path for path in wrong if not (ROOT / path).exists()} == set()


def defined(module: Path) -> set[str]:
    """Return the functions and classes that a module defines."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}


def test_every_step_of_a_frame_is_a_function_of_its_module() -> None:
    steps = re.findall(r"^\| .+ \| `(\S+\.py)` \| `(\w+)` \|$", text_of("architecture.md"), re.M)
    assert len(steps) >= 15
    for module, name in steps:
        assert name in defined(ROOT / module), f"{module}: {name}"


@pytest.mark.parametrize(
    ("heading", "container"),
    [("harness", "liftbench"), ("datasets", "liftbench_datasets")],
)
def test_the_picture_of_the_layers_is_the_contract(heading: str, container: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (contract,) = [c for c in settings["contracts"] if c.get("containers") == [container]]
    layers = [[word.strip() for word in row.split("|")] for row in contract["layers"]]
    part = text_of("architecture.md").split(f"## Layers of the {heading}")[1].split("## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", part, re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in rows] == layers


def test_the_glossary_says_each_word_once() -> None:
    words = re.findall(r"^\| (\S.*?) \| \S", text_of("glossary.md"), re.MULTILINE)
    words = [word for word in words if word not in ("word", "---")]
    assert len(words) > 30
    assert sorted(words) == sorted(set(words))


def test_pages_name_no_folder_of_one_machine() -> None:
    folder = re.compile(r"(?<![\w.])/(home|root|work|tmp)/")
    assert not [page.name for page in PAGES if folder.search(page.read_text(encoding="utf-8"))]

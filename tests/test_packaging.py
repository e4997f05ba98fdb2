"""Files of the distributions, pinned versions and the citation file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIRED = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
PACKAGES = ("liftbench", "liftbench_datasets", "liftbench_plugins")


def files_of(builder: type[Any]) -> set[str]:
    """Return the paths of all files that a distribution gets."""
    return {file.distribution_path for file in builder(str(ROOT)).recurse_included_files()}


def pinned(requirement: Requirement) -> bool:
    """Return whether a pin applies here."""
    return requirement.marker is None or requirement.marker.evaluate()


def needed_here() -> Iterator[metadata.Distribution]:
    """Yield each installed distribution that liftbench and its extras require, directly or not."""
    waiting = list(REQUIRED)
    done: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in done:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed in this environment
        done.add(name)
        yield distribution
        for further in map(Requirement, distribution.requires or ()):
            extras = requirement.extras or {""}
            if not further.marker or any(further.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(further)


def test_sdist_holds_the_source_and_no_results() -> None:
    files = files_of(SdistBuilder)
    assert {"README.md", "constraints.txt", "tests/test_packaging.py"} <= files
    assert not [file for file in files if file.startswith("results/")]


def test_wheel_holds_the_three_packages_and_says_that_they_are_typed() -> None:
    files = files_of(WheelBuilder)
    assert {file.split("/")[0] for file in files} == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= files
    assert "liftbench/plugin/templates/method/README.md.template" in files
    assert "liftbench_plugins/suites/quickstart.yaml" in files


def test_constraints_name_the_command_that_makes_them() -> None:
    first = (ROOT / "constraints.txt").read_text("utf-8").splitlines()[0]
    assert first.startswith("#")
    assert "uv pip compile pyproject.toml --all-extras" in first


def test_every_requirement_is_pinned_once_within_its_bounds() -> None:
    names = [canonicalize_name(pin.name) for pin in PINS if pinned(pin)]
    assert sorted(names) == sorted(set(names))
    versions = {canonicalize_name(pin.name): str(pin.specifier) for pin in PINS if pinned(pin)}
    assert all(re.fullmatch(r"==[\w.]+", version) for version in versions.values())
    for requirement in REQUIRED:
        version = versions[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version), requirement


def test_everything_installed_is_pinned() -> None:
    names = {canonicalize_name(pin.name) for pin in PINS if pinned(pin)}
    found = {canonicalize_name(distribution.name) for distribution in needed_here()}
    assert {"numpy", "torch", "pytest", "iniconfig", "sympy"} <= found
    assert found - names == set()


def test_packages_that_only_a_gpu_needs_are_not_required() -> None:
    """PyTorch's build for the CPU does not need them, and a constraint alone installs nothing."""
    gpu = ("nvidia", "cuda", "triton")
    assert not [requirement for requirement in REQUIRED if requirement.name.startswith(gpu)]
    assert all(pin.marker for pin in PINS if pin.name.startswith(gpu))


def test_citation_file_has_what_its_schema_requires() -> None:
    """The schema is Citation File Format 1.2.0; the version is that of the package."""
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert content["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(content)
    assert content["type"] == "software"
    assert content["version"] == PROJECT["version"]
    assert content["license"] == PROJECT["license"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(content["date-released"]))
    known = {"name", "family-names", "given-names", "email", "orcid", "affiliation", "website"}
    assert all(author and set(author) <= known for author in content["authors"])
    allowed = "abstract authors cff-version date-released doi identifiers keywords license message "
    allowed += "preferred-citation references repository-code title type url version"
    assert set(content) <= set(allowed.split())


def test_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert next(iter(releases)) == ("Unreleased", "")
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert kinds


def test_hooks_of_pre_commit_need_no_network() -> None:
    content = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in content["repos"]] == ["local"]
    hooks = {hook["id"]: hook for hook in content["repos"][0]["hooks"]}
    assert set(hooks) == {"ruff", "ruff-format", "mypy", "lint-imports"}
    assert {hook["language"] for hook in hooks.values()} == {"system"}


@pytest.mark.parametrize("environment", ["tests", "slow", "quickstart", "lint", "types"])
def test_ci_runs_every_environment_of_tox(environment: str) -> None:
    tox = (ROOT / "tox.ini").read_text("utf-8")
    assert f"[testenv:{environment}]" in tox
    words = re.findall(r"tox\b.* -e ([\w,]+)", (ROOT / ".ci" / "run").read_text("utf-8"))
    default = re.findall(r"^env_list = (.+)$", tox, re.MULTILINE)
    assert environment in ",".join([*words, *default]).split(",")

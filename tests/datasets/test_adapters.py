"""Every built-in dataset keeps the promises of the conformance kit, and the commands show it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liftbench.cli import main
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import DatasetSpec
from liftbench.testing.pytest_checks import Check, every_check

FILES = (
    "apollocar3d",
    "c3dpo_json",
    "cmu",
    "cub",
    "h36m",
    "muct",
    "nrsfm_challenge",
    "nrsfm_classic",
    "pascal3d",
    "points",
    "two_cloths",
    "up3d",
)
SYNTHETIC = (
    "synthetic_apollo",
    "synthetic_body",
    "synthetic_cub",
    "synthetic_h36m",
    "synthetic_pascal3d",
    "synthetic_up3d",
)
every_dataset = pytest.mark.parametrize("key", FILES + SYNTHETIC)


@cache
def specs() -> dict[str, DatasetSpec]:
    return load_registry().datasets.items


def call(*words: object) -> Result:
    """Call the command in this process; a bug shows its trace."""
    return CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)


def test_every_built_in_dataset_is_checked_here() -> None:
    registry = load_registry()
    built_in = [
        key for key, source in registry.datasets.sources.items() if source.split()[0] == "liftbench"
    ]
    assert sorted(built_in) == sorted(FILES + SYNTHETIC)


@every_check(*FILES, *SYNTHETIC)
def test_a_dataset_conforms(check: Check) -> None:
    check()


def test_the_list_has_a_row_for_every_dataset(tmp_path: Path) -> None:
    result = call("data", "list", "--data-root", tmp_path)
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    for key, spec in specs().items():
        assert rows[key][0] == ("synthetic" if spec.synthetic else "absent")


@every_dataset
def test_info_shows_what_is_needed(key: str, tmp_path: Path) -> None:
    result = call("data", "info", key, "--data-root", tmp_path)
    assert result.exit_code == 0
    shown = "".join(result.stdout.split())  # long words are broken where a line ends
    spec = specs()[key]
    for text in (spec.title, spec.reference, *vars(spec.info).values(), ", ".join(spec.splits)):
        assert "".join(text.split()) in shown


@pytest.mark.parametrize("key", FILES)
def test_check_without_files_is_one_line_that_says_what_to_do(key: str, tmp_path: Path) -> None:
    result = call("data", "check", key, "--data-root", tmp_path)
    assert result.exit_code in (1, 2)
    (line,) = result.output.splitlines()
    assert f"see 'liftbench data info {key}'" in line

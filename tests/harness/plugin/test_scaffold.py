"""The package that `plugins new` writes: it works and is small and clean; bad names are refused."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liftbench.cli import main
from liftbench.plugin.registry import load_registry
from liftbench.plugin.scaffold import KINDS

pytest_plugins = ["pytester"]

REPO = Path(__file__).resolve().parents[3]
PACKAGES = {"mymethod": "method", "mydata": "dataset"}


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a written package of each kind."""
    folder = tmp_path_factory.mktemp("packages")
    for name, kind in PACKAGES.items():
        result = call("plugins", "new", name, "--kind", kind, "--folder", folder)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def installed(
    packages: Path, no_torch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The packages as pip leaves them: on the path, with metadata that names their hooks."""
    folders = [tmp_path / "site", *(packages / name / "src" for name in PACKAGES)]
    for name in PACKAGES:
        project = tomllib.loads((packages / name / "pyproject.toml").read_text("utf-8"))["project"]
        info = folders[0] / f"{project['name']}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(head, encoding="utf-8")
        ((group, entries),) = project["entry-points"].items()
        lines = [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    for folder in folders:
        monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*map(str, folders), no_torch]))
    yield packages
    for name in PACKAGES:
        sys.modules.pop(name, None)


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    result = call("plugins", "new", "mine", "--folder", tmp_path)
    assert result.stdout.splitlines() == [
        f"wrote {tmp_path}/mine:",
        "  README.md",
        "  pyproject.toml",
        "  src/mine/__init__.py",
        "  tests/test_mine.py",
        f"{tmp_path}/mine/README.md says how to install, check and run it",
    ]


def test_every_kind_is_tested_here() -> None:
    assert set(PACKAGES.values()) == set(KINDS)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_small(packages: Path, name: str) -> None:
    modules = list((packages / name).rglob("*.py"))
    assert {module.name for module in modules} == {"__init__.py", f"test_{name}.py"}
    assert sum(len(module.read_text("utf-8").splitlines()) for module in modules) <= 40


@pytest.mark.parametrize("name", PACKAGES)
def test_nothing_of_the_template_is_left(packages: Path, name: str) -> None:
    for path in (packages / name).rglob("*"):
        assert "NAME" not in path.name
        assert path.suffix != ".template"
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "$name" not in text.replace("${name}", "$name")
            assert "$kind" not in text


def test_ruff_finds_nothing(packages: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed beside this Python")
    # A short example lacks some docstrings, and a test uses assert.
    rules = ["--config", str(REPO / "pyproject.toml"), "--config", "src = ['src']", "--no-cache"]
    for words in (["check", "--ignore", "D,S101,ARG002"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *words, *rules, str(packages)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_mypy_finds_nothing(packages: Path, tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    roots = os.pathsep.join(str(REPO / root) for root in ("harness", "plugins", "datasets"))
    # The tests import the kit, and with it torch, which takes mypy another 20 seconds.
    files = [str(path) for path in packages.glob("*/src/*/*.py")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", roots)
        words = ["--strict", "--follow-imports=silent", "--config-file=", "--scripts-are-modules"]
        message, errors, code = api.run([*words, f"--cache-dir={tmp_path}", *files])
    assert (code, errors) == (0, ""), message


def test_installed_packages_are_listed_and_checked(installed: Path) -> None:
    listed = call("plugins", "list").stdout
    for name in PACKAGES:
        assert f"{name} 0.1.0" in listed
    assert not load_registry().broken
    checked = call("plugins", "check", "mydata", "--data-root", installed / "mydata/example_data")
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.splitlines()[-1].startswith("19 checks: 13 passed, 0 failed")


def test_the_written_method_runs_in_quickstart(installed: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    words = ("--methods", "mymethod,zero_depth", "--jobs", 1, "--results", results)
    result = call("run", "quickstart", *words)
    assert result.exit_code == 0, result.output
    with (results / "quickstart" / "leaderboard.csv").open(encoding="utf-8") as stream:
        rows = {(r["method"], r["split"]): r["value"] for r in csv.DictReader(stream)}
    for split in ("train", "unseen"):
        assert 0 < float(rows["mymethod", split]) < float(rows["zero_depth", split])


def test_the_written_dataset_runs_in_its_suite(installed: Path, tmp_path: Path) -> None:
    words = ("--methods", "zero_depth", "--results", tmp_path, "--jobs", 1)
    package = installed / "mydata"
    result = call("run", package / "mydata.yaml", "--data-root", package / "example_data", *words)
    assert result.exit_code == 0, result.output
    assert "| zero_depth" in result.stdout


OUTCOMES = {
    "mymethod": {"passed": 17, "xfailed": 2, "skipped": 5},
    "mydata": {"passed": 13, "skipped": 6},
}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_written_test_passes(installed: Path, name: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(installed / name / "tests", "-p", "no:cacheprovider")
    assert result.parseoutcomes() == OUTCOMES[name]


def test_the_written_test_fails_where_a_promise_is_broken(
    packages: Path, pytester: pytest.Pytester
) -> None:
    file = pytester.makepyfile(
        broken="import liftbench as lb\n"
        "SPEC = lb.DatasetSpec('synthetic_no', ' ', 'tests', lb.NoParams, lb.NoParams, (),\n"
        "    lb.DatasetInfo('', '', '', ''), synthetic=True)\n"
        "liftbench_datasets = lb.hookimpl(lambda: [SPEC])\n"
    )
    source = (packages / "mydata" / "tests" / "test_mydata.py").read_text(encoding="utf-8")
    marker = f'@every_check("synthetic_no", plugin_files=[Path("{file}")])'
    pytester.makepyfile(re.sub("@every_check.*", marker, source))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*title: expected one line of text*", "*the adapter has no *"])
    assert result.ret == 1


# --- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-method", "name 'my-method': expected small letters, digits and _, a letter first"),
        ("MyMethod", "expected small letters"),
        ("2d", "expected small letters"),
        ("lambda", "name 'lambda': it is a keyword of Python; choose another"),
        ("../up", "expected small letters"),
        ("", "expected small letters"),
        ("rigid", "name 'rigid': it is the key of a method of liftbench "),
        ("cmu", "it is the key of a dataset of liftbench "),
        ("quickstart", "it is the key of a suite of liftbench "),
        ("json", "name 'json': there is a Python module of that name; choose another"),
        ("liftbench", "there is a Python module of that name"),
        ("taken", "taken exists; choose another name or --folder, or delete it"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_cannot_be_used_is_reported(
    name: str, message: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    result = call("plugins", "new", name, "--kind", kind, "--folder", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_dataset_of_files_cannot_have_a_key_of_generated_data(tmp_path: Path) -> None:
    result = call("plugins", "new", "synthetic_it", "--kind", "dataset", "--folder", tmp_path)
    assert result.exit_code == 2
    assert "only keys of generated data begin with synthetic_" in result.stderr
    assert call("plugins", "new", "synthetic_it", "--folder", tmp_path).exit_code == 0


def test_a_folder_that_is_absent_or_read_only_is_reported(tmp_path: Path) -> None:
    result = call("plugins", "new", "mine", "--folder", tmp_path / "gone")
    assert result.exit_code == 2
    assert f"--folder {tmp_path}/gone: no such folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_package_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, text: str, **options: str) -> int:
        if path.name == "__init__.py":
            raise OSError(28, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    result = call("plugins", "new", "mine", "--folder", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"liftbench: {tmp_path}/mine: No space left on device\n"
    assert list(tmp_path.iterdir()) == []

"""A tiny bench: data, suites and the command, all under the test's own folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import yaml
from click.testing import CliRunner, Result

from liftbench import plotting
from liftbench.cli import main
from liftbench.plugin.registry import Registry, load_registry
from liftbench.runs.store import RunRecord, Store

Wait = Callable[[Callable[[], object]], None]
PLUGINS = Path(__file__).resolve().parents[1] / "plugins_for_tests"


@pytest.fixture(scope="session")
def plugins_folder() -> Path:
    """Folder of the plugin files that tests load."""
    return PLUGINS


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The built-in plugins and those of `tiny`."""
    return load_registry([PLUGINS / "tiny.py"])


@dataclass(frozen=True)
class TinyBench:
    """A data root, suites and results in one folder, and the command that uses them."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "data"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def add_subset(self, name: str, points_3d: np.ndarray[Any, Any] | None = None) -> None:
        (self.root / "tiny").mkdir(parents=True, exist_ok=True)
        points = np.random.default_rng(7).uniform(1, 3, (12, 5, 3))
        np.save(self.root / "tiny" / f"{name}.npy", points if points_3d is None else points_3d)

    def suite(self, name: str = "small", **changes: Any) -> Path:
        """Write a suite and return its file."""
        data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
        content = {
            "title": "Small",
            "protocol": "e3d",
            "data": [data],
            "methods": {"seeded": {}},
            **changes,
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path

    def words(self, *words: object, plugins: tuple[str, ...] = ("tiny", "bad")) -> list[str]:
        """Return the arguments of a command line that uses this bench."""
        given = [f"--plugin={PLUGINS / name}.py" for name in plugins]
        command, *rest = map(str, words)
        if command in ("run", "sweep", "score", "table", "compare", "report", "rerun"):
            rest += [f"--data-root={self.root}", f"--results={self.results}"]
        return [*given, command, *rest]

    def call(self, *words: object, plugins: tuple[str, ...] = ("tiny", "bad")) -> Result:
        """Call the command in this process; a bug shows its trace."""
        return self.call_plainly(self.words(*words, plugins=plugins))

    def call_plainly(self, arguments: list[str]) -> Result:
        """Call the command with exactly these arguments."""
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    def start(self, *words: object, plugins: tuple[str, ...] = ("tiny", "bad")) -> psutil.Popen:
        """Start the command in a separate process."""
        command = [sys.executable, "-c", "from liftbench.cli import main; main()"]
        return psutil.Popen(
            [*command, *self.words(*words, plugins=plugins)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def store(self, suite: str = "small") -> Store:
        return Store(self.results / suite)

    def records(self, suite: str = "small") -> dict[str, RunRecord]:
        """Return the stored records by method, of seed 0."""
        found = self.store(suite).records()
        return {r.spec.method["key"]: r for r in found if r.spec.seed == 0}


@pytest.fixture
def whole_bench(tmp_path: Path) -> TinyBench:
    """A bench with the one subset `one`."""
    made = TinyBench(tmp_path)
    made.add_subset("one")
    return made


@pytest.fixture
def bench(whole_bench: TinyBench, no_torch: str, monkeypatch: pytest.MonkeyPatch) -> TinyBench:
    """A bench with the one subset `one`, whose child processes have no torch."""
    monkeypatch.setenv("PYTHONPATH", no_torch)
    return whole_bench


@pytest.fixture
def unrendered_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps draw their figures but write empty files: to render them takes seconds."""
    monkeypatch.setattr(plotting, "figure_files", lambda _: {"png": b"", "svg": b""})


@pytest.fixture(scope="session")
def wait_until() -> Wait:
    """Wait for a condition, with a deadline that only a hang exceeds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 600
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)

    return wait


@pytest.fixture
def kill_later() -> Iterator[list[psutil.Process]]:
    """A list of processes that are ended after the test, whether it passes or fails."""
    started: list[psutil.Process] = []
    yield started
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory, no_torch: str) -> TinyBench:
    """A bench with a suite that has been run; tests take a copy of it, see `finished`."""
    made = TinyBench(tmp_path_factory.mktemp("ran") / "bench")
    made.add_subset("one")
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
    made.suite(methods={"seeded": {}, "urandom": {}}, data=[{**data, "seeds": 2}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", no_torch)
        result = made.call("run", made.folder / "small.yaml", "--methods", "seeded,urandom,rigid")
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def finished(
    ran_once: TinyBench, tmp_path: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch
) -> TinyBench:
    """A new bench with two seeds of `seeded`, and one run of `urandom` and of `rigid`."""
    monkeypatch.setenv("PYTHONPATH", no_torch)
    shutil.copytree(ran_once.folder, tmp_path / "bench")
    return TinyBench(tmp_path / "bench")

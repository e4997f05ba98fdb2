"""Fixtures that all tests share."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

# CI draws the same examples at every run; elsewhere each run draws new ones. There is no deadline.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Each worker of pytest-xdist computes in one thread; this is set before NumPy loads. Threads that
# compete for the same cores make a small eigenvalue problem take up to twenty times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPO_ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


def not_none(value: T | None) -> T:
    """Return an optional part that must be there."""
    assert value is not None
    return value


def example_of(word: str) -> str:
    """Return the only example of the page on methods that has this word."""
    page = (REPO_ROOT / "docs" / "your_method.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (code,) = (block for block in blocks if word in block)
    return str(code)


LONGEST_FIRST = ("tests/plugins/test_conformance.py", "tests/harness/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first, so that no worker of pytest-xdist begins one at the end."""

    def place(item: pytest.Item) -> int:
        starts = (item.nodeid.startswith(folder) for folder in LONGEST_FIRST)
        return next((i for i, found in enumerate(starts) if found), len(LONGEST_FIRST))

    items.sort(key=place)  # stable: the checks of one method stay together


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LIFTBENCH_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real dataset extracts, which the repository never holds."""
    default = REPO_ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get("LIFTBENCH_TEST_DATA") or default)
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set LIFTBENCH_TEST_DATA to their folder")
    return folder


_NO_TORCH = """
import json

def save(state, file):
    with open(file, "w") as stream:
        json.dump(state, stream)

def load(file, map_location, weights_only):
    assert weights_only
    with open(file) as stream:
        return json.load(stream)

class Tensor:  # SciPy checks whether its input is one
    pass

class _Nothing:
    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __bool__(self):
        return False

def __getattr__(name):
    return _Nothing()
"""


@pytest.fixture(scope="session")
def no_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a PYTHONPATH with an empty torch, which saves each child process 2 seconds.

    It can save and load plain values.
    """
    return _python_path(tmp_path_factory.mktemp("no_torch"), "torch.py", _NO_TORCH)


_NO_COMPILER = """
import sys
from types import ModuleType

def disable(function):
    return function

stand_in = ModuleType("torch._dynamo")
stand_in.disable = lambda function=None, *_, **__: function or disable
stand_in.graph_break = lambda: None
sys.modules["torch._dynamo"] = stand_in
"""


@pytest.fixture(scope="session")
def no_compiler(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a PYTHONPATH with a torch without its compiler, whose import takes 2 seconds."""
    return _python_path(tmp_path_factory.mktemp("no_compiler"), "sitecustomize.py", _NO_COMPILER)


def _python_path(folder: Path, name: str, text: str) -> str:
    """Write one file to a folder and return the PYTHONPATH with this folder in front."""
    (folder / name).write_text(text, encoding="utf-8")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))

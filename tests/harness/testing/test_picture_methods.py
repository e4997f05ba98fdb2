"""A method that needs images is examined like all others, in processes like those of runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import example_of

from liftbench import RunContext
from liftbench.plugin.registry import load_registry
from liftbench.testing import check_method
from liftbench.testing.method_checks import Candidate

NOT_OF_ALL = {
    "parts_fit_together",
    "order_of_points_does_not_matter",
    "result_turns_with_the_images",
    "keeps_its_state",
    "teaches_what_it_predicts",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", no_torch)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The file of the documentation's example."""
    path = tmp_path / "example.py"
    path.write_text(example_of("make_crops"), encoding="utf-8")
    return path


def examine(key: str, file: Path) -> set[str]:
    """Return the checks that do not concern a method, which passes all others."""
    found = {o.check: o for o in check_method(key, plugin_files=(file,))}
    assert [str(outcome) for outcome in found.values() if outcome.failed] == []
    assert found["same_seed_gives_the_same_result"].passed
    assert found["predicts_from_pictures_alone"].passed
    return {name for name, outcome in found.items() if outcome.state == "skipped"}


def test_the_example_of_the_documentation_is_examined(example: Path) -> None:
    assert examine("linear_crops", example) == NOT_OF_ALL


@pytest.mark.slow
def test_a_control_is_examined(plugins_folder: Path) -> None:
    skipped = examine("picture_control", plugins_folder / "picture_control.py")
    assert skipped == NOT_OF_ALL | {"truth_stays_out_of_reach"}


def test_the_example_of_the_documentation_looks_at_pictures(example: Path, tmp_path: Path) -> None:
    """It finds points of unseen frames better than where they are in their boxes on average."""
    registry = load_registry([example])
    context = RunContext(0, "cpu", 1, 1e6, tmp_path, lambda *_: None)
    subject = Candidate(registry, registry.methods["linear_crops"], {}, context, 1.0, 60.0)
    seen = subject.observe("motion", sequences=6, frames=40)
    frames = np.arange(seen.frames)
    every_fifth = frames // 2 % 5 == 0
    learned, unseen = (seen.take(frames[which]) for which in (~every_fifth, every_fifth))
    method = subject.fit_new(learned)
    found = subject.predict(method, unseen).points_3d[..., :2]
    vars(method)["weights"][:] = 0
    blind = subject.predict(method, unseen).points_3d[..., :2]
    error, guess = (np.nanmean(np.abs(x - unseen.points_2d)) for x in (found, blind))
    assert error < 0.75 * guess

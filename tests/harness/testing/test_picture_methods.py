"""A method that needs images is examined like all others, in processes like those of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftbench.testing import check_method


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, no_torch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", no_torch)


@pytest.mark.parametrize(
    ("key", "unchecked"),
    [
        ("linear_crops", set()),
        pytest.param("linear_control", {"truth_stays_out_of_reach"}, marks=pytest.mark.slow),
    ],
)
def test_a_picture_method_is_examined(plugins_folder: Path, key: str, unchecked: set[str]) -> None:
    found = {o.check: o for o in check_method(key, plugin_files=(plugins_folder / "crops.py",))}
    skipped = {name for name, outcome in found.items() if outcome.state == "skipped"}
    assert skipped == unchecked | {
        "parts_fit_together",
        "order_of_points_does_not_matter",
        "result_turns_with_the_images",
        "keeps_its_state",
        "teaches_what_it_predicts",
    }
    failed = [str(outcome) for outcome in found.values() if outcome.failed]
    assert failed == []
    assert found["same_seed_gives_the_same_result"].passed
    assert found["predicts_from_pictures_alone"].passed

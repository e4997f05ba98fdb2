"""Checks of methods in child processes, and the output of `plugins check`."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from liftbench import Capabilities
from liftbench.testing import moving_body
from liftbench.testing.methods import METHOD_CHECK_NAMES, Examination, truth_stays_out_of_reach
from liftbench.testing.outcomes import Outcome, outcome_of

if TYPE_CHECKING:
    from click.testing import Result
    from tests.harness.conftest import TinyBench


def lines(result: Result) -> dict[str, str]:
    """Return state and detail by check."""
    found = {}
    for line in result.stdout.splitlines()[1:-1]:
        check, _, detail = line[17:].partition(": ")
        found[check] = f"{line[:17].strip()} {detail}".strip()
    return found


def test_a_good_method_passes(bench: TinyBench) -> None:
    result = bench.call("plugins", "check", "seeded")
    assert result.exit_code == 0, result.output
    first, *_, last = result.stdout.splitlines()
    assert first == "method seeded"
    assert last == "24 checks: 13 passed, 0 failed, 4 expected to fail, 7 skipped"
    assert tuple(lines(result)) == METHOD_CHECK_NAMES
    assert lines(result)["same_seed_gives_the_same_result"] == "passed"


def test_a_process_that_ends_costs_one_check(
    bench: TinyBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache" / "liftbench").mkdir(parents=True)
    monkeypatch.delenv("LIFTBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = bench.call("plugins", "check", "two_faced", plugins=("promises",))
    assert result.exit_code == 1
    found = lines(result)
    assert {check: end for check, end in found.items() if end.startswith("FAILED")} == {
        "same_seed_gives_the_same_result": "FAILED two processes with the same seed give results "
        "that differ",
        "truth_stays_out_of_reach": f"FAILED it opens {tmp_path / 'cache' / 'liftbench'}, where "
        "data is kept",
        "takes_weak_perspective_cameras": "FAILED the process exited with code 3 before it had "
        "finished",
    }
    assert found["result_turns_with_the_images"] == "expected to fail it has not learned to turn"
    assert found["leaves_its_input_alone"] == "passed", "checks after the end of a process go on"


def test_a_method_that_does_not_run_is_not_examined(bench: TinyBench) -> None:
    result = bench.call("plugins", "check", "raises")
    assert result.exit_code == 1
    found = lines(result)
    assert found["runs_and_is_scored"] == "FAILED RuntimeError: cannot fit this"
    assert set(list(found.values())[5:]) == {"skipped it does not run"}
    assert tuple(found) == METHOD_CHECK_NAMES


def test_a_method_with_images_that_copies_points_finds_none(bench: TinyBench) -> None:
    result = bench.call("plugins", "check", "looking")
    assert result.exit_code == 1
    assert "all points coincide" in lines(result)["runs_and_is_scored"]


def test_collapsed_points_are_no_result(bench: TinyBench) -> None:
    found = lines(bench.call("plugins", "check", "collapsed"))
    assert "coincide" in found["runs_and_is_scored"]


def test_a_misspelt_check_is_refused_before_anything_runs(bench: TinyBench) -> None:
    result = bench.call("plugins", "check", "misspelt", plugins=("promises",))
    assert result.exit_code == 2
    assert result.stdout == "method misspelt\n"
    assert "did you mean 'result_turns_with_the_images'?" in result.stderr
    assert len(result.stderr.splitlines()) == 1


# --- the truth ---------------------------------------------------------------------------------


def judge(tmp_path: Path, variable: str = "", opened: str = "", **files: bytes) -> Outcome:
    """Check a run that has an environment variable, opened a file and has `files` in its folder."""
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    first_lift: dict[str, Any] = {
        "surroundings": ["PATH=/bin", variable],
        "opened": ["/etc/hosts", opened],
    }
    trial = SimpleNamespace(
        root=tmp_path / "root",
        folder=folder.parent,
        examination=Examination(first_lift, ()),
        spec=SimpleNamespace(capabilities=Capabilities()),
    )
    return outcome_of(truth_stays_out_of_reach, trial)  # type: ignore[arg-type]


def test_a_run_that_knows_nothing_passes(tmp_path: Path) -> None:
    flat = moving_body("train")[..., :2].tobytes()
    truth = moving_body("train").tobytes()
    assert judge(tmp_path, train_npz=flat, predictions_npz=truth).passed


def test_each_way_to_the_truth_is_found(tmp_path: Path, cache_folder: Path) -> None:
    root = tmp_path / "root"
    assert "name the data root" in judge(tmp_path, variable=f"LIFTBENCH_DATA={root}").detail
    assert f"opens {root}/x.npy" in judge(tmp_path, opened=f"{root}/x.npy").detail
    assert f"opens {cache_folder}/parsed" in judge(tmp_path, opened=f"{cache_folder}/parsed").detail
    depths = np.ascontiguousarray(moving_body("train")[..., 2])
    for content in (moving_body("train").tobytes(), depths.tobytes(), str(root).encode()):
        assert "train.npz in its folder" in judge(tmp_path, train_npz=content).detail

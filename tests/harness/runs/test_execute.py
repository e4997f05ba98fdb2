"""Every run ends with a record, however its method misbehaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.harness.conftest import TinyBench, Wait
from tests.harness.runs.conftest import FakeChild, change, gone

from liftbench.runs import execute, process

BAD = {
    "raises": ("failed", "RuntimeError: cannot fit this"),
    "wrong_shape": ("failed", "ValueError: predict: expected points_3d (8, 5, 3), got (8, 4, 3)"),
    "not_finite": ("failed", "ValueError: Reconstruction.points_3d: 1 of 8 frames hold NaN"),
    "wrong_type": ("failed", "TypeError: predict: expected a Reconstruction, got ndarray"),
    "exits_at_once": ("failed", "the process exited with code 3 before it had finished"),
    "kills_itself": ("failed", "the process was killed by signal 9 before it had finished"),
    "calls_exit": ("failed", "SystemExit: 0"),
    "takes_memory": ("out_of_memory", "took more than 0.5 GiB of memory"),
    "memory_error": ("out_of_memory", "MemoryError: refused"),
    "collapsed": ("failed", "e3d@1: all points coincide in 8 of 8 predicted frames"),
}


def test_each_bad_method_is_a_row_and_the_others_finish(bench: TinyBench, wait_until: Wait) -> None:
    pid_file = bench.folder / "orphan.pid"
    methods = {**{name: {} for name in BAD}, "orphan": {"params": {"file": str(pid_file)}}}
    suite = bench.suite(methods=methods, limits={"seconds": 300, "memory_gib": 0.5})
    result = bench.call("run", suite, "--jobs", 2)
    assert result.exit_code == 1
    records = bench.records()
    assert set(records) == {*BAD, "orphan", "zero_depth", "rigid"}
    for name, (status, error) in BAD.items():
        record = records[name]
        assert (name, record.status) == (name, status)
        assert record.error.startswith(error)
        assert record.scores == {}
        assert f"{name} tiny one seed 0: {status}: {error}" in result.stdout
    for name in ("orphan", "zero_depth", "rigid"):
        assert records[name].status == "ok", records[name].error
        assert records[name].scores["e3d@1"]["train"].frames == 8
    assert "last words" in records["exits_at_once"].error.splitlines()
    assert 'raise RuntimeError("cannot fit this")' in records["raises"].error
    wait_until(lambda: gone(int(pid_file.read_text(encoding="utf-8"))))
    assert not list((bench.store().folder / "scratch").iterdir())


def test_method_that_hangs_costs_one_row(bench: TinyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.5)
    suite = bench.suite(methods={"hangs": {}}, limits={"seconds": 4})
    result = bench.call("run", suite, "--methods", "hangs")
    assert result.exit_code == 1
    record = bench.records()["hangs"]
    assert record.status == "timeout"
    assert record.error.startswith("took longer than 4 s")


def test_method_that_cannot_take_the_data_is_skipped(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    for params, reason in (
        ({"camera": "perspective"}, "the method has no perspective camera"),
        ({"hide_one": True}, "the method needs every point to be visible"),
    ):
        data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["unseen"]}
        suite = bench.suite(next(iter(params)), data=[{**data, "params": params}])
        result = bench.call("run", suite, "--methods", "seeded")
        assert result.exit_code == 0, "skipped is no failure"
        record = bench.records(suite.stem)["seeded"]
        assert (record.status, record.error) == ("skipped", reason)
        assert f"seeded tiny one seed 0: skipped: {reason}" in result.stdout
    assert child.methods == []


def test_images_are_drawn_for_methods_that_need_them_and_hidden_from_others(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
    bench.call("run", bench.suite("blind", data=[data]), "--methods", "looking")
    record = bench.records("blind")["looking"]
    assert record.error == "the method needs images, which are not there"
    assert record.status == "skipped"
    suite = bench.suite(data=[{**data, "params": {"pictures": True}}])
    bench.call("run", suite, "--methods", "filling")
    assert child.images == {"filling": None}
    assert not list(bench.root.rglob("*.png"))
    bench.call("run", suite, "--methods", "looking")
    images = child.images["looking"]
    assert images is not None
    assert [images.image(frame).shape for frame in range(8)] == [(1, n, 3) for n in range(1, 9)]


def test_unreadable_predictions_are_a_failed_row(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoils(folder: Path, *_: object) -> dict[str, Any]:
        (folder / "predictions.npz").write_bytes(b"PK half")
        return {"status": "ok", "peak_memory_mib": 1.0}

    monkeypatch.setattr(execute, "run_child", spoils)
    assert bench.call("run", bench.suite(), "--methods", "seeded").exit_code == 1
    record = bench.records()["seeded"]
    assert record.status == "failed"
    assert record.error.startswith("predictions: ")


def test_record_keeps_the_note_of_its_dataset(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch)
    bench.add_subset("noted")
    data = {"dataset": "tiny", "subsets": ["noted"], "fit": "train", "evaluate": ["train"]}
    suite = bench.suite(data=[data])
    assert bench.call("run", suite, "--methods", "seeded").exit_code == 0
    assert bench.records()["seeded"].data_note == "only a few frames"
    change(bench, "seeded", data_note="")
    assert bench.call("score", suite).exit_code == 0
    assert bench.records()["seeded"].data_note == "only a few frames"

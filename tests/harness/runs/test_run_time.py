"""Run times of single frames, from the child process to the tables."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest
from tests.harness.conftest import TinyBench

PLUGINS = ("tiny", "timed")
BOTH_SPLITS = {"dataset": "tiny", "subsets": ["one"], "fit": "train"}


def run(bench: TinyBench, protocols: list[str], **params: object) -> None:
    protocol, *also = protocols
    data = [{**BOTH_SPLITS, "evaluate": ["train", "unseen"]}]
    changes: dict[str, Any] = {"also": also, "data": data, "methods": {"parts": {"params": params}}}
    path = bench.suite(protocol=protocol, **changes)
    bench.call("run", path, "--jobs", "1", plugins=PLUGINS)


def test_scores_are_means_of_twenty_stored_runs(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total", "runtime_network", "runtime_optimisation"])
    record = whole_bench.records()["parts"]
    assert record.status == "ok"
    for split in ("train", "unseen"):
        times = record.timings[split]
        assert {part: len(runs) for part, runs in times.items()} == {
            "network": 20,
            "optimisation": 20,
            "whole": 20,
        }
        network, total = (
            record.scores[f"{name}@1"][split].value for name in ("runtime_network", "runtime_total")
        )
        assert network == pytest.approx(fmean(times["network"]))
        assert total == pytest.approx(fmean(times["network"]) + fmean(times["optimisation"]))
        assert total <= fmean(times["whole"])


def test_they_are_measured_where_a_protocol_asks_for_them_and_change_no_prediction(
    whole_bench: TinyBench,
) -> None:
    run(whole_bench, ["e3d"])
    plain = whole_bench.records()["parts"]
    assert plain.timings == {}
    whole_bench.store().record_path(plain.spec.key).unlink()
    run(whole_bench, ["e3d", "runtime_total"])
    assert whole_bench.records()["parts"].digests == plain.digests


def test_a_method_without_marks_has_no_such_time(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total"], parts=["network"])
    record = whole_bench.records()["parts"]
    assert record.status == "skipped"
    assert "need the part 'optimisation', but it marks network, whole" in record.error


def test_a_method_that_cannot_predict_one_frame_has_failed(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total"], least_frames=2)
    record = whole_bench.records()["parts"]
    assert record.status == "failed"
    assert record.error.startswith("ValueError: expected 2 frames, got 1")


def test_scoring_again_keeps_them(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total"])
    before = whole_bench.records()["parts"]
    result = whole_bench.call("score", whole_bench.folder / "small.yaml", plugins=PLUGINS)
    assert result.exit_code == 0
    assert whole_bench.records()["parts"].scores == before.scores


def test_a_repetition_need_not_take_the_same_time(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total", "e3d"])
    key = whole_bench.records()["parts"].spec.key
    result = whole_bench.call("rerun", key, "--verify", plugins=PLUGINS)
    assert "identical bit for bit" in result.stdout


def test_another_suite_measures_them_again(whole_bench: TinyBench) -> None:
    """It may be about another device, which is no part of a run's key."""
    run(whole_bench, ["runtime_total"])
    first = whole_bench.records()["parts"]
    path = whole_bench.suite("other", protocol="runtime_total", methods={"parts": {}})
    content = (whole_bench.folder / "small.yaml").read_text(encoding="utf-8")
    path.write_text(content, encoding="utf-8")
    result = whole_bench.call("run", path, "--jobs", "1", plugins=PLUGINS)
    again = whole_bench.records("other")["parts"]
    assert again.spec.key == first.spec.key
    assert again.timings != first.timings
    assert result.exit_code == 0


def test_they_cannot_be_compared_by_frames(whole_bench: TinyBench) -> None:
    run(whole_bench, ["runtime_total"])
    path = whole_bench.folder / "small.yaml"
    result = whole_bench.call("compare", "--suite", path, "parts", "parts", plugins=PLUGINS)
    assert "run times are not those of frames" in result.stdout

"""Run records: their keys, their files, and what happens to damaged ones."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.runs.exchange import digest
from liftbench.runs.store import RunRecord, RunResult, RunSpec, Score, Store, summary
from liftbench.types import Reconstruction

SPEC = RunSpec(
    dataset={"key": "tiny", "version": 1, "params": {"a": 1, "b": 0.5}, "subset": "01"},
    fit="train",
    evaluate=("train", "unseen"),
    method={"key": "rigid", "version": 2, "params": {"widths": [1, 2], "name": "é"}},
    seed=3,
)
CANONICAL = (
    '{"dataset":{"key":"tiny","params":{"a":1,"b":0.5},"subset":"01","version":1},'
    '"evaluate":["train","unseen"],"fit":"train",'
    '"method":{"key":"rigid","params":{"name":"\\u00e9","widths":[1,2]},"version":2},"seed":3}'
)
KEY = "3dc483f58c5d4cbd6bd74343b89f5c51d3ed7139ed05128717b0449df6710243"
RECORD = RunRecord(
    spec=SPEC,
    status="ok",
    scores={"e3d@1": {"train": Score(0.1 + 0.2, {"walk ‖": 1 / 3}, 8)}},
    fit_seconds=1.5,
    predict_seconds=0.25,
    peak_memory_mib=100.0,
    curve=((0, 10, 2.0), (10, 10, 1e-300)),
    digests={"train": "abc"},
    execution={"device": "cpu", "threads": 1},
    limits={"seconds": 5.0, "memory_gib": 1.0},
    environment={"python": "3.11", "packages": {"numpy": "2"}},
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "suite")


def test_key_is_the_digest_of_the_canonical_spec() -> None:
    assert hashlib.sha256(CANONICAL.encode()).hexdigest() == KEY
    assert SPEC.key == KEY


def test_key_does_not_depend_on_the_order_of_parameters() -> None:
    turned = dict(reversed(list(SPEC.dataset.items())))
    turned["params"] = dict(reversed(list(SPEC.dataset["params"].items())))
    assert replace(SPEC, dataset=turned).key == SPEC.key


@pytest.mark.parametrize(
    "changed",
    [
        replace(SPEC, seed=4),
        replace(SPEC, fit="unseen"),
        replace(SPEC, evaluate=("train",)),
        replace(SPEC, evaluate=("unseen", "train")),
        replace(SPEC, dataset={**SPEC.dataset, "params": {"a": 1.0, "b": 0.5}}),
        replace(SPEC, dataset={**SPEC.dataset, "checksum": "x"}),
        replace(SPEC, method={**SPEC.method, "version": 3}),
        replace(SPEC, corruption={"missing": {"version": 1, "params": {"share": 0.3}}}),
    ],
)
def test_key_depends_on_every_part(changed: RunSpec) -> None:
    assert changed.key != SPEC.key


def test_key_depends_on_the_order_of_corruptions_alone() -> None:
    both = {"a": {"version": 1, "params": {"x": 1, "y": 2}}, "b": {"version": 1, "params": {}}}
    one = replace(SPEC, corruption=both)
    spelt = {**both, "a": {"params": {"y": 2, "x": 1}, "version": 1}}
    assert replace(SPEC, corruption=spelt).key == one.key
    assert replace(SPEC, corruption=dict(reversed(both.items()))).key != one.key


def test_committed_records_have_their_keys() -> None:
    """None of them was written with a corruption; reading checks the key."""
    results = Path(__file__).resolve().parents[3] / "results"
    records = [record for folder in results.iterdir() for record in Store(folder).records()]
    assert len(records) >= 20


@pytest.mark.parametrize("seed", ["0", "1"])
def test_key_does_not_depend_on_the_hash_seed(seed: str) -> None:
    code = (
        "import json, sys; from liftbench.runs.store import RunSpec\n"
        "print(RunSpec(**json.loads(sys.argv[1])).key)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, CANONICAL],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == KEY


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        RunRecord(SPEC, "failed", error="RuntimeError: ü\nline 2"),
        replace(RECORD, scores={"m@1": {"a": Score(1.5, {"walk": 1.5}, 8, 2, ("run", "sit"))}}),
        replace(RECORD, data_note="two files are absent"),
        replace(RECORD, spec=replace(SPEC, corruption={"b": {"version": 1}, "a": {"version": 1}})),
    ],
)
def test_record_comes_back_as_it_was(store: Store, record: RunRecord) -> None:
    store.write(record)
    assert store.read(record.spec.key) == record
    assert list(store.records()) == [record]


def test_record_from_before_there_were_corruptions_is_read(store: Store) -> None:
    store.write(RECORD)
    path = store.record_path(KEY)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["spec"]["corruption"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert store.read(KEY) == RECORD


def test_absent_record_is_none(store: Store) -> None:
    assert store.read(SPEC.key) is None
    assert list(store.records()) == []


def test_not_a_number_is_never_stored(store: Store) -> None:
    bad = replace(RECORD, scores={"e3d@1": {"train": Score(float("nan"), {}, 8)}})
    with pytest.raises(ValueError, match="JSON"):
        store.write(bad)
    assert store.read(SPEC.key) is None


def edited(text: str, **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "not a whole run record"),
        (lambda _: "", "not a whole run record"),
        (lambda _: "[]", "not a whole run record"),
        (lambda _: '"words"', "not a whole run record"),
        (lambda text: edited(text, colour="red"), "not a whole run record"),
        (lambda text: edited(text, curve=[[1, 2]]), "not a whole run record"),
        (lambda text: edited(text, schema_version=2), "schema_version is not 1"),
        (lambda text: edited(text, status="fine"), "status 'fine': expected one of ok, failed"),
        (lambda text: edited(text, key="0" * 64), "the key is not that of the spec"),
        (lambda text: text.replace('"seed": 3', '"seed": 4'), "the key is not that of the spec"),
        (lambda text: text.replace('"status": "ok",', ""), "not a whole run record"),
    ],
)
def test_damaged_record_is_reported_in_one_line(store: Store, damage: object, message: str) -> None:
    store.write(RECORD)
    path = store.record_path(KEY)
    before = path.read_text(encoding="utf-8")
    path.write_text(damage(before), encoding="utf-8")  # type: ignore[operator]
    assert path.read_text(encoding="utf-8") != before
    for read in (lambda: store.read(KEY), lambda: list(store.records())):
        with pytest.raises(UserError) as caught:
            read()
        assert message in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_record_under_another_name_is_reported(store: Store) -> None:
    store.write(RECORD)
    store.record_path(KEY).rename(store.record_path("0" * 64))
    with pytest.raises(UserError, match="the key is not that of the spec"):
        store.read("0" * 64)


def test_record_that_is_not_text_is_reported(store: Store) -> None:
    store.write(RECORD)
    store.record_path(KEY).write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match="not a whole run record"):
        store.read(KEY)


@pytest.mark.parametrize("broken", ["replace", "chmod"])
def test_crash_while_writing_leaves_the_old_record(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    store.write(RECORD)

    def crash(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, broken, crash)
        with pytest.raises(OSError, match="disk full"):
            store.write(replace(RECORD, status="failed"))
    assert store.read(KEY) == RECORD
    assert [p.name for p in (store.folder / "runs").iterdir()] == [f"{KEY}.json"]


def test_file_is_synced_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    steps: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def log_fsync(descriptor: int) -> None:
        steps.append("sync")
        fsync(descriptor)

    def log_rename(source: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(Path, "replace", log_rename)
    write_atomic(path, b"whole")
    assert steps == ["sync", "rename"]
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o644


def test_hidden_temporary_files_are_not_records(store: Store) -> None:
    store.write(RECORD)
    (store.folder / "runs" / f".{KEY}.json.x1y2").write_text("half", encoding="utf-8")
    assert list(store.records()) == [RECORD]


NOISE = {"version": 1, "params": {"ratio": 0.1}}
BOTH = replace(SPEC, corruption={"noise": NOISE})
LEARNED = replace(SPEC, corruption={"noise": {**NOISE, "stage": "fit"}})
TESTED = replace(SPEC, corruption={"noise": {**NOISE, "stage": "predict"}})


def test_a_stage_sees_its_corruptions_alone() -> None:
    assert BOTH.corruptions("fit") == BOTH.corruptions("predict") == {"noise": NOISE}
    assert (LEARNED.corruptions("fit"), LEARNED.corruptions("predict")) == ({"noise": NOISE}, {})
    assert (TESTED.corruptions("fit"), TESTED.corruptions("predict")) == ({}, {"noise": NOISE})


def test_runs_that_learn_from_the_same_share_a_fit() -> None:
    assert replace(SPEC, evaluate=("unseen",)).fit_key == SPEC.fit_key == TESTED.fit_key
    assert BOTH.fit_key == LEARNED.fit_key != SPEC.fit_key


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, seed=4),
        replace(SPEC, fit="unseen"),
        replace(SPEC, dataset={**SPEC.dataset, "subset": "02"}),
        replace(SPEC, method={**SPEC.method, "version": 3}),
    ],
)
def test_runs_that_learn_from_something_else_have_another_fit(other: RunSpec) -> None:
    assert other.fit_key != SPEC.fit_key


def test_stores_beside_this_one_are_searched(tmp_path: Path) -> None:
    first, second, empty = (Store(tmp_path / name) for name in ("a", "b", "c"))
    other = replace(RECORD, spec=replace(SPEC, seed=4))
    first.write(RECORD)
    first.write(other)
    second.write(RECORD)
    assert list(first.others_with(KEY)) == [second]
    assert list(empty.others_with(KEY)) == [first, second]
    assert list(second.others_with(other.spec.key)) == [first]
    found = {record.spec.seed: record for record in empty.of_all_suites()}
    assert found == {3: RECORD, 4: other}
    assert len(list(empty.of_all_suites())) == 2, "a run that two suites have comes once"


def test_predictions_are_stored_and_those_of_an_earlier_run_deleted(store: Store) -> None:
    made = {"train": Reconstruction(np.arange(6.0).reshape(1, 2, 3))}
    store.write_result(RunResult(RECORD, made))
    assert digest(store.read_predictions(KEY)["train"]) == digest(made["train"])
    failed = replace(RECORD, status="failed", scores={})
    store.write_result(RunResult(failed))
    assert store.read(KEY) == failed
    assert not store.predictions_path(KEY).exists()


def test_a_crash_while_predictions_are_written_leaves_no_record(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("liftbench.runs.store.save_reconstructions", crash)
    with pytest.raises(OSError, match="disk full"):
        store.write_result(RunResult(RECORD, {"train": Reconstruction(np.ones((1, 2, 3)))}))
    assert store.read(KEY) is None


def test_summary_is_one_line() -> None:
    assert summary(RECORD) == "train e3d 0.3000"
    assert summary(replace(RECORD, error="ValueError: no\nTraceback")) == "ValueError: no"

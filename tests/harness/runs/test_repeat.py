"""A stored run is repeated and compared bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.harness.conftest import TinyBench
from tests.harness.runs.conftest import FakeChild, change


def test_deterministic_run_is_identical(finished: TinyBench) -> None:
    record = finished.records()["seeded"]
    path = finished.store().record_path(record.spec.key)
    before = path.read_bytes()
    result = finished.call("rerun", record.spec.key[:12], "--verify")
    assert result.exit_code == 0
    assert "identical bit for bit" in result.stdout
    assert path.read_bytes() == before


def test_run_that_differs_says_how(finished: TinyBench) -> None:
    record = finished.records()["urandom"]
    path = finished.store().record_path(record.spec.key)
    before = path.read_bytes()
    result = finished.call("rerun", record.spec.key, "--verify")
    assert result.exit_code == 1
    assert "differs: train: predictions differ in their bits" in result.stdout
    assert "differs: unseen e3d@1: stored " in result.stdout
    assert path.read_bytes() == before


def test_verify_says_where_the_environment_differs(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch)
    record = change(finished, "rigid", environment={"python": "2.7"})
    result = finished.call("rerun", record.spec.key, "--verify")
    assert result.exit_code == 1
    assert "environment: python: stored 2.7, here 3." in result.stdout


def test_rerun_replaces_the_stored_run(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch, fit_seconds=123.0)
    key = finished.records()["rigid"].spec.key
    assert finished.call("rerun", key).exit_code == 0
    assert finished.records()["rigid"].fit_seconds == 123.0


def test_rerun_that_fails_is_stored_and_reported(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch, status="failed", error="ValueError: now it fails")
    key = finished.records()["rigid"].spec.key
    result = finished.call("rerun", key)
    assert result.exit_code == 1
    assert "repeated: failed ValueError: now it fails" in result.stdout
    assert finished.records()["rigid"].status == "failed"


@pytest.mark.parametrize("key", ["0000", "", "*", "../x"])
def test_rerun_of_an_unknown_key(finished: TinyBench, key: str) -> None:
    result = finished.call("rerun", key)
    assert result.exit_code == 2
    assert result.stderr.startswith("liftbench: no stored run under ")


def test_rerun_of_data_that_has_changed_is_refused(finished: TinyBench) -> None:
    finished.add_subset("one", np.ones((12, 5, 3)))
    result = finished.call("rerun", finished.records()["rigid"].spec.key)
    assert result.exit_code == 2
    assert "are not those of the stored run" in result.stderr

"""Which run stands beside a student's as that of its teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from liftbench.report.collect import _teacher_of
from liftbench.runs.store import RunRecord, RunSpec

WHOLE = {"key": "tiny", "subset": "whole"}


def record_of(subset: str, method: str, **changes: Any) -> RunRecord:
    dataset = {"key": "tiny", "subset": subset}
    spec = RunSpec(dataset, "train", ("train",), {"key": method}, 0, fit_dataset=WHOLE)
    return replace(RunRecord(spec, "ok"), **changes)


def test_the_teacher_is_that_of_the_same_column() -> None:
    """All columns share one fit of the teacher; its run on the student's data is shown."""
    teachers = {subset: record_of(subset, "lecturer") for subset in ("walk", "sit", "wave")}
    assert len({teacher.spec.fit_key for teacher in teachers.values()}) == 1
    records = {teacher.spec.key: teacher for teacher in teachers.values()}
    for subset, teacher in teachers.items():
        student = record_of(subset, "pupil", teachers=({"fit": teacher.spec.fit_key},))
        assert _teacher_of(student, records) is teacher


def test_a_teacher_without_a_row_or_with_a_failed_one_is_not_shown() -> None:
    failed = record_of("walk", "lecturer", status="failed")
    student = record_of("walk", "pupil", teachers=({"fit": failed.spec.fit_key},))
    assert _teacher_of(student, {failed.spec.key: failed}) is None
    assert _teacher_of(record_of("walk", "pupil"), {}) is None

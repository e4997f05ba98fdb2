"""A teacher is fitted once for all its students, and their rows say why it failed."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock, Timeout
from tests.conftest import not_none
from tests.harness.conftest import Wait
from tests.harness.runs.conftest import gone
from tests.harness.runs.fits.conftest import ChildInProcess, School

from liftbench.runs.fits import kept


def test_students_at_once_share_one_fit(real_school: School) -> None:
    school = real_school
    result = school.run(school.suite("a", "b"), jobs=2)
    assert result.exit_code == 0, result.output
    assert len(school.fits()) == 1
    first, second = school.records().values()
    assert first.teachers == second.teachers
    assert first.status == second.status == "ok"


def test_students_and_a_row_share_one_fit(school: School) -> None:
    result = school.run(school.suite("a", "b", "lecturer"))
    assert result.exit_code == 0, result.output
    assert len(school.fits()) == 1
    records = school.records()
    teacher = records["lecturer", 0]
    for spread in (0, 1):
        (of_teacher,) = records["pupil", spread].teachers
        assert of_teacher["key"] == "lecturer"
        assert of_teacher["fit"] == teacher.spec.fit_key == school.folder().name
        assert of_teacher["fit_seconds"] == teacher.fit_seconds
        assert records["pupil", spread].curve == (), "its teacher's steps are not its own"
    assert [loss for *_, loss in teacher.curve] == [1 / n for n in range(1, 7)]
    assert teacher.teachers == ()


def test_student_learns_from_its_own_teacher(school: School) -> None:
    """The depth of a pupil without noise is that of its teacher, for every seed."""
    suite = school.suite("a", "lecturer", data=[{**DATA, "seeds": 2}])
    assert school.run(suite).exit_code == 0
    store = school.bench.store()
    depths = {
        (r.spec.method["key"], r.spec.seed): store.read_predictions(r.spec.key)["train"].points_3d
        for r in store.records()
    }
    assert len(depths) == 4
    for seed in (0, 1):
        assert np.allclose(depths["pupil", seed], depths["lecturer", seed])
    assert not np.allclose(depths["pupil", 0], depths["pupil", 1])


DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}


def test_teacher_that_a_student_needed_first_serves_the_row_too(school: School) -> None:
    suite = school.suite("a", "lecturer")
    assert school.run(suite, rows="a").exit_code == 0
    assert school.run(suite).exit_code == 0
    assert len(school.fits()) == 1
    records = school.records()
    (of_teacher,) = records["pupil", 0].teachers
    row = records["lecturer", 0]
    assert row.fit_seconds == of_teacher["fit_seconds"]
    assert len(row.curve) == 6
    assert row.execution["threads"] == 1
    assert row.peak_memory_mib
    assert row.predict_seconds is not None
    assert row.scores


def test_row_is_the_same_whether_its_fit_was_kept_or_not(school: School) -> None:
    suite = school.suite("a", "lecturer")
    school.run(suite, rows="lecturer")
    first = school.records()["lecturer", 0]
    school.bench.store().record_path(first.spec.key).unlink()
    school.run(suite, rows="lecturer")
    assert len(school.fits()) == 1
    second = school.records()["lecturer", 0]
    assert second.digests == first.digests
    assert second.scores == first.scores


def test_rerun_of_the_row_fits_anew_and_replaces_the_state(school: School) -> None:
    suite = school.suite("a", "lecturer")
    school.run(suite)
    before = (school.folder() / "fit.json").read_bytes()
    assert school.run(suite, "--rerun", "all", rows="a").exit_code == 0
    assert len(school.fits()) == 1, "the teacher has not been asked for again"
    assert school.run(suite, "--rerun", "all").exit_code == 0
    assert len(school.fits()) == 2, "once, although a student and a row asked"
    assert (school.folder() / "fit.json").read_bytes() != before
    school.bench.call("rerun", school.records()["lecturer", 0].spec.key, plugins=("tiny", "school"))
    assert len(school.fits()) == 3


def test_verification_leaves_the_kept_fit_alone(school: School) -> None:
    school.run(school.suite("a", "lecturer"))
    before = {path.name: path.stat().st_mtime_ns for path in school.folder().iterdir()}
    for key, fits in ((("pupil", 0.0), 1), (("lecturer", 0.0), 2)):
        words = ("rerun", school.records()[key].spec.key, "--verify")
        result = school.bench.call(*words, plugins=("tiny", "school"))
        assert "identical bit for bit" in result.stdout, result.output
        assert len(school.fits()) == fits
    after = {path.name: path.stat().st_mtime_ns for path in school.folder().iterdir()}
    assert {n: t for n, t in after.items() if n != "lock"} == {
        n: t for n, t in before.items() if n != "lock"
    }


def test_suite_takes_the_fit_of_another_suite(school: School) -> None:
    school.run(school.suite("a"))
    result = school.run(school.suite("a", "b", name="other"))
    assert result.exit_code == 0
    assert len(school.fits()) == 1
    assert school.folder("other").name == school.folder("small").name


# --- several at once, and kills -----------------------------------------------------------------


def test_killed_command_goes_on_with_the_teacher_where_it_was(
    school: School,
    no_torch: str,
    monkeypatch: pytest.MonkeyPatch,
    wait_until: Wait,
    kill_later: list[psutil.Process],
) -> None:
    """A second command, in this process, waits for the teacher of the first, until that is killed.

    It kills the first one as soon as it finds that the teacher is taken.
    """
    monkeypatch.setenv("PYTHONPATH", no_torch)
    hold = school.bench.folder / "hold"
    suite = school.suite("a", teacher=school.params(hold=str(hold)))
    first = school.start(suite)
    kill_later.append(first)
    wait_until(lambda: half_way(school))
    (fit,) = school.fits()
    first_child = int(fit.split()[-1])
    waits = []

    class Lock(FileLock):
        def acquire(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().acquire(*args, **kwargs)
            except Timeout:
                waits.append(self)
                first.kill()
                assert first.wait() == -signal.SIGKILL
                wait_until(lambda: gone(first_child))
                hold.touch()
                raise

    monkeypatch.setattr(kept, "FileLock", Lock)
    assert school.run(suite).exit_code == 0
    assert len(waits) == 1, "the lock of a killed command is free"
    first_steps = [line.split()[0] for line in school.fits()]
    assert first_steps == ["0", "3"], "the second command goes on at the checkpoint of the first"
    assert school.records()["pupil", 0].status == "ok"
    assert not list((school.bench.store().folder / "scratch").iterdir())


def half_way(school: School) -> bool:
    steps = school.bench.store().folder.glob("scratch/*/method/step.json")
    return any(path.read_text(encoding="utf-8") == "3" for path in steps)


# --- teachers that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("error", "teacher lecturer: RuntimeError: no chalk"),
        (
            "array",
            "teacher lecturer: TypeError: state()['depth']: expected tensors, numbers and strings, "
            "got ndarray",
        ),
    ],
)
def test_failed_teacher_fails_all_its_students_after_one_fit(
    school: School, fault: str, reason: str
) -> None:
    result = school.run(school.suite("a", "b", "lecturer", teacher=school.params(fault=fault)))
    assert result.exit_code == 1
    records = school.records()
    for spread in (0, 1):
        assert records["pupil", spread].status == "failed"
        assert records["pupil", spread].error.splitlines()[0] == reason
    assert len(school.fits()) == 1
    assert records["lecturer", 0].error.splitlines()[0] == reason.removeprefix("teacher lecturer: ")
    school.run(school.suite("a", teacher=school.params(fault=fault)), "--rerun", "failed")
    assert len(school.fits()) == 2, "another command tries it again"


def test_teacher_that_takes_too_long_fails_its_student(
    school: School, child: ChildInProcess
) -> None:
    child.endings["lecturer"] = {"status": "timeout", "error": "took longer than 3 s\nlast line"}
    school.run(school.suite("a", "b"))
    for record in school.records().values():
        assert record.status == "failed"
        assert record.error == "teacher lecturer: took longer than 3 s\nlast line"
    assert child.methods == ["lecturer"]


@pytest.mark.parametrize(
    ("params", "status", "reason"),
    [
        (
            {"teacher": "mute"},
            "skipped",
            "teacher mute: the method exposes no dictionary, no cameras",
        ),
        ({"teacher": "rigid"}, "skipped", "teacher rigid: the method exposes no dictionary, no "),
        ({"teacher": "assistant"}, "skipped", "teacher assistant: the method has a teacher itself"),
        (
            {"teacher": "lecturr"},
            "failed",
            "teacher lecturr: unknown method 'lecturr': did you mean 'lecturer'?",
        ),
        (
            {"teacher_params": {"chalk": 1}},
            "failed",
            "teacher lecturer: unknown parameter of method 'lecturer' 'chalk': ",
        ),
        (
            {"asks": "mute"},
            "failed",
            "LookupError: teacher 'mute' (defaults) is not declared: return it from "
            "MethodSpec.teachers, with these parameters",
        ),
        ({"asks": "mut"}, "failed", "UserError: unknown method 'mut': did you mean 'mute'?"),
    ],
)
def test_student_without_a_teacher_says_why(
    school: School, params: dict[str, object], status: str, reason: str
) -> None:
    suite = school.bench.suite(methods={"pupil": {"params": params}})
    result = school.run(suite)
    assert result.exit_code == (status == "failed"), result.output
    (record,) = school.records().values()
    assert record.status == status
    assert record.error.splitlines()[0].startswith(reason)


def test_teacher_that_cannot_take_the_observations_skips_its_student(school: School) -> None:
    data = [{**DATA, "params": {"hide_one": True}}]
    assert school.run(school.suite("a", data=data)).exit_code == 0
    record = school.records()["pupil", 0]
    assert record.status == "skipped"
    assert record.error == "teacher lecturer: the method needs every point to be visible"


def test_progress_of_a_teacher_is_shown_and_is_no_run(school: School) -> None:
    lines = school.run(school.suite("a")).stderr.splitlines()
    assert lines[:3] == [
        "1 runs to do",
        "a tiny one seed 0: started",
        "teacher lecturer tiny one seed 0: started",
    ]
    assert lines[3].startswith("teacher lecturer tiny one seed 0: ended")
    assert lines[4].startswith("a tiny one seed 0: ok train e3d ")


def test_teacher_is_part_of_the_key(school: School) -> None:
    school.run(school.suite("a", "lecturer"))
    records = school.records()
    spec = records["pupil", 0].spec
    teacher = {"key": "lecturer", "version": 1, "params": school.params(hold="", fault="")}
    assert spec.teachers == (teacher,)
    assert replace(spec, teachers=({**teacher, "version": 2},)).key != spec.key
    assert replace(spec, teachers=()).key != spec.key
    assert not_none(school.bench.store().read(spec.key)) == records["pupil", 0]
    assert records["lecturer", 0].spec.teachers == ()

"""How long a plan will take, with teachers that have no row of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.harness.conftest import PLUGINS, TinyBench

from liftbench.plugin.registry import Registry, load_registry
from liftbench.runs.exchange import ChildOutcome
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.fits.teachers import fit_of_teacher
from liftbench.runs.forecast import Forecast, MethodForecast, forecast
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.store import RunRecord, RunSpec
from liftbench.suites.suite import Limits, read_suite

STUDENTS = {name: {"plugin": "pupil", "params": {"spread": i}} for i, name in enumerate("abc")}


@pytest.fixture(scope="module")
def school() -> Registry:
    return load_registry([PLUGINS / "tiny.py", PLUGINS / "school.py"])


def runs_of(bench: TinyBench, school: Registry, suite: Path) -> list[RunSpec]:
    plan = make_plan(read_suite(suite), school, bench.root, Selection())
    return [run for cell in plan.cells for run in cell.runs if run.method["key"] == "pupil"]


def ahead(
    bench: TinyBench, school: Registry, methods: dict[str, Any], chosen: str = "", seeds: int = 1
) -> Forecast:
    """Return the forecast for some rows of a suite, or for all but the baselines."""
    suite = bench.suite(methods=methods)
    selection = Selection(methods=chosen.split(",") if chosen else list(methods), seeds=seeds)
    plan = make_plan(read_suite(suite), school, bench.root, selection)
    return forecast(plan, school, bench.store(), "none", 1)


def fits(made: Forecast) -> dict[str, tuple[int, int]]:
    return {row.method: (row.runs, row.fits) for row in made.rows}


def keep(bench: TinyBench, school: Registry, suite: str, seconds: float) -> None:
    """Keep the fit of the teacher of seed 0 in a suite."""
    student = runs_of(bench, school, bench.suite(methods=STUDENTS))[0]
    (teacher,) = student.teachers
    spec = fit_of_teacher(student, teacher, school.methods["lecturer"])
    (bench.folder / "state.pt").write_bytes(b"state")
    outcome: ChildOutcome = {"status": "ok", "fit_seconds": seconds}
    KeptFits(bench.store(suite)).keep_outcome(spec, outcome, bench.folder, Limits())


def test_a_teacher_without_a_row_counts_once_for_all_students(
    bench: TinyBench, school: Registry
) -> None:
    made = ahead(bench, school, STUDENTS)
    assert fits(made) == {"a": (1, 1), "b": (1, 1), "c": (1, 1), "teacher lecturer": (0, 1)}
    assert "3 to do in 4 fits" in made.text()


def test_each_seed_has_a_teacher(bench: TinyBench, school: Registry) -> None:
    assert fits(ahead(bench, school, STUDENTS, seeds=2))["teacher lecturer"] == (0, 2)


def test_a_teacher_of_other_parameters_is_another_one(bench: TinyBench, school: Registry) -> None:
    other = {"plugin": "pupil", "params": {"teacher_params": {"log": "elsewhere"}}}
    rows = [row.method for row in ahead(bench, school, {**STUDENTS, "other": other}).rows]
    assert rows == ["a", "b", "c", "other", "teacher lecturer", "teacher lecturer"]


def test_a_teacher_that_has_a_row_to_do_counts_there(bench: TinyBench, school: Registry) -> None:
    methods = {**STUDENTS, "lecturer": {}}
    assert "teacher lecturer" not in fits(ahead(bench, school, methods))
    assert fits(ahead(bench, school, methods, chosen="a"))["teacher lecturer"] == (0, 1)


@pytest.mark.parametrize("suite", ["small", "beside"])
def test_a_kept_teacher_is_not_fitted_again(bench: TinyBench, school: Registry, suite: str) -> None:
    keep(bench, school, suite, 5.0)
    before = sorted(bench.results.rglob("*"))
    assert "teacher lecturer" not in fits(ahead(bench, school, STUDENTS))
    assert fits(ahead(bench, school, STUDENTS, seeds=2))["teacher lecturer"] == (0, 1)
    assert sorted(bench.results.rglob("*")) == before


def test_an_unknown_teacher_takes_no_time(bench: TinyBench, school: Registry) -> None:
    lost = {"lost": {"plugin": "pupil", "params": {"teacher": "nobody"}}}
    assert fits(ahead(bench, school, lost)) == {"lost": (1, 1)}


def test_the_time_of_a_teacher_is_that_of_the_teachers_of_stored_students(
    bench: TinyBench, school: Registry
) -> None:
    specs = runs_of(bench, school, bench.suite(methods=STUDENTS))
    taught = ({"key": "lecturer", "fit": "0" * 64, "digest": "", "fit_seconds": 90.0},)
    for spec, seconds in zip(specs[:2], (20.0, 40.0), strict=True):
        record = RunRecord(spec, "ok", fit_seconds=seconds, teachers=taught)
        bench.store().write(record)
    made = ahead(bench, school, STUDENTS)
    assert made.rows == (
        MethodForecast("c", 1, 1, 30.0, "2 stored fits of this method"),
        MethodForecast(
            "teacher lecturer", 0, 1, 90.0, "1 stored fits of this configuration on this dataset"
        ),
    )
    assert "about 2 min with 1 at once" in made.text()

"""Grids unfold a suite into columns; the clean column has the same run as the plain suite."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from liftbench import CorruptionParams, CorruptionSpec
from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Plan, Selection, make_plan
from liftbench.runs.store import RunSpec, Store
from liftbench.suites.grids import Axis, Grid, grids_of, unfold
from liftbench.suites.suite import Suite, read_suite

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
NOISE = {"noise_ratio": {"ratio": [0, 0.1]}}
MISSING = {"missing": {"share": [0, 0.3, 0.6]}}


def suite(bench: TinyBench, *grids: dict[str, Any], **changes: Any) -> Suite:
    content = {"data": [DATA], "methods": {"filling": {}}, "sweep": list(grids), **changes}
    return read_suite(bench.suite(**content))


def plan(bench: TinyBench, registry: Registry, *grids: dict[str, Any], **changes: Any) -> Plan:
    made = suite(bench, *grids, **changes)
    return make_plan(made, registry, bench.root, Selection(methods=["filling"]))


def runs(made: Plan) -> dict[str, RunSpec]:
    return {cell.setting: cell.runs[0] for cell in made.cells}


def axis(bench: TinyBench, registry: Registry, **grid: dict[str, Any]) -> Axis:
    ((only,),) = (grid.axes for grid in grids_of(suite(bench, grid), registry))
    return only


def test_every_combination_is_a_column(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, {**NOISE, **MISSING})
    assert list(runs(made)) == [
        f"noise_ratio={noise};missing={share}" for noise in ("0", "0.1") for share in (0, 30, 60)
    ]
    corruption = runs(made)["noise_ratio=0.1;missing=60"].corruption
    assert list(corruption) == ["noise_ratio", "missing"]
    assert corruption["missing"] == {"version": 1, "params": {"seed": 0, "share": 0.6}}
    assert corruption["noise_ratio"]["params"] == {"seed": 0, "ratio": 0.1}


def test_clean_columns_have_the_runs_of_the_plain_suite(
    bench: TinyBench, registry: Registry
) -> None:
    plain = runs(plan(bench, registry))[""]
    grids = ({**NOISE, **MISSING}, {"frames": {"share": [1, 0.5]}})
    swept = runs(plan(bench, registry, *grids))
    assert swept["noise_ratio=0;missing=0"] == swept["frames=100"] == plain
    assert len({run.key for run in swept.values()}) == len(swept) - 1
    hidden = [{**DATA, "corruption": {"missing": {"share": 0.3}}}]
    alone = runs(plan(bench, registry, data=hidden))[""]
    assert swept["noise_ratio=0;missing=30"].key == alone.key


def test_the_corruption_of_the_suite_stays(bench: TinyBench, registry: Registry) -> None:
    data = [{**DATA, "corruption": {"missing": {"share": 0.4, "seed": 7}}, "setting": "hidden"}]
    made = runs(plan(bench, registry, NOISE, data=data))
    assert list(made) == ["hidden;noise_ratio=0", "hidden;noise_ratio=0.1"]
    assert list(made["hidden;noise_ratio=0"].corruption) == ["missing"]
    assert list(made["hidden;noise_ratio=0.1"].corruption) == ["missing", "noise_ratio"]
    over = runs(plan(bench, registry, MISSING, data=data))
    assert [run.corruption.get("missing", {}).get("params") for run in over.values()] == [
        None,
        {"seed": 0, "share": 0.3},
        {"seed": 0, "share": 0.6},
    ]


def test_frames_are_dropped_last_so_that_the_others_draw_for_all(
    bench: TinyBench, registry: Registry
) -> None:
    made = runs(plan(bench, registry, {"frames": {"share": [0.5]}, **NOISE}))
    corruption = made["frames=50;noise_ratio=0.1"].corruption
    assert list(corruption) == ["noise_ratio", "frames"]
    assert corruption["frames"]["stage"] == "fit"
    assert "stage" not in corruption["noise_ratio"]


def test_values_are_ordered_by_distance_from_the_clean_one_which_is_added(
    bench: TinyBench, registry: Registry
) -> None:
    noise = axis(bench, registry, noise_ratio={"ratio": [0.2, 0.1, 0.2]})
    assert (noise.values, noise.severities) == ((0.0, 0.1, 0.2), (0.0, 0.1, 0.2))
    frames = axis(bench, registry, frames={"share": [0.1, 0.5, 1]})
    assert (frames.values, frames.labels) == ((1.0, 0.5, 0.1), ("100", "50", "10"))
    np.testing.assert_allclose(frames.severities, (0, 0.5, 0.9))


@pytest.mark.parametrize(
    ("stage", "name", "heading"),
    [
        ("both", "missing", "Points hidden at random (%)"),
        ("predict", "test_missing", "Points hidden at random (%), only predicted from"),
        ("fit", "train_missing", "Points hidden at random (%), only learned from"),
    ],
)
def test_a_stage_is_part_of_the_name(
    bench: TinyBench, registry: Registry, stage: str, name: str, heading: str
) -> None:
    made = axis(bench, registry, missing={"share": [0.3], "stage": stage, "seed": 5})
    assert (made.name, made.heading) == (name, heading)
    run = runs(plan(bench, registry, {"missing": {"share": [0.3], "stage": stage, "seed": 5}}))[
        f"{name}=30"
    ]
    assert run.corruption["missing"].get("stage", "both") == stage
    assert run.corruption["missing"]["params"] == {"seed": 5, "share": 0.3}


def test_a_parameter_of_the_data_may_be_an_axis(bench: TinyBench, registry: Registry) -> None:
    grid = {"data": {"hide_one": [False, True]}, **MISSING}
    made = plan(bench, registry, grid)
    hidden = [run.dataset["params"]["hide_one"] for run in runs(made).values()]
    assert hidden == [False] * 3 + [True] * 3
    assert list(runs(made))[3] == "hide_one=true;missing=0"
    (found,) = grids_of(suite(bench, grid), registry)
    assert found.axes[0].severities == (0.0, 1.0)
    assert found.name == "hide_one-missing"


def test_a_suite_without_grids_is_not_changed(bench: TinyBench, registry: Registry) -> None:
    plain = suite(bench)
    assert unfold(plain, registry) is plain
    assert unfold(unfold(suite(bench, NOISE), registry), registry).sweep == ()


def test_setting_of_a_grid(bench: TinyBench, registry: Registry) -> None:
    (grid,) = grids_of(suite(bench, {**NOISE, **MISSING}), registry)
    assert grid.shape == (2, 3)
    assert grid.setting("", (1, 2)) == "noise_ratio=0.1;missing=60"
    assert grid.setting("near", (0, 0)) == "near;noise_ratio=0;missing=0"
    assert Grid(grid.axes[:1]).shape == (2,)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"mising": {"share": [0.1]}}, "unknown corruption 'mising': did you mean 'missing'"),
        ({"missing": {"share": 0.3}}, "sweep: missing: share: expected a list of values, got 0.3"),
        ({"missing": {"share": []}}, "sweep: missing: share: expected a list of values"),
        ({"missing": {}}, "sweep: missing: share: expected a list of values, got None"),
        ({"missing": {"share": ["a"]}}, "sweep: missing: share: expected numbers, got 'a'"),
        ({"missing": {"share": [True]}}, "sweep: missing: share: expected numbers, got True"),
        ({"missing": {"share": [0]}}, "missing: share: expected a value that changes something"),
        ({"missing": {"share": [1.5]}}, "share: expected at least 0 and less than 1, got 1.5"),
        ({"missing": {"share": [0.1], "sead": 1}}, "'sead': did you mean 'seed'"),
        ({"frames": {"share": [0.5], "stage": "both"}}, "stage: Input should be 'fit'"),
        ({"data": {"hide_on": [True]}}, "'hide_on': did you mean 'hide_one'"),
        ({"data": {"hide_one": True}}, "sweep: data: hide_one: expected a list of values"),
        ({}, "sweep.0: Dictionary should have at least 1 item"),
    ],
)
def test_mistakes_are_reported(
    bench: TinyBench, registry: Registry, grid: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        plan(bench, registry, grid)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_corruption_without_severity_cannot_be_swept(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CorruptionSpec("flip", "Flip", CorruptionParams, lambda o, *_: o)
    monkeypatch.setitem(registry.corruptions.items, "flip", spec)
    with pytest.raises(UserError, match="corruption 'flip' has no severity to sweep over"):
        plan(bench, registry, {"flip": {}})


def test_two_grids_that_a_table_could_not_tell_apart_are_refused(
    bench: TinyBench, registry: Registry
) -> None:
    with pytest.raises(UserError, match="two columns that differ"):
        plan(bench, registry, MISSING, {"missing": {"share": [0.3], "seed": 1}})


def test_fits_are_shared_if_only_the_observations_to_predict_from_differ(
    bench: TinyBench, registry: Registry
) -> None:
    tested = {key: {**params, "stage": "predict"} for key, params in {**NOISE, **MISSING}.items()}
    made = runs(plan(bench, registry, tested, {**NOISE, **MISSING}))
    of_tests = {run.fit_key for setting, run in made.items() if setting.startswith("test_")}
    of_both = {run.fit_key for setting, run in made.items() if not setting.startswith("test_")}
    assert (len(made), len(of_tests), len(of_both)) == (12, 1, 6)
    assert of_tests < of_both, "clean data is learned from in both"
    clean = made["noise_ratio=0;missing=0"]
    assert replace(clean, evaluate=("unseen",)).fit_key == clean.fit_key
    for other in (replace(clean, seed=1), replace(clean, fit="unseen")):
        assert other.fit_key != clean.fit_key


def test_a_fit_is_the_same_however_its_corruption_names_the_stage(
    bench: TinyBench, registry: Registry
) -> None:
    hidden = {"missing": {"share": [0.3]}}
    learned = {"missing": {"share": [0.3], "stage": "fit"}}
    made = runs(plan(bench, registry, hidden, learned))
    both, fit = made["missing=30"], made["train_missing=30"]
    assert both.key != fit.key
    assert both.fit_key == fit.fit_key


RESULTS = Path(__file__).resolve().parents[3] / "results"


@pytest.mark.parametrize(
    ("swept", "plain", "settings", "subsets"),
    [
        ("cmu_noise", "cmu", ("noise_ratio=0", "frames=100"), ("39", "07")),
        (
            "apollo_robustness_standin",
            "apollo_missing_standin",
            ("noise=0;missing=0", "noise=0;missing=30", "noise=0;missing=60"),
            ("all",),
        ),
    ],
)
def test_clean_cells_of_the_builtin_sweeps_have_the_committed_numbers_of_the_plain_suites(
    registry: Registry, swept: str, plain: str, settings: tuple[str, ...], subsets: tuple[str, ...]
) -> None:
    stores = [Store(RESULTS / name) for name in (swept, plain)]
    records = tuple(record for store in stores for record in store.records())
    suite = read_suite(registry.suites[swept])
    made = make_plan(suite, registry, Path("/nowhere"), Selection(), records)
    clean = [
        cell
        for cell in made.cells
        if cell.runs and cell.method in suite.methods and cell.setting in settings
    ]
    assert {(cell.method, cell.setting, cell.subset) for cell in clean} == set(
        product(suite.methods, settings, subsets)
    )
    for run in (run for cell in clean for run in cell.runs):
        ours, theirs = (store.read(run.key) for store in stores)
        assert ours is not None
        assert theirs is not None
        assert ours.status == theirs.status == "ok"
        assert ours.scores
        assert ours.scores.items() <= theirs.scores.items()


def test_the_clean_cell_of_table_5_is_that_of_table_4b(registry: Registry) -> None:
    settings = {"apollo": "no missing", "apollo_robustness": "noise=0;missing=0"}
    columns = {
        name: next(
            (data.dataset, data.params, data.corruption, data.fit, data.evaluate)
            for data in unfold(read_suite(registry.suites[name]), registry).data
            if data.setting == setting
        )
        for name, setting in settings.items()
    }
    dataset, params, corruption, *splits = columns["apollo_robustness"]
    assert [dataset, params, {}, *splits] == list(columns["apollo"])
    spec = registry.corruptions
    assert all(spec[k].is_clean(spec[k].params(**params)) for k, params in corruption.items())
    methods = {name: read_suite(registry.suites[name]).methods for name in settings}
    assert methods["apollo_robustness"].items() <= methods["apollo"].items()

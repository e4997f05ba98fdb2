"""Which runs are compared with which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from liftbench.comparison import Pair, folder_pairs, method_pairs
from liftbench.errors import UserError
from liftbench.runs.plan import Cell, Plan
from liftbench.suites.suite import Suite
from liftbench.tables.wording import SUPERVISED

if TYPE_CHECKING:
    from tests.harness.comparison.conftest import Runs


def keys(pair: Pair) -> tuple[list[str], list[str]]:
    a, b = (sorted(run.record.spec.key for run in side) for side in (pair.a, pair.b))
    return a, b


def folders(runs: Runs, a: str, b: str) -> list[Pair]:
    return folder_pairs(runs.bench.registry, runs.store(a).folder, runs.store(b).folder)


# --- two folders -------------------------------------------------------------------------------


def test_folders_are_matched_by_method_parameters_and_data(runs: Runs) -> None:
    for name in ("walk", "run"):
        runs.add_subset(name, 1)
    for suite in ("old", "new"):
        for seed in range(2):
            runs.add("seeded", "walk", 0.1, seed, suite=suite)
        runs.add("seeded", "walk", 0.1, suite=suite, spread=2.0)
        runs.add("seeded", "run", 0.1, suite=suite)
    runs.add("rigid", "walk", 0.1, suite="old")
    pairs = folders(runs, "old", "new")
    assert [(pair.name, pair.subset, len(pair.a), len(pair.b)) for pair in pairs] == [
        ("seeded (spread=2.0), points", "walk", 1, 1),
        ("seeded, points", "run", 1, 1),
        ("seeded, points", "walk", 2, 2),
    ]
    assert all(keys(pair)[0] == keys(pair)[1] for pair in pairs)


def test_other_versions_and_data_are_matched_too(runs: Runs) -> None:
    """They are paired; whether they can be compared is decided later."""
    runs.add_subset("walk", 1)
    runs.add("seeded", "walk", 0.1, suite="old")
    new = runs.add("seeded", "walk", 0.1, suite="new")
    method = {**new.spec.method, "version": 2}
    dataset = {**new.spec.dataset, "version": 2, "checksum": "b" * 64}
    runs.change(new, "new", spec=replace(new.spec, method=method, dataset=dataset))
    (pair,) = folders(runs, "old", "new")
    assert keys(pair)[0] != keys(pair)[1]


@pytest.mark.parametrize(
    "other",
    [
        {"corruption": {"missing": {"version": 1, "params": {"share": 0.5}}}},
        {"fit": "train"},
        {"evaluate": ("all", "test")},
    ],
)
def test_runs_of_different_specs_are_not_paired(runs: Runs, other: dict[str, Any]) -> None:
    runs.add_subset("walk", 1)
    runs.add("seeded", "walk", 0.1, suite="old")
    new = runs.add("seeded", "walk", 0.1, suite="new")
    runs.change(new, "new", spec=replace(new.spec, **other))
    with pytest.raises(UserError, match="no method with the same parameters ran on the same data"):
        folders(runs, "old", "new")


def test_corruption_is_part_of_the_name(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    corruption = {"missing": {"version": 1, "params": {"share": 0.5}}}
    for suite in ("old", "new"):
        record = runs.add("seeded", "walk", 0.1, suite=suite)
        runs.change(record, suite, spec=replace(record.spec, corruption=corruption))
    (pair,) = folders(runs, "old", "new")
    assert pair.name == "seeded, points, missing (share=0.5)"


def test_a_supervised_control_is_marked(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    for suite in ("old", "new"):
        runs.add("supervised_points", "walk", 0.1, suite=suite)
    (pair,) = folders(runs, "old", "new")
    assert pair.name == f"supervised_points{SUPERVISED}, points"


def test_folder_of_several_suites_has_each_run_once_with_all_scores(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    runs.add("seeded", "walk", 0.1, suite="one")
    runs.add("seeded", "walk", 0.1, suite="two", protocols=("e3d",))
    results = runs.folder / "results"
    (pair,) = folder_pairs(runs.bench.registry, results, runs.store("one").folder)
    (run,) = pair.a
    assert set(run.record.scores) == {"e3d@1", "mpjpe@1"}


def test_folder_without_runs_is_reported(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    runs.add("seeded", "walk", 0.1, suite="old")
    for name in ("data", "nowhere"):
        with pytest.raises(UserError, match=f"{name}: no stored runs; expected a folder of result"):
            folder_pairs(runs.bench.registry, runs.store("old").folder, runs.folder / name)


# --- two methods of a suite --------------------------------------------------------------------


def plan(*cells: Cell) -> Plan:
    data = {"dataset": "points", "subsets": ["walk"], "fit": "all", "evaluate": ["all"]}
    content = {"name": "mine", "title": "Mine", "protocol": "mpjpe", "data": [data]}
    suite = Suite.model_validate({**content, "methods": {"rigid": {}}})
    return Plan(suite, cells, ())


def cell(runs: Runs, method: str, setting: str = "", reason: str = "") -> Cell:
    specs = () if reason else (runs.spec(method, "walk"),)
    return Cell(method, "points", "walk", setting, "all", ("all",), specs, 1, reason)


def test_methods_are_paired_column_by_column(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    near = [runs.add("near", "walk", 0.1, seed).spec.key for seed in range(2)]
    far = runs.add("far", "walk", 0.2).spec.key
    runs.add("other", "walk", 0.2)
    made = plan(*(cell(runs, method) for method in ("near", "far", "other")))
    (pair,) = method_pairs(made, runs.store(), "near", "far")
    assert keys(pair) == (sorted(near), [far])
    assert (pair.name, pair.subset, pair.splits) == ("points", "walk", ("all",))


def test_runs_on_other_data_belong_to_their_method(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    record = runs.add("near", "walk", 0.1)
    dataset = {**record.spec.dataset, "checksum": "b" * 64}
    old = runs.change(record, spec=replace(record.spec, dataset=dataset))
    made = plan(cell(runs, "near"), cell(runs, "far"))
    (pair,) = method_pairs(made, runs.store(), "near", "far")
    assert keys(pair) == ([old.spec.key], [])


def test_runs_of_an_older_version_are_left_out(runs: Runs) -> None:
    """Folders pair versions, to compare them; in a suite, a method is what runs today."""
    runs.add_subset("walk", 1)
    now = runs.add("near", "walk", 0.1).spec.key
    record = runs.add("near", "walk", 0.1, 1)
    before = {**record.spec.method, "version": 0}
    runs.change(record, spec=replace(record.spec, method=before))
    made = plan(cell(runs, "near"), cell(runs, "far"))
    (pair,) = method_pairs(made, runs.store(), "near", "far")
    assert keys(pair) == ([now], [])


def test_settings_are_named_if_there_are_several(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    cells = [cell(runs, m, setting) for setting in ("clean", "noisy") for m in ("near", "far")]
    pairs = method_pairs(plan(*cells), runs.store(), "near", "far")
    assert [pair.name for pair in pairs] == ["points clean", "points noisy"]


def test_columns_without_one_of_the_methods_are_left_out(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    some = [cell(runs, "near", s) for s in ("whole", "few")] + [cell(runs, "far", "few")]
    (pair,) = method_pairs(plan(*some), runs.store(), "near", "far")
    assert pair.name == "points few"
    other = [cell(runs, "near", "whole"), cell(runs, "far", "few")]
    with pytest.raises(UserError, match="suite 'mine': no column has both 'near' and 'far'"):
        method_pairs(plan(*other), runs.store(), "near", "far")


def test_absent_data_keeps_its_reason(runs: Runs) -> None:
    made = plan(*(cell(runs, m, reason="no file x") for m in ("near", "far")))
    (pair,) = method_pairs(made, runs.store(), "near", "far")
    assert (pair.reason, pair.a, pair.b) == ("no file x", (), ())


def test_unknown_method_is_reported_with_the_nearest_name(runs: Runs) -> None:
    runs.add_subset("walk", 1)
    made = plan(cell(runs, "near"), cell(runs, "far"))
    with pytest.raises(UserError, match="method of suite 'mine' 'nera': did you mean 'near'"):
        method_pairs(made, runs.store(), "near", "nera")

"""A suite becomes cells of runs; unknown names are errors, absent data is not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Plan, Selection, adapter_of_run, make_plan
from liftbench.runs.store import RunRecord, RunSpec
from liftbench.suites.suite import read_suite

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
ALL = Selection()


def plan(
    bench: TinyBench,
    registry: Registry,
    selection: Selection = ALL,
    stored: tuple[RunRecord, ...] = (),
    **changes: Any,
) -> Plan:
    suite = read_suite(bench.suite(**{"data": [DATA], **changes}))
    return make_plan(suite, registry, bench.root, selection, stored)


def methods(made: Plan) -> list[str]:
    return [cell.method for cell in made.cells]


def test_floor_methods_are_added(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry)
    assert set(methods(made)) == {"zero_depth", "rigid", "seeded"}
    assert all(cell.reason == "" and cell.splits == ("train", "unseen") for cell in made.cells)


def test_floor_method_that_the_suite_names_comes_once(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, methods={"rigid": {}, "seeded": {}})
    assert sorted(methods(made)) == ["rigid", "seeded", "zero_depth"]


def test_a_column_can_have_some_rows_alone(bench: TinyBench, registry: Registry) -> None:
    """Baselines and rows outside the suite are in every column."""
    rows = {"a": {"plugin": "seeded"}, "b": {"plugin": "seeded"}, "c": {"plugin": "seeded"}}
    few = {**DATA, "params": {"hide_one": True}, "setting": "few", "methods": ["b", "c"]}
    made = plan(bench, registry, methods=rows, data=[DATA, few])
    found = {s: {c.method for c in made.cells if c.setting == s} for s in ("", "few")}
    assert found == {
        "": {"zero_depth", "rigid", "a", "b", "c"},
        "few": {"zero_depth", "rigid", "b", "c"},
    }
    chosen = Selection(methods=["a", "c", "urandom"])
    made = plan(bench, registry, chosen, methods=rows, data=[few])
    assert sorted(methods(made)) == ["c", "urandom"]


def test_spec_of_a_run_has_all_that_decides_it(bench: TinyBench, registry: Registry) -> None:
    row = {"plugin": "seeded", "params": {"spread": 2.0}}
    data = [{**DATA, "params": {"hide_one": True}, "fit": "unseen"}]
    made = plan(bench, registry, Selection(methods=["row"]), methods={"row": row}, data=data)
    (cell,) = made.cells
    (run,) = cell.runs
    assert cell.method == "row"
    assert run.method == {"key": "seeded", "version": 1, "params": {"spread": 2.0}}
    assert (run.fit, run.evaluate, run.seed) == ("unseen", ("train", "unseen"), 0)
    given = {"camera": "orthographic", "hide_one": True, "pictures": False}
    assert run.dataset["params"] == given
    assert run.dataset["subset"] == "one"
    assert len(run.dataset["checksum"]) == 64


MISSING = {"corruption": {"missing": {"share": 0.5}}, "setting": "missing"}


def test_corruption_and_setting_are_those_of_their_columns(
    bench: TinyBench, registry: Registry
) -> None:
    data = [DATA, {**DATA, **MISSING}]
    made = plan(bench, registry, Selection(methods=["seeded"]), data=data, setting="clean")
    assert [cell.setting for cell in made.cells] == ["clean", "missing"]
    clean, missing = (cell.runs[0] for cell in made.cells)
    assert clean.corruption == {}
    assert missing.corruption == {
        "missing": {"version": 1, "params": {"seed": 0, "share": 0.5}},
    }
    assert replace(missing, corruption={}) == clean
    titles = [made.title(cell) for cell in made.cells]
    assert titles == ["seeded tiny one clean", "seeded tiny one missing"]
    assert made.notes == ()


def test_title_leaves_out_the_only_setting_of_a_suite(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, Selection(methods=["seeded"]), setting="clean")
    assert made.title(made.cells[0]) == "seeded tiny one"


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"hide_one": True}},
        {"corruption": MISSING["corruption"]},
        {"fit": "unseen"},
        {"evaluate": ["train"]},
        {"seeds": 2},
        {"setting": "clean", "params": {"hide_one": True}},
    ],
)
def test_columns_that_a_table_cannot_tell_apart_are_refused(
    bench: TinyBench, registry: Registry, other: dict[str, object]
) -> None:
    data = [DATA, {**DATA, **other}]
    with pytest.raises(UserError, match=r"suite 'small': tiny one: two columns .* 'clean'; give"):
        plan(bench, registry, data=data, setting="clean")
    named = [DATA, {**DATA, **other, "setting": "another"}]
    assert len(plan(bench, registry, data=named, setting="clean").cells) == 6


def test_columns_in_another_order_of_corruptions_are_refused(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = replace(registry.corruptions["missing"], key="again")
    monkeypatch.setitem(registry.corruptions.items, "again", again)
    orders = (("missing", "again"), ("again", "missing"))
    data = [{**DATA, "corruption": {key: {"share": 0.5} for key in keys}} for keys in orders]
    with pytest.raises(UserError, match="two columns that differ"):
        plan(bench, registry, data=data)


def test_a_repeated_column_is_planned_once(bench: TinyBench, registry: Registry) -> None:
    data = [DATA, {**DATA, "params": {"hide_one": False}, "subsets": ["one", "one"]}]
    assert len(plan(bench, registry, data=data).cells) == 3


def test_seeds_of_another_column_do_not_count(bench: TinyBench, registry: Registry) -> None:
    only = Selection(methods=["seeded"], seeds=3)
    stored = records(plan(bench, registry, only, data=[{**DATA, **MISSING}]))
    made = plan(bench, registry, stored=stored, data=[DATA, {**DATA, **MISSING}])
    seeds = {(c.method, c.setting): c.seeds for c in made.cells}
    assert (seeds["seeded", ""], seeds["seeded", "missing"]) == (1, 3)


def test_defaults_that_are_spelt_out_change_no_key(bench: TinyBench, registry: Registry) -> None:
    only = Selection(methods=["seeded"])
    left_out = plan(bench, registry, only)
    spelt = plan(
        bench,
        registry,
        only,
        methods={"seeded": {"params": {"spread": 1.0}}},
        data=[{**DATA, "params": {"camera": "orthographic"}}],
    )
    assert left_out.cells[0].runs[0].key == spelt.cells[0].runs[0].key


def test_an_added_parameter_changes_keys_only_where_it_changes_the_data(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run from before it stays valid, and is read as the data was then."""
    spec = registry.datasets["tiny"]
    added = replace(spec, added_params={"hide_one": False})
    only = Selection(methods=["seeded"])

    def run(hide_one: bool) -> RunSpec:
        data = [{**DATA, "params": {"hide_one": hide_one}}]
        return plan(bench, registry, only, data=data).cells[0].runs[0]

    whole = {hide: run(hide) for hide in (False, True)}
    monkeypatch.setitem(registry.datasets.items, "tiny", added)
    fewer = {hide: run(hide) for hide in (False, True)}
    assert fewer[False].dataset["params"] == {
        name: value for name, value in whole[False].dataset["params"].items() if name != "hide_one"
    }
    assert fewer[True] == whole[True]
    assert len({fewer[False].key, fewer[True].key, whole[False].key}) == 3
    now_hidden = replace(added, added_params={"hide_one": True})
    for stands_for, hidden in ((added, 0), (now_hidden, 1)):
        monkeypatch.setitem(registry.datasets.items, "tiny", stands_for)
        adapter = adapter_of_run(registry, fewer[False].dataset)
        seen = adapter.load(bench.root, "one", "train").observations.visible
        assert (~seen).any() == hidden


def test_an_added_parameter_is_a_parameter(registry: Registry) -> None:
    with pytest.raises(ValueError, match="dataset 'tiny': added_params: colour: no parameter"):
        replace(registry.datasets["tiny"], added_params={"colour": 1})


def test_key_survives_the_store(registry: Registry) -> None:
    """Tuples among the parameters come back from JSON as lists."""
    suite = read_suite(registry.suites["quickstart"])
    made = make_plan(suite, registry, Path("/nowhere"), Selection(methods=["deep_nrsfm"]))
    (run,) = (run for cell in made.cells for run in cell.runs)
    stored = json.loads(json.dumps(asdict(run)))
    assert (stored["method"], stored["dataset"]) == (run.method, run.dataset)
    assert RunSpec(**{**stored, "evaluate": tuple(stored["evaluate"])}).key == run.key


def test_whole_number_for_a_float_changes_no_key(bench: TinyBench, registry: Registry) -> None:
    keys = set()
    for spread in (2, 2.0):
        rows = {"seeded": {"params": {"spread": spread}}}
        made = plan(bench, registry, Selection(methods=["seeded"]), methods=rows)
        keys.add(made.cells[0].runs[0].key)
    assert len(keys) == 1


def test_changed_file_changes_the_key(bench: TinyBench, registry: Registry) -> None:
    before = plan(bench, registry).cells[0].runs[0].key
    file = bench.root / "tiny" / "one.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    assert plan(bench, registry).cells[0].runs[0].key != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": {"sedeed": {}}}, "unknown method 'sedeed': did you mean 'seeded'?"),
        ({"methods": {"x": {"plugin": "ridgid"}}}, "unknown method 'ridgid': did you mean 'rigid'"),
        ({"protocol": "e3dd"}, "unknown protocol 'e3dd': did you mean 'e3d"),
        ({"data": [{**DATA, "dataset": "tinny"}]}, "unknown dataset 'tinny': did you mean 'tiny'?"),
        ({"data": [{**DATA, "fit": "tain"}]}, "dataset 'tiny' 'tain': did you mean 'train'?"),
        ({"data": [{**DATA, "evaluate": ["unsen"]}]}, "'unsen': did you mean 'unseen'?"),
        (
            {"methods": {"seeded": {"params": {"spred": 1}}}},
            "parameter of method 'seeded' 'spred': did you mean 'spread'?",
        ),
        (
            {"data": [{**DATA, "params": {"camra": "x"}}]},
            "parameter of dataset 'tiny' 'camra': did you mean 'camera'?",
        ),
        (
            {"data": [{**DATA, "corruption": {"mising": {"share": 0.3}}}]},
            "unknown corruption 'mising': did you mean 'missing'?",
        ),
        (
            {"data": [{**DATA, "corruption": {"missing": {"shar": 0.3}}}]},
            "parameter of corruption 'missing' 'shar': did you mean 'share'?",
        ),
        (
            {"data": [{**DATA, "corruption": {"missing": {"share": 1.5}}}]},
            "corruption 'missing': share: expected at least 0 and less than 1, got 1.5",
        ),
    ],
)
def test_unknown_name_in_a_suite(
    bench: TinyBench, registry: Registry, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        plan(bench, registry, **changes)
    assert message in str(caught.value)
    assert str(caught.value).startswith("suite 'small': ")


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(methods=["ridgid"]), "unknown method 'ridgid': did you mean 'rigid'?"),
        (Selection(datasets=["tinny"]), "'tinny': did you mean 'tiny'?"),
        (Selection(subsets=["onne"]), "subset in suite 'small' 'onne': did you mean 'one'?"),
    ],
)
def test_unknown_name_in_the_selection(
    bench: TinyBench, registry: Registry, selection: Selection, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        plan(bench, registry, selection)
    assert message in str(caught.value)


def test_absent_data_is_a_cell_with_a_reason(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, data=[{**DATA, "subsets": ["gone", "one"], "seeds": 2}])
    absent = [cell for cell in made.cells if cell.subset == "gone"]
    assert len(absent) == 3
    for cell in absent:
        assert cell.runs == ()
        assert cell.reason == "tiny: looked for DATA_ROOT/tiny/gone.npy"
    assert all(cell.runs and not cell.reason for cell in made.cells if cell.subset == "one")


def test_note_of_a_dataset_is_kept_once(bench: TinyBench, registry: Registry) -> None:
    bench.add_subset("noted")
    data = [{**DATA, "subsets": ["noted", "one"]}, {**DATA, **MISSING, "subsets": ["noted"]}]
    made = plan(bench, registry, data=data)
    assert made.notes == ("tiny noted: only a few frames",)
    assert all(cell.reason == "" for cell in made.cells)


def test_seeds_of_the_suite_and_of_the_selection(bench: TinyBench, registry: Registry) -> None:
    data = [{**DATA, "seeds": 2}]
    for selection, wanted in ((ALL, 2), (Selection(seeds=3), 3), (Selection(seeds=1), 1)):
        cells = {cell.method: cell for cell in plan(bench, registry, selection, data=data).cells}
        assert [run.seed for run in cells["seeded"].runs] == list(range(wanted))
        assert cells["seeded"].seeds == wanted
        assert len(cells["rigid"].runs) == cells["rigid"].seeds == 1, "it has no seed"


def test_transductive_method_predicts_only_what_it_fitted(
    bench: TinyBench, registry: Registry
) -> None:
    made = plan(bench, registry, methods={"transductive": {}, "seeded": {}})
    runs = {cell.method: cell.runs[0] for cell in made.cells}
    assert runs["transductive"].evaluate == ("train",)
    assert runs["seeded"].evaluate == ("train", "unseen")


def test_selection_may_name_any_registered_method(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, Selection(methods=["urandom", "seeded"]))
    assert sorted(methods(made)) == ["seeded", "urandom"]


def test_selection_takes_the_row_of_the_suite(bench: TinyBench, registry: Registry) -> None:
    row = {"plugin": "urandom", "params": {}}
    made = plan(bench, registry, Selection(methods=["seeded"]), methods={"seeded": row})
    assert made.cells[0].runs[0].method["key"] == "urandom"


def records(made: Plan) -> tuple[RunRecord, ...]:
    return tuple(RunRecord(run, "ok") for cell in made.cells for run in cell.runs)


def test_stored_methods_get_a_row_unless_they_have_one(
    bench: TinyBench, registry: Registry
) -> None:
    stored = records(plan(bench, registry, Selection(methods=["urandom", "seeded", "rigid"])))
    unknown = replace(stored[0], spec=replace(stored[0].spec, method={"key": "uninstalled"}))
    made = plan(
        bench,
        registry,
        stored=(*stored, unknown),
        methods={"row": {"plugin": "seeded", "params": {}}},
    )
    assert sorted(methods(made)) == ["rigid", "row", "urandom", "zero_depth"]


def test_all_stored_seeds_are_shown_unless_a_number_is_chosen(
    bench: TinyBench, registry: Registry
) -> None:
    stored = records(plan(bench, registry, Selection(methods=["seeded"], seeds=3)))
    made = plan(bench, registry, Selection(methods=["seeded"]), stored=stored)
    assert [run.seed for cell in made.cells for run in cell.runs] == [0, 1, 2]
    made = plan(bench, registry, Selection(methods=["seeded"], seeds=2), stored=stored)
    assert [run.seed for cell in made.cells for run in cell.runs] == [0, 1]


def test_stored_runs_stand_in_for_absent_files(bench: TinyBench, registry: Registry) -> None:
    """A table needs no data: the records hold the checksums of their files."""
    before = plan(bench, registry)
    stored = tuple(replace(record, data_note="two lack") for record in records(before))
    (bench.root / "tiny" / "one.npy").unlink()
    assert not any(cell.runs for cell in plan(bench, registry).cells)
    made = plan(bench, registry, stored=stored)
    assert [cell.runs for cell in made.cells] == [cell.runs for cell in before.cells]
    assert made.notes == ("tiny one: two lack",)


@pytest.mark.parametrize("part", ["checksum", "params", "subset"])
def test_stored_runs_of_several_files_or_other_data_do_not(
    bench: TinyBench, registry: Registry, part: str
) -> None:
    (first, *_) = records(plan(bench, registry))
    other = replace(first, spec=replace(first.spec, dataset={**first.spec.dataset, part: "other"}))
    (bench.root / "tiny" / "one.npy").unlink()
    stored = (first, other) if part == "checksum" else (other,)
    made = plan(bench, registry, stored=stored)
    assert not any(cell.runs for cell in made.cells)
    assert all("looked for" in cell.reason for cell in made.cells)


def test_selection_of_subsets_and_datasets(bench: TinyBench, registry: Registry) -> None:
    bench.add_subset("two")
    data = [{**DATA, "subsets": ["one", "two"]}]
    made = plan(bench, registry, Selection(subsets=["two"], datasets=["tiny"]), data=data)
    assert {cell.subset for cell in made.cells} == {"two"}


def only_run(bench: TinyBench, registry: Registry, **changes: Any) -> RunSpec:
    """Return the one run of `seeded` in a suite of one column."""
    data = [{**DATA, **changes}]
    (cell,) = plan(bench, registry, Selection(methods=["seeded"]), data=data).cells
    (run,) = cell.runs
    return run


@pytest.mark.parametrize("stage", ["both", "fit", "predict"])
def test_a_stage_is_named_if_it_alone_sees_the_corruption(
    bench: TinyBench, registry: Registry, stage: str
) -> None:
    run = only_run(bench, registry, corruption={"missing": {"share": 0.5, "stage": stage}})
    entry = {"version": 1, "params": {"seed": 0, "share": 0.5}}
    expected = entry if stage == "both" else {**entry, "stage": stage}
    assert run.corruption == {"missing": expected}


def test_a_corruption_that_changes_nothing_is_left_out(
    bench: TinyBench, registry: Registry
) -> None:
    run = only_run(bench, registry, corruption={"missing": {"share": 0.0, "seed": 3}})
    assert run == only_run(bench, registry)


@pytest.mark.parametrize("kind", ["methods", "datasets", "corruptions"])
def test_a_raised_version_changes_the_key(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    hidden = {"corruption": {"missing": {"share": 0.5}}}
    before = only_run(bench, registry, **hidden)
    key = {"methods": "seeded", "datasets": "tiny", "corruptions": "missing"}[kind]
    items = getattr(registry, kind).items
    monkeypatch.setitem(items, key, replace(items[key], version=7))
    after = only_run(bench, registry, **hidden)
    part = {
        "methods": after.method,
        "datasets": after.dataset,
        "corruptions": after.corruption["missing"],
    }[kind]
    assert part["version"] == 7
    assert after.key != before.key


def test_an_empty_setting_is_kept(bench: TinyBench, registry: Registry) -> None:
    data = [{**DATA, "setting": ""}]
    made = plan(bench, registry, Selection(methods=["seeded"]), data=data, setting="clean")
    assert [cell.setting for cell in made.cells] == [""]


def test_the_reason_for_absent_data_is_not_a_note(bench: TinyBench, registry: Registry) -> None:
    made = plan(bench, registry, data=[{**DATA, "subsets": ["gone"]}])
    assert made.notes == ()

"""Options that became constants stay in the keys of runs, and nobody can set them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import MethodSpec
from liftbench.runs.method_params import make_method_params, params_of_run, params_of_task
from liftbench.runs.plan import Selection, make_plan
from liftbench.suites.suite import read_suite
from liftbench.tables.data_identity import describe

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

CONSTANTS = {"sizes": (8, 4), "order": 2}


@pytest.fixture
def spec(registry: Registry) -> MethodSpec:
    """The method `seeded`, whose one option is `spread`, after it lost two others."""
    return replace(registry.methods["seeded"], retired_params=CONSTANTS)


def test_a_run_keeps_the_constants_and_a_task_has_the_options_alone(spec: MethodSpec) -> None:
    params = params_of_run(spec, {"spread": 2.0})
    assert params == {"spread": 2.0, "sizes": [8, 4], "order": 2}
    assert params_of_task(spec, params) == {"spread": 2.0}
    assert params_of_task(spec, {"spread": 2.0}) == {"spread": 2.0}


def test_the_key_stays_that_of_earlier_runs(
    bench: TinyBench, registry: Registry, spec: MethodSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = read_suite(bench.suite())
    only = Selection(methods=["seeded"])
    (without,) = make_plan(suite, registry, bench.root, only).cells
    monkeypatch.setitem(registry.methods.items, "seeded", spec)
    (cell,) = make_plan(suite, registry, bench.root, only).cells
    before = {"key": "seeded", "version": 1, "params": {"order": 2, "sizes": [8, 4], "spread": 1.0}}
    assert [run.key for run in cell.runs] == [replace(without.runs[0], method=before).key]


def test_a_suite_cannot_set_a_constant(
    bench: TinyBench, registry: Registry, spec: MethodSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.methods.items, "seeded", spec)
    suite = read_suite(bench.suite(methods={"row": {"plugin": "seeded", "params": {"order": 2}}}))
    with pytest.raises(UserError) as caught:
        make_plan(suite, registry, bench.root, Selection())
    assert str(caught.value) == (
        "suite 'small': method 'row': order: no longer an option, it is always 2; remove it"
    )


def test_unknown_options_are_still_refused(spec: MethodSpec) -> None:
    with pytest.raises(UserError, match="parameter of row 'spred': did you mean 'spread'"):
        make_method_params("row", spec, {"spred": 2.0})


@pytest.mark.parametrize("other", [{"sizes": [8]}, {"order": 3}])
def test_a_stored_run_with_another_value_cannot_be_repeated(
    spec: MethodSpec, other: dict[str, Any]
) -> None:
    (name,) = other
    with pytest.raises(UserError, match=f"method 'seeded': {name}: the run has .* always .*again"):
        params_of_task(spec, params_of_run(spec, {}) | other)


def test_tables_name_a_constant_only_where_it_differs(
    registry: Registry, spec: MethodSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.methods.items, "seeded", spec)
    params = params_of_run(spec, {})
    assert describe(registry.methods, {"key": "seeded", "params": params}) == "seeded"
    other = {"key": "seeded", "params": {**params, "order": 3}}
    assert describe(registry.methods, other) == "seeded (order=3)"


def test_an_option_is_not_retired_while_it_is_there(spec: MethodSpec) -> None:
    with pytest.raises(ValueError, match="method 'seeded': retired_params: spread: still an opt"):
        replace(spec, retired_params={"spread": 1.0})


def test_a_method_that_lost_options_runs(bench: TinyBench) -> None:
    """The child process builds it without them; its record keeps them."""
    result = bench.call("run", bench.suite(methods={"lost_option": {}}), "--methods", "lost_option")
    assert result.exit_code == 0, result.output
    assert bench.records()["lost_option"].spec.method["params"] == {"spread": 1.0, "order": 2}

"""A state holds plain values; a student's random draws do not depend on its teacher."""

from __future__ import annotations

import json
import os
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.harness.runs.fits.conftest import School
from tests.plugins_for_tests.school import Lecturer

from liftbench import RunContext
from liftbench.errors import UserError
from liftbench.files import checksum
from liftbench.plugin.registry import Registry, load_registry
from liftbench.plugin.specs import Method
from liftbench.runs.exchange import KeptState
from liftbench.runs.fits.generators import seed_generators
from liftbench.runs.fits.states import Teachers, restore_state, save_state


class Anything(Lecturer):
    """Keeps any state."""

    kept: Any = None

    def __init__(self) -> None:
        super().__init__("", "", "")

    def state(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        self.kept = state["kept"]


def context(folder: Path) -> RunContext:
    return RunContext(0, "cpu", 1, 60.0, folder, lambda *_: None)


def kept_state(folder: Path) -> KeptState:
    source = "results/suite/teachers/abc"
    return {"method": "m", "params": {}, "file": str(folder / "state.pt"), "source": source}


def test_plain_values_survive(tmp_path: Path) -> None:
    method, other = Anything(), Anything()
    method.kept = {"a": [torch.arange(3.0, dtype=torch.float64), (1, 2.5)], "b": None, "c": "é"}
    save_state(method, tmp_path / "state.pt")
    restore_state(other, kept_state(tmp_path), context(tmp_path))
    torch.testing.assert_close(other.kept.pop("a"), [torch.arange(3.0).double(), (1, 2.5)])
    assert other.kept == {"b": None, "c": "é"}


@pytest.mark.parametrize("value", [np.ones(2), np.float64(1), {1, 2}, object(), Path("x")])
def test_other_values_are_refused_where_they_stand(tmp_path: Path, value: object) -> None:
    method = Anything()
    method.kept = [0, {"part": value}]
    with pytest.raises(TypeError, match=r"state\(\)\['kept'\]\[1\]\['part'\]: expected tensors"):
        save_state(method, tmp_path / "state.pt")
    assert not (tmp_path / "state.pt").exists()


class Malice:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)

    folder = Path()


def test_nothing_else_is_unpickled(tmp_path: Path) -> None:
    Malice.folder = tmp_path / "made"
    torch.save({"kept": Malice()}, tmp_path / "state.pt")
    with pytest.raises(UserError) as caught:
        restore_state(Anything(), kept_state(tmp_path), context(tmp_path))
    assert str(caught.value).startswith(
        "results/suite/teachers/abc: the method does not take this state (UnpicklingError: "
    )
    assert "\n" not in str(caught.value)
    assert not Malice.folder.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", pickle.dumps([1])])
def test_other_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"delete the folder, and it is fitted anew$") as caught:
        restore_state(Anything(), kept_state(tmp_path), context(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def school_registry(plugins_folder: Path) -> Registry:
    return load_registry([plugins_folder / "school.py"])


def test_draws_of_a_student_do_not_depend_on_its_teacher(
    school_registry: Registry, tmp_path: Path
) -> None:
    def draw(number: int, method: Method, context: RunContext) -> None:
        random.random()  # noqa: S311
        np.random.standard_normal(3)  # noqa: NPY002
        torch.rand(3)

    declared = [{"method": "lecturer", "params": {"log": "", "hold": "", "fault": ""}}]
    fitted = Teachers(declared, school_registry, context(tmp_path), draw)  # type: ignore[arg-type]

    def draws() -> tuple[object, ...]:
        numpys = np.random.standard_normal()  # noqa: NPY002
        return random.random(), numpys, float(torch.rand(()))  # noqa: S311

    seed_generators(0)
    expected = draws()
    seed_generators(0)
    fitted("lecturer", {})
    assert draws() == expected


def test_state_that_its_method_refuses_is_told_in_the_rows(school: School) -> None:
    suite = school.suite("a", "lecturer")
    school.run(suite, rows="a")
    report = json.loads((school.folder() / "fit.json").read_text(encoding="utf-8"))
    torch.save({"chalk": 1}, school.folder() / "state.pt")
    report["digest"] = checksum([school.folder() / "state.pt"])
    (school.folder() / "fit.json").write_text(json.dumps(report), encoding="utf-8")
    assert school.run(suite, "--rerun", "all", rows="a").exit_code == 1
    assert school.run(suite, rows="lecturer").exit_code == 1
    for record in school.records().values():
        assert record.status == "failed"
        assert record.error.splitlines()[0] == (
            f"UserError: {school.folder()}: the method does not take this state "
            "(KeyError: 'depth'); delete the folder, and it is fitted anew"
        )
    assert len(school.fits()) == 1

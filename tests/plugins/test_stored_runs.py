"""The runs in `results/` belong to the suites as they are now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import REPO_ROOT
from tests.plugins.conftest import registry

from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.store import Store
from liftbench.suites.suite import read_suite

STORED = sorted(folder.parent.name for folder in (REPO_ROOT / "results").glob("*/runs"))


@pytest.mark.parametrize("name", STORED)
def test_every_stored_run_is_asked_for_by_its_suite(name: str, tmp_path: Path) -> None:
    """The key covers all that decides a result: the data and the options, also retired ones."""
    store = Store(REPO_ROOT / "results" / name)
    stored = tuple(store.records())
    suite = read_suite(registry().suites[name])
    cells = make_plan(suite, registry(), tmp_path, Selection(), stored).cells
    asked = {run.key for cell in cells for run in cell.runs}
    assert [path.stem for path in sorted((store.folder / "runs").glob("*.json"))] == sorted(
        record.spec.key for record in stored
    )
    strangers = [record for record in stored if record.spec.key not in asked]
    assert not strangers, "\n".join(
        f"{record.spec.key}: {json.dumps(record.spec.method)} of {record.spec.dataset['key']} "
        f"{record.spec.dataset['subset']}, corruption {dict(record.spec.corruption)}"
        for record in strangers
    )

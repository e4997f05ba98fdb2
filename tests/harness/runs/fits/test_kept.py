"""A kept fit is used if it is whole, by one at a time."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from tests.harness.runs.fits.conftest import School

from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.process import CancelledRunError
from liftbench.runs.store import Store


def edit(**fields: object) -> object:
    def change(folder: Path) -> None:
        path = folder / "fit.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**content, **fields}), encoding="utf-8")

    return change


def truncate_state(folder: Path) -> None:
    path = folder / "state.pt"
    path.write_bytes(path.read_bytes()[:-3])


def replace_state(folder: Path) -> None:
    (folder / "state.pt").write_text('{"depth": [1, 2, 3, 4, 5]}', encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate_state, "state.pt: its checksum is not that in fit.json"),
        (replace_state, "state.pt: its checksum is not that in fit.json"),
        (lambda folder: (folder / "state.pt").unlink(), "No such file"),
        (lambda folder: (folder / "fit.json").write_text("{"), "Expecting property name"),
        (lambda folder: (folder / "fit.json").write_text("[]"), "must be a mapping"),
        (edit(format=2), "fit.json: expected format 1, got 2"),
        (edit(key="0" * 64), "fit.json: its key is that of another fit"),
        (edit(outcome={"status": "failed"}), "fit.json: its fit has failed"),
        (edit(more=1), "unexpected keyword argument 'more'"),
    ],
)
def test_damaged_fit_is_noted_in_one_line_and_done_anew(
    school: School, damage: object, reason: str
) -> None:
    suite = school.suite("a")
    school.run(suite)
    assert callable(damage)
    damage(school.folder())
    result = school.run(suite, "--rerun", "all")
    assert result.exit_code == 0
    (line,) = (line for line in result.stderr.splitlines() if "not a whole fit" in line)
    assert line.startswith(f"{school.folder()}: not a whole fit (")
    assert reason in line
    assert line.endswith("); it is fitted anew")
    assert len(school.fits()) == 2
    assert "not a whole fit" not in school.run(suite, "--rerun", "all").stderr


def test_half_of_a_fit_is_no_fit(school: School) -> None:
    """A command that is killed between state and report leaves the state alone."""
    suite = school.suite("a")
    school.run(suite)
    (school.folder() / "fit.json").unlink()
    assert school.run(suite, "--rerun", "all").exit_code == 0
    assert len(school.fits()) == 2


def test_stale_fit_is_done_anew(school: School) -> None:
    suite = school.suite("a")
    school.run(suite)
    path = school.folder() / "fit.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["outcome"]["environment"]["packages"]["torch"] = "0.1"
    path.write_text(json.dumps(content), encoding="utf-8")
    school.run(suite, "--rerun", "all")
    assert len(school.fits()) == 1
    (record,) = school.records().values()
    stored = school.bench.store().record_path(record.spec.key)
    stored.write_text(stored.read_text("utf-8").replace('"torch": "', '"torch": "0.'), "utf-8")
    school.run(suite, "--rerun", "stale")
    assert len(school.fits()) == 2


def test_fit_has_one_owner_at_a_time(tmp_path: Path) -> None:
    never, waits = threading.Event(), threading.Event()
    order: list[str] = []

    def wait_for_it() -> None:
        waits.set()
        with KeptFits(Store(tmp_path)).claim("k", never):
            order.append("second")

    with KeptFits(Store(tmp_path)).claim("k", never):
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        waits.wait()
        with KeptFits(Store(tmp_path)).claim("other", never):
            order.append("other")
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["other", "first", "second"]


def test_wait_for_a_fit_ends_when_the_user_stops_the_harness(tmp_path: Path) -> None:
    cancel = threading.Event()
    with KeptFits(Store(tmp_path)).claim("k", cancel):
        cancel.set()
        with pytest.raises(CancelledRunError), KeptFits(Store(tmp_path)).claim("k", cancel):
            pass

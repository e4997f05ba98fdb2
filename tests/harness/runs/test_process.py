"""A child process is watched and ended; stand-ins for the child keep these tests quick."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from liftbench.runs import process
from liftbench.runs.exchange import Task
from liftbench.runs.process import CancelledRunError, run_child
from liftbench.suites.suite import Limits

ROOMY = Limits(seconds=60, memory_gib=4)
Wait = Callable[[Callable[[], object]], None]
START = """#!{python} -IS
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[3])
task = json.loads((folder / "task.json").read_text())
def finish(**outcome):
    (folder / "outcome.json").write_text(json.dumps(outcome))
def sleeper(code="", **options):
    code += "import time; print(1, flush=True); time.sleep(600)"
    made = subprocess.Popen([sys.executable, "-ISc", code], stdout=subprocess.PIPE, **options)
    made.stdout.readline()
    (folder / "sleeper").write_text(str(made.pid))
(folder / "pid").write_text(str(os.getpid()))
"""


class Child:
    """Runs a stand-in for `python -m liftbench.runs.child FOLDER` under `run_child`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "run"
        self.folder.mkdir()
        self.progress: list[tuple[int, int, float]] = []
        self.cancel = threading.Event()
        self._program = folder / "stand-in"
        self._python = sys.executable
        self._patch = monkeypatch

    def run(self, code: str, limits: Limits = ROOMY) -> dict[str, Any]:
        self._program.write_text(START.format(python=self._python) + code, encoding="utf-8")
        self._program.chmod(0o755)
        with self._patch.context() as patch:
            patch.setattr(sys, "executable", str(self._program))
            task = cast("Task", {"threads": 3, "images": False})
            outcome = run_child(self.folder, task, limits, self.cancel, self._keep_progress)
            return cast("dict[str, Any]", outcome)

    def _keep_progress(self, *point: Any) -> None:
        self.progress.append(point)
        (self.folder / "seen").touch()

    def gone(self, name: str = "pid") -> bool:
        """Whether the process whose id stands in a file has ended."""
        try:
            pid = int((self.folder / name).read_text(encoding="utf-8"))
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.5)
    return Child(tmp_path, monkeypatch)


def test_outcome_of_the_child_is_returned(child: Child) -> None:
    outcome = child.run("finish(status='ok', fit_seconds=1.5, peak_memory_mib=1e6)")
    assert outcome == {"status": "ok", "fit_seconds": 1.5, "peak_memory_mib": 1e6}


def test_failure_that_the_child_reports_keeps_its_log(child: Child) -> None:
    outcome = child.run("print('trace'); finish(status='failed', error='ValueError: no')")
    assert outcome["status"] == "failed"
    assert outcome["error"].splitlines() == ["ValueError: no", "trace"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os._exit(3)", "the process exited with code 3 before it had finished"),
        ("sys.exit(0)", "the process exited with code 0 before it had finished"),
        ("os.kill(os.getpid(), 9)", "the process was killed by signal 9 before it had finished"),
        ("(folder / 'outcome.json').write_text('{')", "the process exited with code 0 before"),
    ],
)
def test_child_that_reports_no_outcome_failed(child: Child, code: str, message: str) -> None:
    (child.folder / "outcome.json").write_text('{"status": "ok"}', encoding="utf-8")
    outcome = child.run(code)
    assert outcome["status"] == "failed"
    assert outcome["error"].startswith(message)


def test_only_the_end_of_a_long_log_is_kept(child: Child) -> None:
    outcome = child.run("[print('line', i) for i in range(99)]; sys.stdout.flush(); os._exit(1)")
    lines = outcome["error"].splitlines()
    assert len(lines) == 21
    assert lines[-1] == "line 98"


def test_predictions_of_an_earlier_try_are_not_taken(child: Child) -> None:
    (child.folder / "predictions.npz").write_bytes(b"old")
    child.run("finish(status='ok')")
    assert not (child.folder / "predictions.npz").exists()


@pytest.mark.parametrize("code", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_child_past_its_time_is_ended(child: Child, code: str) -> None:
    outcome = child.run(code + "\ntime.sleep(600)", Limits(seconds=1))
    assert outcome["status"] == "timeout"
    assert outcome["error"] == "took longer than 1 s"
    assert child.gone()


def test_child_past_its_time_may_clean_up(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 60.0)
    code = """
def tidy(*_):
    (folder / "tidied").touch()
    os._exit(0)
signal.signal(signal.SIGTERM, tidy)
time.sleep(600)
"""
    assert child.run(code, Limits(seconds=1))["status"] == "timeout"
    assert (child.folder / "tidied").exists()


@pytest.mark.parametrize(
    "code",
    [
        "a = bytearray(300 << 20); time.sleep(600)",
        "sleeper('a = bytearray(300 << 20);'); time.sleep(600)",
    ],
)
def test_child_past_its_memory_is_ended(child: Child, code: str) -> None:
    outcome = child.run(code, Limits(seconds=60, memory_gib=0.25))
    assert outcome["status"] == "out_of_memory"
    assert outcome["error"] == "took more than 0.25 GiB of memory"
    assert outcome["peak_memory_mib"] > 256
    assert child.gone()


@pytest.mark.parametrize(
    ("code", "status"),
    [("time.sleep(600)", "timeout"), ("finish(status='ok')", "ok"), ("os._exit(3)", "failed")],
)
def test_processes_that_the_child_leaves_are_ended(
    child: Child, wait_until: Wait, code: str, status: str
) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    outcome = child.run(f"sleeper('{deaf}')\n{code}", Limits(seconds=2 if "sleep" in code else 60))
    assert outcome["status"] == status
    wait_until(lambda: child.gone("sleeper"))


def test_cancelled_run_raises_and_leaves_no_child(child: Child) -> None:
    timer = threading.Timer(0.5, child.cancel.set)
    timer.start()
    with pytest.raises(CancelledRunError):
        child.run("time.sleep(600)")
    timer.join()
    pid_file = child.folder / "pid"
    assert not pid_file.exists() or child.gone()


def test_progress_is_passed_on(child: Child) -> None:
    code = """
progress = folder / "progress.json"
progress.write_text("[1, 2"); time.sleep(0.3)
progress.write_text("[7, 9, 0.5]")
while not (folder / "seen").exists():
    time.sleep(0.01)
finish(status="ok")
"""
    child.run(code)
    assert set(child.progress) == {(7, 9, 0.5)}


def test_child_does_not_learn_the_path_of_the_data(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTBENCH_DATA", "/secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("KEPT", "yes")
    child.run("(folder / 'env.json').write_text(json.dumps(dict(os.environ)))")
    seen = json.loads((child.folder / "env.json").read_text(encoding="utf-8"))
    assert not [name for name in seen if name.startswith("LIFTBENCH_")]
    assert "/secret" not in seen.values()
    assert (seen["OMP_NUM_THREADS"], seen["KEPT"]) == ("3", "yes")


def test_child_works_in_its_own_folder_with_its_task(child: Child) -> None:
    child.run("(folder / 'cwd').write_text(os.getcwd()); assert task == {'threads': 3}")
    assert (child.folder / "cwd").read_text(encoding="utf-8") == str(child.folder)

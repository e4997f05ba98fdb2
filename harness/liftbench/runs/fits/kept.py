"""The fits that a suite keeps: those of methods that can be teachers.

Each has a folder `teachers/KEY` in the suite's results, where KEY is that of the fit. It holds
`state.pt`, what the method learned, and `fit.json`, what a record says of a fit.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from liftbench.files import checksum, write_atomic
from liftbench.runs.bench import Bench
from liftbench.runs.environment import environment
from liftbench.runs.exchange import STATE_FILE, ChildOutcome, KeptState
from liftbench.runs.process import CancelledRunError, OnProgress
from liftbench.runs.store import RunSpec, Store
from liftbench.suites.suite import Limits

FORMAT = 1
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class FitReport:
    """What is kept of a fit beside its state.

    Attributes:
        key: key of the fit.
        method: key, version and parameters of the method, as in a run's key.
        digest: checksum of the file of its state.
        outcome: seconds, curve, memory, execution, limits and environment of the fit.
        format: version of these files.
    """

    key: str
    method: dict[str, Any]
    digest: str
    outcome: ChildOutcome
    format: int = FORMAT


@dataclass(frozen=True)
class KeptFit:
    """A fit whose state is whole."""

    folder: Path
    report: FitReport

    @property
    def state(self) -> Path:
        """The file of the state."""
        return self.folder / STATE_FILE

    def summary(self) -> dict[str, Any]:
        """Return what the record of a student says of the fit of its teacher."""
        return {
            "key": self.report.method["key"],
            "fit": self.report.key,
            "digest": self.report.digest,
            "fit_seconds": self.report.outcome.get("fit_seconds"),
        }

    def copy_state(self, file: Path) -> KeptState:
        """Copy the state into the folder of a child process: the fit may be replaced meanwhile."""
        shutil.copyfile(self.state, file)
        method = self.report.method
        return {
            "method": method["key"],
            "params": method["params"],
            "file": str(file.resolve()),
            "source": str(self.folder),
        }


@contextlib.contextmanager
def show_nothing(_spec: RunSpec) -> Iterator[OnProgress]:
    """Show no progress of the fit of a teacher."""
    yield lambda *_: None


def print_note(text: str) -> None:
    """Print one line for people."""
    print(f"liftbench: {text}", file=sys.stderr)


@dataclass(frozen=True)
class KeptFits:
    """The kept fits of a suite, for the time of one command.

    Attributes:
        store: the store of the suite.
        renew: keys of fits that are to be done anew although they are kept; a key is taken out when
            that has happened.
        current: fits under other versions of packages do not count.
        watch: shows the fit of a teacher while it is under way.
        note: is called with one line for people.
        failures: how fits ended that failed, so that no other student tries them again.
    """

    store: Store
    renew: set[str] = field(default_factory=set)
    current: bool = False
    watch: Callable[[RunSpec], AbstractContextManager[OnProgress]] = show_nothing
    note: Callable[[str], None] = print_note
    failures: dict[str, ChildOutcome] = field(default_factory=dict)

    def folder(self, key: str) -> Path:
        """Return the folder of a fit."""
        return self.store.folder / "teachers" / key

    def scratch(self, key: str) -> Path:
        """Return the folder that a fit may write to; it is deleted afterwards."""
        return self.store.scratch(key)

    @contextlib.contextmanager
    def claim(self, key: str, cancel: threading.Event) -> Iterator[None]:
        """Wait until no other thread and no other process works on a fit, and keep them out.

        The lock of a process that died is free.

        Raises:
            CancelledRunError: `cancel` was set while another one had the fit.
        """
        self.folder(key).mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder(key) / "lock")
        while not lock.is_locked:
            if cancel.is_set():
                raise CancelledRunError
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def claim_own(self, bench: Bench, spec: RunSpec) -> AbstractContextManager[None]:
        """Claim the fit of a run if its method can be a teacher, so that no student begins it."""
        if bench.registry.methods[spec.method["key"]].exposes:
            return self.claim(spec.fit_key, bench.cancel)
        return contextlib.nullcontext()

    def find(self, key: str) -> KeptFit | None:
        """Return a fit that is kept by this suite, or by one beside it, if it is to be used."""
        if key in self.renew:
            return None
        own = self._read(self.folder(key))
        if own is not None:
            return own
        for folder in self._beside(key):
            if other := self._read(folder):
                return self._write(self.folder(key), other.report, other.state.read_bytes())
        return None

    def is_kept(self, key: str) -> bool:
        """Return whether `find` would find a fit, without a copy of it."""
        return key not in self.renew and any(
            self._read(folder) for folder in (self.folder(key), *self._beside(key))
        )

    def spread(self, key: str) -> None:
        """Replace the fit in the suites beside this one by that of this suite."""
        if kept := self._read(self.folder(key)):
            for folder in self._beside(key):
                self._write(folder, kept.report, kept.state.read_bytes())

    def _beside(self, key: str) -> list[Path]:
        """Return the folders of a fit in the suites beside this one."""
        folders = sorted(self.store.folder.parent.glob(f"*/teachers/{key}"))
        return [folder for folder in folders if folder != self.folder(key)]

    def keep_outcome(
        self, spec: RunSpec, outcome: ChildOutcome, scratch: Path, limits: Limits
    ) -> KeptFit | None:
        """Keep a fit in place of an earlier one with its key; if it failed, remember that.

        Args:
            spec: a run of the fit.
            outcome: how its child process ended.
            scratch: folder of that process, which holds the state.
            limits: limits of that process.
        """
        key = spec.fit_key
        if outcome["status"] != "ok":
            self.failures[key] = outcome
            return None
        state = scratch / STATE_FILE
        of_fit = outcome.copy()
        of_fit.pop("predicted", None)
        of_fit |= {"environment": environment(), "limits": limits.model_dump()}
        report = FitReport(key, dict(spec.method), checksum([state]), of_fit)
        self.renew.discard(key)
        return self._write(self.folder(key), report, state.read_bytes())

    def _write(self, folder: Path, report: FitReport, state: bytes) -> KeptFit:
        """Write the state first: a report of another state than that beside it does not count."""
        kept = KeptFit(folder, report)
        write_atomic(kept.state, state)
        text = json.dumps(asdict(report), indent=1, allow_nan=False)
        write_atomic(kept.folder / "fit.json", f"{text}\n".encode())
        return kept

    def _read(self, folder: Path) -> KeptFit | None:
        """Return the fit in a folder, or None, with a note if there is a damaged one."""
        if not (folder / "fit.json").exists():
            return None
        try:
            kept = KeptFit(folder, FitReport(**json.loads((folder / "fit.json").read_bytes())))
            _require_whole(kept)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())
            self.note(f"{folder}: not a whole fit ({reason}); it is fitted anew")
            return None
        packages = kept.report.outcome.get("environment", {}).get("packages")
        if self.current and packages != environment()["packages"]:
            return None
        return kept


def _require_whole(kept: KeptFit) -> None:
    """Raise ValueError unless a fit is what its report says."""
    report = kept.report
    if report.format != FORMAT:
        raise ValueError(f"fit.json: expected format {FORMAT}, got {report.format}")
    if report.key != kept.folder.name:
        raise ValueError("fit.json: its key is that of another fit")
    if report.outcome.get("status") != "ok":
        raise ValueError("fit.json: its fit has failed")
    if checksum([kept.state]) != report.digest:
        raise ValueError(f"{STATE_FILE}: its checksum is not that in fit.json")

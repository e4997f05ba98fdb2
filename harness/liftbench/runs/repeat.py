"""Repeats a stored run and compares the two bit for bit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from liftbench.errors import UserError
from liftbench.runs.bench import Bench
from liftbench.runs.execute import execute
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.scoring import is_run_time
from liftbench.runs.store import RunRecord, RunResult, Store


@dataclass(frozen=True)
class Repetition:
    """A stored run done again; `differences` is empty where both agree bit for bit."""

    result: RunResult
    differences: tuple[str, ...]


def repeat(bench: Bench, stored: RunRecord, store: Store, *, keep: bool) -> Repetition:
    """Do a stored run again, without writing its record, and compare the predictions.

    Args:
        bench: what it runs on.
        stored: the record of the run.
        store: the store of its suite, which keeps the fits of its teachers.
        keep: if its method can be a teacher, the new fit replaces the one that its suite keeps,
            and those beside it. Else the store stays as it is.

    Raises:
        UserError: the data differs from that of the stored run, or the run has no score.
    """
    spec = stored.spec
    bench.require_same_data(spec)
    if not stored.scores:
        raise UserError(
            f"run {spec.key[:12]} is {stored.status}; 'run --rerun failed' does it again"
        )
    protocols = [bench.registry.protocols[identity.split("@")[0]] for identity in stored.scores]
    with tempfile.TemporaryDirectory(prefix="liftbench-") as name:
        folder = Path(name)
        place = store if keep else _with_teachers(stored, store, folder / "results" / "suite")
        fits = KeptFits(place, renew={spec.fit_key})
        with fits.claim_own(bench, spec):
            (result,) = execute(bench, [spec], folder / "run", protocols, lambda *_: None, fits)
            if keep:
                fits.spread(spec.fit_key)
    timed = {p.identity for p in protocols if is_run_time(p, bench.registry)}
    return Repetition(result, tuple(_differences(stored, result.record, timed)))


def _with_teachers(stored: RunRecord, store: Store, folder: Path) -> Store:
    """Return a store in a new folder that keeps the fits of a run's teachers, as another does."""
    copy = Store(folder)
    for teacher in stored.teachers:
        kept = KeptFits(store).folder(teacher["fit"])
        if kept.exists():
            shutil.copytree(kept, KeptFits(copy).folder(teacher["fit"]))
    return copy


def _differences(stored: RunRecord, repeated: RunRecord, timed: Collection[str]) -> Iterator[str]:
    """Yield what differs but for run times, which no repetition has again."""
    if stored.status != repeated.status:
        yield f"status: stored {stored.status}, repeated {repeated.status}"
    for split in sorted({*stored.digests, *repeated.digests}):
        if stored.digests.get(split) != repeated.digests.get(split):
            yield f"{split}: predictions differ in their bits"
    for identity in sorted(({*stored.scores} & {*repeated.scores}).difference(timed)):
        for split, score in stored.scores[identity].items():
            again = repeated.scores[identity].get(split)
            if again is None or again.value != score.value:
                other = "none" if again is None else repr(again.value)
                yield f"{split} {identity}: stored {score.value!r}, repeated {other}"

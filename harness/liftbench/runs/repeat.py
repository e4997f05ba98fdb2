"""Repeats a stored run and compares the two bit for bit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liftbench.errors import UserError
from liftbench.runs.bench import Bench
from liftbench.runs.execute import execute
from liftbench.runs.store import RunRecord, RunResult


@dataclass(frozen=True)
class Repetition:
    """A stored run done again; `differences` is empty where both agree bit for bit."""

    result: RunResult
    differences: tuple[str, ...]


def repeat(bench: Bench, stored: RunRecord) -> Repetition:
    """Do a stored run again, without writing to the store, and compare the predictions.

    Raises:
        UserError: the data differs from that of the stored run, or the run has no score.
    """
    bench.require_same_data(stored.spec)
    if not stored.scores:
        raise UserError(
            f"run {stored.spec.key[:12]} is {stored.status}; 'run --rerun failed' does it again"
        )
    protocols = [bench.registry.protocols[identity.split("@")[0]] for identity in stored.scores]
    with tempfile.TemporaryDirectory(prefix="liftbench-") as folder:
        (result,) = execute(bench, [stored.spec], Path(folder), protocols, lambda *_: None)
    return Repetition(result, tuple(_differences(stored, result.record)))


def _differences(stored: RunRecord, repeated: RunRecord) -> Iterator[str]:
    if stored.status != repeated.status:
        yield f"status: stored {stored.status}, repeated {repeated.status}"
    for split in sorted({*stored.digests, *repeated.digests}):
        if stored.digests.get(split) != repeated.digests.get(split):
            yield f"{split}: predictions differ in their bits"
    for identity in sorted({*stored.scores} & {*repeated.scores}):
        for split, score in stored.scores[identity].items():
            again = repeated.scores[identity].get(split)
            if again is None or again.value != score.value:
                other = "none" if again is None else repr(again.value)
                yield f"{split} {identity}: stored {score.value!r}, repeated {other}"

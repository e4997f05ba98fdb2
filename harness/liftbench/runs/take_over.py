"""Takes over runs that the store of another suite has finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.missing import Rerun, is_asked_again
from liftbench.runs.scoring import is_run_time, score_result
from liftbench.runs.store import RunRecord, RunResult, RunSpec, Store


@dataclass(frozen=True)
class TakenRun:
    """The record of a run that was taken over, and the suite that had it."""

    record: RunRecord
    suite: str


def take_over(
    bench: Bench, store: Store, spec: RunSpec, protocols: Sequence[Protocol], rerun: Rerun
) -> TakenRun | None:
    """Copy a run from another suite's store into this one; return None if no suite has it.

    Runs that failed, that lack a score under one of the protocols or that `rerun` names are not
    copied. A record that this store already has is never replaced. Run times are not copied:
    another suite may ask for those of another device.
    """
    if any(is_run_time(protocol, bench.registry) for protocol in protocols):
        return None
    if store.record_path(spec.key).exists():
        return None
    for other in store.others_with(spec.key):
        try:
            result = _read_result(other, spec, rerun)
            if result is None:
                continue
            lacking = [p for p in protocols if p.identity not in result.record.scores]
            result = score_result(result, bench, lacking)
        except Exception:  # noqa: BLE001, S112 damage in another suite must not stop this one
            continue
        if all(result.record.scores.get(protocol.identity) for protocol in protocols):
            store.write_result(result)
            return TakenRun(result.record, other.folder.name)
    return None


def _read_result(store: Store, spec: RunSpec, rerun: Rerun) -> RunResult | None:
    """Return a run from a store, or None if it is absent, has failed or `rerun` names it."""
    record = store.read(spec.key)
    if record is None or record.status != "ok" or is_asked_again(record, rerun):
        return None
    path = store.predictions_path(spec.key)
    return RunResult(record, store.read_predictions(spec.key) if path.exists() else {})

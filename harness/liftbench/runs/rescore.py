"""Scores the stored predictions of a suite again; nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from liftbench.errors import UserError
from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.scoring import score_result
from liftbench.runs.store import RunRecord, RunResult, Store


def score_again(
    bench: Bench, store: Store, protocols: Sequence[Protocol]
) -> Iterator[tuple[RunRecord, RunRecord | None]]:
    """Score every stored prediction again and yield the old and the new record.

    The new record is None if the store lacks the predictions; the old record is then kept.

    Raises:
        UserError: predictions are damaged, or the data differs from that of a stored run.
    """
    names = {protocol.identity for protocol in protocols}
    for record in store.records():
        path = store.predictions_path(record.spec.key)
        if not path.exists():
            yield record, None
            continue
        bench.require_same_data(record.spec)
        try:
            predictions = store.read_predictions(record.spec.key)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: no whole predictions ({error}); delete it or do its run again"
            ) from error
        note = bench.note(record.spec)
        fresh = RunResult(replace(record, status="ok", error="", data_note=note), predictions)
        scored = score_result(fresh, bench, protocols).record
        if scored.status == "ok" or not set(record.scores) - names:
            store.write(scored)
        yield record, scored

"""The errors of a training over its steps, from the snapshots of its child process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import load_reconstructions
from liftbench.runs.firewall import to_data_unit
from liftbench.runs.fits.predict import sample_frames, snapshot_folder
from liftbench.runs.scoring import LoadSplit, is_run_time, score_record
from liftbench.runs.store import RunRecord
from liftbench.types import Dataset, Reconstruction


def add_error_curve(
    record: RunRecord,
    inputs: Mapping[str, str],
    folder: Path,
    bench: Bench,
    protocols: Sequence[Protocol],
) -> RunRecord:
    """Return the record of a run with the errors of the snapshots of its fit.

    Every snapshot is scored like a prediction, on the frames that it shows.

    Args:
        record: the scored record of the run.
        inputs: for each split, the name under which a snapshot has its frames.
        folder: where the child process worked.
        bench: loads the data.
        protocols: the protocols to score under.
    """
    steps = sorted(int(file.stem) for file in snapshot_folder(folder).glob("*.npz"))
    if record.status != "ok" or not steps:
        return record
    load = cache(partial(_load_sample, bench, record))  # the same frames for all steps
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for step in steps:
        predictions = dict(_read_snapshot(record, inputs, folder, step, bench, load))
        blank = replace(record, scores={})
        for protocol in (p for p in protocols if not is_run_time(p, bench.registry)):
            blank = score_record(blank, predictions, load, bench.registry, protocol)
        for name, splits in blank.scores.items():
            for split, score in splits.items():
                curves.setdefault(name, {}).setdefault(split, []).append((step, score.value))
    return replace(
        record,
        error_curve={
            name: {split: tuple(points) for split, points in splits.items()}
            for name, splits in curves.items()
        },
    )


def _load_sample(bench: Bench, record: RunRecord, split: str) -> Dataset:
    data = bench.load(record.spec, split)
    return data.take(sample_frames(data.observations.frames))


def _read_snapshot(
    record: RunRecord,
    inputs: Mapping[str, str],
    folder: Path,
    step: int,
    bench: Bench,
    load: LoadSplit,
) -> Iterator[tuple[str, Reconstruction]]:
    """Yield each split and its prediction, in the unit of the data."""
    shown = load_reconstructions(snapshot_folder(folder) / f"{step}.npz")
    in_pixels = bench.registry.methods[record.spec.method["key"]].capabilities.images
    for split, name in inputs.items():
        # Absent from a snapshot that a fit took before it was asked for this split and resumed.
        if (found := shown.get(name)) is not None:
            yield split, to_data_unit(found, load(split).observations) if in_pixels else found

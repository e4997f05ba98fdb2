"""Tests whether two methods differ on the frames that both of them predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np

from liftbench.comparison.pairs import Pair, StoredRun
from liftbench.comparison.significance import FEWEST_CLUSTERS, PairedTest, paired_test
from liftbench.errors import DataMissingError, UserError
from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import load_reconstructions
from liftbench.runs.scoring import frame_values, is_run_time, more_is_better
from liftbench.runs.store import RunSpec
from liftbench.tables.data_identity import DIGITS
from liftbench.tables.wording import count_of
from liftbench.types import Bools, Dataset, Floats

Mark = Literal["+", "-", "~", "x"]


@dataclass(frozen=True)
class SideMean:
    """The number of one side: a mean over `seeds` seeds."""

    value: float
    seeds: int


@dataclass(frozen=True)
class Comparison:
    """Two methods on one split of one subset, or of several subsets together.

    Attributes:
        name, subset, split: the data of the comparison; `name` is the pair's name.
        mark: `+` A is better, `-` A is worse, `~` no significant difference, `x` not comparable.
        reason: why the mark is `x`, else empty.
        sides: the numbers of A and B; empty if no frame can be compared.
        test: the test of A minus B; None if no frame can be compared.
    """

    name: str
    subset: str
    split: str
    mark: Mark
    reason: str
    sides: tuple[SideMean, ...] = ()
    test: PairedTest | None = None


def compare_pairs(
    bench: Bench, pairs: Sequence[Pair], protocols: Sequence[Protocol]
) -> dict[str, list[Comparison]]:
    """Return the comparisons of all pairs on all their splits, by the name of the protocol.

    If pairs of one name have several subsets, a comparison over these subsets follows.

    Raises:
        UserError: the data or stored predictions are damaged.
    """
    comparisons: dict[str, list[Comparison]] = {protocol.name: [] for protocol in protocols}
    for pair in pairs:
        for split in pair.splits:
            load = cache(partial(_load, bench, pair, split))
            for protocol in protocols:
                comparisons[protocol.name].append(_compare(bench, load, pair, protocol, split))
    for protocol in protocols:
        comparisons[protocol.name] += _compare_subsets(bench, protocol, comparisons[protocol.name])
    return comparisons


def _load(bench: Bench, pair: Pair, split: str) -> Dataset:
    return bench.load((*pair.a, *pair.b)[0].record.spec, split)


def _compare(
    bench: Bench, load: Callable[[], Dataset], pair: Pair, protocol: Protocol, split: str
) -> Comparison:
    """Compare the errors of two sides in the same frames, with sequences as units.

    The error of a side in a frame is the mean over its seeds. The weights of the frames are those
    of the protocol's mean.
    """
    try:
        a, b = _comparable_runs(bench, pair, protocol, split)
        data = load()
        values_a, scored_a = _errors(bench, data, "A", a, protocol, split)
        values_b, scored_b = _errors(bench, data, "B", b, protocol, split)
    except (_NotComparableError, DataMissingError) as error:
        reason = str(error).replace(str(bench.root), "DATA_ROOT")
        return Comparison(pair.name, pair.subset, split, "x", reason)
    both = scored_a & scored_b
    weights = _weights(protocol, data, both)
    values_a, values_b = values_a[both], values_b[both]
    test = paired_test(values_a - values_b, data.observations.sequence[both], weights)
    mark, reason = _mark_of(bench, protocol, test, "sequence")
    sides = (
        SideMean(float(np.average(values_a, weights=weights)), len(a)),
        SideMean(float(np.average(values_b, weights=weights)), len(b)),
    )
    return Comparison(pair.name, pair.subset, split, mark, reason, sides, test)


def _compare_subsets(
    bench: Bench, protocol: Protocol, comparisons: Sequence[Comparison]
) -> list[Comparison]:
    """Return the comparison over all subsets of each name and split, with subsets as units.

    Sequences of one subject, or objects of one category, are correlated too. The question here is
    whether a method is better on subsets like these, so each subset counts once.
    """
    groups: dict[tuple[str, str], list[tuple[SideMean, ...]]] = {}
    for comparison in comparisons:
        if comparison.sides:
            group = groups.setdefault((comparison.name, comparison.split), [])
            group.append(comparison.sides)
    together = []
    for (name, split), sides in groups.items():
        if len(sides) > 1:
            values = np.array([[side.value for side in pair] for pair in sides])
            test = paired_test(values[:, 0] - values[:, 1], np.arange(len(sides)))
            mark, reason = _mark_of(bench, protocol, test, "subset")
            means = tuple(SideMean(float(value), 1) for value in values.mean(axis=0))
            title = f"mean of {len(sides)}"
            together.append(Comparison(name, title, split, mark, reason, means, test))
    return together


class _NotComparableError(Exception):
    """Two sides cannot be compared; the message is the reason."""


def _mark_of(bench: Bench, protocol: Protocol, test: PairedTest, unit: str) -> tuple[Mark, str]:
    """Return the mark of a test, with the reason if the mark is `x`."""
    if test.clusters < FEWEST_CLUSTERS:
        return "x", f"{count_of(test.clusters, unit)}, {FEWEST_CLUSTERS} needed"
    if not test.significant:
        return "~", ""
    higher = test.effect > 0
    return ("+" if higher == more_is_better(protocol, bench.registry) else "-"), ""


def _comparable_runs(
    bench: Bench, pair: Pair, protocol: Protocol, split: str
) -> tuple[list[StoredRun], list[StoredRun]]:
    """Return the runs of both sides that have scores on the present data under the protocol."""
    if is_run_time(protocol, bench.registry):
        raise _NotComparableError("run times are not those of frames")
    a, b = (_finished_runs(name, side) for name, side in (("A", pair.a), ("B", pair.b)))
    common = {_data_identity(run) for run in a} & {_data_identity(run) for run in b}
    if not common:
        raise _NotComparableError(f"other data: A ran on {_data_text(a)}, B on {_data_text(b)}")
    present = _present_identity(bench, a[0].record.spec)
    if present not in common:
        raise _NotComparableError("other data: the files here are not those of the runs")
    return (
        _scored_runs("A", [run for run in a if _data_identity(run) == present], protocol, split),
        _scored_runs("B", [run for run in b if _data_identity(run) == present], protocol, split),
    )


def _finished_runs(name: str, side: Sequence[StoredRun]) -> list[StoredRun]:
    """Return the runs of a side whose status is `ok`."""
    finished = [run for run in side if run.record.status == "ok"]
    if finished:
        return finished
    if not side:
        raise _NotComparableError(f"{name} has no stored run")
    record = side[0].record
    first_line = record.error.partition("\n")[0]
    raise _NotComparableError(f"{name} is {record.status}: {first_line}")


def _data_identity(run: StoredRun) -> tuple[int, str]:
    """Return the version and the checksum of a run's data."""
    return run.record.spec.dataset["version"], run.record.spec.dataset["checksum"]


def _data_text(side: Sequence[StoredRun]) -> str:
    data = sorted({_data_identity(run) for run in side})
    return ", ".join(f"version {version} {checksum[:DIGITS]}" for version, checksum in data)


def _present_identity(bench: Bench, spec: RunSpec) -> tuple[int, str]:
    """Return the version and the checksum that a run's data has now.

    Raises:
        DataMissingError: files of the data are absent.
    """
    checksum = bench.adapter(spec).checksum(bench.root, spec.dataset["subset"])
    return bench.registry.datasets[spec.dataset["key"]].version, checksum


def _scored_runs(
    name: str, side: Sequence[StoredRun], protocol: Protocol, split: str
) -> list[StoredRun]:
    """Return the runs that have a score on the split and whose predictions are stored."""
    scores = [run.record.scores for run in side]
    if not any(protocol.identity in under for under in scores):
        others = ", ".join(sorted({identity for under in scores for identity in under}))
        raise _NotComparableError(f"other protocol: {name} has scores under {others or 'none'}")
    scored = [run for run in side if split in run.record.scores.get(protocol.identity, {})]
    if not scored:
        raise _NotComparableError(f"{name} does not predict {split}")
    kept = [run for run in scored if run.store.predictions_path(run.record.spec.key).exists()]
    if not kept:
        raise _NotComparableError(f"the predictions of {name} are not kept")
    return kept


def _errors(
    bench: Bench,
    data: Dataset,
    name: str,
    side: Sequence[StoredRun],
    protocol: Protocol,
    split: str,
) -> tuple[Floats, Bools]:
    """Return each frame's mean error over the seeds (F,), and whether all seeds have one (F,)."""
    metric = bench.registry.metrics[protocol.metric]
    values, scored = [], []
    for run in side:
        path = run.store.predictions_path(run.record.spec.key)
        try:
            prediction = load_reconstructions(path)[split]
            mirrored = run.record.scores[protocol.identity][split].mirrored
            found = frame_values(prediction, data, metric, protocol, mirrored=mirrored)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{path}: not the predictions of {name} that were scored ({error}); "
                "do the run again"
            ) from error
        values.append(found[0])
        scored.append(found[1])
    return np.mean(values, axis=0), np.all(scored, axis=0)


def _weights(protocol: Protocol, data: Dataset, frames: Bools) -> Floats:
    """Return the weights of some frames in the protocol's mean."""
    if protocol.mean == "frames" or data.truth is None:
        return np.ones(int(frames.sum()))
    _, group, counts = np.unique(data.truth.group[frames], return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[group]
    return weights

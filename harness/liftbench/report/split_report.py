"""Summarises the errors of all methods on one split, and picks frames to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from liftbench.report.content import ErrorSpread, Gallery, SplitReport
from liftbench.report.frames import PointProtocol, RunFrames, point_step
from liftbench.runs.store import RunSpec
from liftbench.types import Floats

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 48
_LOWEST = 1e-3  # the quantile at which the bins begin, since a few errors may be tiny


def make_split_report(
    title: str,
    point_protocol: PointProtocol,
    found: Mapping[str, Sequence[tuple[RunSpec, RunFrames]]],
) -> SplitReport:
    """Return the report of one split.

    Args:
        title: the dataset, subset, setting and split.
        point_protocol: the protocol of the errors.
        found: the runs of each method, one for each seed, with their frames.
    """
    errors = {
        method: np.concatenate([frames.errors for _, frames in runs]).astype(np.float64)
        for method, runs in found.items()
    }
    bins = error_bins(np.concatenate(list(errors.values())))
    firsts = {method: runs[0] for method, runs in found.items()}
    first = next(iter(firsts.values()))[1]
    step = point_step(len(first.names))
    kept = first.edges[(first.edges % step == 0).all(axis=1)] // step
    unit = (str(first.unit) or "length") if point_protocol.unit == "length" else point_protocol.unit
    return SplitReport(
        title=title,
        metric=f"{point_protocol.protocol.identity} ({unit})",
        unit=str(first.unit),
        bins=tuple(bins.tolist()),
        spreads=tuple(
            _spread(method, len(found[method]), values, bins) for method, values in errors.items()
        ),
        galleries=tuple(
            Gallery(method, spec.seed, spec.key, frames.shown)
            for method, (spec, frames) in firsts.items()
        ),
        names=tuple(first.names[::step].tolist()),
        edges=tuple((int(a), int(b)) for a, b in kept),
        points=len(first.names),
    )


def error_bins(errors: Floats) -> Floats:
    """Return the edges of bins of equal width in the logarithm, which span all but tiny errors."""
    positive = errors[errors > 0]
    low, high = np.quantile(positive, [_LOWEST, 1]) if len(positive) else (1.0, 1.0)
    if low == high:
        low, high = low / 2, high * 2
    return np.geomspace(low, high, _BINS + 1)


def _spread(method: str, seeds: int, errors: Floats, bins: Floats) -> ErrorSpread:
    # Rounding may put the ends of geomspace just inside the range.
    counts, _ = np.histogram(errors.clip(bins[0], bins[-1]), bins)
    shares = counts / len(errors)
    quantiles = np.quantile(errors, QUANTILES)
    return ErrorSpread(
        method, seeds, len(errors), tuple(quantiles.tolist()), tuple(shares.round(5).tolist())
    )

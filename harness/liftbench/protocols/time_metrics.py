"""Run times of predictions, which the harness measures on the machine at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from liftbench.protocols.view_metrics import LackingOutputError

Timings = Mapping[str, Sequence[float]]
"""Milliseconds of every run, by the part of a prediction; see `liftbench.plugin.timing`."""


@dataclass(frozen=True)
class TimeMetric:
    """The mean time that some parts of a prediction take together for one frame.

    Attributes:
        name: name by which protocols refer to it.
        parts: the parts, as methods mark them.
        description: one sentence.
        unit: `ms`.
    """

    name: str
    parts: tuple[str, ...]
    description: str
    unit: str = "ms"

    def mean(self, timings: Timings) -> float:
        """Return the mean over all runs.

        Raises:
            LackingOutputError: run times were not measured, or the method marks no such part.
        """
        for part in self.parts:
            if part not in timings:
                known = f"it marks {', '.join(timings)}" if timings else "none were measured"
                raise LackingOutputError(f"run times need the part '{part}', but {known}")
        return sum(fmean(timings[part]) for part in self.parts)


BUILTIN_TIME_METRICS = (
    TimeMetric("network_time", ("network",), "milliseconds of the network for one picture"),
    TimeMetric(
        "optimisation_time",
        ("optimisation",),
        "milliseconds of the optimisation that follows the network, for one picture",
    ),
    TimeMetric(
        "network_and_optimisation_time",
        ("network", "optimisation"),
        "milliseconds of both for one picture",
    ),
)

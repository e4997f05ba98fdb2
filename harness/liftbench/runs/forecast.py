"""Forecasts how long a plan will take from how long similar fits took before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tabulate import tabulate

from liftbench.runs.missing import PlannedRun, Rerun, group_by_fit, missing_runs
from liftbench.runs.plan import Plan
from liftbench.runs.store import RunRecord, RunSpec, Store


@dataclass(frozen=True)
class MethodForecast:
    """The missing runs of one row, and how long they will take.

    Attributes:
        method: the row's key in the suite.
        runs: number of runs that the store lacks.
        fits: number of their fits; runs that differ only in what they predict from share one.
        seconds: for all these fits; None where no similar fit is stored.
        source: which stored fits the seconds come from.
    """

    method: str
    runs: int
    fits: int
    seconds: float | None
    source: str


@dataclass(frozen=True)
class Forecast:
    """How many runs of a plan are stored, and how long the missing ones will take.

    Attributes:
        runs: number of all runs of the plan.
        stored: number of runs that its store has.
        taken: number of missing runs that are taken over from other suites.
        rows: the missing runs of each row.
        jobs: number of runs at once.
    """

    runs: int
    stored: int
    taken: int
    rows: tuple[MethodForecast, ...]
    jobs: int

    def text(self) -> str:
        """Return the forecast as text for people."""
        todo, fits = (sum(getattr(row, name) for row in self.rows) for name in ("runs", "fits"))
        lines = [
            f"{self.runs} runs: {self.stored} stored, {self.taken} to take over from other suites, "
            f"{todo} to do in {fits} fits"
        ]
        if self.rows:
            table = [(r.method, r.runs, r.fits, _each(r), r.source) for r in self.rows]
            headers = ["method", "runs", "fits", "s per fit", "as in"]
            lines += [tabulate(table, headers=headers, tablefmt="simple"), self._total()]
        return "\n".join(lines)

    def _total(self) -> str:
        known = [row.seconds for row in self.rows if row.seconds is not None]
        unknown = [row.method for row in self.rows if row.seconds is None]
        parts = (
            [f"about {_duration(sum(known) / self.jobs)} with {self.jobs} at once"] if known else []
        )
        if unknown:
            parts.append(f"no fit of {', '.join(unknown)} is stored to estimate its time from")
        return "; ".join(parts)


def forecast(plan: Plan, store: Store, rerun: Rerun, jobs: int) -> Forecast:
    """Return how many runs a plan lacks, and how long they will take.

    The time of a fit is the median over similar stored fits, of this suite and of those beside it:
    the same method with the same parameters on the same dataset, else on any dataset, else the same
    method with any parameters.

    Args:
        plan: the runs that a suite asks for.
        store: where its runs go.
        rerun: which stored runs to do again.
        jobs: number of runs at once.
    """
    methods = {spec.key: cell.method for cell in plan.cells for spec in cell.runs}
    missing = missing_runs(plan, store, rerun)
    left = [run for run in missing if rerun != "none" or not _is_elsewhere(store, run.spec)]
    rows: dict[str, list[PlannedRun]] = {}
    for run in left:
        rows.setdefault(methods[run.spec.key], []).append(run)
    known = [r for r in store.of_all_suites() if r.status == "ok" and r.fit_seconds is not None]
    return Forecast(
        runs=len(methods),
        stored=len(methods) - len(missing),
        taken=len(missing) - len(left),
        rows=tuple(_row(method, runs, known) for method, runs in rows.items()),
        jobs=jobs,
    )


def _is_elsewhere(store: Store, spec: RunSpec) -> bool:
    records = (other.read(spec.key) for other in store.others_with(spec.key))
    return any(record is not None and record.status == "ok" for record in records)


def _row(method: str, runs: Sequence[PlannedRun], known: Sequence[RunRecord]) -> MethodForecast:
    fits = len(group_by_fit(runs))
    for source, seconds in _similar_fits(runs[0].spec, known):
        if seconds:
            fits_used = f"{len(seconds)} stored fits of {source}"
            return MethodForecast(method, len(runs), fits, fits * median(seconds), fits_used)
    return MethodForecast(method, len(runs), fits, None, "no stored fit")


def _similar_fits(spec: RunSpec, known: Sequence[RunRecord]) -> Iterator[tuple[str, list[float]]]:
    """Yield (source, seconds) of stored fits, the source most similar to this fit first."""
    same_method = [r for r in known if r.spec.method["key"] == spec.method["key"]]
    same_params = [r for r in same_method if r.spec.method["params"] == spec.method["params"]]
    same_data = [r for r in same_params if r.spec.dataset["key"] == spec.dataset["key"]]
    for source, records in (
        ("this configuration on this dataset", same_data),
        ("this configuration", same_params),
        ("this method", same_method),
    ):
        yield source, [r.fit_seconds for r in records if r.fit_seconds is not None]


def _each(row: MethodForecast) -> str:
    return "?" if row.seconds is None else f"{row.seconds / row.fits:.0f}"


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min" if minutes else "a minute"

"""Forecasts how long a plan will take from how long similar fits took before."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tabulate import tabulate

from liftbench.plugin.registry import Registry
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.fits.teachers import fit_of_teacher
from liftbench.runs.missing import Rerun, missing_runs
from liftbench.runs.plan import Plan
from liftbench.runs.store import RunRecord, RunSpec, Store


@dataclass(frozen=True)
class MethodForecast:
    """The missing runs of one row, or the fits of a teacher without one, and their time.

    Attributes:
        method: the row's key in the suite, or `teacher` and the key of the teacher.
        runs: number of runs that the store lacks; none of a teacher.
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
        rows: the missing runs of each row, then the teachers that are not kept and have no missing
            run of their own.
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


def forecast(plan: Plan, registry: Registry, store: Store, rerun: Rerun, jobs: int) -> Forecast:
    """Return how many runs a plan lacks, and how long they will take.

    The time of a fit is the median over similar stored fits, of this suite and of those beside it:
    the same method with the same parameters on the same dataset, else on any dataset, else the same
    method with any parameters.

    Args:
        plan: the runs that a suite asks for.
        registry: where teachers are looked up.
        store: where its runs go.
        rerun: which stored runs to do again.
        jobs: number of runs at once.
    """
    methods = {spec.key: cell.method for cell in plan.cells for spec in cell.runs}
    missing = missing_runs(plan, store, rerun)
    left = [run for run in missing if rerun != "none" or not _is_elsewhere(store, run.spec)]
    rows: dict[str, list[RunSpec]] = {}
    for run in left:
        rows.setdefault(methods[run.spec.key], []).append(run.spec)
    taught = _fits_of_teachers(
        [run.spec for run in left], registry, KeptFits(store, current=rerun == "stale")
    )
    known = list(_stored_fits(store.of_all_suites()))
    return Forecast(
        runs=len(methods),
        stored=len(methods) - len(missing),
        taken=len(missing) - len(left),
        rows=(
            *(_row(method, runs, known, runs=len(runs)) for method, runs in rows.items()),
            *(_row(f"teacher {fits[0].method['key']}", fits, known) for fits in taught),
        ),
        jobs=jobs,
    )


def _is_elsewhere(store: Store, spec: RunSpec) -> bool:
    records = (other.read(spec.key) for other in store.others_with(spec.key))
    return any(record is not None and record.status == "ok" for record in records)


def _fits_of_teachers(
    runs: Collection[RunSpec], registry: Registry, fits: KeptFits
) -> Iterable[list[RunSpec]]:
    """Return the fits of each teacher that are not kept and not among the fits of the runs."""
    own = {spec.fit_key for spec in runs}
    found: dict[str, RunSpec] = {}
    for student in runs:
        for teacher in student.teachers:
            if method := registry.methods.items.get(teacher["key"]):
                fit = fit_of_teacher(student, teacher, method)
                found[fit.fit_key] = fit
    groups: dict[str, list[RunSpec]] = {}
    for key, fit in found.items():
        if key not in own and not fits.is_kept(key):
            groups.setdefault(json.dumps(fit.method, sort_keys=True), []).append(fit)
    return groups.values()


@dataclass(frozen=True)
class _StoredFit:
    """How long a fit took; method and dataset are those of its spec."""

    method: Mapping[str, Any]
    dataset: str
    seconds: float


def _stored_fits(records: Iterable[RunRecord]) -> Iterable[_StoredFit]:
    """Return each fit of finished runs and of their teachers once."""
    found: dict[str, _StoredFit] = {}
    for record in records:
        spec = record.spec
        fits = [(spec.fit_key, spec.method, record.fit_seconds)] if record.status == "ok" else []
        fits += [
            (kept["fit"], method, kept["fit_seconds"])
            for method, kept in zip(spec.teachers, record.teachers, strict=False)
        ]
        for key, method, seconds in fits:
            if seconds is not None:
                found[key] = _StoredFit(method, spec.dataset["key"], seconds)
    return found.values()


def _row(
    method: str, specs: Sequence[RunSpec], known: Sequence[_StoredFit], runs: int = 0
) -> MethodForecast:
    fits = len({spec.fit_key for spec in specs})
    for source, seconds in _similar_fits(specs[0], known):
        if seconds:
            fits_used = f"{len(seconds)} stored fits of {source}"
            return MethodForecast(method, runs, fits, fits * median(seconds), fits_used)
    return MethodForecast(method, runs, fits, None, "no stored fit")


def _similar_fits(spec: RunSpec, known: Sequence[_StoredFit]) -> Iterator[tuple[str, list[float]]]:
    """Yield (source, seconds) of stored fits, the source most similar to this fit first."""
    same_method = [fit for fit in known if fit.method["key"] == spec.method["key"]]
    same_params = [fit for fit in same_method if fit.method["params"] == spec.method["params"]]
    same_data = [fit for fit in same_params if fit.dataset == spec.dataset["key"]]
    for source, fits in (
        ("this configuration on this dataset", same_data),
        ("this configuration", same_params),
        ("this method", same_method),
    ):
        yield source, [fit.seconds for fit in fits]


def _each(row: MethodForecast) -> str:
    return "?" if row.seconds is None else f"{row.seconds / row.fits:.0f}"


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min" if minutes else "a minute"

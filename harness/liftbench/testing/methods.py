"""Run all checks of a method: score it as a suite would, then examine it in a child process."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from liftbench.arrays import cache_folder
from liftbench.plugin.registry import Registry, load_registry
from liftbench.plugin.specs import MethodSpec
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import STATE_FILE
from liftbench.runs.execute import execute
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.method_params import params_of_run, teachers_of_run
from liftbench.runs.process import Execution
from liftbench.runs.store import RunRecord, RunSpec, Store, summary
from liftbench.suites.suite import Limits
from liftbench.testing import examiner
from liftbench.testing.method_checks import METHOD_CHECKS
from liftbench.testing.outcomes import (
    BrokenPromiseError,
    IncapableError,
    NotCheckedError,
    Outcome,
    as_expected,
    outcome_of,
    require_known_checks,
)
from liftbench.testing.scenes import SCENES, SPLITS, moving_body
from liftbench.testing.spec_checks import SPEC_CHECKS

_EXAMINER_FILE = Path(examiner.__file__)
_SOME_DEPTHS = 100
_LIMITS = Limits(seconds=600)


@dataclass(frozen=True)
class Patience:
    """How long a method may take.

    Attributes:
        limits: limits of each process.
        budget_s: seconds that the check `stops_within_its_budget` gives the method.
        grace_s: how many more seconds it may take before that check fails.
    """

    limits: Limits = _LIMITS
    budget_s: float = 0.2
    grace_s: float = 60.0


PATIENCE = Patience()


def check_method(
    key: str,
    *,
    plugin_files: tuple[Path, ...] = (),
    params: Mapping[str, Any] | None = None,
    patience: Patience = PATIENCE,
) -> Iterator[Outcome]:
    """Run all checks of a method and yield their outcomes.

    Args:
        key: key of the method.
        plugin_files: files of plugins that are not installed.
        params: parameters of the method, instead of those in the spec's `conformance`.
        patience: how long the method may take.

    Raises:
        UserError: the method is unknown, or its spec expects an unknown check to fail.
    """
    registry = load_registry((_EXAMINER_FILE, *plugin_files))
    spec = registry.methods[key]
    reasons = spec.conformance.expected_to_fail
    require_known_checks(reasons, METHOD_CHECK_NAMES)
    given = spec.conformance.params if params is None else params
    for spec_check in SPEC_CHECKS:
        yield as_expected(outcome_of(spec_check, spec), reasons)
    with _folders() as (folder, root):
        trial = Trial(registry, spec, given, plugin_files, patience, folder, root)
        for outcome in _trial_outcomes(trial):
            yield as_expected(outcome, reasons)


@contextlib.contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Yield a folder for runs and a data root; LIFTBENCH_DATA names that root until the end."""
    before = os.environ.get("LIFTBENCH_DATA")
    with (
        tempfile.TemporaryDirectory(prefix="liftbench-runs-") as runs,
        tempfile.TemporaryDirectory(prefix="liftbench-data-") as root,
    ):
        os.environ["LIFTBENCH_DATA"] = root
        try:
            yield Path(runs), Path(root)
        finally:
            del os.environ["LIFTBENCH_DATA"]
            if before is not None:
                os.environ["LIFTBENCH_DATA"] = before


def _trial_outcomes(trial: Trial) -> Iterator[Outcome]:
    first, *others = TRIAL_CHECKS
    runs = outcome_of(first, trial)
    yield runs
    if not runs.passed:
        for check in (*others, *METHOD_CHECKS):
            yield Outcome(check.__name__, "skipped", "it does not run")
        return
    for trial_check in others:
        yield outcome_of(trial_check, trial)
    yield from trial.examination.outcomes


@dataclass(frozen=True)
class Examination:
    """What the examiner found.

    Attributes:
        first_lift: what the examiner saw during the first lift; None if the process ended before.
        outcomes: one outcome for each check.
    """

    first_lift: dict[str, Any] | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Trial:
    """A method on the scenes of the kit, with their truth under a data root.

    Attributes:
        registry: the plugins, with the method and the examiner.
        spec: spec of the method.
        params: its parameters that differ from the defaults.
        plugin_files: files of plugins that are not installed.
        patience: how long the method may take.
        folder: where the runs have their folders.
        root: the data root.
    """

    registry: Registry
    spec: MethodSpec
    params: Mapping[str, Any]
    plugin_files: tuple[Path, ...]
    patience: Patience
    folder: Path
    root: Path

    @cached_property
    def fits(self) -> KeptFits:
        """The fits of the method and of its teachers."""
        return KeptFits(Store(self.folder / "kept"))

    @cached_property
    def record(self) -> RunRecord:
        """The record of the method's own run."""
        evaluate = SPLITS[:1] if self.spec.capabilities.transductive else SPLITS
        return self._run("run", self.spec, dict(self.params), evaluate)

    @cached_property
    def examination(self) -> Examination:
        """What the examiner found; a check that ends its process does not stop the next checks."""
        left, outcomes = [check.__name__ for check in METHOD_CHECKS], list[Outcome]()
        while True:
            name = f"examination{len(left)}"
            record = self._run(name, self._examiner(), self._questions(left), SPLITS[:1])
            first_lift, found = _read_report(self.folder / name / "method")
            outcomes += found
            left = left[len(found) :]
            if not left:
                return Examination(first_lift, tuple(outcomes))
            ended = left if first_lift is None else left[:1]
            outcomes += [Outcome(check, "failed", summary(record)) for check in ended]
            left = left[len(ended) :]

    def _scene(self) -> dict[str, Any]:
        can = self.spec.capabilities
        return {
            "camera": can.cameras[0],
            "hidden": can.missing_points,
            "pictures": can.images,
        }

    def _examiner(self) -> MethodSpec:
        return self.registry.methods[examiner.examiner_of(self.spec.capabilities)]

    def _questions(self, checks: list[str]) -> dict[str, Any]:
        return asdict(
            examiner.ExaminerParams(
                method=self.spec.key,
                params=dict(self.params),
                plugin_files=tuple(str(path.resolve()) for path in self.plugin_files),
                checks=tuple(checks),
                budget_s=self.patience.budget_s,
                grace_s=self.patience.grace_s,
            )
        )

    def _run(
        self, name: str, method: MethodSpec, params: dict[str, Any], evaluate: tuple[str, ...]
    ) -> RunRecord:
        bench = Bench(
            self.registry,
            self.root,
            Execution(device="cpu", plugin_files=(_EXAMINER_FILE, *self.plugin_files)),
            self.patience.limits,
            threading.Event(),
        )
        params = params_of_run(method, params)
        spec = RunSpec(
            dataset={"key": SCENES.key, "params": self._scene(), "subset": "all"},
            fit=SPLITS[0],
            evaluate=evaluate,
            method={"key": method.key, "params": params},
            seed=0,
            teachers=teachers_of_run(self.registry, method, params),
        )
        protocols = [self.registry.protocols["e3d"]]
        (result,) = execute(
            bench, [spec], self.folder / name, protocols, lambda *_: None, self.fits
        )
        return result.record


def _read_report(folder: Path) -> tuple[dict[str, Any] | None, list[Outcome]]:
    """Return the first lift and the outcomes that the examiner wrote before its process ended."""
    first_lift, outcomes = folder / examiner.FIRST_LIFT, folder / examiner.OUTCOMES
    if not first_lift.exists() or not outcomes.exists():
        return None, []
    lines = outcomes.read_text(encoding="utf-8").splitlines()
    return (
        json.loads(first_lift.read_text(encoding="utf-8")),
        [Outcome(**json.loads(line)) for line in lines],
    )


def runs_and_is_scored(trial: Trial) -> None:
    """The method runs in a suite; its points are finite, of the right shape, and not all equal."""
    if trial.record.status == "skipped":
        raise IncapableError(summary(trial.record))
    if trial.record.status != "ok":
        raise BrokenPromiseError(summary(trial.record))


def same_seed_gives_the_same_result(trial: Trial) -> None:
    """Two processes with the same seed give the same result, bit for bit."""
    if _first_lift(trial)["digest"] != trial.record.digests[SPLITS[0]]:
        raise BrokenPromiseError("two processes with the same seed give results that differ")


def truth_stays_out_of_reach(trial: Trial) -> None:
    """The method's process gets no hint of the truth and does not look for it."""
    if trial.spec.capabilities.supervised:
        raise NotCheckedError("it is shown the truth")
    first_lift, root = _first_lift(trial), str(trial.root)
    if any(root in text for text in first_lift["surroundings"]):
        raise BrokenPromiseError("its arguments, environment or folder name the data root")
    data = root, str(cache_folder())
    if opened := [name for name in first_lift["opened"] if name.startswith(data)]:
        raise BrokenPromiseError(f"it opens {opened[0]}, where data is kept")
    depths = [z.tobytes() for z in moving_body(SPLITS[0])[..., 2].ravel()[:_SOME_DEPTHS]]
    for path in trial.folder.rglob("*"):
        # Predictions may equal the truth by chance, to the last bit; a state may hold predictions.
        if not path.is_file() or path.name in ("predictions.npz", STATE_FILE):
            continue
        content = path.read_bytes()
        if root.encode() in content or any(depth in content for depth in depths):
            raise BrokenPromiseError(f"{path.name} in its folder holds a part of the truth")


def _first_lift(trial: Trial) -> dict[str, Any]:
    first_lift = trial.examination.first_lift
    if first_lift is None:
        raise BrokenPromiseError(f"a second run fails: {trial.examination.outcomes[0].detail}")
    return first_lift


TRIAL_CHECKS = (runs_and_is_scored, same_seed_gives_the_same_result, truth_stays_out_of_reach)
METHOD_CHECK_NAMES = tuple(
    check.__name__ for check in (*SPEC_CHECKS, *TRIAL_CHECKS, *METHOD_CHECKS)
)

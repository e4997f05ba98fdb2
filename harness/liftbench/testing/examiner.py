"""A method that examines another method in the child process of a run.

This file is a plugin; `liftbench.testing.methods` loads it with the plugins that it checks.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from liftbench.crops import crops_folder
from liftbench.images import Images
from liftbench.plugin.hooks import hookimpl
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import Capabilities, DatasetSpec, Lesson, MethodSpec, RunContext
from liftbench.runs.exchange import digest
from liftbench.testing.method_checks import METHOD_CHECKS, Candidate
from liftbench.testing.outcomes import outcome_of
from liftbench.testing.scenes import SCENES
from liftbench.types import CAMERAS, Observations, Reconstruction

KEY = "liftbench_examiner"
FIRST_LIFT = "first_lift.json"
OUTCOMES = "outcomes.jsonl"
_LOOKS = ("open", "os.listdir", "os.scandir")


@dataclass(frozen=True)
class ExaminerParams:
    """Parameters of the examination.

    Attributes:
        method: key of the method to examine.
        params: parameters of that method.
        plugin_files: files of plugins that may define it.
        checks: names of the checks, in their order.
        budget_s: see `Candidate`.
        grace_s: see `Candidate`.
    """

    method: str = ""
    params: dict[str, Any] | None = None
    plugin_files: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    budget_s: float = 0.2
    grace_s: float = 60.0


class Examiner:
    """A method whose `fit` examines another method and writes each outcome at once."""

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = ExaminerParams(**params)

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Lift the observations as the runner would, then do the checks."""
        registry = load_registry(map(Path, self.params.plugin_files))
        candidate = Candidate(
            registry,
            registry.methods[self.params.method],
            self.params.params or {},
            context,
            self.params.budget_s,
            self.params.grace_s,
        )
        first_lift = _first_lift(candidate, observations)
        (context.scratch / FIRST_LIFT).write_text(json.dumps(first_lift), encoding="utf-8")
        checks = {check.__name__: check for check in METHOD_CHECKS}
        with (context.scratch / OUTCOMES).open("a", encoding="utf-8") as outcomes:
            for name in self.params.checks:
                outcome = outcome_of(checks[name], candidate)
                print(json.dumps(asdict(outcome)), file=outcomes, flush=True)

    def predict(self, observations: Observations) -> Reconstruction:
        """Return the visible points at depth zero."""
        flat = np.pad(np.nan_to_num(observations.points_2d), ((0, 0), (0, 0), (0, 1)))
        return Reconstruction(flat)


def _first_lift(candidate: Candidate, observations: Observations) -> dict[str, Any]:
    """Lift once; return the result's digest, the texts around this process and the opened files."""
    opened: list[str] = []
    listening = True

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if listening and event in _LOOKS:
            opened.append(str(args[0]))

    sys.addaudithook(listen)
    lifted = candidate.lift(
        observations, seed=candidate.context.seed, truth=candidate.context.truth
    )
    listening = False
    opened = [name for name in opened if not _is_shown(name, observations.images)]
    result = digest(lifted)
    surroundings = [*sys.orig_argv, *map("=".join, os.environ.items()), str(Path.cwd())]
    return {"digest": result, "surroundings": surroundings, "opened": opened}


def _is_shown(name: str, images: Images | None) -> bool:
    """Return whether a file is a picture or mask of the method, or made from its pictures."""
    if images is None:
        return False
    shown = (*images.files, *(images.masks or ()))
    return name in shown or name.startswith(str(crops_folder()))


def examiner_of(capabilities: Capabilities) -> str:
    """Return the key of the examiner that the runner shows all that such a method may see."""
    return KEY + ("_images" * capabilities.images) + ("_supervised" * capabilities.supervised)


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    """Return the examiners, which are shown all that methods may see of their kind."""
    everything = Capabilities(cameras=CAMERAS, missing_points=True, seeded=False)
    pictures = replace(everything, images=True, learns_from=get_args(Lesson))
    kinds = (everything, pictures)
    return [
        MethodSpec(
            examiner_of(can), "Examiner", "liftbench", Examiner, ExaminerParams, capabilities=can
        )
        for kind in kinds
        for can in (kind, replace(kind, supervised=True))
    ]


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    """Return the scenes that the examiner runs on."""
    return [SCENES]

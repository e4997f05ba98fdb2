"""The bench: what all runs of a command share, and how it loads and corrupts their data."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from liftbench.corruption import CannotCorruptError
from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import DatasetAdapter
from liftbench.runs.plan import Plan, adapter_of_run
from liftbench.runs.process import Execution
from liftbench.runs.store import RunSpec
from liftbench.suites.suite import Limits, make_params
from liftbench.types import Dataset, GroundTruth, Observations


@dataclass(frozen=True)
class Bench:
    """What all runs of one command share.

    Attributes:
        registry: where methods, datasets and corruptions are looked up.
        root: the data root.
        execution: device and threads of the child processes.
        limits: the limits on the time and memory of a run.
        cancel: when set, no further run starts and the runs under way are ended.
    """

    registry: Registry
    root: Path
    execution: Execution
    limits: Limits
    cancel: threading.Event

    def adapter(self, spec: RunSpec) -> DatasetAdapter:
        """Return the adapter of the data of a run."""
        return adapter_of_run(self.registry, spec.dataset)

    def load(self, spec: RunSpec, split: str) -> Dataset:
        """Return a split of the data of a run, with the observations that it predicts from."""
        data = self._clean(spec, split)
        return replace(data, observations=self._corrupt(spec, split, "predict", data.observations))

    def load_fit(self, spec: RunSpec) -> Observations:
        """Return the observations that the method of a run is fitted to."""
        return self._corrupt(spec, spec.fit, "fit", self._clean_fit(spec).observations)

    def load_truth(self, spec: RunSpec) -> GroundTruth | None:
        """Return the truth of the split that the method of a run is fitted to."""
        return self._clean_fit(spec).truth

    def load_extra(self, spec: RunSpec) -> Observations:
        """Return the observations of the second data set that the method of a run learns from."""
        extra = spec.extra
        adapter = adapter_of_run(self.registry, extra)
        return adapter.load(self.root, extra["subset"], extra["split"]).observations

    def note(self, spec: RunSpec) -> str:
        """Return how the data of a run differs from the papers' set."""
        return self.adapter(spec).note(self.root, spec.dataset["subset"])

    def require_same_data(self, spec: RunSpec) -> None:
        """Raise UserError unless the files under the data root are those of a stored run."""
        for dataset in filter(None, (spec.dataset, spec.fit_dataset)):
            if self.adapter(spec).checksum(self.root, dataset["subset"]) != dataset["checksum"]:
                raise UserError(
                    f"{dataset['key']} {dataset['subset']}: the files under {self.root} are not "
                    "those of the stored run; run the suite again for rows of these files"
                )

    def _clean(self, spec: RunSpec, split: str) -> Dataset:
        return self.adapter(spec).load(self.root, spec.dataset["subset"], split)

    def _clean_fit(self, spec: RunSpec) -> Dataset:
        return self._clean(replace(spec, dataset=spec.fit_dataset or spec.dataset), spec.fit)

    def _corrupt(
        self, spec: RunSpec, split: str, stage: Literal["fit", "predict"], clean: Observations
    ) -> Observations:
        """Return the observations of a split with the corruptions that a run has at a stage."""
        observations = clean
        data = (stage == "fit" and spec.fit_dataset) or spec.dataset
        for key, entry in spec.corruptions(stage).items():
            corruption = self.registry.corruptions[key]
            params = make_params(f"corruption '{key}'", corruption.params, entry["params"])
            observations = corruption.corrupt(observations, params, data, split)
        return observations


def require_corruptible(plan: Plan, bench: Bench) -> None:
    """Corrupt the data of a plan once by each combination of corruptions.

    Raises:
        CannotCorruptError: the data lacks what a corruption needs.
    """
    combinations = {
        (cell.dataset, cell.subset, *spec.corruption): spec
        for cell in plan.cells
        for spec in cell.runs[:1]
        if spec.corruption
    }
    for spec in combinations.values():
        try:
            bench.load(spec, spec.evaluate[0])
        except CannotCorruptError:
            raise
        except Exception:  # noqa: BLE001, S112 any other fault of the data costs its rows alone
            continue

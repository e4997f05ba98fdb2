"""The spec of a corruption, and the name of its random draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from liftbench.errors import UserError
from liftbench.seeds import named_rng
from liftbench.types import Observations

Stage = Literal["both", "fit", "predict"]


class CannotCorruptError(UserError):
    """The data lacks what the corruption needs."""


@dataclass(frozen=True, kw_only=True)
class CorruptionParams:
    """Parameters that all corruptions have.

    Attributes:
        seed: seed of the random draw.
        stage: the calls of a method that see corrupted data; the other call sees clean data.
    """

    seed: int = 0
    stage: Stage = "both"


@dataclass(frozen=True)
class CorruptionSpec:
    """A corruption under its key.

    Attributes:
        key: name in suites.
        title: name in tables and figures.
        params: dataclass of the parameters, a `CorruptionParams`.
        apply: function from observations, parameters and a generator to corrupted observations;
            raises ValueError if the data lacks what it needs.
        version: raise it when the result changes; it is part of the key of every run with it.
        severity: name of the parameter that says how strong the corruption is; None without one.
        clean: the severity that changes nothing.
        unit: unit of the severity in tables; `%` means that the severity is a share.
    """

    key: str
    title: str
    params: type[CorruptionParams]
    apply: Callable[[Observations, Any, np.random.Generator], Observations]
    version: int = 1
    severity: str | None = None
    clean: float = 0.0
    unit: str = ""

    def is_clean(self, params: CorruptionParams) -> bool:
        """Return whether the corruption changes nothing with these parameters."""
        return self.severity is not None and bool(getattr(params, self.severity) == self.clean)

    def corrupt(
        self,
        observations: Observations,
        params: CorruptionParams,
        dataset: Mapping[str, Any],
        split: str,
    ) -> Observations:
        """Return the corrupted observations of one split.

        The draw depends on the data, this key and `params.seed`, but not on the method or the
        severity.

        Args:
            observations: the clean observations of the split.
            params: parameters of this corruption.
            dataset: key, parameters and subset of the dataset, as in the spec of a run.
            split: name of the split.

        Raises:
            CannotCorruptError: the data lacks what this corruption needs.
        """
        if self.is_clean(params):
            return observations
        data = (dataset["key"], json.dumps(dataset["params"], sort_keys=True), dataset["subset"])
        rng = named_rng("corruption", *data, split, self.key, params.seed)
        try:
            return self.apply(observations, params, rng)
        except ValueError as error:
            where = f"{data[0]} {data[2]}"
            raise CannotCorruptError(f"{where}: corruption '{self.key}': {error}") from error

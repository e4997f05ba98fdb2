"""Run all checks of a dataset, with its files and without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from liftbench.plugin.registry import load_registry
from liftbench.testing.dataset_checks import DATASET_CHECKS, DatasetCandidate
from liftbench.testing.outcomes import Outcome, as_expected, outcome_of, require_known_checks
from liftbench.testing.spec_checks import SPEC_CHECKS


def check_dataset(
    key: str,
    *,
    plugin_files: tuple[Path, ...] = (),
    params: Mapping[str, Any] | None = None,
    data_root: Path | None = None,
) -> Iterator[Outcome]:
    """Run all checks of a dataset and yield their outcomes.

    Args:
        key: key of the dataset.
        plugin_files: files of plugins that are not installed.
        params: parameters of the dataset, instead of those in the spec's `conformance`.
        data_root: folder that may hold its files; without files, checks that need them are skipped.

    Raises:
        UserError: the dataset is unknown, or its spec expects an unknown check to fail.
    """
    registry = load_registry(plugin_files)
    spec = registry.datasets[key]
    reasons = spec.conformance.expected_to_fail
    require_known_checks(reasons, DATASET_CHECK_NAMES)
    for spec_check in SPEC_CHECKS:
        yield as_expected(outcome_of(spec_check, spec), reasons)
    with tempfile.TemporaryDirectory(prefix="liftbench-") as empty:
        given = spec.conformance.params if params is None else params
        root = Path(empty) if spec.synthetic or data_root is None else data_root
        candidate = DatasetCandidate(registry, spec, given, Path(empty), root)
        for check in DATASET_CHECKS:
            yield as_expected(outcome_of(check, candidate), reasons)


DATASET_CHECK_NAMES = tuple(check.__name__ for check in (*SPEC_CHECKS, *DATASET_CHECKS))

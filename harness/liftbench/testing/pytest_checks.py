"""The conformance kit for pytest: each check of a plugin is a test.

    from liftbench.testing.pytest_checks import Check, every_check


    @every_check("mymethod")
    def test_conformance(check: Check) -> None:
        check()

The plugin must be installed (`pip install -e .`) or named by `plugin_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from liftbench.testing.checking import checks_of
from liftbench.testing.methods import PATIENCE, Patience
from liftbench.testing.outcomes import Outcome


def every_check(
    *keys: str,
    params: Mapping[str, Any] | None = None,
    data_root: Path | None = None,
    plugin_files: Sequence[Path] = (),
    patience: Patience = PATIENCE,
) -> pytest.MarkDecorator:
    """Parametrise a test with `check`; calling it runs one check of one plugin.

    The call fails the test if the promise is broken, or ends it as skipped or as an expected
    failure, with the reason. The first call runs all checks of its plugin.

    Args:
        keys: keys of methods and datasets.
        params: parameters instead of those in the spec's `conformance`.
        data_root: folder that holds the files of datasets.
        plugin_files: files of plugins that are not installed.
        patience: how long a method may take.

    Raises:
        UserError: there is no such method or dataset, or its plugin did not load.
    """
    cases: list[Any] = []
    for key in keys:
        for checks in checks_of(
            key,
            params=params,
            data_root=data_root,
            plugin_files=plugin_files,
            patience=patience,
        ):
            examination = _Examination(checks.run)
            cases += [
                pytest.param(Check(examination, name), id=f"{key}-{name}") for name in checks.names
            ]
    return pytest.mark.parametrize("check", cases)


@dataclass(frozen=True)
class _Examination:
    """The outcomes of all checks of a plugin, which run when the first outcome is needed."""

    run: Callable[[], Iterator[Outcome]]

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        return {outcome.check: outcome for outcome in self.run()}


@dataclass(frozen=True)
class Check:
    """One check of one plugin."""

    examination: _Examination
    name: str

    def __call__(self) -> None:
        """End the test in the way the check ended."""
        outcome = self.examination.outcomes[self.name]
        if outcome.state == "skipped":
            pytest.skip(outcome.detail)
        if outcome.state == "expected to fail":
            pytest.xfail(outcome.detail)
        if outcome.failed:
            pytest.fail(outcome.detail, pytrace=False)

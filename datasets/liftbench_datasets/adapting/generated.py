"""Base of generated datasets, which have no files and no paper."""

# ruff: noqa: ARG002  every adapter takes the data root; these have no files there

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from liftbench.errors import require_known
from liftbench.plugin.specs import DatasetInfo, Finding
from liftbench.types import Bools

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SUBSETS = ("all",)
Params = TypeVar("Params", bound="DataclassInstance")


class Generated(Generic[Params]):
    """A dataset whose frames are a pure function of its parameters.

    Attributes:
        key: the key of the dataset.
        version: the version of the generator; raise it when a change alters a frame.
        params: the parameters of this dataset.
        subset_names: the names of its subsets; a single one unless overridden.
        added_params: see `DatasetSpec.added_params`; such values leave the checksum too.
    """

    key: ClassVar[str]
    version: ClassVar[int]
    params: Params
    subset_names: ClassVar[tuple[str, ...]] = SUBSETS
    added_params: ClassVar[Mapping[str, Any]] = {}

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the subsets."""
        return self.subset_names

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the version of the generator and its parameters."""
        self.require_known(subset)
        given = asdict(self.params).items()
        items = sorted(item for item in given if item not in self.added_params.items())
        text = f"{self.key} {self.version} {items}"
        return hashlib.sha256(text.encode()).hexdigest()

    def note(self, root: Path, subset: str) -> str:
        """Return an empty note: no paper uses this dataset."""
        return ""

    def require_known(self, subset: str) -> None:
        """Raise a `UserError` that names the subset if the dataset does not have it."""
        require_known(f"subset of dataset '{self.key}'", subset, self.subset_names)


def check_visible(
    visible: Bools, least: int, points: str = "points", *, each_seen: bool = False
) -> Finding:
    """Return a finding that says whether enough points are visible in every frame.

    Args:
        visible: (F, P) which points are visible.
        least: the smallest number of visible points in a frame that passes.
        points: the word for the points in the finding.
        each_seen: if true, every point must also be visible in some frame.
    """
    shown, count = visible.sum(axis=1), visible.shape[1]
    detail = (
        f"{shown.min()} to {shown.max()} of {count} {points} per frame, "
        f"{shown.mean():.1f} on average"
    )
    whole = shown.min() >= least and (not each_seen or visible.any(axis=0).all())
    return Finding(f"visible {points}", bool(whole), detail)


def generated_info(layout: str, size: str) -> DatasetInfo:
    """Return the information on a generated dataset: there is nothing to download."""
    return DatasetInfo(
        download="none: it is generated, nothing to download",
        licence="that of liftbench",
        layout=f"no files; {layout}",
        size=f"no files; {size}",
    )

"""The checks of what the adapter of a dataset promises."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import DatasetAdapter, DatasetSpec, Finding
from liftbench.runs.plan import make_adapter
from liftbench.suites.suite import make_params
from liftbench.testing.differences import differing_fields
from liftbench.testing.outcomes import BrokenPromiseError, NotCheckedError
from liftbench.testing.spec_checks import is_one_line
from liftbench.types import Dataset, Floats

_CALLS = ("subsets", "checksum", "load", "note", "check")
_NO_NAME = "no such name"
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class DatasetCandidate:
    """A dataset under examination.

    Attributes:
        registry: the plugins, with the dataset.
        spec: spec of the dataset.
        params: its parameters that differ from the defaults.
        empty: a data root without files.
        root: a data root that may hold its files.
    """

    registry: Registry
    spec: DatasetSpec
    params: Mapping[str, Any]
    empty: Path
    root: Path

    def adapter(self, **changes: Any) -> DatasetAdapter:  # noqa: ANN401 the dataclass has the types
        """Make an adapter, with some parameters changed."""
        return make_adapter(self.registry, self.spec.key, {**self.params, **changes})

    @cached_property
    def data(self) -> dict[tuple[str, str], Dataset]:
        """All splits by subset and split: of all subsets of a stand-in, of the first of a dataset.

        Raises:
            NotCheckedError: there are no files.
        """
        adapter, subsets = self.adapter(), self.adapter().subsets(self.root)
        if not subsets and not self.spec.synthetic:
            raise NotCheckedError("there are no files: name their folder with --data-root")
        found = {}
        for subset in subsets if self.spec.synthetic else subsets[:1]:
            for split in self.spec.splits:
                with contextlib.suppress(DataMissingError):
                    found[subset, split] = adapter.load(self.root, subset, split)
        return found

    @property
    def subsets(self) -> tuple[str, ...]:
        """The subsets of `data`."""
        return tuple(dict.fromkeys(subset for subset, _ in self.data))

    def of_subset(self, subset: str) -> list[Dataset]:
        """Return the splits of a subset."""
        return [data for (name, _), data in self.data.items() if name == subset]

    def require_files_needed(self) -> None:
        """Skip the check for a stand-in, which needs no files."""
        if self.spec.synthetic:
            raise NotCheckedError("a stand-in needs no files")

    def require_stand_in(self) -> None:
        """Skip the check for a dataset of files, which promises less."""
        if not self.spec.synthetic:
            raise NotCheckedError("only stand-ins promise this")


def says_what_it_needs(candidate: DatasetCandidate) -> None:
    """Splits, licence and layout are filled in; only keys of stand-ins begin with `synthetic_`."""
    spec = candidate.spec
    if not spec.splits or len(set(spec.splits)) != len(spec.splits):
        raise BrokenPromiseError(f"splits: expected different names, got {spec.splits}")
    for name, text in vars(spec.info).items():
        if not is_one_line(text):
            raise BrokenPromiseError(f"info.{name}: expected one line of text")
    if spec.synthetic != spec.key.startswith("synthetic_"):
        raise BrokenPromiseError("key: expected synthetic_ at its start if and only if `synthetic`")
    if not spec.synthetic and "DATA_ROOT" not in spec.info.layout:
        raise BrokenPromiseError("info.layout: expected the place of the files below DATA_ROOT")


def adapter_has_its_calls(candidate: DatasetCandidate) -> None:
    """The adapter has all methods of `DatasetAdapter`."""
    adapter = candidate.adapter()
    if missing := [name for name in _CALLS if not callable(getattr(adapter, name, None))]:
        raise BrokenPromiseError(f"the adapter has no {', '.join(missing)}")


def parts_of_the_files_suffice(candidate: DatasetCandidate) -> None:
    """The parameters for a part of the files differ from the defaults and make an adapter."""
    spec = candidate.spec
    if not spec.partial:
        raise NotCheckedError("the spec names no part of the files")
    for part, given in spec.partial.items():
        if make_params(f"partial '{part}'", spec.params, dict(given)) == spec.params():
            raise BrokenPromiseError(f"partial '{part}': its parameters are the defaults")
        make_adapter(candidate.registry, spec.key, dict(given))


def absent_files_have_no_subsets(candidate: DatasetCandidate) -> None:
    """There are no subsets in an empty folder, nor in one that does not exist."""
    candidate.require_files_needed()
    for root in (candidate.empty, candidate.empty / "nowhere"):
        if subsets := candidate.adapter().subsets(root):
            raise BrokenPromiseError(f"without files it has the subsets {', '.join(subsets)}")


def other_files_are_not_taken_for_data(candidate: DatasetCandidate) -> None:
    """A folder of the right name with other files has no subsets, and `check` reports that."""
    candidate.require_files_needed()
    root = candidate.empty / "other"
    (root / candidate.spec.key / "other things").mkdir(parents=True)
    (root / candidate.spec.key / "README.txt").write_text("nothing here", encoding="ascii")
    if subsets := candidate.adapter().subsets(root):
        raise BrokenPromiseError(f"it mistakes other files for the subsets {', '.join(subsets)}")
    _message_of_check(candidate, root)


def absent_files_are_reported(candidate: DatasetCandidate) -> None:
    """Without files, `check` says in one line where it looked and which command has the details."""
    candidate.require_files_needed()
    message = _message_of_check(candidate, candidate.empty)
    for words in (f"see 'liftbench data info {candidate.spec.key}'", str(candidate.empty)):
        if words not in message:
            raise BrokenPromiseError(f"`check` without files: expected {words!r} in: {message}")


def calls_without_files_are_refused(candidate: DatasetCandidate) -> None:
    """Without files, every call raises a UserError of one line."""
    candidate.require_files_needed()
    adapter = candidate.adapter()
    for subset in ("all", "01", _NO_NAME):
        place = candidate.empty, subset
        _require_refusal("`checksum`", partial(adapter.checksum, *place))
        _require_refusal("`note`", partial(adapter.note, *place))
        _require_refusal("`load`", partial(adapter.load, *place, candidate.spec.splits[0]))


def has_frames(candidate: DatasetCandidate) -> None:
    """Every split has frames; each frame of a stand-in has a visible point, truth and group."""
    if not candidate.data:
        raise BrokenPromiseError("there is no subset that has a split")
    for (subset, split), data in candidate.data.items():
        seen, truth = data.observations, data.truth
        if not seen.frames:
            raise BrokenPromiseError(f"{subset} {split}: no frames")
        if candidate.spec.synthetic and not (truth and truth.unit and all(truth.group.tolist())):
            raise BrokenPromiseError(f"{subset} {split}: a frame has no truth, unit or group")
        if candidate.spec.synthetic and not seen.visible.any(axis=1).all():
            raise BrokenPromiseError(f"{subset} {split}: a frame has no visible point")


def is_the_same_every_time(candidate: DatasetCandidate) -> None:
    """Data, checksum and note are the same at every call, in any order of calls."""
    first, again = candidate.adapter(), candidate.adapter()
    for (subset, split), data in reversed(candidate.data.items()):
        if name := _difference(again.load(candidate.root, subset, split), data):
            raise BrokenPromiseError(f"{subset} {split}: {name} differs when it is loaded again")
        for call in ("checksum", "note"):
            texts = [getattr(a, call)(candidate.root, subset) for a in (first, again)]
            if not isinstance(texts[0], str) or texts[0] != texts[1]:
                raise BrokenPromiseError(
                    f"{subset}: `{call}` is not text, or differs at the second call"
                )


def seed_makes_other_data(candidate: DatasetCandidate) -> None:
    """A stand-in has a seed; another seed makes other data with another checksum."""
    candidate.require_stand_in()
    seeds = {n: v for n, v in vars(candidate.spec.params()).items() if "seed" in n}
    if not seeds:
        raise BrokenPromiseError("it has no parameter called seed")
    for name, value in seeds.items():
        other = candidate.adapter(**{name: value + 1})
        for (subset, split), data in candidate.data.items():
            if not _difference(other.load(candidate.root, subset, split), data):
                raise BrokenPromiseError(
                    f"{subset} {split}: {name} {value + 1} makes the same data"
                )
            if other.checksum(candidate.root, subset) == candidate.adapter().checksum(
                candidate.root, subset
            ):
                raise BrokenPromiseError(f"{subset}: {name} {value + 1} has the same checksum")


def splits_share_no_sequence(candidate: DatasetCandidate) -> None:
    """No sequence of a stand-in is in two splits."""
    candidate.require_stand_in()
    for subset in candidate.subsets:
        ids = [set(data.observations.sequence.tolist()) for data in candidate.of_subset(subset)]
        if len(set[int]().union(*ids)) != sum(map(len, ids)):
            raise BrokenPromiseError(f"{subset}: two splits have frames of one sequence")


def frames_do_not_repeat(candidate: DatasetCandidate) -> None:
    """No two frames of a stand-in's subset have the same true points."""
    candidate.require_stand_in()
    for subset in candidate.subsets:
        truths = [data.truth for data in candidate.of_subset(subset)]
        frames = [frame.tobytes() for truth in truths if truth for frame in truth.points_3d]
        if len(set(frames)) != len(frames):
            raise BrokenPromiseError(f"{subset}: two frames have the same points")


def visible_points_are_the_projection_of_the_truth(candidate: DatasetCandidate) -> None:
    """The visible points of a stand-in are the projections of its true points that count."""
    candidate.require_stand_in()
    for (subset, split), data in candidate.data.items():
        found, expected = _seen_and_projected(data)
        wrong = np.abs(found - expected).max() / np.abs(expected).max() if len(found) else np.inf
        if not wrong <= _TOLERANCE:
            raise BrokenPromiseError(
                f"{subset} {split}: points differ by {wrong:.1g} of the largest coordinate"
            )


def finds_itself_whole(candidate: DatasetCandidate) -> None:
    """`check` of a stand-in has findings, each of one line, and all are ok."""
    candidate.require_stand_in()
    findings = candidate.adapter().check(candidate.root)
    if not findings:
        raise BrokenPromiseError("`check` has no finding")
    for finding in findings:
        if not (
            isinstance(finding, Finding)
            and is_one_line(finding.item)
            and is_one_line(finding.detail)
        ):
            raise BrokenPromiseError(f"`check`: expected a Finding of one line, got {finding}")
        if not finding.ok:
            raise BrokenPromiseError(f"`check`: {finding.item}: {finding.detail}")


def unknown_names_are_refused(candidate: DatasetCandidate) -> None:
    """A subset or split that does not exist is refused with one line."""
    subset, split = next(iter(candidate.data))
    adapter, root = candidate.adapter(), candidate.root
    _require_refusal("`load` of no such subset", partial(adapter.load, root, _NO_NAME, split))
    _require_refusal("`load` of no such split", partial(adapter.load, root, subset, _NO_NAME))
    _require_refusal("`checksum` of no such subset", partial(adapter.checksum, root, _NO_NAME))


def _require_refusal(what: str, call: Callable[[], object]) -> None:
    """Raise unless a call ends with a `UserError` of one line."""
    try:
        result = call()
    except UserError as error:
        if not is_one_line(str(error)):
            raise BrokenPromiseError(f"{what}: expected one line, got: {error}") from error
    else:
        raise BrokenPromiseError(f"{what}: expected a UserError, got {type(result).__name__}")


def _message_of_check(candidate: DatasetCandidate, root: Path) -> str:
    """Return the one line with which `check` reports that there are no files."""
    try:
        findings = candidate.adapter().check(root)
    except UserError as error:
        lines = [str(error)]
    else:
        if not findings or any(finding.ok for finding in findings):
            raise BrokenPromiseError("`check` without files: expected a finding that is not ok")
        lines = [f"{finding.item}: {finding.detail}" for finding in findings]
    if len(lines) != 1 or not is_one_line(lines[0]):
        raise BrokenPromiseError(f"`check` without files: expected one line, got {lines}")
    return lines[0]


def _difference(first: Dataset, second: Dataset) -> str:
    """Return the name of a field in which two datasets differ, or an empty string."""
    names = differing_fields(first.observations, second.observations)
    if (first.truth is None) != (second.truth is None):
        return "truth"
    if first.truth is not None:
        names += differing_fields(first.truth, second.truth)
    return f"`{names[0]}`" if names else ""


def _seen_and_projected(data: Dataset) -> tuple[Floats, Floats]:
    """Return the observed and the projected positions (N, 2) of the visible points that count."""
    seen, truth = data.observations, data.truth
    if truth is None:
        return np.empty((0, 2)), np.empty((0, 2))
    counts = np.ones_like(seen.visible) if truth.mask is None else truth.mask
    shown = seen.visible & counts
    if seen.camera == "weak_perspective":  # its depth is the mean of all points
        shown = shown & counts.all(axis=1, keepdims=True)
        return seen.points_2d[shown], project(truth.points_3d, seen.camera)[shown]
    image = project(truth.points_3d[shown][:, None], seen.camera)[:, 0]
    return seen.points_2d[shown], image


DATASET_CHECKS: tuple[Callable[[DatasetCandidate], None], ...] = (
    says_what_it_needs,
    adapter_has_its_calls,
    parts_of_the_files_suffice,
    absent_files_have_no_subsets,
    other_files_are_not_taken_for_data,
    absent_files_are_reported,
    calls_without_files_are_refused,
    has_frames,
    is_the_same_every_time,
    seed_makes_other_data,
    splits_share_no_sequence,
    frames_do_not_repeat,
    visible_points_are_the_projection_of_the_truth,
    finds_itself_whole,
    unknown_names_are_refused,
)

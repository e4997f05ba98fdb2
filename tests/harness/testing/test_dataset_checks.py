"""Each check fails for a dataset that breaks its promise, and passes for a good dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench import Dataset, DatasetInfo, DatasetSpec, Finding, NoParams, SubsetFiles
from liftbench.errors import DataMissingError, UserError
from liftbench.plugin.registry import Catalogue, load_registry
from liftbench.testing import scene
from liftbench.testing.dataset_checks import DATASET_CHECKS, DatasetCandidate
from liftbench.testing.outcomes import Outcome, outcome_of

SPLITS = ("train", "unseen")


@dataclass(frozen=True)
class Seeded:
    seed: int = 0


class StandIn:
    """The scenes of the kit with a seed."""

    first = 3
    names: tuple[str, ...] = ("all",)

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def subsets(self, root: Path) -> tuple[str, ...]:
        return self.names

    def checksum(self, root: Path, subset: str) -> str:
        self.require(subset, self.names)
        return f"{self.seed}"

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        self.require(subset, self.names)
        self.require(split, SPLITS)
        first = self.first if split == "unseen" else 0
        return self.changed(scene("perspective", f"{split} {self.seed}", hidden=True, first=first))

    def changed(self, data: Dataset) -> Dataset:
        return data

    def note(self, root: Path, subset: str) -> str:
        return ""

    def check(self, root: Path) -> list[Finding]:
        return [Finding("frames", True, "60")]

    def require(self, name: str, known: tuple[str, ...]) -> None:
        if name not in known:
            raise UserError(f"unknown name '{name}'")


class Files(SubsetFiles):
    """Files of 3D points."""

    key, suffix, splits = "filed", ".npy", SPLITS

    def read(self, path: Path, split: str) -> Dataset:
        np.load(path)
        return scene("orthographic", split, hidden=True)


INFO = DatasetInfo("nowhere", "none", "DATA_ROOT/filed/SUBSET.npy", "small")
STAND_IN = DatasetSpec(
    "synthetic_it",
    "It",
    "tests",
    StandIn,
    Seeded,
    SPLITS,
    INFO,
    synthetic=True,
    partial={"other": {"seed": 1}},
)
FILES = DatasetSpec("filed", "Filed", "tests", Files, NoParams, SPLITS, INFO)


@pytest.fixture
def candidate(tmp_path: Path) -> Callable[[DatasetSpec], DatasetCandidate]:
    """Makes a candidate of a spec, with one file below its data root."""
    (tmp_path / "data" / "filed").mkdir(parents=True)
    np.save(tmp_path / "data" / "filed" / "one.npy", np.ones(3))
    (tmp_path / "empty").mkdir()

    def make(spec: DatasetSpec) -> DatasetCandidate:
        registry = replace(load_registry(), datasets=Catalogue("dataset", {spec.key: spec}))
        return DatasetCandidate(registry, spec, {}, tmp_path / "empty", tmp_path / "data")

    return make


Make = Callable[[DatasetSpec], DatasetCandidate]


def outcomes(subject: DatasetCandidate) -> Iterator[Outcome]:
    return (outcome_of(check, subject) for check in DATASET_CHECKS)


def test_a_good_stand_in_passes(candidate: Make) -> None:
    states = [outcome.state for outcome in outcomes(candidate(STAND_IN))]
    assert states.count("passed") == 11
    assert states.count("skipped") == 4


def test_a_good_dataset_of_files_passes(candidate: Make) -> None:
    states = [outcome.state for outcome in outcomes(candidate(FILES))]
    assert states.count("passed") == 9
    assert states.count("skipped") == 6


def test_checks_that_need_files_are_skipped_without_them(candidate: Make) -> None:
    bare = candidate(FILES)
    bare = replace(bare, root=bare.empty)
    skipped = {outcome.check for outcome in outcomes(bare) if outcome.state == "skipped"}
    assert {"has_frames", "is_the_same_every_time", "unknown_names_are_refused"} <= skipped
    assert sum(outcome.passed for outcome in outcomes(replace(bare, empty=bare.root))) == 5


def test_a_split_that_a_subset_lacks_is_no_fault(candidate: Make) -> None:
    class TrainOnly(Files):
        def read(self, path: Path, split: str) -> Dataset:
            if split != "train":
                raise DataMissingError("no such split here")
            return super().read(path, split)

    found = candidate(replace(FILES, make=TrainOnly))
    assert list(found.data) == [("one", "train")]
    assert not any(outcome.failed for outcome in outcomes(found))


def stand_in(**changes: Any) -> DatasetSpec:
    """Return the spec of a stand-in with some members of its class replaced."""
    return replace(STAND_IN, make=type("Changed", (StandIn,), changes))


def files(**changes: Any) -> DatasetSpec:
    return replace(FILES, make=type("Changed", (Files,), changes))


def changing(change: Callable[[Dataset], Dataset]) -> DatasetSpec:
    return stand_in(changed=lambda _, data: change(data))


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise error

    return call


def hidden_frame(data: Dataset) -> Dataset:
    visible = data.observations.visible.copy()
    visible[3] = False
    points = np.where(visible[..., None], data.observations.points_2d, np.nan)
    return replace(data, observations=replace(data.observations, visible=visible, points_2d=points))


def doubled(data: Dataset) -> Dataset:
    assert data.truth is not None
    points = data.truth.points_3d.copy()
    points[1] = points[0]
    return replace(data, truth=replace(data.truth, points_3d=points))


def moved(data: Dataset) -> Dataset:
    return replace(
        data,
        observations=replace(data.observations, points_2d=data.observations.points_2d + 1e-6),
    )


def random(data: Dataset) -> Dataset:
    assert data.truth is not None
    noise = np.random.default_rng().random(data.truth.points_3d.shape)
    return replace(data, truth=replace(data.truth, points_3d=noise))


def no_truth(data: Dataset) -> Dataset:
    return replace(data, truth=None)


def some_finding(*_: object) -> list[Finding]:
    return [Finding("files", True, "as if they were there")]


def two_lines(*_: object) -> list[Finding]:
    return [Finding("files", False, "absent"), Finding("others", False, "absent")]


BROKEN = [
    ("says_what_it_needs", replace(STAND_IN, splits=("a", "a")), "splits: expected different"),
    (
        "says_what_it_needs",
        replace(STAND_IN, splits=()),
        "splits: expected different names, got ()",
    ),
    ("says_what_it_needs", replace(STAND_IN, info=replace(INFO, licence="")), "info.licence: exp"),
    ("says_what_it_needs", replace(FILES, synthetic=True), "expected synthetic_ at its start"),
    ("says_what_it_needs", replace(FILES, info=replace(INFO, layout="here")), "below DATA_ROOT"),
    ("adapter_has_its_calls", stand_in(note=None, check=""), "the adapter has no note, check"),
    (
        "parts_of_the_files_suffice",
        replace(STAND_IN, partial={"half": {"seed": 0}}),
        "partial 'half': its parameters are the defaults",
    ),
    (
        "parts_of_the_files_suffice",
        replace(STAND_IN, partial={"half": {"sed": 1}}),
        "did you mean 'seed'?",
    ),
    ("absent_files_have_no_subsets", files(subsets=lambda *_: ("a", "b")), "the subsets a, b"),
    (
        "other_files_are_not_taken_for_data",
        files(subsets=lambda _, root: tuple(p.stem for p in (root / "filed").glob("*.txt"))),
        "it mistakes other files for the subsets README",
    ),
    ("other_files_are_not_taken_for_data", files(check=some_finding), "a finding that is not ok"),
    (
        "absent_files_are_reported",
        files(check=raising(UserError("gone"))),
        "expected \"see 'liftbench",
    ),
    (
        "absent_files_are_reported",
        files(check=two_lines),
        "expected one line, got ['files: absent',",
    ),
    ("absent_files_are_reported", files(check=lambda *_: []), "expected a finding that is not ok"),
    (
        "calls_without_files_are_refused",
        files(note=lambda *_: ""),
        "`note`: expected a UserError, got",
    ),
    ("calls_without_files_are_refused", files(load=raising(KeyError("x"))), "KeyError: 'x'"),
    (
        "calls_without_files_are_refused",
        files(checksum=raising(UserError("a\nb"))),
        "expected one lin",
    ),
    ("has_frames", stand_in(names=()), "there is no subset that has a split"),
    ("has_frames", changing(no_truth), "all train: a frame has no truth, unit or group"),
    ("has_frames", changing(hidden_frame), "all train: a frame has no visible point"),
    (
        "is_the_same_every_time",
        changing(random),
        "all unseen: `points_3d` differs when it is",
    ),
    (
        "is_the_same_every_time",
        stand_in(checksum=lambda self, *_: str(id(self))),
        "all: `checksum` is not text, or differs at the second call",
    ),
    (
        "is_the_same_every_time",
        stand_in(note=lambda *_: None),
        "all: `note` is not text, or differs",
    ),
    ("seed_makes_other_data", stand_in(seed=property(lambda _: 5, lambda *_: None)), "same data"),
    ("seed_makes_other_data", stand_in(checksum=lambda *_: "one"), "seed 1 has the same checksum"),
    (
        "seed_makes_other_data",
        replace(STAND_IN, params=NoParams),
        "it has no parameter called seed",
    ),
    ("splits_share_no_sequence", stand_in(first=2), "all: two splits have frames of one sequence"),
    ("frames_do_not_repeat", changing(doubled), "all: two frames have the same points"),
    (
        "visible_points_are_the_projection_of_the_truth",
        changing(moved),
        "all train: points differ by",
    ),
    (
        "visible_points_are_the_projection_of_the_truth",
        changing(no_truth),
        "all train: points differ by inf",
    ),
    ("finds_itself_whole", stand_in(check=lambda *_: []), "`check` has no finding"),
    (
        "finds_itself_whole",
        stand_in(check=lambda *_: ["ok"]),
        "expected a Finding of one line, got",
    ),
    ("finds_itself_whole", stand_in(check=two_lines), "`check`: files: absent"),
    (
        "unknown_names_are_refused",
        stand_in(require=lambda *_: None),
        "`load` of no such subset: expe",
    ),
    (
        "unknown_names_are_refused",
        stand_in(checksum=lambda *_: "one"),
        "`checksum` of no such subset",
    ),
]


@pytest.mark.parametrize(
    ("name", "spec", "reason"), BROKEN, ids=[f"{i}-{case[0]}" for i, case in enumerate(BROKEN)]
)
def test_a_broken_promise_fails(name: str, spec: DatasetSpec, reason: str, candidate: Make) -> None:
    check = next(check for check in DATASET_CHECKS if check.__name__ == name)
    outcome = outcome_of(check, candidate(spec))
    assert outcome.failed
    assert reason in outcome.detail
    assert "\n" not in str(outcome)


def test_there_is_a_dataset_that_breaks_each_promise() -> None:
    assert {name for name, *_ in BROKEN} == {check.__name__ for check in DATASET_CHECKS}

"""The run store: one JSON file per run, with the predictions in an `.npz` beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.protocols.time_metrics import Timings
from liftbench.runs.exchange import load_reconstructions, save_reconstructions
from liftbench.types import Reconstruction

SCHEMA_VERSION = 1
ErrorCurves = Mapping[str, Mapping[str, tuple[tuple[int, float], ...]]]
Status = Literal["ok", "failed", "timeout", "out_of_memory", "skipped"]


@dataclass(frozen=True)
class RunSpec:
    """All that decides the result of a run, without the machine; the key is the digest of this.

    Attributes:
        dataset: key, version and parameters of the dataset, its checksum, and the subset.
        fit: split that the method learns from.
        evaluate: splits that it predicts.
        method: key, version and parameters of the method's plugin.
        seed: seed of the method.
        corruption: version and parameters of each corruption of the observations by its key, in
            the order in which they are applied; with a `stage` if only `fit` or only `predict`
            sees it.
        teachers: key, version and parameters of each method that this one learns from.
        fit_dataset: what `dataset` has, of another subset if the method learns from that.
        extra: a second data set that the method learns from: what `dataset` has, and the split.
    """

    dataset: Mapping[str, Any]
    fit: str
    evaluate: tuple[str, ...]
    method: Mapping[str, Any]
    seed: int
    corruption: Mapping[str, Any] = field(default_factory=dict)
    teachers: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    fit_dataset: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the spec as canonical JSON, without the last four fields where empty."""
        content = asdict(self)
        for name in ("teachers", "extra", "fit_dataset"):
            if not content[name]:
                del content[name]
        if corruption := content.pop("corruption"):
            content["corruption"] = list(corruption.items())  # their order counts
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def fit_key(self) -> str:
        """The key of the fit: the same for runs that differ only in what they predict from."""
        return replace(
            self,
            dataset=self.fit_dataset or self.dataset,
            fit_dataset={},
            evaluate=(),
            corruption=self.corruptions("fit"),
        ).key

    def corruptions(self, stage: Literal["fit", "predict"]) -> dict[str, Mapping[str, Any]]:
        """Return the corruptions that a stage sees."""
        return {
            key: {name: value for name, value in entry.items() if name != "stage"}
            for key, entry in self.corruption.items()
            if entry.get("stage", stage) == stage
        }


@dataclass(frozen=True)
class Score:
    """One split's number under one protocol.

    Attributes:
        value: mean over the frames or the groups, as the protocol says.
        groups: mean of each group.
        frames: number of frames that have a value.
        unscored: number of frames without a point that counts, which have no value.
        absent: groups of the dataset without a frame, which the mean leaves out.
        mirrored: whether the whole fit was mirrored in depth, see `Protocol.mirror_fit`.
    """

    value: float
    groups: Mapping[str, float]
    frames: int
    unscored: int = 0
    absent: tuple[str, ...] = ()
    mirrored: bool = False


@dataclass(frozen=True)
class RunRecord:
    """All that is kept of a run.

    Attributes:
        spec: what ran.
        status: how it ended.
        scores: protocol identity to split to score.
        error: one line and the last lines of the trace, empty when ok.
        fit_seconds, predict_seconds: wall clock inside the child process; several runs may have
            shared one fit.
        peak_memory_mib: largest resident memory of the child process.
        curve: (step, steps, loss) of the training, thinned.
        error_curve: protocol identity to split to (step, value) in the training, over a sample of
            the frames, for methods that keep snapshots.
        digests: split to SHA-256 of the predicted arrays.
        timings: split to the run times of one frame, where a suite's protocols ask for them.
        execution: device and threads, which decide the last bits of the result.
        limits: the limits on wall clock and memory.
        environment: versions, machine and git state.
        data_note: how the files differ from the papers' set, as the dataset's adapter says it.
        teachers: key of each teacher, key and seconds of its fit, and digest of its state.
    """

    spec: RunSpec
    status: Status
    scores: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    error: str = ""
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_memory_mib: float | None = None
    curve: tuple[tuple[int, int, float], ...] = ()
    error_curve: ErrorCurves = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, Timings] = field(default_factory=dict)
    execution: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    data_note: str = ""
    teachers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class RunResult:
    """The record of a run and its predictions by split, which are empty if the run has none."""

    record: RunRecord
    predictions: Mapping[str, Reconstruction] = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """The runs of one suite under `folder` (`results/<suite>`)."""

    folder: Path

    def record_path(self, key: str) -> Path:
        """Return the file of a run's record."""
        return self.folder / "runs" / f"{key}.json"

    def predictions_path(self, key: str) -> Path:
        """Return the file of a run's predictions."""
        return self.folder / "runs" / f"{key}.npz"

    def scratch(self, key: str) -> Path:
        """Return the folder that a fit may write to; it is deleted afterwards."""
        return self.folder / "scratch" / key

    def read(self, key: str) -> RunRecord | None:
        """Return the record of a run, or None if there is none."""
        path = self.record_path(key)
        return _read(path) if path.exists() else None

    def others_with(self, key: str) -> Iterator[Store]:
        """Yield the stores of other suites beside this one that have a record of a run."""
        for path in sorted(self.folder.parent.glob(f"*/runs/{key}.json")):
            if (other := Store(path.parents[1])) != self:
                yield other

    def of_all_suites(self) -> Iterator[RunRecord]:
        """Yield the records of this store and of those beside it, one for each key."""
        keys: set[str] = set()
        for path in sorted(self.folder.parent.glob("*/runs/*.json")):
            if path.stem not in keys:
                keys.add(path.stem)
                yield _read(path)

    def write(self, record: RunRecord) -> None:
        """Write a record, whole or not at all."""
        content = {"schema_version": SCHEMA_VERSION, "key": record.spec.key, **asdict(record)}
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomic(self.record_path(record.spec.key), f"{text}\n".encode())

    def write_result(self, result: RunResult) -> None:
        """Write the predictions of a run, then its record, so that a record never lacks them.

        If the run has no predictions, those of an earlier run with this key are deleted.
        """
        path = self.predictions_path(result.record.spec.key)
        if result.predictions:
            save_reconstructions(path, result.predictions)
        else:
            path.unlink(missing_ok=True)
        self.write(result.record)

    def read_predictions(self, key: str) -> dict[str, Reconstruction]:
        """Return the predictions of a run by split.

        Raises:
            OSError, ValueError: the file is absent or damaged.
        """
        return load_reconstructions(self.predictions_path(key))

    def records(self) -> Iterator[RunRecord]:
        """Yield all records, in the order of their keys."""
        for path in sorted((self.folder / "runs").glob("*.json")):
            yield _read(path)


def summary(record: RunRecord) -> str:
    """Return the scores of a record in one line, or the first line of its error."""
    if record.error:
        return record.error.splitlines()[0]
    return ", ".join(
        f"{split} {protocol.split('@')[0]} {score.value:.4f}"
        for protocol, splits in record.scores.items()
        for split, score in splits.items()
    )


def _score(stored: dict[str, Any]) -> Score:
    return Score(**{**stored, "absent": tuple(stored.get("absent", ()))})


def _spec(stored: dict[str, Any]) -> RunSpec:
    teachers = tuple(stored.get("teachers", ()))
    return RunSpec(**{**stored, "evaluate": tuple(stored["evaluate"]), "teachers": teachers})


def _read(path: Path) -> RunRecord:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("schema_version") != SCHEMA_VERSION:
            raise UserError(
                f"{path}: schema_version is not {SCHEMA_VERSION}; use a newer liftbench"
            )
        key = content.pop("key")
        record = RunRecord(
            spec=_spec(content.pop("spec")),
            scores={
                protocol: {split: _score(score) for split, score in splits.items()}
                for protocol, splits in content.pop("scores").items()
            },
            curve=tuple((step, steps, loss) for step, steps, loss in content.pop("curve")),
            teachers=tuple(content.pop("teachers", ())),
            error_curve={
                protocol: {
                    split: tuple((step, value) for step, value in points)
                    for split, points in splits.items()
                }
                for protocol, splits in content.pop("error_curve", {}).items()
            },
            **content,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: not a whole run record ({error}); delete it and run again"
        ) from error
    if record.status not in get_args(Status):
        raise UserError(
            f"{path}: status '{record.status}': expected one of {', '.join(get_args(Status))}"
        )
    if record.spec.key != key or key != path.stem:
        raise UserError(f"{path}: the key is not that of the spec; delete it and run again")
    return record

"""The specs that a plugin registers for its methods and datasets, and the context of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from liftbench.types import Camera, Dataset, Observations, Reconstruction


@dataclass(frozen=True)
class RunContext:
    """What one run may use.

    Attributes:
        seed: the only source of randomness.
        device: torch device name, `cpu` or `cuda`.
        threads: CPU threads to use.
        budget_s: seconds from now after which `fit` should come to an end.
        scratch: folder of this run, for checkpoints; it is kept if the harness is killed.
        progress: call as `progress(step, steps, loss)`, as often as you like.
    """

    seed: int
    device: str
    threads: int
    budget_s: float
    scratch: Path
    progress: Callable[[int, int, float], None]


class Method(Protocol):
    """The two calls of a method; no base class to inherit."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn from 2D points alone."""

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift the points of every frame."""


@dataclass(frozen=True)
class Capabilities:
    """What a method can take; runs that need more are skipped, with the reason.

    Attributes:
        cameras: the camera models that it handles.
        missing_points: it handles hidden points.
        images: it needs images; methods without this capability never get them.
        needs_sequences: it needs sequences of several adjacent frames in the order of time.
        most_frames: it takes at most this many frames; None means any number.
        transductive: it can only reconstruct the frames that it was fitted to.
        seeded: its result depends on the seed; otherwise one run serves all seeds.
        permutable: if the order of the points changes, its result has the new order and is
            otherwise the same.
        rotatable: once it is fitted, its result turns with images that are turned about the optical
            axis.

    The last two hold up to rounding and the sign of depth: the conformance kit accepts a
    difference of 0.1 % of a frame's size.
    """

    cameras: tuple[Camera, ...] = ("orthographic",)
    missing_points: bool = False
    images: bool = False
    needs_sequences: bool = False
    most_frames: int | None = None
    transductive: bool = False
    seeded: bool = True
    permutable: bool = False
    rotatable: bool = False


@dataclass(frozen=True)
class Conformance:
    """How the conformance kit, `liftbench.testing`, checks a plugin.

    Attributes:
        params: parameters that differ from the defaults, so that a check takes about a second.
        expected_to_fail: the reason why a check fails, by the check's name; the kit reports a
            failure if the check passes.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    expected_to_fail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NoParams:
    """An empty parameter set."""


@dataclass(frozen=True)
class MethodSpec:
    """The description of a method that a plugin registers.

    Attributes:
        key: name in suites, tables and the CSV files of published numbers.
        title: name for people.
        reference: the paper.
        make: builds the method from its parameters.
        params: dataclass of the parameters with their defaults.
        version: raise it when results change; it is part of every run key.
        capabilities: what it can take.
        floor: whether it is a baseline that every table has as a row.
        conformance: how the conformance kit checks it.
        retired_params: options of earlier versions that are constants now, with their values; they
            remain part of a run's key, so that stored runs stay valid.
    """

    key: str
    title: str
    reference: str
    make: Callable[..., Method]
    params: type
    version: int = 1
    capabilities: Capabilities = field(default_factory=Capabilities)
    floor: bool = False
    conformance: Conformance = field(default_factory=Conformance)
    retired_params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {f.name for f in fields(self.params)} if is_dataclass(self.params) else set()
        if both := names & set(self.retired_params):
            raise ValueError(
                f"method '{self.key}': retired_params: {', '.join(sorted(both))}: still an option"
            )


@dataclass(frozen=True)
class Finding:
    """One line of `data check`: the part that was checked, whether it is in order, and details."""

    item: str
    ok: bool
    detail: str


class DatasetAdapter(Protocol):
    """Reads one dataset, with its parameters already set. `root` is the data root.

    Every call raises `DataMissingError` if files are absent and `UserError` if they are damaged.
    """

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the subsets that the files hold."""

    def checksum(self, root: Path, subset: str) -> str:
        """Return a checksum of all that `load` reads for a subset."""

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return one split of one subset."""

    def note(self, root: Path, subset: str) -> str:
        """Return how the files differ from the papers' set, or an empty string."""

    def check(self, root: Path) -> list[Finding]:
        """Return findings on which files are whole, partial or damaged."""


@dataclass(frozen=True)
class DatasetInfo:
    """What `data info` prints about a dataset."""

    download: str
    licence: str
    layout: str
    size: str


@dataclass(frozen=True)
class DatasetSpec:
    """The description of a dataset that a plugin registers.

    Attributes:
        key: name in suites and tables; that of generated data begins with `synthetic_`.
        title: name for people.
        reference: the paper.
        make: builds the adapter from its parameters.
        params: dataclass of the parameters with their defaults.
        splits: names of all splits.
        info: how to get the files.
        version: raise it when its numbers change; it is part of every run key.
        synthetic: whether it is generated and needs no files.
        partial: for each part of the files that can be used alone: the parameters that this needs.
        conformance: how the conformance kit checks it.
    """

    key: str
    title: str
    reference: str
    make: Callable[..., DatasetAdapter]
    params: type
    splits: tuple[str, ...]
    info: DatasetInfo
    version: int = 1
    synthetic: bool = False
    partial: Mapping[str, Params] = field(default_factory=dict)
    conformance: Conformance = field(default_factory=Conformance)


Params = Mapping[str, Any]

"""The specs that a plugin registers for its methods and datasets, and the context of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from liftbench.types import Camera, Dataset, Floats, Observations, Reconstruction

Lesson = Literal["keypoints", "masks"]
Exposed = Literal["dictionary", "codes", "cameras"]
EXPOSED: tuple[Exposed, ...] = get_args(Exposed)


class Teacher(Protocol):
    """What a fitted method shows to its students: the shape of a frame is dictionary @ code."""

    @property
    def dictionary(self) -> Floats:
        """Return the dictionary (3P, K): point after point, x y z of each."""

    def codes(self, observations: Observations) -> Floats:
        """Return the code (F, K) of every frame.

        Raises:
            ValueError: the method has no codes of these frames; one line says why.
        """

    def cameras(self, observations: Observations) -> Floats:
        """Return the scaled orthographic camera (F, 3, 2) of every frame.

        Its columns are orthogonal and of one norm s_f. reshape(dictionary @ code, (P, 3)) @ camera
        is the method's reprojection of the frame's centred points, in the unit of `points_2d`.
        """


class TeachingMethod(Teacher, Protocol):
    """The further calls of a method whose spec says that it `exposes` what a teacher shows."""

    def state(self) -> dict[str, Any]:
        """Return all that was learned: tensors, numbers, strings, and lists and dicts of these."""

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        """Take the place of `fit` in a new instance, from the `state` of one that was fitted."""


@dataclass(frozen=True)
class TeacherRef:
    """A method that another one learns from, and its parameters that differ from the defaults."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


Fitted = Callable[[str, Mapping[str, Any]], Teacher]


def no_teacher(key: str, params: Mapping[str, Any]) -> Teacher:
    """Refuse a teacher that was not asked for in time, so that nobody has fitted it.

    Raises:
        LookupError: always.
    """
    given = ", ".join(f"{name}={value!r}" for name, value in params.items())
    raise LookupError(
        f"teacher '{key}' ({given or 'defaults'}) is not declared: return it from "
        "MethodSpec.teachers, with these parameters"
    )


def keep_no_snapshot(_step: int, _method: Method) -> None:
    """Keep nothing of a training: outside a run nobody knows its errors."""


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
        fitted: call as `fitted(key, params)` for a teacher that `MethodSpec.teachers` names:
            another method, fitted to the same observations under the same seed.
        extra: observations of a second data set, with the same points, to learn from 2D points and
            images alone; None unless the row of the suite has some and the method's capability
            `extra` says that it uses them.
        snapshot: call as `snapshot(step, method)` a few times in a training, with a method that can
            predict as it is: the harness keeps what it predicts for some frames, so that a record
            has the curve of its errors, which the method cannot know.
        truth: the true points (F, P, 3) of the frames of `fit`, in the unit of the data and the
            camera's frame, NaN at points that do not count; None unless the method is declared
            `supervised`.
    """

    seed: int
    device: str
    threads: int
    budget_s: float
    scratch: Path
    progress: Callable[[int, int, float], None]
    fitted: Fitted = no_teacher
    extra: Observations | None = None
    snapshot: Callable[[int, Method], None] = keep_no_snapshot
    truth: Floats | None = None


class Method(Protocol):
    """The two calls of a method; no base class to inherit."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn from what the method's capabilities name: 2D points, or images too."""

    def predict(self, observations: Observations) -> Reconstruction:
        """Reconstruct every frame, from its points or from its image and box alone."""


@dataclass(frozen=True)
class Capabilities:
    """What a method can take; runs that need more are skipped, with the reason.

    Attributes:
        cameras: the camera models that it handles.
        missing_points: it handles hidden points.
        images: it reconstructs from images; methods without this capability never get them. At
            `predict` such a method sees images and boxes alone, in pixels: its points are hidden
            and masks are absent. Its reconstruction is in pixels of the images too, with depth in
            the same unit and any offset.
        learns_from: what a method with `images` is shown at `fit` beside images and boxes.
        given_points: a method with `images` sees the points at `predict` too, as a lifter does, so
            its scores in the image say nothing.
        supervised: it is shown the true points of the frames that it learns from
            (`RunContext.truth`). Such methods are controls: tables mark them, they are never best
            and have no verdict.
        extra: it can learn from a second data set too (`RunContext.extra`).
        needs_template: it needs a surface of the category (`Observations.template`).
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
    learns_from: tuple[Lesson, ...] = ("keypoints",)
    given_points: bool = False
    supervised: bool = False
    extra: bool = False
    needs_template: bool = False
    needs_sequences: bool = False
    most_frames: int | None = None
    transductive: bool = False
    seeded: bool = True
    permutable: bool = False
    rotatable: bool = False

    def __post_init__(self) -> None:
        if set(self.learns_from) - set(get_args(Lesson)):
            raise ValueError(
                f"Capabilities.learns_from: expected some of {', '.join(get_args(Lesson))}, "
                f"got {self.learns_from}"
            )
        if not self.images and self.learns_from != ("keypoints",):
            raise ValueError("Capabilities.learns_from: only a method with `images` may set it")
        if self.given_points and not (self.images and "keypoints" in self.learns_from):
            raise ValueError(
                "Capabilities.given_points: only a method with `images` that learns from keypoints "
                "may set it"
            )
        if self.images and self.transductive:
            raise ValueError(
                "Capabilities.transductive: a method with `images` sees the points of the frames "
                "that it is fitted to, so it must predict other frames too"
            )


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


def no_teachers(_params: Mapping[str, Any]) -> Sequence[TeacherRef]:
    """Return the teachers of a method that has none."""
    return ()


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
        exposes: what it shows to students, see `TeachingMethod`; all of it, if it can be a teacher.
        teachers: returns the teachers that the method asks for under given parameters, which are
            all of them, with their defaults.
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
    exposes: tuple[Exposed, ...] = ()
    teachers: Callable[[Mapping[str, Any]], Sequence[TeacherRef]] = no_teachers

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
        added_params: parameters that later versions added, with the values that stand for the data
            as it was before; a run with such a value has no entry for it in its key, so that stored
            runs stay valid.
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
    added_params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := set(self.added_params) - {f.name for f in fields(self.params)}:
            raise ValueError(
                f"dataset '{self.key}': added_params: {', '.join(sorted(unknown))}: no parameter"
            )


Params = Mapping[str, Any]

"""Students that learn depth from a teacher (KD), and supervised controls.

A student learns the depth of a teacher, low cost under the dictionary of a teacher, or the true
depth. This module does not import torch, so that listing plugins is quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec, TeacherRef
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive
from liftbench_plugins.learned.pictures import STRIDE, BackboneName


@dataclass(frozen=True, kw_only=True)
class TrainingParams:
    """How a student is trained.

    Attributes:
        steps: optimisation steps.
        batch_size: frames per step.
        learning_rate: of the first step; it falls along a cosine.
        final_rate: of the last step.
        flip: share of frames that are mirrored left to right; none where the skeleton names no
            pairs of left and right points.
        rotation: standard deviation of the angle by which frames are turned, in degrees; twice as
            much is the largest.
    """

    steps: int = 6_000
    batch_size: int = 32
    learning_rate: float = 1e-3
    final_rate: float = 1e-5
    flip: float = 0.5
    rotation: float = 15.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "learning_rate"):
            require_positive(name, getattr(self, name))
        for name in ("final_rate", "flip", "rotation"):
            require_not_negative(name, getattr(self, name))
        if self.flip > 1:
            raise ValueError(f"flip: expected a share of frames, at most 1, got {self.flip}")


@dataclass(frozen=True, kw_only=True)
class PointParams(TrainingParams):
    """A student that looks at points alone.

    Attributes:
        hidden: units of a layer.
    """

    hidden: int = 256
    batch_size: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("hidden", self.hidden)


@dataclass(frozen=True, kw_only=True)
class PictureParams(TrainingParams):
    """A student that looks at pictures: a recipe for CPUs.

    Attributes:
        backbone: turns pictures into features.
        width: factor of the channels of the backbone and of the transposed convolutions.
        weights: path of public weights of the backbone at width 1, `package` for those of
            EfficientNet-Lite0 in the extra `images`, or empty for random ones.
        image_size: edge of a picture in pixels, a multiple of 32.
        cell: pixels along each side of a cell of the heat map: 1, 2, 4, 8, 16 or 32.
        bfloat16: whether convolutions calculate in bfloat16. This is faster on processors that have
            instructions for it, and slower on others.
        scale: standard deviation of the factor of a picture's size; twice as much is the largest.
        shift: the same of its shift, as a share of its edge.
        colour: the same of the factors of the three colours.
    """

    steps: int = 3_000
    learning_rate: float = 6e-3
    backbone: BackboneName = "resnet18"
    width: float = 0.5
    weights: str = ""
    image_size: int = 96
    cell: int = 8
    bfloat16: bool = False
    scale: float = 0.1
    shift: float = 0.02
    colour: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("backbone", self.backbone, get_args(BackboneName))
        for name in ("width", "image_size"):
            require_positive(name, getattr(self, name))
        for name in ("scale", "shift", "colour"):
            require_not_negative(name, getattr(self, name))
        if self.image_size % STRIDE:
            raise ValueError(
                f"image_size: expected a multiple of {STRIDE} pixels, got {self.image_size}"
            )
        if self.cell < 1 or STRIDE % self.cell:
            raise ValueError(f"cell: expected 1, 2, 4, 8, 16 or {STRIDE} pixels, got {self.cell}")
        if self.scale >= 0.5 or self.colour >= 0.5:
            raise ValueError("scale, colour: expected less than 0.5, so that no factor reaches 0")


@dataclass(frozen=True, kw_only=True)
class PicturePointParams(PointParams):
    """A student that looks at points, and at pictures along the edges of the skeleton.

    Attributes:
        image_size: edge of a picture in pixels.
        features: of the picture along an edge.
        dropout: share of the edges, and then of the features, that a step of training leaves out.
    """

    image_size: int = 128
    features: int = 8
    dropout: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("image_size", "features"):
            require_positive(name, getattr(self, name))
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout: expected a share of at least 0, below 1, got {self.dropout}"
            )


@dataclass(frozen=True, kw_only=True)
class TeacherParams:
    """From whom a student learns.

    Attributes:
        teacher: key of a method that exposes a dictionary, codes and cameras.
        teacher_params: its parameters that differ from the defaults.
    """

    teacher: str = "deep_nrsfm_kd"
    teacher_params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WeightParams(TeacherParams):
    """What the distillation loss weighs.

    Attributes:
        weight: of the L1 norm of the code (section 5.2, Table 4).
    """

    weight: float = 0.3


@dataclass(frozen=True, kw_only=True)
class PointWeaksupParams(PointParams, TeacherParams):
    """The defaults of a points-only student of a teacher's depth."""


@dataclass(frozen=True, kw_only=True)
class PointKdParams(PointParams, WeightParams):
    """The defaults of a points-only student of the distillation loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_not_negative("weight", self.weight)


@dataclass(frozen=True, kw_only=True)
class WeaksupParams(PictureParams, TeacherParams):
    """The defaults of Weaksup-bs, the student of a teacher's depth (section 5.2)."""


@dataclass(frozen=True, kw_only=True)
class KdParams(PictureParams, WeightParams):
    """The defaults of the student of the distillation loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_not_negative("weight", self.weight)


@dataclass(frozen=True, kw_only=True)
class PublishedParams(PictureParams):
    """A student in the recipe of the paper, for GPUs (section 5.1).

    The paper leaves the number of steps open; this is about 100 epochs of its 35 000 images.
    """

    backbone: BackboneName = "resnet50"
    width: float = 1.0
    image_size: int = 256
    cell: int = 4
    steps: int = 110_000
    learning_rate: float = 1e-3


@dataclass(frozen=True, kw_only=True)
class WeaksupPublishedParams(PublishedParams, WeaksupParams):
    """The defaults of Weaksup-bs in the recipe of the paper."""


@dataclass(frozen=True, kw_only=True)
class KdPublishedParams(PublishedParams, KdParams):
    """The defaults of KD in the recipe of the paper."""


Look = Literal["points", "pictures", "pictures_points"]
"""What a student looks at."""
Lesson = Literal["distillation", "taught_depth", "true_depth"]
"""What a student learns: eq. 15, the depths of its teacher, or the true ones."""


def _make(look: Look, lesson: Lesson, params: type[TrainingParams], **given: Any) -> Method:  # noqa: ANN401 the fields of params
    from liftbench_plugins.learned.kd.lifter import Student

    return Student(look, lesson, params(**given))


def _teachers(params: Mapping[str, Any]) -> Sequence[TeacherRef]:
    return [TeacherRef(params["teacher"], params["teacher_params"])]


_CONTROL = "of this project, a control for KD (Wang, Kong, Lucey, ICCV 2019)"
_POINTS = Capabilities(cameras=("orthographic", "weak_perspective"), missing_points=True)
_BRIEF_TEACHER = {"sizes": [16, 4], "starts": 1, "start_steps": 2, "steps": 4}
_BRIEF = {"steps": 4, "hidden": 8}
_TAUGHT = {**_BRIEF, "teacher_params": _BRIEF_TEACHER}

_REFERENCE = (
    "Wang, Kong, Lucey, Distill Knowledge from NRSfM for Weakly Supervised 3D Pose Learning, "
    "ICCV 2019"
)
_PICTURES = replace(_POINTS, images=True)
_BRIEF_PICTURES = {"steps": 2, "batch_size": 4, "width": 0.05, "image_size": 32}
_TAUGHT_PICTURES = {**_BRIEF_PICTURES, "teacher_params": _BRIEF_TEACHER}


def _supervised_student(
    key: str,
    title: str,
    look: Look,
    params: type[TrainingParams],
    capabilities: Capabilities,
    brief: Mapping[str, Any],
) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=title,
        reference=_CONTROL,
        make=partial(_make, look, "true_depth", params),
        params=params,
        capabilities=replace(capabilities, supervised=True),
        conformance=Conformance(brief),
    )


def _picture_student(
    key: str, title: str, lesson: Lesson, params: type[PictureParams]
) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=title,
        reference=_REFERENCE,
        make=partial(_make, "pictures", lesson, params),
        params=params,
        capabilities=replace(_PICTURES, extra=True),
        conformance=Conformance(_TAUGHT_PICTURES),
        teachers=_teachers,
    )


STUDENTS = (
    _picture_student(
        "kd_weaksup", "Student of a teacher's depth (Weaksup-bs)", "taught_depth", WeaksupParams
    ),
    _picture_student("kd", "Knowledge distillation from NRSfM", "distillation", KdParams),
    _picture_student(
        "kd_weaksup_published",
        "Student of a teacher's depth, the paper's recipe",
        "taught_depth",
        WeaksupPublishedParams,
    ),
    _picture_student(
        "kd_published",
        "Knowledge distillation from NRSfM, the paper's recipe",
        "distillation",
        KdPublishedParams,
    ),
    MethodSpec(
        key="kd_points_weaksup",
        title="Points-only student of a teacher's depth",
        reference=_CONTROL,
        make=partial(_make, "points", "taught_depth", PointWeaksupParams),
        params=PointWeaksupParams,
        capabilities=_POINTS,
        conformance=Conformance(_TAUGHT),
        teachers=_teachers,
    ),
    MethodSpec(
        key="kd_points",
        title="Points-only student of KD's distillation loss",
        reference=_CONTROL,
        make=partial(_make, "points", "distillation", PointKdParams),
        params=PointKdParams,
        capabilities=_POINTS,
        conformance=Conformance(_TAUGHT),
        teachers=_teachers,
    ),
    _supervised_student(
        "supervised_points",
        "Points-only student of the true depth",
        "points",
        PointParams,
        _POINTS,
        _BRIEF,
    ),
    _supervised_student(
        "supervised_pictures",
        "Student of the true depth that looks at pictures",
        "pictures",
        PictureParams,
        _PICTURES,
        _BRIEF_PICTURES,
    ),
    _supervised_student(
        "supervised_pictures_points",
        "Student of the true depth that looks at pictures and points",
        "pictures_points",
        PicturePointParams,
        replace(_PICTURES, given_points=True),
        {**_BRIEF, "features": 2, "image_size": 32},
    ),
)

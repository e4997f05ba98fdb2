"""Deep NRSfM and Deep NRSfM++ for every camera, with and without hidden points.

This module does without torch, so that listing plugins is quick; `lifter` and `network` have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from liftbench import Capabilities, Method, MethodSpec

Nonlinearity = Literal["bst", "relu"]
CodeReading = Literal["linear", "projection"]
CameraModel = Literal["observed", "orthographic"]
HiddenPoints = Literal["masked", "mean_filled"]
ShapeScale = Literal["constant", "box_max", "box_min"]
ScaleMeasure = Literal["norm", "bones"]
Preset = Literal["cmu", "up3d", "pascal3d", "h36m", "nrsfm_challenge", "apollo"]

_HALVED = (512, 256, 128, 64, 32, 16, 8)
_LINEAR = (125, 115, 104, 94, 83, 73, 62, 52, 41, 31, 20, 10)
DICTIONARY_SIZES: Mapping[Preset, tuple[int, ...]] = {
    "cmu": _HALVED,
    "up3d": _HALVED,
    "pascal3d": (256, 128, 64, 32, 16, 8, 4, 2),
    "h36m": _LINEAR,
    "nrsfm_challenge": _LINEAR,
    "apollo": (128, 100, 64, 50, 32, 16, 8, 4),
}
"""Dictionary sizes K_1 .. K_L of each experiment (Deep NRSfM++, Table 7)."""


@dataclass(frozen=True)
class DeepNrsfmParams:
    """Parameters of the network and its training.

    Attributes:
        sizes: dictionary sizes K_1 .. K_L, or the name of an experiment in Deep NRSfM++, Table 7.
        nonlinearity: `relu` (Deep NRSfM) or `bst` (Deep NRSfM++, eq. 22).
        code: `linear` or `projection`, see `BlockSparseNetwork`.
        camera: `observed`, the model that made the points, or `orthographic` for any of them.
        hidden_points: `masked` (eqs. 14, 15), or `mean_filled`: they are taken for visible points
            at the mean of the visible ones, which is what masking is compared with.
        shape_scale: a frame's t_z where the camera is not orthographic: `constant`, all objects
            at one depth, or one over the longer (`box_max`) or shorter (`box_min`) edge of the
            box (section 5); without a box that of the visible points is taken.
        scale_rounds: how often t_z is corrected and the frames are lifted again (section 5).
        scale_measure: what has one size in all frames once t_z is right: the shape's Frobenius
            `norm` or the mean length of the skeleton's `bones`.
        consistency: weight of the consistency loss of PR-RRN (eq. 17), which the paper does
            not have; 0 leaves it out.
        input_scale: root mean square of the coordinates that the network sees. Thresholds and
            biases start at zero and move at the learning rate, so that this sets their pace.
        starts: how many random starts are trained for `start_steps`; the one whose shapes agree
            best between views (no truth is needed for that) goes on for `steps`.
        start_steps: optimisation steps of each start.
        steps: optimisation steps of the one that goes on.
        batch_size: frames a step.
        learning_rate: of Adam at the first step; it falls to zero along a cosine. The paper's
            slow schedule (1e-4, x0.95 every 50k of 400k-1.2M steps) is far longer.
    """

    sizes: tuple[int, ...] | Preset = "cmu"
    nonlinearity: Nonlinearity = "bst"
    code: CodeReading = "projection"
    camera: CameraModel = "observed"
    hidden_points: HiddenPoints = "masked"
    shape_scale: ShapeScale = "constant"
    scale_rounds: int = 0
    scale_measure: ScaleMeasure = "norm"
    consistency: float = 0.0
    input_scale: float = 0.1
    starts: int = 3
    start_steps: int = 2_000
    steps: int = 20_000
    batch_size: int = 128
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        if isinstance(self.sizes, str):
            _require_one_of("sizes", self.sizes, get_args(Preset))
            object.__setattr__(self, "sizes", DICTIONARY_SIZES[self.sizes])
        if len(self.sizes) < 2 or not all(isinstance(k, int) and k > 0 for k in self.sizes):
            raise ValueError("sizes: expected at least two positive numbers")
        for name, kind in _CHOICES.items():
            _require_one_of(name, getattr(self, name), get_args(kind))
        for name in ("scale_rounds", "consistency"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")

    @property
    def dictionary_sizes(self) -> tuple[int, ...]:
        """The sizes, where a name stands for those of an experiment."""
        return DICTIONARY_SIZES[self.sizes] if isinstance(self.sizes, str) else self.sizes


_CHOICES = {
    "nonlinearity": Nonlinearity,
    "code": CodeReading,
    "camera": CameraModel,
    "hidden_points": HiddenPoints,
    "shape_scale": ShapeScale,
    "scale_measure": ScaleMeasure,
}
_POSITIVE = ("input_scale", "starts", "start_steps", "steps", "batch_size", "learning_rate")


def _require_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name}: expected {expected}, got {value!r}")


@dataclass(frozen=True)
class DeepNrsfmReluParams(DeepNrsfmParams):
    """The defaults of Deep NRSfM: ReLU, and a code that is linear in the bottleneck."""

    nonlinearity: Nonlinearity = "relu"
    code: CodeReading = "linear"
    input_scale: float = 0.3
    learning_rate: float = 1e-3


@dataclass(frozen=True)
class DeepNrsfmConsistParams(DeepNrsfmParams):
    """The defaults of Deep NRSfM++ with the consistency loss, whose steps cost twice as much."""

    consistency: float = 0.2
    starts: int = 1
    steps: int = 12_000


def _make(**params: Any) -> Method:  # noqa: ANN401 the fields of DeepNrsfmParams
    from liftbench_plugins.deep_nrsfm.lifter import DeepNrsfm

    return DeepNrsfm(DeepNrsfmParams(**params))


_CAPABILITIES = Capabilities(
    cameras=("orthographic", "weak_perspective", "perspective"), missing_points=True
)

DEEP_NRSFM = MethodSpec(
    key="deep_nrsfm",
    title="Deep NRSfM (ReLU)",
    reference="Kong, Lucey, Deep non-rigid structure from motion, ICCV 2019",
    make=_make,
    params=DeepNrsfmReluParams,
    capabilities=_CAPABILITIES,
)

DEEP_NRSFM_PP = MethodSpec(
    key="deep_nrsfm_pp",
    title="Deep NRSfM++ (block soft thresholding)",
    reference="Wang, Lin, Lucey, Deep NRSfM++: Towards unsupervised 2D-3D lifting in the wild",
    make=_make,
    params=DeepNrsfmParams,
    capabilities=_CAPABILITIES,
)

DEEP_NRSFM_PP_CONSIST = MethodSpec(
    key="deep_nrsfm_pp_consist",
    title="Deep NRSfM++ with the consistency loss of PR-RRN",
    reference="of this project, after Deep NRSfM++ and PR-RRN",
    make=_make,
    params=DeepNrsfmConsistParams,
    capabilities=_CAPABILITIES,
)

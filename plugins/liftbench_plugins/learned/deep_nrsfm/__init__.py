"""Deep NRSfM and Deep NRSfM++ for every camera, with and without hidden points.

This module does not import torch, so that listing plugins is quick; `lifter` and `network` do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive
from liftbench.plugin.specs import EXPOSED
from liftbench_plugins.learned.start_schedule import StartSchedule

Nonlinearity = Literal["bst", "relu"]
CodeReading = Literal["linear", "projection"]
CameraModel = Literal["observed", "orthographic"]
Blocks = Literal["3x3", "3x2"]
HiddenPoints = Literal["masked", "mean_filled"]
ShapeScale = Literal["constant", "box_max", "box_min"]
ScaleMeasure = Literal["norm", "bones"]
Mirroring = Literal["each", "shared"]
Weighting = Literal["frames", "image"]
HoldOut = Literal["hidden", "always"]
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
CONSISTENCY_FRAMES = 64
"""Frames of a batch that the consistency loss is taken on: all would double the cost of a step."""


@dataclass(frozen=True, kw_only=True)
class DeepNrsfmParams(StartSchedule):
    """Parameters of the network and its training.

    The paper trains far longer and slower, with Adam: from 1e-4, x0.95 every 50k of 400k-1.2M
    steps; see `MuonAndAdam` for the reason.

    Attributes:
        sizes: dictionary sizes K_1 .. K_L, or the name of an experiment of Deep NRSfM++, Table 7.
        nonlinearity: `relu` (Deep NRSfM) or `bst` (Deep NRSfM++, eq. 22).
        code: `linear` or `projection`, see `BlockSparseNetwork`.
        camera: `observed` uses the camera model of the data, `orthographic` ignores it.
        blocks: shape of the codes' blocks for a perspective camera: `3x3` as in the paper, or `3x2`
            as for an orthographic camera, where each frame takes the better of the reconstruction
            and its mirror image; the loss is that of eq. 11 in both cases.
        mirroring: how a perspective camera with 3x2 blocks decides which frames are mirrored:
            `each` frame for itself, or with odds `shared` by all frames, see `mirror_images`.
            Sharing helps far frames in noise. It misleads a training whose first shapes are of
            both kinds, as happens for people seen from one height only.
        hidden_points: `masked` (eqs. 14, 15), or `mean_filled`, the baseline of masking: they count
            as visible points at the mean of the visible ones.
        fill_rounds: how often hidden points are filled in from the reconstruction and frames are
            lifted again, in training too; the paper lifts once.
        held_out: largest share of a frame's visible points that are hidden from the network at
            random in each step, but enter the loss; 0 in the paper.
        hold_out: which data points are held out of: only data with `hidden` points, whose masks a
            network would otherwise memorise, or `always`, as a network cannot repeat the noise of
            points that it does not see (Batson, Royer, Noise2Self, ICML 2019).
        weighting: the unit of residuals: the size of the frame's own image (`frames`), or the unit
            of the `image`, as in the likelihood of equally noisy images, see `reprojection_loss`.
        shape_scale: t_z of a frame unless the camera is orthographic: `constant` puts all objects
            at one depth; `box_max` and `box_min` take one over the longer or shorter edge of the
            box (section 5), or of the bounding box of the visible points if there is none.
        scale_rounds: how often t_z is corrected and the frames are lifted again (section 5), in
            every step of the training too.
        scale_measure: which size is the same in all frames if t_z is right: the Frobenius `norm` of
            the shape or the mean length of the skeleton's `bones`.
        consistency: weight of the consistency loss of PR-RRN (eq. 17); 0, as in the paper, leaves
            it out.
        input_scale: root mean square of the coordinates that the network sees. Thresholds and
            biases start at zero and move at the learning rate, so that it sets their pace.
    """

    sizes: tuple[int, ...] | Preset = "cmu"
    nonlinearity: Nonlinearity = "bst"
    code: CodeReading = "projection"
    camera: CameraModel = "observed"
    blocks: Blocks = "3x2"
    mirroring: Mirroring = "each"
    hidden_points: HiddenPoints = "masked"
    fill_rounds: int = 0
    held_out: float = 0.0
    hold_out: HoldOut = "hidden"
    weighting: Weighting = "frames"
    shape_scale: ShapeScale = "constant"
    scale_rounds: int = 0
    scale_measure: ScaleMeasure = "norm"
    consistency: float = 0.0
    input_scale: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.sizes, str):
            require_one_of("sizes", self.sizes, get_args(Preset))
            object.__setattr__(self, "sizes", DICTIONARY_SIZES[self.sizes])
        require_sizes(self.sizes)
        for name, kind in _CHOICES.items():
            require_one_of(name, getattr(self, name), get_args(kind))
        for name in ("fill_rounds", "held_out", "scale_rounds", "consistency"):
            require_not_negative(name, getattr(self, name))
        if self.held_out >= 1:
            raise ValueError(f"held_out: expected less than 1, got {self.held_out}")
        require_positive("input_scale", self.input_scale)

    @property
    def dictionary_sizes(self) -> tuple[int, ...]:
        """The dictionary sizes, looked up if `sizes` names an experiment."""
        return DICTIONARY_SIZES[self.sizes] if isinstance(self.sizes, str) else self.sizes


def require_sizes(sizes: Sequence[object]) -> None:
    """Raise ValueError unless there are two or more dictionary sizes, all positive."""
    if len(sizes) < 2 or not all(isinstance(k, int) and k > 0 for k in sizes):
        raise ValueError("sizes: expected at least two positive numbers")


_CHOICES = {
    "nonlinearity": Nonlinearity,
    "code": CodeReading,
    "camera": CameraModel,
    "blocks": Blocks,
    "mirroring": Mirroring,
    "hidden_points": HiddenPoints,
    "hold_out": HoldOut,
    "weighting": Weighting,
    "shape_scale": ShapeScale,
    "scale_measure": ScaleMeasure,
}


@dataclass(frozen=True, kw_only=True)
class DeepNrsfmReluParams(DeepNrsfmParams):
    """The defaults of Deep NRSfM: ReLU, and a code that is linear in the bottleneck."""

    nonlinearity: Nonlinearity = "relu"
    code: CodeReading = "linear"
    input_scale: float = 0.3
    learning_rate: float = 3e-3


@dataclass(frozen=True, kw_only=True)
class DeepNrsfmConsistParams(DeepNrsfmParams):
    """The defaults of Deep NRSfM++ with the consistency loss."""

    consistency: float = 0.1
    fill_rounds: int = 1
    held_out: float = 0.3


def _make(**params: Any) -> Method:  # noqa: ANN401 the fields of DeepNrsfmParams
    from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm

    return DeepNrsfm(DeepNrsfmParams(**params))


_CAPABILITIES = Capabilities(
    cameras=("orthographic", "weak_perspective", "perspective"), missing_points=True
)
# Norms of blocks do not change when the image turns; single entries, which ReLU sees, do.
_BST_CAPABILITIES = replace(_CAPABILITIES, rotatable=True)
_CONFORMANCE = Conformance({"sizes": (8, 4), "starts": 1, "start_steps": 2, "steps": 4})
_RETIRED = {"consistency_frames": CONSISTENCY_FRAMES}

DEEP_NRSFM = MethodSpec(
    key="deep_nrsfm",
    title="Deep NRSfM (ReLU)",
    reference="Kong, Lucey, Deep non-rigid structure from motion, ICCV 2019",
    make=_make,
    params=DeepNrsfmReluParams,
    capabilities=_CAPABILITIES,
    conformance=_CONFORMANCE,
    retired_params=_RETIRED,
    exposes=EXPOSED,
)

DEEP_NRSFM_PP = MethodSpec(
    key="deep_nrsfm_pp",
    title="Deep NRSfM++ (block soft thresholding)",
    reference="Wang, Lin, Lucey, Deep NRSfM++: Towards unsupervised 2D-3D lifting in the wild",
    make=_make,
    params=DeepNrsfmParams,
    capabilities=_BST_CAPABILITIES,
    conformance=_CONFORMANCE,
    retired_params=_RETIRED,
    exposes=EXPOSED,
)

DEEP_NRSFM_PP_CONSIST = MethodSpec(
    key="deep_nrsfm_pp_consist",
    title="Deep NRSfM++ with the consistency loss of PR-RRN",
    reference="of this project, after Deep NRSfM++ and PR-RRN",
    make=_make,
    params=DeepNrsfmConsistParams,
    capabilities=_BST_CAPABILITIES,
    conformance=_CONFORMANCE,
    retired_params=_RETIRED,
    exposes=EXPOSED,
)

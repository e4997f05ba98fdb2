"""The teacher of KD: Deep NRSfM that finds the camera first and the code given the camera.

This module does not import torch, so that listing plugins is quick; `lifter` and `network` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive
from liftbench.plugin.specs import EXPOSED
from liftbench_plugins.learned.deep_nrsfm import Nonlinearity, require_sizes
from liftbench_plugins.learned.start_schedule import StartSchedule

FrameUnit = Literal["data", "box"]


@dataclass(frozen=True, kw_only=True)
class DeepNrsfmKdParams(StartSchedule):
    """Parameters of the camera network, the code network and their training.

    The paper leaves its networks to a supplement that is not public; `CameraFirstNetwork` is our
    reading. It trains with Adam, on a schedule that it does not give.

    Attributes:
        sizes: dictionary sizes K_1 .. K_L (section 5.1).
        nonlinearity: of the camera network: `relu` as in Deep NRSfM, which the paper starts from,
            or `bst`, block soft thresholding as in the later Deep NRSfM++ of the same authors.
        sparsity: lambda, the weight of the L1 norm of the first code (eq. 4).
        frame_unit: the unit of length of a frame's points: that of the `data`, or the longer edge
            of its `box`, as in the paper (section 5.3). With either, one factor for all frames
            makes the mean norm of the fit's images 1.
        gain: of the initial weights, see `BlockSparseNetwork`. Large initial codes let the
            consistency loss settle on a mirror image for some of the poses, in all their views.
        consistency: weight of the consistency loss of PR-RRN (eq. 17); 0, as in the paper, leaves
            it out. With it, the best start is the one that agrees best with the others.
    """

    sizes: tuple[int, ...] = (256, 128, 64, 32, 16, 8)
    nonlinearity: Nonlinearity = "bst"
    sparsity: float = 0.01
    frame_unit: FrameUnit = "data"
    gain: float = 3.0
    consistency: float = 0.0
    starts: int = 2
    start_steps: int = 300
    steps: int = 2_000

    def __post_init__(self) -> None:
        super().__post_init__()
        require_sizes(self.sizes)
        require_one_of("nonlinearity", self.nonlinearity, get_args(Nonlinearity))
        require_one_of("frame_unit", self.frame_unit, get_args(FrameUnit))
        require_positive("gain", self.gain)
        for name in ("sparsity", "consistency"):
            require_not_negative(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class DeepNrsfmKdConsistParams(DeepNrsfmKdParams):
    """The defaults with the consistency loss, and more starts, which are longer.

    A start is long enough to show whether others agree with it, see `most_agreed`.
    """

    gain: float = 1.5
    consistency: float = 0.03
    starts: int = 4
    start_steps: int = 600


def _make(**params: Any) -> Method:  # noqa: ANN401 the fields of DeepNrsfmKdParams
    from liftbench_plugins.learned.deep_nrsfm_kd.lifter import DeepNrsfmKd

    return DeepNrsfmKd(DeepNrsfmKdParams(**params))


_CAPABILITIES = Capabilities(
    cameras=("orthographic", "weak_perspective"), missing_points=True, rotatable=True
)
_CONFORMANCE = Conformance({"sizes": (8, 4), "starts": 1, "start_steps": 2, "steps": 4})

DEEP_NRSFM_KD = MethodSpec(
    key="deep_nrsfm_kd",
    title="Deep NRSfM of KD (camera first, then the code)",
    reference="Wang, Kong, Lucey, Distill Knowledge from NRSfM for Weakly Supervised 3D Pose "
    "Learning, ICCV 2019",
    make=_make,
    params=DeepNrsfmKdParams,
    capabilities=_CAPABILITIES,
    conformance=_CONFORMANCE,
    exposes=EXPOSED,
)

DEEP_NRSFM_KD_CONSIST = MethodSpec(
    key="deep_nrsfm_kd_consist",
    title="Deep NRSfM of KD with the consistency loss of PR-RRN",
    reference="of this project, after KD and PR-RRN",
    version=3,
    make=_make,
    params=DeepNrsfmKdConsistParams,
    capabilities=_CAPABILITIES,
    conformance=_CONFORMANCE,
    exposes=EXPOSED,
)

TEACHERS = (DEEP_NRSFM_KD, DEEP_NRSFM_KD_CONSIST)

"""Deep NRSfM and Deep NRSfM++ for complete points of an orthographic camera.

This module does without torch, so that listing plugins is quick; `lifter` and `network` have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from liftbench import Method, MethodSpec

Nonlinearity = Literal["bst", "relu"]
CodeReading = Literal["linear", "projection"]


@dataclass(frozen=True)
class DeepNrsfmParams:
    """Parameters of the network and its training.

    Attributes:
        sizes: dictionary sizes K_1 .. K_L; the default is CMU's of Deep NRSfM++, Table 7.
        nonlinearity: `relu` (Deep NRSfM) or `bst` (Deep NRSfM++, eq. 22).
        code: `linear` or `projection`, see `BlockSparseNetwork`.
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

    sizes: tuple[int, ...] = (512, 256, 128, 64, 32, 16, 8)
    nonlinearity: Nonlinearity = "bst"
    code: CodeReading = "projection"
    input_scale: float = 0.1
    starts: int = 3
    start_steps: int = 2_000
    steps: int = 20_000
    batch_size: int = 128
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError("sizes: expected at least two positive numbers")
        if self.nonlinearity not in ("bst", "relu"):
            raise ValueError(f"nonlinearity: expected 'bst' or 'relu', got {self.nonlinearity!r}")
        if self.code not in ("linear", "projection"):
            raise ValueError(f"code: expected 'linear' or 'projection', got {self.code!r}")
        for name in (
            "input_scale",
            "starts",
            "start_steps",
            "steps",
            "batch_size",
            "learning_rate",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")


@dataclass(frozen=True)
class DeepNrsfmReluParams(DeepNrsfmParams):
    """The defaults of Deep NRSfM: ReLU, and a code that is linear in the bottleneck."""

    nonlinearity: Nonlinearity = "relu"
    code: CodeReading = "linear"
    input_scale: float = 0.3
    learning_rate: float = 1e-3


def _make(**params: Any) -> Method:  # noqa: ANN401 the fields of DeepNrsfmParams
    from liftbench_plugins.deep_nrsfm.lifter import DeepNrsfm

    return DeepNrsfm(DeepNrsfmParams(**params))


DEEP_NRSFM = MethodSpec(
    key="deep_nrsfm",
    title="Deep NRSfM (ReLU)",
    reference="Kong, Lucey, Deep non-rigid structure from motion, ICCV 2019",
    make=_make,
    params=DeepNrsfmReluParams,
)

DEEP_NRSFM_PP = MethodSpec(
    key="deep_nrsfm_pp",
    title="Deep NRSfM++ (block soft thresholding)",
    reference="Wang, Lin, Lucey, Deep NRSfM++: Towards unsupervised 2D-3D lifting in the wild",
    make=_make,
    params=DeepNrsfmParams,
)

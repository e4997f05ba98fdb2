"""PR-RRN and its variants: residual-recursive networks with pairwise regularisation.

This module does not import torch, so that listing plugins is quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive
from liftbench_plugins.learned.start_schedule import StartSchedule

Structure = Literal["residual_recursive", "vanilla"]

RIGID_BELOW = 0.02
"""tau of eq. 10: views with a lower minimal singular value ratio are of one rigid shape."""
NONRIGID_ABOVE = 0.04
"""xi of eq. 11: views with a higher ratio are not."""


@dataclass(frozen=True, kw_only=True)
class PrRrnParams(StartSchedule):
    """Parameters of the networks and their training (PR-RRN, section 5.1).

    Attributes:
        channels: sizes of the modules; the last is that of the shape representation h.
        rotation_channels: sizes of the hidden layers of the rotation network.
        structure: `residual_recursive`, or `vanilla`, plain layers with as many weights.
        recursions: T, how often a module's layer is applied (section 4.1.1).
        contrast: lambda_1 of eq. 18; 0 leaves the contrastive loss out.
        consistency: lambda_2 of eq. 18; 0 leaves the consistency loss out.
        memory: N_mem, number of representations of earlier frames that are kept.
        turn_steps: after so many steps the consistency and the contrastive loss take turns, if
            both are in use (section 4.4).
    """

    channels: tuple[int, ...] = (128, 64, 32, 16, 8)
    rotation_channels: tuple[int, ...] = (128, 32, 8)
    structure: Structure = "residual_recursive"
    recursions: int = 3
    contrast: float = 0.1
    consistency: float = 0.2
    memory: int = 1024
    turn_steps: int = 100
    steps: int = 8_000
    learning_rate: float = 9e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("structure", self.structure, get_args(Structure))
        for name in ("channels", "rotation_channels"):
            sizes = getattr(self, name)
            if not sizes or not all(isinstance(n, int) and n > 0 for n in sizes):
                raise ValueError(f"{name}: expected positive whole numbers, got {sizes}")
        for name in ("contrast", "consistency"):
            require_not_negative(name, getattr(self, name))
        for name in ("recursions", "memory", "turn_steps"):
            require_positive(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class RrnParams(PrRrnParams):
    """The defaults of RRN: reprojection alone (section 5.3)."""

    contrast: float = 0.0
    consistency: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RrnVanillaParams(RrnParams):
    """The defaults of the Vanilla baseline: plain layers (section 5.3)."""

    structure: Structure = "vanilla"


@dataclass(frozen=True, kw_only=True)
class RrnContrastParams(PrRrnParams):
    """The defaults of RRN-Contrast (section 5.3)."""

    consistency: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RrnConsistParams(PrRrnParams):
    """The defaults of RRN-Consist (section 5.3)."""

    contrast: float = 0.0


def _make(**params: Any) -> Method:  # noqa: ANN401 the fields of PrRrnParams
    from liftbench_plugins.learned.pr_rrn.lifter import PrRrn

    return PrRrn(PrRrnParams(**params))


_SMALL = {
    "channels": (8, 4),
    "rotation_channels": (8,),
    "memory": 16,
    "turn_steps": 1,
    "starts": 1,
    "start_steps": 2,
    "steps": 4,
}
_RETIRED = {
    "orthogonalisation": "closed_form",
    "new_views": "random",
    "rigid_below": RIGID_BELOW,
    "nonrigid_above": NONRIGID_ABOVE,
}


def _variant(key: str, title: str, params: type) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=title,
        reference="Zeng, Dai, Yu, Wang, Yang, PR-RRN: Pairwise-regularized residual-recursive "
        "networks for non-rigid structure-from-motion, ICCV 2021",
        make=_make,
        params=params,
        capabilities=Capabilities(
            cameras=("orthographic", "weak_perspective"), missing_points=True
        ),
        conformance=Conformance(_SMALL),
        retired_params=_RETIRED,
    )


VARIANTS = (
    _variant("rrn_vanilla", "RRN with plain layers", RrnVanillaParams),
    _variant("rrn", "RRN (reprojection alone)", RrnParams),
    _variant("rrn_contrast", "RRN with the contrastive loss", RrnContrastParams),
    _variant("rrn_consist", "RRN with the consistency loss", RrnConsistParams),
    _variant("pr_rrn", "PR-RRN", PrRrnParams),
)

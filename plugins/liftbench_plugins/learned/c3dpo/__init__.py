"""C3DPO: canonical 3D pose networks, with and without the canonicalisation network.

This module does not import torch, so that listing plugins is quick; `lifter` and `network` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of, require_positive

Stages = Literal["h36m", "pascal3d", "up3d"]
EPOCHS: Mapping[Stages, tuple[int, ...]] = {
    "h36m": (60, 80, 90),
    "pascal3d": (20, 40, 60),
    "up3d": (50, 60, 70),
}
"""The epochs at whose end the learning rate falls to a tenth; at the last one training ends."""


@dataclass(frozen=True, kw_only=True)
class C3dpoNetworkParams:
    """What both recipes of C3DPO have: the sizes of the networks, and of the batches.

    Attributes:
        basis: K, number of basis shapes; the paper has 10, on UP-3D 50.
        width: channels of the features of Phi and Psi.
        bottleneck: channels inside a residual block.
        blocks: number of residual blocks.
        canonicalisation: weight of the canonicalisation loss; 0 leaves the network Psi out.
        batch_size: frames per step.
        learning_rate: of the first step.
    """

    basis: int = 10
    width: int = 256
    bottleneck: int = 64
    blocks: int = 6
    canonicalisation: float = 1.0
    batch_size: int = 128
    learning_rate: float = 1e-2

    def __post_init__(self) -> None:
        for name in ("basis", "width", "bottleneck", "blocks", "batch_size", "learning_rate"):
            require_positive(name, getattr(self, name))
        require_not_negative("canonicalisation", self.canonicalisation)


@dataclass(frozen=True, kw_only=True)
class C3dpoParams(C3dpoNetworkParams):
    """A recipe of ours for CPUs: a quarter of the paper's width, `MuonAndAdam`, and a cosine.

    It was chosen on `synthetic_up3d` of seed 1 by the error `c3dpo_up3d` on train, one training
    each: 0.108 m with it; 0.178 after 1 000 steps of 256 frames at a rate of 3e-3, which take as
    long; 0.153 after 2 500 steps with two blocks; 0.196 with Adam at half the width.

    Attributes:
        steps: optimisation steps; the learning rate falls to zero along a cosine.
    """

    steps: int = 1_500

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("steps", self.steps)


@dataclass(frozen=True, kw_only=True)
class C3dpoBaseParams(C3dpoParams):
    """The defaults of C3DPO-base: no canonicalisation network."""

    canonicalisation: float = 0.0


@dataclass(frozen=True, kw_only=True)
class C3dpoPublishedParams(C3dpoNetworkParams):
    """The recipe of the paper, for GPUs: stochastic gradient descent with momentum.

    Attributes:
        epochs: the epochs at whose end the learning rate falls to a tenth, the last of which ends
            the training; or the name of an experiment of the paper.
        momentum: of the gradients.
        weight_decay: of all parameters.
    """

    width: int = 1024
    bottleneck: int = 256
    batch_size: int = 1024
    learning_rate: float = 1e-3
    epochs: tuple[int, ...] | Stages = "h36m"
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.epochs, str):
            require_one_of("epochs", self.epochs, get_args(Stages))
            object.__setattr__(self, "epochs", EPOCHS[self.epochs])
        ends = (0, *self.epochs)
        if len(ends) < 2 or not all(isinstance(end, int) for end in ends) or _falls(ends):
            raise ValueError(f"epochs: expected rising positive numbers, got {self.epochs}")
        for name in ("momentum", "weight_decay"):
            require_not_negative(name, getattr(self, name))

    @property
    def stages(self) -> tuple[int, ...]:
        """The ends of the stages, looked up if `epochs` names an experiment."""
        return EPOCHS[self.epochs] if isinstance(self.epochs, str) else self.epochs


def _falls(numbers: tuple[Any, ...]) -> bool:
    return any(one >= other for one, other in pairwise(numbers))


@dataclass(frozen=True, kw_only=True)
class C3dpoBasePublishedParams(C3dpoPublishedParams):
    """The defaults of C3DPO-base in the recipe of the paper."""

    canonicalisation: float = 0.0


def _make(params: type[C3dpoParams | C3dpoPublishedParams], **given: Any) -> Method:  # noqa: ANN401 its fields
    from liftbench_plugins.learned.c3dpo.lifter import C3dpo

    return C3dpo(params(**given))


_SMALL = {"basis": 3, "width": 8, "bottleneck": 4, "blocks": 1}


def _variant(
    key: str,
    title: str,
    params: type[C3dpoParams | C3dpoPublishedParams],
    brief: Mapping[str, Any],
) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=title,
        reference="Novotny, Ravi, Graham, Neverova, Vedaldi, C3DPO: Canonical 3D pose networks for "
        "non-rigid structure from motion, ICCV 2019",
        make=partial(_make, params),
        params=params,
        capabilities=Capabilities(
            cameras=("orthographic", "weak_perspective", "perspective"), missing_points=True
        ),
        conformance=Conformance({**_SMALL, **brief}),
    )


VARIANTS = (
    _variant("c3dpo", "C3DPO, short recipe for CPUs", C3dpoParams, {"steps": 4}),
    _variant(
        "c3dpo_base",
        "C3DPO without canonicalisation, short recipe for CPUs",
        C3dpoBaseParams,
        {"steps": 4},
    ),
    _variant(
        "c3dpo_published",
        "C3DPO, recipe of the paper",
        C3dpoPublishedParams,
        {"epochs": (2, 3)},
    ),
    _variant(
        "c3dpo_base_published",
        "C3DPO without canonicalisation, recipe of the paper",
        C3dpoBasePublishedParams,
        {"epochs": (2, 3)},
    ),
)

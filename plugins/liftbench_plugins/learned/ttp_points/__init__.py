"""To The Point on key points alone: its layer with a learned template and basis, no pictures.

This module does not import torch, so that listing plugins is quick; `lifter` and the others do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from liftbench import Capabilities, Conformance, Method, MethodSpec
from liftbench.plugin.param_checks import require_not_negative, require_one_of
from liftbench_plugins.learned.start_schedule import StartSchedule

Sizes = Literal["auto", "each", "shared"]


@dataclass(frozen=True, kw_only=True)
class TtpPointsParams(StartSchedule):
    """The shape model and its training.

    The defaults were chosen on a fifth of the training birds of CUB that was held out, by how well
    two visible points of each bird were found from the others.

    Attributes:
        basis: K, number of basis shapes; 0 fits poses of one shape.
        sizes: `each` frame has its own size, `shared` is one unit for all frames. `auto` is `each`
            for weak-perspective cameras and for points in pixels, where lengths depend on the
            distance to the camera.
        starts: random templates, if the data have none; the one that finds held-out points best is
            trained further. If the data have a template, it is the only start.
        held_out: share of the visible points of a frame that the layer does not see in a step.
        given: weight of the distances of points that it sees, beside 1 for those that it does not.
    """

    basis: int = 8
    sizes: Sizes = "auto"
    starts: int = 4
    start_steps: int = 200
    steps: int = 400
    batch_size: int = 128
    learning_rate: float = 0.02
    held_out: float = 0.3
    given: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("sizes", self.sizes, get_args(Sizes))
        for name in ("basis", "given"):
            require_not_negative(name, getattr(self, name))
        if not 0 < self.held_out < 1:
            raise ValueError(
                f"held_out: expected a share of the points above 0 and below 1, got {self.held_out}"
            )


def _make(**given: Any) -> Method:  # noqa: ANN401 the fields of the parameters
    from liftbench_plugins.learned.ttp_points.lifter import TtpPoints

    return TtpPoints(TtpPointsParams(**given))


TTP_POINTS = MethodSpec(
    key="ttp_points",
    title="The layer of To The Point on key points alone",
    reference="Kokkinos, Kokkinos, To The Point: Correspondence-driven monocular 3D category "
    "reconstruction, NeurIPS 2021",
    make=_make,
    params=TtpPointsParams,
    capabilities=Capabilities(
        cameras=("orthographic", "weak_perspective", "perspective"),
        missing_points=True,
        rotatable=True,
    ),
    conformance=Conformance({"basis": 2, "starts": 2, "start_steps": 3, "steps": 6}),
)

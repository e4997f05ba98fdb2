"""A method that breaks promises which only a separate process can break; see `tiny`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from liftbench import (
    Capabilities,
    Conformance,
    MethodSpec,
    NoParams,
    Observations,
    Reconstruction,
    RunContext,
    hookimpl,
)
from liftbench.arrays import cache_folder
from liftbench.types import Camera


class TwoFaced:
    """Differs between processes, looks into the cache, and ends its process on weak perspective."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        if observations.camera == "weak_perspective":
            os._exit(3)
        list(cache_folder().iterdir())

    def predict(self, observations: Observations) -> Reconstruction:
        depth = os.getpid() * observations.points_2d[..., :1]
        return Reconstruction(np.dstack([observations.points_2d, depth]))


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    cameras: tuple[Camera, ...] = ("orthographic", "weak_perspective")
    can = Capabilities(cameras=cameras, seeded=False, rotatable=True)
    young = {"result_turns_with_the_images": "it has not learned to turn"}
    wrong = {"result_turns_with_the_imges": "a misspelt check"}
    return [
        MethodSpec(key, key, "tests", TwoFaced, NoParams, 1, can, False, Conformance({}, reasons))
        for key, reasons in (("two_faced", young), ("misspelt", wrong))
    ]

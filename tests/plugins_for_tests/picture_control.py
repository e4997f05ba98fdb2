"""A method that is shown pictures and the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liftbench import (
    Capabilities,
    MethodSpec,
    NoParams,
    Observations,
    Reconstruction,
    RunContext,
    hookimpl,
)
from liftbench.types import CAMERAS


class MeanShape:
    """The mean of the true shapes, beside each box."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        assert context.truth is not None
        assert observations.pixel is not None
        assert context.truth.shape == (*observations.visible.shape, 3)
        self.shape = np.nanmean(context.truth / observations.pixel[:, None, None], axis=0)

    def predict(self, observations: Observations) -> Reconstruction:
        assert observations.box is not None
        corner = np.pad(observations.box[:, :2], ((0, 0), (0, 1)))
        return Reconstruction(self.shape + corner[:, None])


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    can = Capabilities(cameras=CAMERAS, images=True, supervised=True, seeded=False)
    return [
        MethodSpec("picture_control", "Mean", "tests", MeanShape, NoParams, capabilities=can),
    ]

"""The flat baseline: every point at depth zero."""

from __future__ import annotations

import numpy as np

from liftbench import (
    Capabilities,
    MethodSpec,
    NoParams,
    Observations,
    Reconstruction,
    RunContext,
)


class ZeroDepth:
    """Returns the image points with z = 0; its score is that of a method that learns nothing."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn nothing."""

    def predict(self, observations: Observations) -> Reconstruction:
        """Return every image point (x, y) as (x, y, 0)."""
        return Reconstruction(np.pad(observations.points_2d, ((0, 0), (0, 0), (0, 1))))


ZERO_DEPTH = MethodSpec(
    key="zero_depth",
    title="Flat: every point at depth zero",
    reference="baseline",
    make=ZeroDepth,
    params=NoParams,
    capabilities=Capabilities(seeded=False, permutable=True, rotatable=True),
    floor=True,
)

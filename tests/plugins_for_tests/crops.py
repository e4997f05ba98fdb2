"""A small method that reconstructs from pictures: positions are linear in a crop's pixels."""

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
from liftbench.crops import Crops, make_crops
from liftbench.types import CAMERAS, Floats

SIZE = 16


class LinearCrops:
    """Ridge regression from the pixels of a crop to the positions of the points in it."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        seen = observations.in_pixels()
        crops, shown = crops_of(seen), seen.visible[..., None]
        places = np.where(shown, crops.to_crop(seen.points_2d), 0)
        self.mean = places.sum(axis=0) / np.maximum(shown.sum(axis=0), 1)
        target = np.where(shown, places - self.mean, 0).reshape(seen.frames, -1)
        inputs = features(crops)
        gram = inputs @ inputs.T + np.eye(seen.frames)
        self.weights = inputs.T @ np.linalg.solve(gram, target)

    def predict(self, observations: Observations) -> Reconstruction:
        crops = crops_of(observations)
        offsets = (features(crops) @ self.weights).reshape(observations.frames, -1, 2)
        flat = crops.to_image(self.mean + offsets)
        return Reconstruction(np.pad(flat, ((0, 0), (0, 0), (0, 1))))


class Supervised(LinearCrops):
    """The same with the mean of the true depths."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        super().fit(observations, context)
        assert context.truth is not None
        assert context.truth.shape == (*observations.visible.shape, 3)


def crops_of(observations: Observations) -> Crops:
    assert observations.images is not None
    return make_crops(observations.images, observations.box, SIZE)


def features(crops: Crops) -> Floats:
    flat: Floats = crops.pixels.reshape(len(crops.edge), -1) / 255
    return flat


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    can = Capabilities(cameras=CAMERAS, missing_points=True, images=True, seeded=False)
    control = Capabilities(cameras=CAMERAS, images=True, supervised=True, seeded=False)
    return [
        MethodSpec("linear_crops", "Linear", "tests", LinearCrops, NoParams, capabilities=can),
        MethodSpec("linear_control", "Same", "tests", Supervised, NoParams, capabilities=control),
    ]

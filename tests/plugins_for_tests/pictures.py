"""Methods that try to score in the image: by copying, by looking, and by being shown the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from liftbench import Capabilities, MethodSpec, Observations, Reconstruction, RunContext, hookimpl
from liftbench.images import Images
from liftbench.plugin.specs import Method


@dataclass(frozen=True)
class NoParams:
    pass


class Copying:
    """Returns the points that it is shown."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        pass

    def predict(self, observations: Observations) -> Reconstruction:
        flat = observations.points_2d
        return Reconstruction(np.pad(flat, ((0, 0), (0, 0), (0, 1))), points_2d=flat)


class Remembering:
    """Returns the positions in pixels that it saw in pictures of this width; depth is 5 pixels."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        positions = observations.in_pixels().points_2d
        self.known = dict(zip(widths(observations.images), positions, strict=True))

    def predict(self, observations: Observations) -> Reconstruction:
        assert observations.camera == "weak_perspective"
        assert observations.images is not None
        assert observations.images.masks is None
        flat = np.array([self.known[width] for width in widths(observations.images)])
        return Reconstruction(np.pad(flat, ((0, 0), (0, 0), (0, 1)), constant_values=5.0))


class Supervised:
    """Returns the truth that it is shown, for the frames that it was fitted to."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        assert context.truth is not None
        self.truth = context.truth

    def predict(self, observations: Observations) -> Reconstruction:
        return Reconstruction(self.truth[: observations.frames])


def widths(images: Images | None) -> list[int]:
    assert images is not None
    return [int(width) for width in images.sizes()[:, 0]]


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    able: dict[str, tuple[Callable[[], Method], Capabilities]] = {
        "copying": (Copying, Capabilities(missing_points=True, seeded=False)),
        "copying_images": (Copying, Capabilities(images=True, seeded=False)),
        "remembering": (Remembering, Capabilities(images=True, seeded=False)),
        "supervised": (Supervised, Capabilities(supervised=True, seeded=False)),
    }
    return [
        MethodSpec(key, key, "tests", make, NoParams, capabilities=can)
        for key, (make, can) in able.items()
    ]

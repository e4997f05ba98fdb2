"""Rigid factorisation: one shape explains all frames."""

from __future__ import annotations

import numpy as np

from liftbench import Capabilities, MethodSpec, NoParams, Observations, Reconstruction, RunContext
from liftbench.cameras import in_place, subtract_mean
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations
from liftbench_plugins.classical.cameras.metric_upgrade import metric_upgrade
from liftbench_plugins.classical.tracks import NO_VALUE, matrix_of


class Rigid:
    """Tomasi-Kanade factorisation with the metric upgrade for unit-scale orthographic cameras."""

    shape: Floats

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Find the shape (P, 3) that explains all frames best.

        Raises:
            ValueError: there are fewer than 3 frames or 4 points, or the views have rank below 3.
        """
        frames, count = observations.points_2d.shape[:2]
        if frames < 3 or count < 4:
            raise ValueError(f"rigid needs 3 frames of 4 points, got {frames} of {count}")
        rows = matrix_of(subtract_mean(observations.points_2d))
        left, values, right = np.linalg.svd(rows, full_matrices=False)
        if values[2] <= NO_VALUE * values[0]:
            raise ValueError("rigid needs views of a body with depth: the points have rank below 3")
        cameras = left[:, :3] * np.sqrt(values[:3])
        upgrade = metric_upgrade(cameras.reshape(frames, 2, 3))
        self.shape = np.linalg.solve(upgrade, np.sqrt(values[:3])[:, None] * right[:3]).T

    def predict(self, observations: Observations) -> Reconstruction:
        """Return the shape turned to the least-squares camera of each frame."""
        affine = subtract_mean(observations.points_2d).swapaxes(1, 2) @ np.linalg.pinv(self.shape.T)
        rotation = nearest_rotations(affine)
        return Reconstruction(
            points_3d=in_place(self.shape @ rotation.swapaxes(1, 2), observations),
            rotation=rotation,
            canonical_3d=np.broadcast_to(self.shape, (len(rotation), *self.shape.shape)),
        )


RIGID = MethodSpec(
    key="rigid",
    title="Rigid factorisation (Tomasi-Kanade)",
    reference="Tomasi, Kanade, Shape and motion from image streams under orthography, IJCV 1992",
    make=Rigid,
    params=NoParams,
    capabilities=Capabilities(seeded=False, permutable=True, rotatable=True),
    floor=True,
)

from __future__ import annotations

import numpy as np

from liftbench_plugins.classical.bmm_revisited import smooth_cameras


def test_smooth_cameras_of_exact_rows_are_the_rows() -> None:
    angles = np.linspace(0, 2, 60)
    rotation = np.stack(
        [
            np.stack([np.cos(angles), 0 * angles, np.sin(angles)], axis=1),
            np.stack([0 * angles, 1 + 0 * angles, 0 * angles], axis=1),
        ],
        axis=1,
    )
    scales = np.random.default_rng(0).uniform(0.5, 2, (60, 1, 1))
    signs = np.random.default_rng(1).choice([-1, 1], (60, 1, 1))
    found = smooth_cameras(scales * signs * rotation)
    sign = np.sign((found[0, :2] * rotation[0]).sum())
    np.testing.assert_allclose(found[:, :2], sign * rotation, atol=1e-4)

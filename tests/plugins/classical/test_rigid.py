from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import e3d, observe, random_scene
from tests.plugins.classical.conftest import Solve, message_of

from liftbench.types import Floats
from liftbench_plugins.classical.rigid import RIGID


def test_a_rigid_body_is_recovered_from_noisy_images_too(solve: Solve) -> None:
    views = random_scene(1, 30, 9, mean=True).points
    rng = np.random.default_rng(1)
    for noise, most in ((0.0, 1e-7), (0.01, 0.05)):
        image = views[..., :2] + noise * rng.standard_normal((30, 9, 2)) + [3.0, 4.0]
        found = solve(RIGID, observe(image))
        assert e3d(found.points_3d, views) < most
        np.testing.assert_allclose(found.points_3d[..., :2], image, atol=10 * noise + 1e-9)
        assert found.canonical_3d is not None
        assert found.canonical_3d.shape == (30, 9, 3)


def test_the_shape_and_its_cameras_have_the_size_of_the_image(solve: Solve) -> None:
    views = 5 * random_scene(1, 30, 9, mean=True).points
    found = solve(RIGID, observe(views[..., :2]))
    assert found.canonical_3d is not None
    assert np.linalg.norm(found.canonical_3d[0]) == pytest.approx(np.linalg.norm(views[0]))


VIEWS = random_scene(1, 5, 9, mean=True).image


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (VIEWS[:2], "needs 3 frames of 4 points, got 2 of 9"),
        (VIEWS[:, :3], "needs 3 frames of 4 points, got 5 of 3"),
        (np.repeat(VIEWS[:1], 5, axis=0), "rank below 3"),
    ],
)
def test_views_without_depth_are_refused(image: Floats, message: str, solve: Solve) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        solve(RIGID, observe(image))
    assert message_of(caught)


def test_three_frames_of_four_points_are_enough(solve: Solve) -> None:
    views = random_scene(1, 3, 4, mean=True, seed=2).points
    assert e3d(solve(RIGID, observe(views[..., :2])).points_3d, views) < 1e-6

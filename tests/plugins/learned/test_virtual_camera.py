from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import not_none

from liftbench import Observations, Reconstruction
from liftbench.cameras import project, random_rotations
from liftbench.types import Floats, Skeleton
from liftbench_plugins.learned.virtual_camera import facing

F, P = 6, 5


def scene(seed: int = 0, hidden: bool = False) -> tuple[Floats, Observations]:
    """Return points before a perspective camera, far from its axis, and their observations."""
    rng = np.random.default_rng(seed)
    place = rng.uniform([-5, -5, 6], [5, 5, 9], (F, 1, 3))
    points = rng.standard_normal((F, P, 3)) + place
    visible = np.ones((F, P), dtype=bool)
    if hidden:
        visible[np.arange(F), np.arange(F) % P] = False
    names = tuple(f"p{i}" for i in range(P))
    seen = np.where(visible[..., None], project(points, "perspective"), np.nan)
    sequence = np.zeros(F, dtype=np.int64)
    return points, Observations(seen, visible, sequence, "perspective", Skeleton(names, ()))


@pytest.mark.parametrize("hidden", [False, True])
def test_it_sees_the_points_in_its_own_frame(hidden: bool) -> None:
    points, observations = scene(hidden=hidden)
    camera = facing(observations)
    expected = project(points @ camera.rotation.swapaxes(1, 2), "perspective")
    seen = camera.view(observations)
    visible = observations.visible
    np.testing.assert_allclose(seen.points_2d[visible], expected[visible], atol=1e-12)
    assert np.isnan(seen.points_2d[~visible]).all()


@pytest.mark.parametrize("hidden", [False, True])
def test_it_looks_at_the_mean_ray_by_the_smallest_rotation(hidden: bool) -> None:
    _, observations = scene(hidden=hidden)
    camera = facing(observations)
    mean = np.nanmean(observations.points_2d, axis=1)
    rays = np.concatenate([mean, np.ones((F, 1))], axis=1)
    turned = np.einsum("fij,fj->fi", camera.rotation, rays)
    np.testing.assert_allclose(turned[:, :2], 0, atol=1e-12)
    np.testing.assert_allclose(turned[:, 2], camera.stretch, atol=1e-12)
    np.testing.assert_allclose(
        camera.rotation @ camera.rotation.swapaxes(1, 2),
        np.broadcast_to(np.eye(3), (F, 3, 3)),
        atol=1e-12,
    )
    angle = np.arccos((np.trace(camera.rotation, axis1=1, axis2=2) - 1) / 2)
    np.testing.assert_allclose(np.cos(angle), 1 / camera.stretch, atol=1e-12)


def test_back_returns_to_the_frame_of_the_camera() -> None:
    points, observations = scene()
    camera = facing(observations)
    rng = np.random.default_rng(1)
    canonical, rotation = rng.standard_normal((F, P, 3)), random_rotations(rng, F)
    inside = Reconstruction(
        points_3d=points @ camera.rotation.swapaxes(1, 2),
        rotation=camera.rotation @ rotation,
        canonical_3d=canonical,
    )
    result = camera.back(inside)
    np.testing.assert_allclose(result.points_3d, points, atol=1e-12)
    np.testing.assert_allclose(not_none(result.rotation), rotation, atol=1e-12)
    np.testing.assert_array_equal(not_none(result.canonical_3d), canonical)

"""Where hidden points are filled in, and how a shape looks from another camera."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import B, P, every_case, make_scene, views_of

from liftbench.types import Camera
from liftbench_plugins.learned.factorisation import (
    views_from,
)


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_the_true_shape_and_camera_fill_hidden_points_where_they_are(camera_model: Camera) -> None:
    scene = make_scene(camera_model, missing=True)
    filled = views_of(scene).fill_hidden_points(scene.shape, scene.camera)
    whole = views_of(scene._replace(masks=np.ones((B, P))))
    assert filled.visible is None
    torch.testing.assert_close(filled.columns, whole.columns)
    assert whole.fill_hidden_points(scene.shape + 1, scene.camera) is whole


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_filling_leaves_visible_points_where_they_are(camera_model: Camera) -> None:
    scene = make_scene(camera_model, missing=True)
    views = views_of(scene)
    filled = views.fill_hidden_points(scene.shape * 1.3, scene.camera)
    for frame in range(B):
        seen = scene.masks[frame] > 0
        shift = (filled.image - views.image)[seen, :, frame]
        if camera_model == "perspective":
            rays = not_none(filled.rays), not_none(views.rays)
            torch.testing.assert_close(rays[0][seen, :, frame], rays[1][seen, :, frame])
        torch.testing.assert_close(shift, shift[:1].expand_as(shift))


def test_a_hidden_point_behind_the_camera_is_filled_in_front_of_it() -> None:
    scene = make_scene("perspective", missing=True)
    seen = 20 * scene.shapes @ scene.rotations
    behind = seen[..., 2] + not_none(scene.t_z)[:, None]
    assert ((behind < 0) & (scene.masks == 0)).any()
    depth = np.maximum(behind, 0.1 * not_none(scene.t_z)[:, None])[..., None]
    apart = (scene.images * depth - seen[..., :2]) * scene.masks[..., None]
    place = apart.sum(axis=1, keepdims=True) / scene.masks.sum(axis=1)[:, None, None]
    expected = np.where(scene.masks[..., None] > 0, scene.images, (seen[..., :2] + place) / depth)
    rays = not_none(views_of(scene).fill_hidden_points(20 * scene.shape, scene.camera).rays)
    np.testing.assert_allclose(rays.permute(2, 0, 1), expected)


@every_case
def test_views_seen_from_the_true_camera_are_the_views(camera_model: Camera, missing: bool) -> None:
    scene = make_scene(camera_model, missing, seed=4)
    if scene.t_z is not None:  # the mean visible ray is where the centre is placed
        seen = scene.shapes @ scene.rotations
        depth = seen[..., 2:] + scene.t_z[:, None, None]
        place = scene.images.copy()
        for b in range(B):
            shown = scene.masks[b] > 0
            place[b] = (seen[b, :, :2] + scene.images[b, shown].mean(0) * scene.t_z[b]) / depth[b]
        views, expected = views_of(scene), views_of(scene._replace(images=place))
    else:
        views = expected = views_of(scene)
    found = views_from(scene.shape, scene.camera, views)
    assert (found.rays is None) == (found.depth is None) == (camera_model == "orthographic")
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))


def test_a_point_that_a_random_view_puts_behind_the_camera_is_kept_in_front() -> None:
    scene = make_scene("perspective", missing=False)
    views = views_of(scene)
    large = 20 * scene.shapes @ scene.rotations
    depth = large[..., 2] + not_none(scene.t_z)[:, None]
    assert (depth < 0).any()
    place = scene.images.mean(axis=1) * not_none(scene.t_z)[:, None]
    nearest = np.maximum(depth, 0.1 * not_none(scene.t_z)[:, None])
    expected = (large[..., :2] + place[:, None]) / nearest[..., None]
    found = not_none(views_from(20 * scene.shape, scene.camera, views).rays)
    np.testing.assert_allclose(found.permute(2, 0, 1), expected)

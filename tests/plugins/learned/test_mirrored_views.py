"""The choice between a reconstruction and its mirror image, for views of a perspective camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm as normal
from tests.conftest import not_none
from tests.plugins.learned.conftest import B, P, make_scene, seeded, views_of

from liftbench.types import Floats
from liftbench_plugins.learned.factorisation import (
    normalise_views,
    norms,
    reprojection_loss,
    views_from,
)
from liftbench_plugins.learned.rotations import random_cameras

MIRROR = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)


@pytest.mark.parametrize("missing", [False, True])
def test_a_near_camera_tells_a_shape_from_its_mirror_image(missing: bool) -> None:
    scene = make_scene("perspective", missing)
    views = replace(views_of(scene), columns=views_of(scene).image)
    shape, camera = scene.shape, scene.camera[:, :2]
    wrong = torch.arange(B) % 2 == 1
    sign = torch.where(wrong, MIRROR[:, None], 1.0)
    mixed = shape * sign, camera * sign[:, None]
    assert reprojection_loss(views, *mixed) == pytest.approx(0, abs=1e-6)
    reported = views.choose_mirror_images(*mixed)
    torch.testing.assert_close(reported, (shape, camera))
    assert norms(views.residual(*mixed))[wrong].min() > 0.01
    if missing:
        torch.testing.assert_close(
            views.fill_hidden_points(*mixed).columns,
            views.fill_hidden_points(shape, camera).columns,
        )


def log_likelihood(residual: Floats) -> float:
    """Return the log likelihood of residuals under normal noise of the most likely size."""
    return float(normal.logpdf(residual, scale=np.sqrt(np.mean(residual**2))).sum())


@pytest.mark.parametrize("missing", [False, True])
def test_mirror_evidence_is_the_ratio_of_likelihoods_of_all_visible_coordinates(
    missing: bool,
) -> None:
    scene = make_scene("perspective", missing)
    noise = np.random.default_rng(5).normal(0, 0.02, scene.images.shape)
    views = views_of(scene._replace(images=scene.images + noise))
    views = replace(views, columns=views.image)
    shape, camera = scene.shape, scene.camera[:, :2]
    own = views.residual(shape, camera)
    mirrored = views.residual(shape * MIRROR[:, None], camera * MIRROR[:, None, None])
    evidence = not_none(views.mirror_evidence(shape, camera))
    for b in range(B):
        seen = scene.masks[b] > 0
        expected = log_likelihood(own[seen, :, b].numpy()) - log_likelihood(
            mirrored[seen, :, b].numpy()
        )
        assert float(evidence[b]) == pytest.approx(expected, rel=1e-6)


def test_frames_with_too_much_noise_follow_the_others() -> None:
    rng = np.random.default_rng(0)
    shape = torch.from_numpy(rng.standard_normal((P, 3, 1))).repeat(1, 1, 60)
    shape -= shape.mean(dim=0)
    camera = random_cameras(2, shape, seeded(0)).double()
    depth = torch.cat([torch.full((30,), 5.0), torch.full((30,), 40.0)]).double()
    like = normalise_views(torch.zeros(P, 2, 60).double(), None, depth, columns=2)
    exact = views_from(shape, camera, like)
    noise = 0.1 * torch.from_numpy(rng.standard_normal((P, 2, 60))) / depth
    views = normalise_views(not_none(exact.rays) + noise, None, depth, columns=2)
    assert (not_none(views.mirror_evidence(shape, camera))[30:] < 0).any()
    assert views.choose_mirror_images(shape, camera, odds=None)[0].equal(shape)
    flip = MIRROR[:, None]
    mirrored = views.choose_mirror_images(shape * flip, camera * flip[:, None], odds=None)
    torch.testing.assert_close(mirrored, (shape, camera))
    last = not_none(views.mirror_evidence(shape, camera)).argmin()[None]
    alone = (shape[..., last], camera[..., last])
    assert not views.select(last).choose_mirror_images(*alone)[0].equal(alone[0])
    assert views.select(last).choose_mirror_images(*alone, odds=5.0)[0].equal(alone[0])


@pytest.mark.parametrize("missing", [False, True])
def test_odds_choose_the_mirror_image_in_the_loss_and_where_points_are_filled(
    missing: bool,
) -> None:
    scene = make_scene("perspective", missing)
    views = replace(views_of(scene), columns=views_of(scene).image)
    own = scene.shape, scene.camera[:, :2]
    mirrored = own[0] * MIRROR[:, None], own[1] * MIRROR[:, None, None]
    expected = (norms(views.residual(*mirrored)) / norms(views.image)).mean()
    torch.testing.assert_close(reprojection_loss(views, *own, odds=-1e3), expected)
    filled = views.fill_hidden_points(*own, odds=-1e3)
    torch.testing.assert_close(
        filled.columns, views.fill_hidden_points(*mirrored, odds=1e3).columns
    )
    assert missing != torch.allclose(filled.columns, views.fill_hidden_points(*own).columns)


def test_there_is_no_choice_for_an_orthographic_camera_or_three_columns() -> None:
    scenes = make_scene("orthographic", missing=False), make_scene("perspective", missing=False)
    for scene in scenes:
        shape, camera = scene.shape * MIRROR[:, None], scene.camera * MIRROR[:, None, None]
        reported = views_of(scene).choose_mirror_images(shape, camera)
        assert reported[0] is shape
        assert reported[1] is camera

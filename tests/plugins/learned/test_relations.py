"""Relations that hold for every network of Deep NRSfM++, however it was trained."""

from __future__ import annotations

import copy

import numpy as np
import torch
from tests.conftest import not_none
from tests.plugins.conftest import observe
from tests.plugins.learned.conftest import Fitted

from liftbench_plugins.learned.lifting import mirror_odds


def test_permuting_points_permutes_the_result(fitted: Fitted) -> None:
    order = np.random.default_rng(3).permutation(fitted.views.shape[1])
    before = fitted.method.predict(fitted.observations)
    permuted = copy.deepcopy(fitted.method)
    with torch.no_grad():
        atoms = permuted.network.first.view(-1, 3, len(order))
        atoms.copy_(atoms[:, :, order].clone())
    mask = None if fitted.visible is None else fitted.visible[:, order]
    after = permuted.predict(observe(fitted.views[:, order], fitted.camera, mask))
    np.testing.assert_allclose(after.points_3d, before.points_3d[:, order], atol=1e-3)
    np.testing.assert_allclose(not_none(after.rotation), not_none(before.rotation), atol=1e-3)


def test_turning_the_image_turns_the_camera_and_leaves_the_shape(fitted: Fitted) -> None:
    turn = np.array([[np.cos(0.7), np.sin(0.7), 0], [-np.sin(0.7), np.cos(0.7), 0], [0, 0, 1]])
    before = fitted.method.predict(fitted.observations)
    after = fitted.method.predict(observe(fitted.views @ turn.T, fitted.camera, fitted.visible))
    np.testing.assert_allclose(
        not_none(after.canonical_3d), not_none(before.canonical_3d), atol=1e-3
    )
    np.testing.assert_allclose(
        not_none(after.rotation), turn @ not_none(before.rotation), atol=1e-3
    )
    np.testing.assert_allclose(after.points_3d, before.points_3d @ turn.T, atol=1e-3)


def test_a_frame_is_lifted_alone_as_among_others(fitted: Fitted) -> None:
    together = fitted.method.predict(fitted.observations)
    for frame in range(0, len(fitted.views), 7):
        alone = fitted.method.predict(fitted.observations.take(np.array([frame])))
        np.testing.assert_allclose(alone.points_3d[0], together.points_3d[frame], atol=1e-3)


def test_filling_changes_nothing_for_complete_frames(fitted: Fitted) -> None:
    complete = observe(fitted.views, fitted.camera)
    once = fitted.method.predict(complete).points_3d
    again = copy.deepcopy(fitted.method)
    again.network.fill_rounds += 2
    np.testing.assert_array_equal(again.predict(complete).points_3d, once)


def test_shared_odds_of_mirroring_come_from_the_frames_of_the_training(fitted: Fitted) -> None:
    """They are stored as a number, because a prediction may have a single frame."""
    views = fitted.method._on_device(fitted.observations)
    network = copy.deepcopy(fitted.method.network)
    network.odds = None
    assert fitted.method.network.odds == mirror_odds(network.lift, views)


def test_the_root_mean_square_of_the_input_is_the_input_scale(fitted: Fitted) -> None:
    views = fitted.method._on_device(fitted.observations)
    visible = views.columns.shape[0] if views.visible is None else views.visible.sum(dim=0)
    square = views.image.square().sum() / (2 * visible * torch.ones(views.frames)).sum()
    torch.testing.assert_close(square.sqrt(), torch.tensor(fitted.method.params.input_scale))

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.shapes.shape_modes import (
    LEAST_NOISE,
    Posterior,
    ShapeModes,
    Views,
    expected_shapes,
    maximise,
    posterior,
)


def model_and_views(
    frames: int = 6, points: int = 5, modes: int = 2, hidden: float = 0.2
) -> tuple[ShapeModes, Views]:
    """Return a random model and images that it did not make."""
    rng = np.random.default_rng(0)
    model = ShapeModes(
        rng.standard_normal((modes + 1, points, 3)),
        random_rotations(rng, frames)[:, :2],
        rng.standard_normal((frames, 2)),
        0.3,
    )
    visible = rng.random((frames, points)) >= hidden
    visible[:, 0] = True
    image = rng.standard_normal((frames, points, 2)) * visible[..., None]
    image -= image.sum(axis=1, keepdims=True) / visible.sum(axis=1)[:, None, None]
    return model, Views(image * visible[..., None], visible)


def test_the_posterior_is_that_of_conditioning_the_joint_normal_distribution() -> None:
    model, views = model_and_views()
    found = posterior(model, views)
    total = 0.0
    for f in range(6):
        shown = views.visible[f]
        seen = (model.basis[:, shown] @ model.camera[f].T).reshape(3, -1)
        mean = seen[0] + np.tile(model.place[f], shown.sum())
        covariance = seen[1:].T @ seen[1:] + model.noise * np.eye(len(mean))
        image = views.image[f, shown].ravel()
        gain = seen[1:] @ np.linalg.inv(covariance)
        z = gain @ (image - mean)
        np.testing.assert_allclose(found.mean[f], [1, *z])
        spread = np.eye(2) - gain @ seen[1:].T
        np.testing.assert_allclose(found.second[f, 1:, 1:], spread + np.outer(z, z))
        np.testing.assert_allclose(found.second[f, 0], [1, *z])
        total += multivariate_normal(mean, covariance).logpdf(image)
    assert found.log_likelihood == pytest.approx(total)


def test_temper_multiplies_the_noise() -> None:
    model, views = model_and_views()
    hot = posterior(model, views, 4.0)
    np.testing.assert_allclose(hot.mean, posterior(replace(model, noise=1.2), views).mean)


@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_the_likelihood_never_falls(hidden: float) -> None:
    model, views = model_and_views(frames=12, points=9, hidden=hidden)
    values = []
    for _ in range(40):
        found = posterior(model, views)
        values.append(found.log_likelihood)
        model = maximise(model, found, views)
    assert (np.diff(values) >= -1e-7 * np.abs(values[:-1])).all()
    assert values[-1] > values[0] + 10
    gram = model.camera @ model.camera.swapaxes(1, 2)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-9)


def expected_misfit(
    basis: Floats, camera: Floats, place: Floats, found: Posterior, views: Views
) -> float:
    """Return the expected squared residual of visible points, by a loop over all products."""
    total = 0.0
    for f, p in zip(*np.nonzero(views.visible), strict=True):
        seen = basis[:, p] @ camera[f].T
        target = views.image[f, p] - place[f]
        total += target @ target - 2 * target @ (found.mean[f] @ seen)
        total += np.trace(seen.T @ found.second[f] @ seen)
    return float(total)


def test_the_step_finds_the_best_basis_translation_and_noise() -> None:
    """No small change of the translation or of the noise raises the expected likelihood."""
    model, views = model_and_views(frames=9, points=6)
    found = posterior(model, views)
    new = maximise(model, found, views)
    rng = np.random.default_rng(1)
    before = expected_misfit(new.basis, model.camera, model.place, found, views)
    for _ in range(20):
        other = new.basis + 0.01 * rng.standard_normal(new.basis.shape)
        assert expected_misfit(other, model.camera, model.place, found, views) > before
    least = expected_misfit(new.basis, new.camera, new.place, found, views)
    assert least <= before
    for _ in range(20):
        place = new.place + 0.01 * rng.standard_normal(new.place.shape)
        assert expected_misfit(new.basis, new.camera, place, found, views) > least
    assert new.noise == pytest.approx(least / (2 * views.visible.sum()))


def test_the_noise_of_exact_images_stays_above_zero() -> None:
    model, _ = model_and_views(modes=0)
    image = model.basis[0] @ model.camera.swapaxes(1, 2)
    image = image - image.mean(axis=1, keepdims=True)
    views = Views(image, np.ones(image.shape[:2], dtype=np.bool_))
    model = replace(model, place=np.zeros((6, 2)))
    for _ in range(30):
        model = maximise(model, posterior(model, views), views)
    assert model.noise >= LEAST_NOISE


def test_expected_shapes_are_about_the_mean_of_the_visible_points() -> None:
    model, views = model_and_views()
    found = posterior(model, views)
    shape = expected_shapes(model, found, views)
    for f in range(6):
        whole = np.tensordot(found.mean[f], model.basis, axes=1)
        np.testing.assert_allclose(shape[f], whole - whole[views.visible[f]].mean(axis=0))

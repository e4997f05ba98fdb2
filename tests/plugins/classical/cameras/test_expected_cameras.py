from __future__ import annotations

import numpy as np

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.expected_cameras import Moments


def exact_moments() -> tuple[Moments, Floats, Floats, Floats]:
    """Return the moments of known shapes, with images, shapes and cameras."""
    rng = np.random.default_rng(0)
    camera = random_rotations(rng, 8)[:, :2]
    shape = rng.standard_normal((8, 10, 3))
    image = shape @ camera.swapaxes(1, 2)
    moments = Moments(
        np.square(image).sum(axis=(1, 2)),
        image.swapaxes(1, 2) @ shape,
        shape.swapaxes(1, 2) @ shape,
    )
    return moments, image, shape, camera


def test_the_exact_cameras_have_no_misfit_and_stay() -> None:
    moments, _, _, camera = exact_moments()
    np.testing.assert_allclose(moments.misfit(camera), 0, atol=1e-9)
    np.testing.assert_allclose(moments.nearer(camera), camera, atol=1e-9)


def test_the_misfit_of_other_cameras_is_that_of_their_images_and_falls() -> None:
    moments, image, shape, _ = exact_moments()
    other = random_rotations(np.random.default_rng(1), 8)[:, :2]
    expected = np.square(image - shape @ other.swapaxes(1, 2)).sum(axis=(1, 2))
    np.testing.assert_allclose(moments.misfit(other), expected)
    found = moments.nearer(other)
    assert (moments.misfit(found) < expected).all()
    gram = found @ found.swapaxes(1, 2)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-12)


def test_cameras_near_the_exact_ones_are_brought_to_them() -> None:
    """A hundred rounds of ten steps reach them only if the surrogate is a bound."""
    moments, _, _, camera = exact_moments()
    found = camera + 0.1 * np.random.default_rng(2).standard_normal(camera.shape)
    values = [moments.misfit(found := moments.nearer(found)) for _ in range(100)]
    assert (np.diff(values, axis=0) <= 1e-9).all()
    np.testing.assert_allclose(found, camera, atol=1e-3)

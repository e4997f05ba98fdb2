from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from liftbench_plugins.classical.shapes.kernel_basis import kernel_basis


def test_the_first_component_is_constant_and_the_others_are_at_right_angles_to_it() -> None:
    path = np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), axis=0)
    basis = kernel_basis(cdist(path, path, "sqeuclidean"), 12)
    assert basis.shape == (60, 12)
    np.testing.assert_allclose(basis[:, 0], 1 / np.sqrt(60))
    products = basis.T @ basis
    np.testing.assert_allclose(products - np.diag(np.diagonal(products)), 0, atol=1e-9)
    assert (np.diff(np.diagonal(products)[1:]) <= 1e-12).all()


@pytest.mark.parametrize("count", [5, 12])
def test_the_components_hold_99_percent_of_a_kernel_of_some_width(count: int) -> None:
    path = np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), axis=0)
    squares = cdist(path, path, "sqeuclidean")
    basis = kernel_basis(squares, count)[:, 1:]
    centre = np.eye(60) - 1 / 60
    shares = []
    for variance in squares.max() * np.logspace(-5, 3, 400):
        kernel = centre @ np.exp(-squares / (2 * variance)) @ centre
        values, vectors = np.linalg.eigh(kernel)
        spanned = np.linalg.svd(vectors[:, -count + 1 :].T @ np.linalg.qr(basis)[0])[1]
        shares.append((spanned.min(), values[-count + 1 :].sum() / values.sum()))
    nearest, held = max(shares)
    assert nearest > 0.99
    assert held == pytest.approx(0.99, abs=3e-3)


def test_equal_frames_have_only_a_constant_component() -> None:
    np.testing.assert_allclose(kernel_basis(np.zeros((9, 9)), 4), np.full((9, 1), 1 / 3))


def test_a_single_column_is_the_constant() -> None:
    squares = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(kernel_basis(squares, 1), np.full((2, 1), 1 / np.sqrt(2)))


def test_components_have_lengths_relative_to_the_first() -> None:
    path = np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), axis=0)
    basis = kernel_basis(cdist(path, path, "sqeuclidean"), 12)
    assert np.linalg.norm(basis[:, 1]) == pytest.approx(1)
    assert np.linalg.norm(basis[:, 5]) < 0.9

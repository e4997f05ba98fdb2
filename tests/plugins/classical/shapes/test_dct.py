from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.dct import dct_basis, free_ended_basis


@pytest.mark.parametrize(("frames", "count"), [(9, 9), (40, 7), (1, 1), (5, 1)])
def test_columns_are_the_orthonormal_cosines(frames: int, count: int) -> None:
    basis = dct_basis(frames, count)
    assert basis.shape == (frames, count)
    time = np.arange(frames) + 0.5
    for k in range(count):
        scale = np.sqrt((1 if k == 0 else 2) / frames)
        np.testing.assert_allclose(
            basis[:, k], scale * np.cos(np.pi * k * time / frames), atol=1e-12
        )
    np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-12)


@pytest.mark.parametrize("make", [dct_basis, free_ended_basis])
@pytest.mark.parametrize("count", [0, 6])
def test_too_many_cosines_are_refused(make: Callable[[int, int], Floats], count: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 to 5 cosines over 5 frames, got {count}"):
        make(5, count)


@pytest.mark.parametrize("make", [dct_basis, free_ended_basis])
def test_few_trajectories_are_the_first_of_many(make: Callable[[int, int], Floats]) -> None:
    basis = make(50, 9)
    np.testing.assert_allclose(basis.T @ basis, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.diag(basis[:, :5].T @ make(50, 5))), 1)


def test_free_ends_hold_any_parabola_and_need_fewer_for_a_wave_with_a_phase() -> None:
    time = np.linspace(0, 1, 80)
    for wave, count in ((3 * time**2 - time, 3), (np.sin(2 * np.pi * time + 1), 9)):
        rest = [
            np.linalg.norm(wave - basis @ (basis.T @ wave)) / np.linalg.norm(wave)
            for basis in (free_ended_basis(80, count), dct_basis(80, count))
        ]
        assert rest[0] < 0.05 * rest[1]


def test_columns_after_the_parabola_hold_the_cosines() -> None:
    basis, cosines = free_ended_basis(80, 9), dct_basis(80, 7)
    np.testing.assert_allclose(basis @ (basis.T @ cosines), cosines, atol=1e-9)

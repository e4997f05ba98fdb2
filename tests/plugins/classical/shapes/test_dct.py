import numpy as np
import pytest

from liftbench_plugins.classical.shapes.dct import dct_basis


@pytest.mark.parametrize(("frames", "count"), [(9, 9), (40, 7), (1, 1), (5, 1)])
def test_columns_are_the_orthonormal_cosines(frames, count):
    basis = dct_basis(frames, count)
    time = np.arange(frames) + 0.5
    for k in range(count):
        scale = np.sqrt((1 if k == 0 else 2) / frames)
        np.testing.assert_allclose(
            basis[:, k], scale * np.cos(np.pi * k * time / frames), atol=1e-12
        )
    np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-12)


@pytest.mark.parametrize("count", [0, 6])
def test_too_many_cosines_are_refused(count):
    with pytest.raises(ValueError, match=f"expected 1 to 5 cosines over 5 frames, got {count}"):
        dct_basis(5, count)

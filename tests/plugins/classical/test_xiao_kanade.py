from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, random_scene
from tests.plugins.classical.conftest import Solve

from liftbench_plugins.classical.cameras.prior_free import camera_factor
from liftbench_plugins.classical.tracks import matrix_of
from liftbench_plugins.classical.xiao_kanade import (
    XIAO_KANADE,
    basis_block,
    basis_blocks,
    independent_frames,
)

ROWS = matrix_of(random_scene(2, 40, 20).image)


def test_independent_frames_span_more_than_others() -> None:
    cameras = camera_factor(ROWS, 2)[0]
    chosen = independent_frames(cameras, 2)
    assert len(set(chosen.tolist())) == 2

    def area(frames: Iterable[int]) -> float:
        rows = cameras[list(frames)].reshape(4, 6)
        return float(np.linalg.det(rows @ rows.T))

    areas = [area(pair) for pair in combinations(range(40), 2)]
    assert area(chosen.tolist()) >= np.quantile(areas, 0.95)


@pytest.mark.parametrize("own", [0, 1])
def test_a_basis_block_is_a_camera_in_each_frame_and_zero_in_the_others_of_the_basis(
    own: int,
) -> None:
    cameras = camera_factor(ROWS, 2)[0]
    basis = independent_frames(cameras, 2)
    block = basis_block(cameras, np.delete(basis, own), int(basis[own]))
    gram = block @ block.swapaxes(1, 2)
    np.testing.assert_allclose(gram[:, 0, 0], gram[:, 1, 1], atol=1e-7)
    np.testing.assert_allclose(gram[:, 0, 1], 0, atol=1e-7)
    np.testing.assert_allclose(gram[basis[own]], np.eye(2), atol=1e-7)
    np.testing.assert_allclose(block[np.delete(basis, own)], 0, atol=1e-7)


def test_the_first_independent_frame_has_the_largest_area_of_all() -> None:
    cameras = camera_factor(ROWS, 2)[0]
    areas = np.linalg.det(cameras @ cameras.swapaxes(1, 2))
    assert independent_frames(cameras, 1).tolist() == [int(areas.argmax())]


def test_there_is_one_block_per_frame_of_the_basis() -> None:
    blocks = basis_blocks(ROWS, 2)
    assert blocks.shape == (2, 40, 2, 3)
    lengths = np.linalg.norm(blocks, axis=(2, 3))
    assert [int((row < 1e-6).sum()) for row in lengths] == [1, 1]


def test_constraints_that_leave_no_camera_are_refused() -> None:
    rank_one = np.ones((9, 2, 6)) * np.arange(1, 10)[:, None, None]
    with pytest.raises(ValueError, match="frame 3 and 1 others determine no basis shape; lower K"):
        basis_block(rank_one, np.array([5]), 3)


def test_noise_lowers_k_to_one_that_gives_cameras(solve: Solve) -> None:
    scene = moving_scene(1, 60, 20, noise=0.02)
    assert scene.error(solve(XIAO_KANADE, scene.observations).points_3d) < 0.1


def test_at_most_three_basis_shapes_are_found_unless_k_is_given(solve: Solve) -> None:
    scene = moving_scene(5, 80, 20)
    for shapes, most in ((None, 3), (4, 4)):
        found = solve(XIAO_KANADE, scene.observations, shapes=shapes).canonical_3d
        assert found is not None
        values = np.linalg.svd(found.reshape(80, -1), compute_uv=False)
        assert (values > 1e-9 * values[0]).sum() <= most

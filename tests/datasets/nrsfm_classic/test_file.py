"""The reader of the classical sequences, in each of their three forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.nrsfm_classic.conftest import (
    FRAMES,
    Content,
    akhter,
    body,
    cameras,
    load,
    rows,
    stacked,
    torresani,
    write,
)

from liftbench.cameras import subtract_mean
from liftbench.errors import UserError
from liftbench_datasets.nrsfm_classic import file as classic_file
from liftbench_datasets.nrsfm_classic.adapter import NrsfmClassic


def test_truth_is_the_shape_before_its_cameras(tmp_path: Path) -> None:
    content = akhter()
    write(tmp_path, content)
    data = load(tmp_path)
    seen, truth = data.observations, truth_of(data)
    np.testing.assert_array_equal(rows(seen.points_2d), content["W"])
    np.testing.assert_array_equal(truth.points_3d[..., :2], seen.points_2d)
    np.testing.assert_allclose(not_none(truth.rotation), cameras())
    for frame in range(FRAMES):
        back = subtract_mean(truth.points_3d)[frame] @ not_none(truth.rotation)[frame]
        np.testing.assert_allclose(back, subtract_mean(body())[frame], atol=1e-9)
    assert (seen.camera, set(seen.sequence.tolist())) == ("orthographic", {1})
    assert seen.skeleton.edges == ((0, 1), (4, 2))
    assert set(truth.group.tolist()) == {"drink"}


def test_cameras_that_a_file_lacks_are_found_but_are_not_truth(tmp_path: Path) -> None:
    """Published numbers of such files compare what the camera sees (BMM's code, of dance)."""
    write(tmp_path, akhter())
    expected = truth_of(load(tmp_path))
    write(tmp_path, akhter(Rs=None, list=None), "dance")
    data = load(tmp_path, "dance")
    assert truth_of(data).rotation is None
    assert data.observations.skeleton.edges == ()
    np.testing.assert_allclose(truth_of(data).points_3d, expected.points_3d)


@pytest.mark.parametrize("content", [torresani, stacked])
@pytest.mark.parametrize("options", [{}, {"format": "4"}])
def test_the_camera_of_the_other_forms_sees_x_and_y(
    tmp_path: Path, content: Callable[[], Content], options: Content
) -> None:
    if content is stacked and options:
        pytest.skip("level 4 has no arrays of three axes")
    write(tmp_path, content(), **options)
    data = load(tmp_path)
    assert truth_of(data).rotation is None
    np.testing.assert_array_equal(truth_of(data).points_3d, body())
    np.testing.assert_array_equal(data.observations.points_2d, body()[..., :2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (akhter(W=None), "it holds S but no W"),
        (akhter(S=None, Shat=None), "it holds K, Rs, W, list"),
        ({"x": 1.0}, "it holds x"),
        (akhter(W=akhter()["W"] * 1.01), "W is not the projection of S: they differ by"),
        (akhter(W=akhter()["W"] * 1.01, Rs=None), "W is not the projection of S: they differ by"),
        (akhter(W=akhter()["W"][:-2]), "W: expected numbers of shape (12, 5), got shape (10, 5)"),
        (akhter(S=akhter()["S"][:-1]), "S: expected 3 rows a frame, got 17 rows"),
        (akhter(S=akhter()["S"] * np.nan), "S: expected finite numbers"),
        (akhter(S=akhter()["S"] * 1e300), "S: expected finite numbers up to 1e+12"),
        (akhter(Rs=akhter()["Rs"] * 2), "Rs: expected two rows of a rotation a frame"),
        (akhter(Rs=akhter()["Rs"][:-1]), "Rs: expected numbers of shape (12, 3)"),
        (akhter(list=np.array([[0, 1]])), "list: expected pairs of 1 to 5"),
        (akhter(list=np.array([[1, 6]])), "list: expected pairs of 1 to 5"),
        (akhter(list=np.ones((4, 3))), "list: expected numbers of shape (any, 2)"),
        ({"P3_gt": np.ones((7, 4))}, "P3_gt: expected 3 rows a frame, got 7 rows"),
        ({"P3_gt": "text"}, "P3_gt: expected numbers"),
        ({"X": np.ones((2, 4, 5))}, "X: expected numbers of shape (3, any, any)"),
    ],
)
def test_files_of_another_form_are_reported(tmp_path: Path, content: Content, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{path}: expected a sequence with W and S, or P3_gt, or X")
    assert "\n" not in str(caught.value)
    (found,) = NrsfmClassic().check(tmp_path)
    assert not found.ok


def test_a_matrix_without_rows_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of version 7.3 keep two axes where older ones come back with one."""
    path = write(tmp_path, akhter())
    monkeypatch.setattr(classic_file, "read_mat", lambda _: akhter(S=np.zeros((0, 5))))
    with pytest.raises(UserError, match="S: expected numbers, got none"):
        classic_file.read_sequence(path)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.sampled_from([akhter, torresani, stacked]), st.booleans())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    content: Callable[[], Content],
    compressed: bool,
) -> None:
    root = tmp_path_factory.mktemp("classic")
    path = write(root, content(), do_compression=compressed)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    try:
        load(root)
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: .+", message)


@pytest.mark.parametrize("name", ["walking", "face_mocap", "dance", "drink"])
def test_real_bodies_move_little_from_frame_to_frame(shared_data: Path, name: str) -> None:
    """Rows in a wrong order would make them jump."""
    if name not in NrsfmClassic().subsets(shared_data):
        pytest.skip(f"no {name} in {shared_data}")
    truth = truth_of(load(shared_data, name))
    points = subtract_mean(truth.points_3d)
    if truth.rotation is not None:
        points = points @ truth.rotation
    assert np.abs(np.diff(points, axis=0)).mean() < 0.05 * points.std()

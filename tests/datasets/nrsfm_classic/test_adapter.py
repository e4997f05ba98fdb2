"""The classical sequences in files that the test writes, and in the real ones where they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from liftbench.cameras import centred, random_rotations
from liftbench.errors import DataMissingError, UserError
from liftbench.types import Dataset, Floats
from liftbench_datasets.nrsfm_classic import adapter as nrsfm_classic
from liftbench_datasets.nrsfm_classic import file as classic_file
from liftbench_datasets.nrsfm_classic.adapter import COUNTS, NrsfmClassic

FRAMES, POINTS = 6, 5
Content = dict[str, Any]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def body() -> Floats:
    return rng().uniform(-40, 40, (FRAMES, POINTS, 3)) + 7


def cameras() -> Floats:
    return random_rotations(rng(), FRAMES)


def rows(frames: Floats) -> Floats:
    """Return a matrix of one row a coordinate, frame by frame."""
    return np.concatenate([frame.T for frame in frames])


def akhter(**changes: Any) -> Content:
    """Return what such a file holds: W is of the centred shape, beside a place of its own."""
    views = centred(body()) @ cameras().swapaxes(1, 2) + np.array([3.0, 4.0, 0.0])
    content = {
        "W": rows(views[..., :2]),
        "S": rows(body()),
        "Rs": cameras()[:, :2].reshape(-1, 3),
        "Shat": rows(body()),
        "list": np.array([[1, 2], [5, 3]], dtype=np.uint8),
        "K": 13.0,
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


def torresani() -> Content:
    return {"P3_gt": np.concatenate([body()[..., i] for i in range(3)])}


def stacked() -> Content:
    return {"X": body().transpose(2, 1, 0)}


def write(root: Path, content: Content, name: str = "drink", **options: Any) -> Path:
    path = root / "nrsfm_classic" / f"{name}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content, **options)
    return path


def load(root: Path, name: str = "drink") -> Dataset:
    return NrsfmClassic().load(root, name, "all")


def test_truth_is_the_shape_before_its_cameras(tmp_path: Path) -> None:
    content = akhter()
    write(tmp_path, content)
    data = load(tmp_path)
    seen, truth = data.observations, data.truth
    assert truth is not None
    assert truth.rotation is not None
    np.testing.assert_array_equal(rows(seen.points_2d), content["W"])
    np.testing.assert_array_equal(truth.points_3d[..., :2], seen.points_2d)
    np.testing.assert_allclose(truth.rotation, cameras())
    for frame in range(FRAMES):
        back = centred(truth.points_3d)[frame] @ truth.rotation[frame]
        np.testing.assert_allclose(back, centred(body())[frame], atol=1e-9)
    assert (seen.camera, set(seen.sequence.tolist())) == ("orthographic", {1})
    assert seen.skeleton.edges == ((0, 1), (4, 2))
    assert set(truth.group.tolist()) == {"drink"}


def test_cameras_that_a_file_lacks_are_found_but_are_not_truth(tmp_path: Path) -> None:
    """Published numbers of such files compare what the camera sees (BMM's code, of dance)."""
    write(tmp_path, akhter())
    expected = load(tmp_path).truth
    write(tmp_path, akhter(Rs=None, list=None), "dance")
    data = load(tmp_path, "dance")
    assert data.truth is not None
    assert expected is not None
    assert data.truth.rotation is None
    assert data.observations.skeleton.edges == ()
    np.testing.assert_allclose(data.truth.points_3d, expected.points_3d)


@pytest.mark.parametrize("content", [torresani, stacked])
@pytest.mark.parametrize("options", [{}, {"format": "4"}])
def test_the_camera_of_the_other_forms_sees_x_and_y(
    tmp_path: Path, content: Callable[[], Content], options: Content
) -> None:
    if content is stacked and options:
        pytest.skip("level 4 has no arrays of three axes")
    write(tmp_path, content(), **options)
    data = load(tmp_path)
    assert data.truth is not None
    assert data.truth.rotation is None
    np.testing.assert_array_equal(data.truth.points_3d, body())
    np.testing.assert_array_equal(data.observations.points_2d, body()[..., :2])


@pytest.mark.parametrize(
    ("content", "told"),
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
def test_files_of_another_form_are_told(tmp_path: Path, content: Content, told: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UserError, match=re.escape(told)) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{path}: expected a sequence with W and S, or P3_gt, or X")
    assert "\n" not in str(caught.value)
    (found,) = NrsfmClassic().check(tmp_path)
    assert not found.ok


def test_a_matrix_without_rows_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        told = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: .+", told)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("nrsfm_classic/jaws.mat", "shark"),
        ("nrsfm_classic/shark.mat", "shark"),
        ("nrsfm_classic/face_mocap_rearranged.mat", "face_mocap"),
        ("nrsfm_classic/my_own.mat", "my_own"),
        ("yoga.mat", "yoga"),
    ],
)
def test_places_and_names(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    savemat(tmp_path / file, stacked())
    assert NrsfmClassic().subsets(tmp_path) == (name,)
    assert load(tmp_path, name).observations.frames == FRAMES


def test_other_files_at_the_root_are_left_alone(tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", stacked())
    assert NrsfmClassic().subsets(tmp_path) == ()


def test_subsets_of_the_tables_come_first(tmp_path: Path) -> None:
    for name in ("jaws", "abc", "pickup", "drink"):
        write(tmp_path, stacked(), name)
    assert NrsfmClassic().subsets(tmp_path) == ("drink", "pickup", "shark", "abc")


def test_other_counts_are_told(tmp_path: Path) -> None:
    write(tmp_path, stacked(), "yoga")
    write(tmp_path, stacked(), "my_own")
    note = "6 frames of 5 points, not 307 of 41"
    assert NrsfmClassic().note(tmp_path, "yoga") == note
    assert NrsfmClassic().note(tmp_path, "my_own") == ""
    yoga, own = NrsfmClassic().check(tmp_path)
    assert (yoga.item, yoga.ok, yoga.detail) == ("yoga", False, note)
    assert (own.item, own.ok) == ("my_own", True)
    assert own.detail == "6 frames of 5 points, a camera that stands still"


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
@pytest.mark.parametrize("name", ["drink", "../drink", "no such"])
def test_an_absent_sequence_is_told(tmp_path: Path, call: str, name: str) -> None:
    write(tmp_path, stacked(), "dance")
    args = (tmp_path, name, "all") if call == "load" else (tmp_path, name)
    with pytest.raises(DataMissingError, match="see 'liftbench data info nrsfm_classic'") as caught:
        getattr(NrsfmClassic(), call)(*args)
    assert str(tmp_path / "nrsfm_classic" / "drink.mat") in str(caught.value) or name == "no such"


def test_an_unknown_split_is_told(tmp_path: Path) -> None:
    write(tmp_path, stacked())
    with pytest.raises(UserError, match="unknown split 'train'"):
        NrsfmClassic().load(tmp_path, "drink", "train")


def test_the_checksum_sees_a_change_and_a_second_load_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, stacked())
    before = NrsfmClassic().checksum(tmp_path, "drink")
    first = load(tmp_path)
    monkeypatch.setattr(nrsfm_classic, "read_sequence", None)
    np.testing.assert_array_equal(
        load(tmp_path).observations.points_2d, first.observations.points_2d
    )
    write(tmp_path, torresani())
    assert NrsfmClassic().checksum(tmp_path, "drink") != before


# --- the real files ------------------------------------------------------------------------------


def test_real_files_are_those_of_the_papers(shared_data: Path) -> None:
    adapter = NrsfmClassic()
    if not (names := adapter.subsets(shared_data)):
        pytest.skip(f"no sequences in {shared_data}")
    for found in adapter.check(shared_data):
        assert found.ok, f"{found.item}: {found.detail}"
    for name in names:
        data = adapter.load(shared_data, name, "all")
        assert data.observations.visible.shape == COUNTS.get(name, (80, 40))
        assert data.truth is not None
        assert (data.truth.rotation is not None) == (name in ("drink", "pickup"))


@pytest.mark.parametrize("name", ["walking", "face_mocap", "dance", "drink"])
def test_real_bodies_move_little_from_frame_to_frame(shared_data: Path, name: str) -> None:
    """Rows in a wrong order would make them jump."""
    if name not in NrsfmClassic().subsets(shared_data):
        pytest.skip(f"no {name} in {shared_data}")
    truth = load(shared_data, name).truth
    assert truth is not None
    points = centred(truth.points_3d)
    if truth.rotation is not None:
        points = points @ truth.rotation
    assert np.abs(np.diff(points, axis=0)).mean() < 0.05 * points.std()

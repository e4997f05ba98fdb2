"""SMPL: poses against a loop over vertices, files in the form of the release, and damaged ones."""

from __future__ import annotations

import os
import pickle
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.spatial.transform import Rotation

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.up3d.smpl import Smpl, pose_vertices
from liftbench_datasets.up3d.smpl_file import read_smpl

VERTICES, JOINTS, SHAPES = 90, 24, 10
_PARENTS = (0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

Arrays = dict[str, Any]


def model_arrays() -> Arrays:
    """Return the arrays of a model under the names of the release."""
    rng = np.random.default_rng(0)
    parents = np.array(_PARENTS, dtype=np.uint32)
    parents[0] = 2**32 - 1
    regressor = rng.dirichlet(np.ones(5), JOINTS)
    full = np.zeros((JOINTS, VERTICES))
    for row, joint in enumerate(regressor):
        full[row, rng.permutation(VERTICES)[:5]] = joint
    return {
        "v_template": rng.standard_normal((VERTICES, 3)),
        "shapedirs": 0.1 * rng.standard_normal((VERTICES, 3, SHAPES)),
        "posedirs": 0.1 * rng.standard_normal((VERTICES, 3, 9 * (JOINTS - 1))),
        "J_regressor": full,
        "weights": rng.dirichlet(np.ones(JOINTS), VERTICES),
        "kintree_table": np.stack([parents, np.arange(JOINTS, dtype=np.uint32)]),
        "f": np.array([rng.permutation(VERTICES)[:3] for _ in range(60)], dtype=np.uint32),
    }


class Ch:
    """Is pickled as chumpy's class of this name."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


class Select(Ch):
    """Is pickled as chumpy's class of this name."""


def write_release(path: Path, protocol: int = 2, **changed: Any) -> Path:
    """Write a pickle with arrays of chumpy and scipy, as the release has them."""
    arrays: dict[str, Any] = model_arrays()
    more = np.concatenate([arrays["shapedirs"], np.ones((VERTICES, 3, 2))], axis=2)
    first = np.arange(more.size).reshape(more.shape)[..., :SHAPES].ravel()
    shape = arrays["shapedirs"].shape
    arrays |= {
        "shapedirs": Select(a=Ch(x=more), idxs=first, preferred_shape=shape),
        "weights": Ch(x=arrays["weights"]),
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "bs_type": "lrotmin",
    }
    modules = {name: ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    for kind, module in ((Ch, "chumpy.ch"), (Select, "chumpy.reordering")):
        kind.__module__ = module
        setattr(modules[module], kind.__name__, kind)
    with mock.patch.dict(sys.modules, modules):
        path.write_bytes(pickle.dumps(arrays | changed, protocol=protocol))
    return path


def same(model: Smpl) -> None:
    arrays = model_arrays()
    for field, name in (
        ("template", "v_template"),
        ("shape_directions", "shapedirs"),
        ("pose_directions", "posedirs"),
        ("joint_regressor", "J_regressor"),
        ("weights", "weights"),
        ("faces", "f"),
    ):
        np.testing.assert_allclose(getattr(model, field), arrays[name], err_msg=name)
    assert model.parent == (-1, *_PARENTS[1:])


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_release_is_read_without_its_libraries(tmp_path: Path, protocol: int) -> None:
    same(read_smpl(write_release(tmp_path / "model.pkl", protocol)))
    assert "chumpy" not in sys.modules


def test_the_release_of_python_2_is_read(tmp_path: Path) -> None:
    """Python 2 makes objects by copy_reg, and numpy and scipy had other modules."""
    path = write_release(tmp_path / "model.pkl", protocol=0)
    content = path.read_bytes()
    for new, old in (
        (b"ccopyreg\n", b"ccopy_reg\n"),
        (b"c__builtin__\nobject", b"c__builtin__\nobject"),
        (b"scipy.sparse._csc\n", b"scipy.sparse.csc\n"),
        (b"numpy._core.multiarray\n", b"numpy.core.multiarray\n"),
    ):
        content = content.replace(new, old)
    assert b"copy_reg" in content
    path.write_bytes(content)
    same(read_smpl(path))


def test_a_users_arrays_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "smpl.npz", **model_arrays(), extra=1)
    same(read_smpl(tmp_path / "smpl.npz"))


def vertices_by_loop(model: Smpl, pose: Any, shape: Any) -> NDArray[Any]:
    """Return one body's vertices, one at a time with 4 x 4 transforms of the joints."""
    turns = [Rotation.from_rotvec(vector).as_matrix() for vector in pose.reshape(-1, 3)]
    vertices = model.template.copy()
    for direction, amount in zip(np.moveaxis(model.shape_directions, 2, 0), shape, strict=True):
        vertices += amount * direction
    joints = model.joint_regressor @ vertices
    entries = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    vertices = vertices + model.pose_directions @ entries
    motions: list[NDArray[Any]] = []
    for joint, parent in enumerate(model.parent):
        motion = np.eye(4)
        motion[:3, :3] = turns[joint]
        motion[:3, 3] = joints[joint] - (joints[parent] if joint else 0)
        motions.append(motions[parent] @ motion if joint else motion)
    result: NDArray[Any] = np.empty_like(vertices)
    for v, vertex in enumerate(vertices):
        blend = sum(
            w * motion @ [*(vertex - joint), 1]
            for w, motion, joint in zip(model.weights[v], motions, joints, strict=True)
        )
        result[v] = blend[:3]
    return result


def test_bodies_are_those_of_a_loop(tmp_path: Path) -> None:
    np.savez(tmp_path / "smpl.npz", **model_arrays())
    model = read_smpl(tmp_path / "smpl.npz")
    rng = np.random.default_rng(1)
    pose, shape = rng.standard_normal((3, 3 * JOINTS)), rng.standard_normal((3, SHAPES))
    expected = [vertices_by_loop(model, p, s) for p, s in zip(pose, shape, strict=True)]
    np.testing.assert_allclose(pose_vertices(model, pose, shape), expected, atol=1e-10)


def test_at_rest_a_body_is_its_template(tmp_path: Path) -> None:
    np.savez(tmp_path / "smpl.npz", **model_arrays())
    model = read_smpl(tmp_path / "smpl.npz")
    rest = pose_vertices(model, np.zeros((1, 3 * JOINTS)), np.zeros((1, SHAPES)))
    np.testing.assert_allclose(rest[0], model.template, atol=1e-12)


class Touch:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def sparse(**state: Any) -> Any:
    """Return a matrix whose pickled state is changed."""
    matrix = csc_matrix(model_arrays()["J_regressor"])
    matrix.__dict__.update(state)
    return matrix


BAD: list[tuple[dict[str, Any], str]] = [
    ({"weights": np.zeros((VERTICES, 1))}, "weights: expected those of at least 2 joints"),
    ({"weights": np.zeros((9, 24))}, r"weights: .* shape \(90, any\), got shape \(9, 24\)"),
    ({"weights": None}, "weights: expected numbers"),
    ({"posedirs": np.zeros((VERTICES, 3, 9))}, "posedirs: .* shape"),
    ({"v_template": np.full((VERTICES, 3), np.nan)}, "v_template: expected finite numbers"),
    ({"kintree_table": np.zeros((2, 24), int)}, "kintree_table: expected parents before"),
    ({"kintree_table": np.full((2, 24), 40)}, "kintree_table: expected parents before"),
    ({"f": np.full((4, 3), VERTICES)}, "f: expected indices of vertices from 0 to 89"),
    ({"f": np.full((4, 3), -1)}, "f: expected indices of vertices from 0 to 89"),
    ({"J_regressor": sparse(_shape=(10**6, 10**6))}, "a matrix of 1000000 x 1000000"),
    ({"J_regressor": sparse(_shape=(-1, -1))}, "negative dimensions"),
    ({"J_regressor": sparse(indptr=np.full(VERTICES + 1, 2**40))}, "damaged sparse matrix"),
    ({"J_regressor": sparse(indptr=np.arange(VERTICES + 1) << 40)}, "damaged sparse matrix"),
    ({"J_regressor": sparse(indptr=[-(1 << 40)] + [5 * JOINTS] * VERTICES)}, "damaged sparse"),
    ({"J_regressor": sparse(indices=np.full(5 * JOINTS, 99))}, "index 99 is out of bounds"),
    ({"J_regressor": sparse(_shape=(JOINTS,))}, "not enough values"),
]


@pytest.mark.parametrize(("changed", "message"), BAD, ids=[message for _, message in BAD])
def test_damage_is_an_error(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = write_release(tmp_path / "model.pkl", **changed)
    with pytest.raises(UserError, match=message) as caught:
        read_smpl(path)
    assert str(caught.value).startswith(f"{path}: expected an SMPL model: ")
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"model\.pkl: not found"):
        read_smpl(tmp_path / "model.pkl")
    arrays = model_arrays()
    del arrays["posedirs"]
    np.savez(tmp_path / "smpl.npz", **arrays)
    with pytest.raises(UserError, match="no array 'posedirs'"):
        read_smpl(tmp_path / "smpl.npz")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(UserError, match="it holds no arrays by name"):
        read_smpl(tmp_path / "list.pkl")


@pytest.mark.parametrize(
    "content",
    [
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nset\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n(S'x'\nc__builtin__\nobject\nNtR.",
        b"cchumpy.ch\nexec\n(S'1'\ntR.",
        b"c__builtin__\nobject\n(tR(I1\ntb.",
    ],
)
def test_code_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(UserError, match="expected an SMPL model: it "):
        read_smpl(tmp_path / "model.pkl")


def test_code_is_not_run(tmp_path: Path) -> None:
    path = write_release(tmp_path / "model.pkl", extra=Touch(tmp_path / "made"))
    with pytest.raises(UserError, match="not allowed"):
        read_smpl(path)
    assert not (tmp_path / "made").exists()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write_release(tmp_path_factory.mktemp("damaged") / "model.pkl")
    content = bytearray(path.read_bytes())
    places = [*range(200), *range(len(content) - 3000, len(content))]
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.sampled_from(places))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([None, len(content) // 2]))])
    try:
        read_smpl(path)
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: expected an SMPL model: .+", message)

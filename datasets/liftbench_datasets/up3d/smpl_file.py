"""Reader of SMPL model files: the `.pkl` of the release, or a user's `.npz` of the same arrays."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import finite_field, integer_field
from liftbench_datasets.reading.array_pickle import read_object_npz, read_pickle
from liftbench_datasets.reading.one_line_errors import one_line_errors
from liftbench_datasets.up3d.smpl import Smpl

_EXPECTED = "an SMPL model"
_NO_PARENT = (-1, 2**32 - 1)  # the release stores -1 as an unsigned integer
_GREATEST = 1 << 26  # numbers in an array; the largest array of the release has 4 million


def read_smpl(path: Path) -> Smpl:
    """Return the body model in a file, whose arrays have the names of the release.

    They are v_template, shapedirs, posedirs, J_regressor, weights, kintree_table and f.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is damaged, lacks an array or has one that does not fit the others.
    """
    with one_line_errors(path, _EXPECTED):
        if path.suffix == ".npz":
            return _model(read_object_npz(path, _EXPECTED))
        return _model(read_pickle(path, _EXPECTED, _STAND_INS))


def _model(content: Any) -> Smpl:  # noqa: ANN401 whatever the file holds
    if not isinstance(content, dict):
        raise TypeError("it holds no arrays by name")
    template = _array(content, "v_template", (None, 3))
    weights = _array(content, "weights", (len(template), None))
    count, joints = weights.shape
    if joints < 2:
        raise ValueError("weights: expected those of at least 2 joints")
    return Smpl(
        template=template,
        shape_directions=_array(content, "shapedirs", (count, 3, None)),
        pose_directions=_array(content, "posedirs", (count, 3, 9 * (joints - 1))),
        joint_regressor=_array(content, "J_regressor", (joints, count)),
        weights=weights,
        parent=_parents(content, joints),
        faces=_faces(content, count),
    )


def _array(content: dict[str, Any], name: str, shape: tuple[int | None, ...]) -> Floats:
    if name not in content:
        raise KeyError(f"no array '{name}'")
    value = content[name]
    return finite_field(value.array() if isinstance(value, _Held) else value, name, shape)


def _parents(content: dict[str, Any], joints: int) -> tuple[int, ...]:
    if "kintree_table" not in content:
        raise KeyError("no array 'kintree_table'")
    above = integer_field(content["kintree_table"], "kintree_table", (2, joints))[0]
    root, *others = above.tolist()
    if root not in _NO_PARENT or not all(0 <= p < j for j, p in enumerate(others, start=1)):
        raise ValueError("kintree_table: expected parents before their children")
    return (-1, *others)


def _faces(content: dict[str, Any], count: int) -> NDArray[np.int64]:
    faces = _array(content, "f", (None, 3)).astype(np.int64)
    if (faces < 0).any() or (faces >= count).any():
        raise ValueError(f"f: expected indices of vertices from 0 to {count - 1}")
    return faces


# --- stand-ins for classes of chumpy and scipy, which are not loaded -----------------------


class _Held:
    """The state of a pickled object whose class is not loaded."""

    state: dict[str, Any]

    def __init__(self, *_: object) -> None:
        self.state = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("it holds an object with a strange state")
        self.state = state

    def array(self) -> NDArray[Any]:
        """Return the array that the object represents."""
        raise ValueError("it holds an object that is not an array")


class _Ch(_Held):
    """Stand-in for `chumpy.ch.Ch`, an array with derivatives."""

    def array(self) -> NDArray[Any]:
        return np.asarray(self.state["x"])


class _Select(_Held):
    """Stand-in for `chumpy.reordering.Select`, which reshapes selected entries of an array."""

    def array(self) -> NDArray[Any]:
        source = self.state["a"]
        entries = source.array() if isinstance(source, _Ch) else np.asarray(source)
        chosen: NDArray[Any] = entries.ravel()[np.asarray(self.state["idxs"])]
        return chosen.reshape(self.state["preferred_shape"])


class _Csc(_Held):
    """Stand-in for `scipy.sparse.csc_matrix`."""

    def array(self) -> NDArray[Any]:
        rows, columns = (int(n) for n in self.state.get("_shape", self.state.get("shape", ())))
        if not 0 <= rows * columns <= _GREATEST:
            raise ValueError(f"it holds a matrix of {rows} x {columns}")
        dense = np.zeros((rows, columns))
        ends = np.asarray(self.state["indptr"])
        if ends.shape != (columns + 1,) or ends[0] != 0 or (np.diff(ends) < 0).any():
            raise ValueError("it holds a damaged sparse matrix")
        data = np.asarray(self.state["data"])
        if ends[-1] != len(data):
            raise ValueError("it holds a damaged sparse matrix")
        column = np.repeat(np.arange(columns), np.diff(ends))
        np.add.at(dense, (np.asarray(self.state["indices"]), column), data)
        return dense


def _make_object(kind: object, *_: object) -> _Held:
    """Stand in for `copy_reg._reconstructor`, with which the oldest protocols make objects."""
    if not (isinstance(kind, type) and issubclass(kind, _Held)):
        raise pickle.UnpicklingError("it wants to make an object of a kind that is not allowed")
    return kind()


_STAND_INS = {
    ("chumpy.ch", "Ch"): _Ch,
    ("chumpy.reordering", "Select"): _Select,
    ("scipy.sparse.csc", "csc_matrix"): _Csc,
    ("scipy.sparse._csc", "csc_matrix"): _Csc,
    ("copy_reg", "_reconstructor"): _make_object,
    ("__builtin__", "object"): _Held,
    ("__builtin__", "set"): set,
}

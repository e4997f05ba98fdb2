"""The readers of car models."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.apollocar3d.conftest import BOX, FACES, write_model

from liftbench.errors import UserError
from liftbench_datasets.apollocar3d.models import NAMES, model_files, read_model


def test_a_pickled_model_is_the_same_mesh(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    content = {"vertices": BOX.astype(np.float32), "faces": np.array(FACES, dtype=np.int32)}
    path.write_bytes(pickle.dumps(content, protocol=2))
    model, written = read_model(path), read_model(write_model(tmp_path, 2, BOX))
    np.testing.assert_allclose(model.vertices, written.vertices, rtol=1e-6)
    np.testing.assert_array_equal(model.faces, written.faces)
    assert (model.faces.min(), model.faces.max()) == (0, 7)


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("/tmp/liftbench_ran_code"),))  # noqa: S108


def test_a_pickled_model_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"vertices": Code(), "faces": FACES}))
    with pytest.raises(UserError, match="not allowed"):
        read_model(path)
    assert not Path("/tmp/liftbench_ran_code").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertices": [[1, 2]]}, "vertices: expected numbers of shape (any, 3), got shape (1, 2)"),
        ({"vertices": [["1", "2", "3"]]}, "vertices: expected numbers of shape (any, 3), got text"),
        ({"vertices": [[1, 2, float("nan")]]}, "vertices: expected finite numbers"),
        ({"vertices": [[1, 2, 1e200]]}, "vertices: expected finite numbers up to 1e+12"),
        ({"vertices": [[1, 2, -(2**63)]]}, "vertices: expected finite numbers up to 1e+12"),
        ({"vertices": []}, "vertices: expected numbers of shape (any, 3), got shape (0)"),
        ({"vertices": (BOX * [1, 0, 1]).tolist()}, "'vertices' lie in a plane"),
        ({"faces": [[0, 1, 2]]}, "'faces' are not all within 1..8"),
        ({"faces": [[1, 2, 9]]}, "'faces' are not all within 1..8"),
        ({"faces": [[1.5, 2, 3]]}, "'faces' are not integers"),
        ({"faces": [[1, 2]]}, "faces: expected numbers of shape (any, 3), got shape (1, 2)"),
        ({"faces": [[1, 2, 10**40]]}, "faces: expected finite numbers up to 1e+12"),
    ],
)
def test_damaged_models_are_reported(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_model(tmp_path, 2, BOX)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError) as caught:
        read_model(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_car_ids_are_the_numbers_of_the_release() -> None:
    numbers = {0: "baojun-310-2017", 1: "biaozhi-3008", 16: "037-CAR02", 46: "019-SUV"}
    assert {i: NAMES[i] for i in numbers} == numbers
    assert (len(NAMES), len(set(NAMES)), NAMES[78]) == (79, 79, "dongfeng-fengxing-SX6")


def test_models_are_found_in_both_folders_and_json_comes_first(tmp_path: Path) -> None:
    (tmp_path / "car_models").mkdir()
    for car_id, ending in ((2, "pkl"), (3, "json"), (3, "pkl"), (4, "pkl")):
        (tmp_path / "car_models" / f"{NAMES[car_id]}.{ending}").touch()
    first = write_model(tmp_path, 2, BOX)
    assert model_files(tmp_path) == {
        2: first,
        3: tmp_path / "car_models" / f"{NAMES[3]}.json",
        4: tmp_path / "car_models" / f"{NAMES[4]}.pkl",
    }

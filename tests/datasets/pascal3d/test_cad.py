"""The keypoints of the CAD models: damaged files and the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from tests.datasets.pascal3d.conftest import BUS, CAR, EMPTY, VALUES, models_of, struct

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.cad import read_cad
from liftbench_datasets.pascal3d.categories import POINTS

SIDES = ("left", "right")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: m[:, :2], "no keypoint 'right_front_wheel'"),
        (lambda m: m * 100, "left_front_wheel of model 1: expected numbers of at most 10"),
        (lambda m: np.where(np.arange(CAR)[:, None] < 2, m, np.nan), "fewer than 3 places"),
        (lambda m: m[..., [0, 1, 2, 2]], "left_front_wheel of model 1: expected 3 numbers"),
        (lambda m: m * 0, "model 1 has fewer than 3 places of keypoints"),
    ],
)
def test_damaged_models_are_reported(
    root: Path, damage: Callable[[Floats], Floats], message: str
) -> None:
    models = damage(models_of("car", 2))
    rows = [
        {n: EMPTY if np.isnan(p).any() else p for n, p in zip(POINTS["car"], m, strict=False)}
        for m in models
    ]
    savemat(root / "pascal3d/CAD/car.mat", {"car": struct(rows)})
    with pytest.raises(UserError, match=message):
        Pascal3d().load(root, "car", "train")
    assert any(not f.ok and f.item == "CAD car" for f in Pascal3d().check(root))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_fuzzed_models_give_keypoints_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    count = data.draw(st.integers(1, 3))
    rows = [dict(zip(POINTS["bus"], m, strict=True)) for m in models_of("bus", count)]
    row = data.draw(st.sampled_from(rows))
    row[data.draw(st.sampled_from(POINTS["bus"]))] = data.draw(VALUES)
    path = folder / "bus.mat"
    savemat(path, {"bus": struct(rows)})
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 0]))])
    try:
        models = read_cad(path, "bus")
    except UserError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert "\n" not in message
    else:
        assert models.shape == (count, BUS, 3)


@pytest.mark.parametrize("category", ["aeroplane", "bus", "boat"])
def test_the_real_models_have_left_points_at_negative_x(shared_data: Path, category: str) -> None:
    models = read_cad(shared_data / "pascal3d" / "CAD" / f"{category}.mat", category)
    place = {name: np.nanmean(models[:, i], axis=0) for i, name in enumerate(POINTS[category])}
    for name, (x, _, _) in place.items():
        side = {"left": -1, "right": 1}.get(next((w for w in SIDES if w in name), ""), 0)
        assert np.sign(x) == side or (side == 0 and abs(x) < 0.02)

"""The annotated objects of PASCAL3D+ images, read from files that the tests write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.pascal3d.conftest import CAR, VALUES, labelled, person, write_image

from liftbench.errors import UserError
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.objects import Objects, read_objects


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bbox": np.array([1.0, 2.0])}, "bbox: expected 4 numbers"),
        ({"bbox": np.array([1.0, 2.0, np.nan, 3.0])}, "bbox: expected numbers of at most"),
        ({"azimuth": np.inf}, "azimuth: expected numbers of at most"),
        ({"azimuth": "north"}, "azimuth: expected 1 numbers"),
        ({"azimuth": np.array([1.0, 2.0])}, "azimuth: expected 1 numbers"),
        ({"cad_index": 1.5}, "cad_index: expected a whole number from 1, got 1.5"),
        ({"cad_index": -1.0}, "cad_index: expected a whole number"),
        ({"cad_index": 0.0}, "cad_index: expected a whole number from 1, got 0"),
        ({"px": 1.01e6}, r"px: expected numbers of at most 1e\+06"),
        ({"anchors": {"left_front_wheel": {"status": 1.0}}}, "left_back_wheel"),
    ],
)
def test_damaged_annotations_are_reported(
    root: Path, changes: dict[str, Any], message: str
) -> None:
    write_image(root / "pascal3d", "car_pascal/2008_000002", [labelled("car", **changes)])
    with pytest.raises(UserError, match=message) as caught:
        Pascal3d().load(root, "car", "test")
    assert "car_pascal/2008_000002.mat" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert any(not f.ok and f.item == "car pascal val" for f in Pascal3d().check(root))


FINE = st.sampled_from([labelled("car"), labelled("bus", 2), person()])


@settings(max_examples=40, deadline=None)
@given(st.lists(FINE, min_size=1, max_size=3), st.data())
def test_fuzzed_annotations_give_objects_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]], data: st.DataObject
) -> None:
    item = dict(items[0])
    name = data.draw(st.sampled_from(sorted(item)))
    if isinstance(item[name], dict) and data.draw(st.booleans()):
        inner = data.draw(st.sampled_from(sorted(item[name])))
        item[name] = item[name] | {inner: data.draw(VALUES)}
    else:
        item[name] = data.draw(VALUES)
    path = write_image(tmp_path_factory.mktemp("fuzz"), "car_pascal/a", [item, *items[1:]])
    try:
        made = read_objects({"car_pascal/a": path}, "car")
    except UserError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert "\n" not in message
    else:
        objects = Objects(**made)
        assert len(objects.number) <= len(items)
        assert objects.seen.shape == (len(objects.number), CAR)


def test_records_of_both_mat_versions_are_read(shared_data: Path) -> None:
    folder = shared_data / "pascal3d" / "ann_like"
    names = ("left_000410", "left_000445")
    made = Objects(**read_objects({n: folder / f"{n}.mat" for n in names}, "car"))
    assert made.image.tolist() == list(names)
    assert made.model.tolist() == [2, 2]
    assert made.whole.all()
    assert made.seen.sum(axis=1).tolist() == [7, 0]
    views = made.viewpoints()
    np.testing.assert_allclose(views.distance, 3.399)
    np.testing.assert_allclose(views.theta, -10.112)
    assert np.isfinite(made.viewpoint).all()
    assert replace(made).take(np.array([False, True])).image.tolist() == ["left_000445"]

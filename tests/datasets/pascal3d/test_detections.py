"""Detected keypoints from a user's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.conftest import mask_of, truth_of
from tests.datasets.pascal3d.conftest import CAR

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.categories import POINTS
from liftbench_datasets.pascal3d.detections import read_detections
from liftbench_datasets.pascal3d.objects import Objects, read_objects


def write_detections(root: Path, entries: list[dict[str, Any]]) -> None:
    (root / "pascal3d" / "hrnet.json").write_text(json.dumps({"detections": entries}))


def detected(**points: Any) -> dict[str, Any]:
    return {"image": "car_pascal/2008_000002", "object": 2, "points": points}


def test_detections_replace_the_points_and_not_the_truth(root: Path) -> None:
    names = POINTS["car"]
    places = {name: [10.0 * i, 7.0] for i, name in enumerate(names[:4])}
    bus = {"image": "bus_pascal/2008_000002", "object": 1, "points": {}}
    write_detections(root, [bus, detected(**places, **{names[5]: None})])
    found = Pascal3d(test_keypoints="hrnet").load(root, "car", "test")
    assert np.flatnonzero(found.observations.visible[0]).tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.observations.points_2d[0, :4], list(places.values()))
    truth = truth_of(Pascal3d().load(root, "car", "test"))
    np.testing.assert_array_equal(truth_of(found).points_3d, truth.points_3d)
    assert mask_of(found).all()
    train = Pascal3d(test_keypoints="hrnet").load(root, "car", "train")
    np.testing.assert_array_equal(
        train.observations.points_2d, Pascal3d().load(root, "car", "train").observations.points_2d
    )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "1 of 1 'car' objects are not there, first object 2 of car_pascal/2008_000002"),
        ([detected(nose=[1, 2])], r"detections\[0\]: 'car' has no point 'nose'"),
        ([detected(left_front_wheel=[1])], r"detections\[0\]: left_front_wheel: expected x, y"),
        ([detected(left_front_wheel=[1, 1e9])], "expected x, y in pixels or null"),
        ([detected(left_front_wheel=[1, 2, 3])], "left_front_wheel: expected x, y in pixels"),
        ([detected(left_front_wheel=[1, float("nan")])], "expected x, y in pixels or null"),
        ([{"image": "car_pascal/2008_000002"}], "expected detected keypoints"),
        ([7], "expected detected keypoints"),
    ],
)
def test_damaged_detections_are_reported(root: Path, entries: list[Any], message: str) -> None:
    write_detections(root, entries)
    with pytest.raises(UserError, match=message) as caught:
        Pascal3d(test_keypoints="hrnet").load(root, "car", "test")
    assert "hrnet.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absent_detections_are_reported(root: Path) -> None:
    with pytest.raises(DataMissingError, match=r"hrnet\.json: not found, .*data info pascal3d"):
        Pascal3d(train_keypoints="hrnet").load(root, "car", "train")
    with pytest.raises(DataMissingError, match=r"hrnet\.json: not found"):
        Pascal3d(train_keypoints="hrnet").checksum(root, "car")


@settings(max_examples=25, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["detections", "image", "object", "points", *POINTS["car"][:2]]),
                inner | st.just("car_pascal/a"),
                max_size=5,
            )
        ),
        max_leaves=6,
    ),
    st.integers(0, 10),
)
def test_fuzzed_detections_give_points_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: Any, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "hrnet.json"
    text = json.dumps(content if isinstance(content, dict) else {"detections": [content]})
    path.write_text(text[: len(text) - cut] if cut < 3 else text)
    nobody = Objects(**read_objects({}, "car"))
    try:
        found = read_detections(path, "car", nobody)
    except UserError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert "\n" not in message
    else:
        assert found.shape == (0, CAR, 2)

"""A user's own points, read from files that the test writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import truth_of

from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench.types import Dataset
from liftbench_datasets.points import file as points_file
from liftbench_datasets.points.adapter import POINTS, Points
from liftbench_datasets.reading import array_pickle

FRAMES, COUNT = 6, 4
Fields = dict[str, Any]


def fields() -> Fields:
    """Return every field, with point 1 of frame 2 hidden."""
    rng = np.random.default_rng(0)
    points_3d = rng.standard_normal((FRAMES, COUNT, 3))
    visible = np.ones((FRAMES, COUNT), dtype=bool)
    visible[2, 1] = False
    return {
        "points_2d": points_3d[..., :2].copy(),
        "visible": visible,
        "points_3d": points_3d,
        "sequence": np.array([1, 1, 1, 2, 2, 2]),
        "camera": "weak_perspective",
        "names": np.array(["a", "b", "c", "d"]),
        "edges": np.array([[0, 1], [2, 3]]),
        "box": np.tile([0.0, 0, 10, 20], (FRAMES, 1)),
        "pixel": 0.25,
        "origin": np.arange(2.0 * FRAMES).reshape(FRAMES, 2),
        "group": np.array(["x", "y"] * 3),
        "split": np.array(["train"] * 4 + ["test"] * 2),
        "unit": "m",
        "images": np.array([f"{i}.png" for i in range(FRAMES)]),
    }


def write(root: Path, content: Fields, suffix: str = ".npz", name: str = "mine") -> Path:
    path = root / "points" / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_text(json.dumps(content, default=lambda a: a.tolist()), encoding="utf-8")
    return path


def load(root: Path, content: Fields, suffix: str = ".npz", split: str = "all") -> Dataset:
    write(root, content, suffix)
    return Points().load(root, "mine", split)


def test_the_spec_makes_the_adapter() -> None:
    assert isinstance(POINTS.make(**vars(POINTS.params())), Points)
    assert POINTS.splits == ("all", "train", "val", "test")
    assert all(field in POINTS.info.layout for field in points_file.FIELDS)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_every_field_arrives(tmp_path: Path, suffix: str) -> None:
    given = fields()
    data = load(tmp_path, given, suffix)
    seen, truth = data.observations, data.truth
    assert truth is not None
    np.testing.assert_array_equal(seen.visible, given["visible"])
    shown = given["visible"]
    np.testing.assert_array_equal(seen.points_2d[shown], given["points_2d"][shown])
    np.testing.assert_array_equal(truth.points_3d, given["points_3d"])
    assert truth.mask is not None
    assert truth.mask.all()
    np.testing.assert_array_equal(seen.pixel, np.full(FRAMES, 0.25))
    for name in ("sequence", "box", "origin"):
        np.testing.assert_array_equal(getattr(seen, name), given[name])
    assert (truth.unit, truth.group.tolist()) == ("m", ["x", "y"] * 3)
    assert (seen.camera, seen.skeleton.points) == ("weak_perspective", ("a", "b", "c", "d"))
    assert seen.skeleton.edges == ((0, 1), (2, 3))
    assert seen.images is not None
    Image.new("RGB", (2, 3)).save(tmp_path / "points" / "5.png")
    assert seen.images.image(5).shape == (3, 2, 3)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_points_alone_are_enough(tmp_path: Path, suffix: str) -> None:
    points = fields()["points_2d"].copy()
    points[2, 1, 0] = np.nan
    data = load(tmp_path, {"points_2d": points}, suffix)
    seen = data.observations
    assert data.truth is None
    np.testing.assert_array_equal(seen.visible, fields()["visible"])
    assert np.isnan(seen.points_2d[2, 1]).all()
    assert (seen.camera, seen.box, seen.pixel, seen.images) == ("orthographic", None, None, None)
    assert seen.sequence.tolist() == [0] * FRAMES
    assert (seen.skeleton.points[3], seen.skeleton.edges) == ("point_3", ())


def test_null_in_json_is_hidden(tmp_path: Path) -> None:
    data = load(tmp_path, {"points_2d": [[[0, 1], [None, None]]]}, ".json")
    assert data.observations.visible.tolist() == [[True, False]]


def test_3d_points_that_nobody_knows_do_not_count(tmp_path: Path) -> None:
    given = fields()
    given["points_3d"][3, 2] = np.nan
    truth = load(tmp_path, given).truth
    assert truth is not None
    assert truth.mask is not None
    assert np.argwhere(~truth.mask).tolist() == [[3, 2]]


def test_splits_are_those_of_the_file(tmp_path: Path) -> None:
    given = fields()
    train, test = (load(tmp_path, given, split=split) for split in ("train", "test"))
    np.testing.assert_array_equal(truth_of(train).points_3d, given["points_3d"][:4])
    np.testing.assert_array_equal(truth_of(test).points_3d, given["points_3d"][4:])
    assert not_none(test.observations.images).files[0].endswith("4.png")
    assert test.observations.sequence.tolist() == [2, 2]
    with pytest.raises(DataMissingError, match="no frame belongs to the split 'val'"):
        load(tmp_path, given, split="val")
    del given["split"]
    with pytest.raises(DataMissingError, match=r"no field split; add one .* split 'all'"):
        load(tmp_path, given, split="train")


def test_subsets_are_the_names_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, fields(), ".npz", "b.2")
    write(tmp_path, fields(), ".json", "a")
    (tmp_path / "points" / "notes.txt").touch()
    assert Points().subsets(tmp_path) == ("a", "b.2")
    assert len({Points().checksum(tmp_path, name) for name in ("a", "b.2")}) == 2
    assert Points().note(tmp_path, "a") == ""
    found = Points().check(tmp_path)
    assert [finding.ok for finding in found] == [True, True]
    assert found[0].detail == (
        "6 frames of 4 points in 2 sequences, 96 % visible, weak_perspective, 3D points in m"
    )
    write(tmp_path, fields(), ".npz", "a")
    with pytest.raises(UserError, match=r"a\.json and a\.npz have one name; rename"):
        Points().load(tmp_path, "a", "all")
    assert [finding.ok for finding in Points().check(tmp_path)] == [False, True]


def test_an_unknown_split_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown split of dataset 'points' 'trian': did you mean"):
        load(tmp_path, fields(), split="trian")


def test_a_file_without_a_name_is_no_subset(tmp_path: Path) -> None:
    write(tmp_path, fields(), ".npz", "")
    assert Points().subsets(tmp_path) == ()


def test_the_folder_may_be_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "mine", fields())
    for folder in ("mine/points", str(tmp_path / "mine" / "points")):
        assert Points(folder=folder).subsets(tmp_path) == ("mine",)
    with pytest.raises(UserError, match="dataset 'points': folder: "):
        make_params("dataset 'points'", POINTS.params, {"folder": 3})


def test_absent_files_are_errors(tmp_path: Path) -> None:
    assert Points().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError, match=r"points/x\.npz and x\.json.*data info points"):
        Points().load(tmp_path, "x", "all")
    assert not Points().check(tmp_path)[0].ok


NAN = np.nan
BAD: list[tuple[Fields, str]] = [
    ({"points_2d": np.zeros((6, 4))}, r"points_2d: .* shape \(any, any, 2\), got shape \(6, 4\)"),
    ({"points_2d": [[[0, 1], [2]]]}, "points_2d: .* rows of unequal length"),
    ({"points_2d": np.zeros((2, 0, 2))}, "points_2d: "),
    ({"points_2d": [["ab"]]}, "points_2d: expected numbers"),
    (
        {"points_2d": np.full((6, 4, 2), NAN)},
        "point 0 of frame 0 is visible but not finite; hide it in",
    ),
    ({"points_3d": np.zeros((5, 4, 3))}, r"points_3d: .* \(6, 4, 3\), got shape \(5, 4, 3\)"),
    ({"points_3d": np.full((6, 4, 3), NAN)}, "points_3d: frame 0 has no finite point; leave"),
    ({"visible": np.full((6, 4), 2)}, "visible: expected true or false"),
    ({"sequence": np.full(6, 0.5)}, "sequence: expected integers"),
    ({"sequence": ["a"] * 6}, "sequence: expected numbers"),
    ({"camera": "fisheye"}, "camera: expected orthographic, .*, got 'fisheye'"),
    ({"names": ["a", "b", "c", "c"]}, "names: two points have the same name"),
    ({"names": ["a"]}, "names: expected a list of 4 texts, got 1"),
    ({"names": ["x" * 300] * 4}, "names: expected texts of at most 200"),
    ({"edges": [[0, 4]]}, "edges: expected indices of points from 0 to 3"),
    ({"edges": [0, 1]}, r"edges: expected numbers of shape \(any, 2\)"),
    ({"edges": 3}, r"edges: expected numbers of shape \(any, 2\)"),
    ({"box": np.full((6, 4), -1.0)}, "box: .* negative size"),
    ({"box": np.full((6, 4), NAN)}, "box: expected finite numbers"),
    ({"pixel": 0}, "pixel: expected its size in the unit of points_2d, more than 0"),
    ({"pixel": [1, 2]}, "pixel: expected numbers"),
    ({"group": [1] * 6}, "group: expected a list of 6 texts, got other values"),
    ({"split": ["train"] * 5 + ["trian"]}, "split: expected train, val, test, got 'trian'"),
    ({"unit": 1}, "unit: expected a list of 1 texts"),
    ({"point_2d": 1}, "unknown field 'point_2d': did you mean 'points_2d'"),
]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize(("bad", "message"), BAD, ids=[message for _, message in BAD])
def test_mistakes_are_errors(tmp_path: Path, bad: Fields, message: str, suffix: str) -> None:
    if suffix == ".npz" and any(isinstance(v, list) for v in bad.values()):
        bad = {name: np.array(value, dtype=object) for name, value in bad.items()}
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path, fields() | bad, suffix)
    assert str(caught.value).startswith(str(tmp_path / "points" / f"mine{suffix}"))
    assert "\n" not in str(caught.value)


def test_a_file_without_points_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it has no field points_2d"):
        load(tmp_path, {"unit": "m"})
    (tmp_path / "points" / "other.json").write_text("[1]")
    with pytest.raises(UserError, match="it is not an object with fields"):
        Points().load(tmp_path, "other", "all")


def test_a_small_file_that_unpacks_to_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, fields())
    np.savez_compressed(path, points_2d=np.zeros((10_000, 40, 2)))
    assert Points().load(tmp_path, "mine", "all").observations.frames == 10_000
    np.savez_compressed(path, points_2d=np.zeros((10_000, 41, 2)))
    monkeypatch.setattr(array_pickle, "_ALWAYS_FINE", 1 << 20)
    with pytest.raises(UserError, match="suspiciously many"):
        Points().load(tmp_path, "mine", "all")


def test_a_second_load_does_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(tmp_path, fields())
    monkeypatch.setattr(points_file, "read_points", None)
    again = Points().load(tmp_path, "mine", "all")
    np.testing.assert_array_equal(first.observations.points_2d, again.observations.points_2d)


STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", -1, 10**30, NAN, float("inf"), [], [[]], {}, True, [[1], [2, 3]], ["a", 1]]
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    suffix = data.draw(st.sampled_from([".npz", ".json"]))
    content = fields()
    for name in data.draw(st.sets(st.sampled_from(sorted(content)), max_size=2)):
        value = data.draw(STRANGE)
        content[name] = np.array(value, dtype=object) if suffix == ".npz" else value
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, content, suffix)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.sampled_from([None, len(whole) // 2]))])
    try:
        Points().load(folder, "mine", "all")
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: .+", message)

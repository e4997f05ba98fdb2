"""The reader of C3DPO's JSON files on small files that the test writes."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from liftbench.errors import DataMissingError, UserError
from liftbench.types import Dataset
from liftbench_datasets.c3dpo import adapter as c3dpo_json
from liftbench_datasets.c3dpo.adapter import C3DPO_JSON, C3dpoJson

POINTS = 5
Entry = dict[str, Any]


def plain(count: int = 3, points: int = POINTS) -> list[Entry]:
    """Return entries such as those of UP-3D; point 0 of entry 0 is hidden."""
    rng = np.random.default_rng(count)
    space = rng.standard_normal((count, 3, points))
    visible = np.ones((count, points))
    visible[0, 0] = 0
    return [
        {"kp_loc": p[:2].tolist(), "kp_vis": v.tolist(), "kp_loc_3d": p.tolist()}
        for p, v in zip(space, visible, strict=True)
    ]


def pascal() -> list[Entry]:
    """Return an aeroplane and a car of five points, of which two and three are theirs."""
    entries = plain(2)
    entries[0] |= {
        "kp_loc": [[0, 10, 20, 5, 5], [0, 5, 5, 5, 5]],
        "kp_vis": [1, 1, 1, 1, 1],
        "class_mask": [1, 1, 1, 0, 0],
        "kp_defined": [1, 0, 1, 1, 1],
        "p3d_info": {"bbox": [1, 0, 10, 10], "p3d_class": "aeroplane"},
        "image_path": "Images/a.png",
    }
    entries[1] |= {
        "class_mask": [0, 0, 1, 1, 1],
        "kp_defined": [1, 1, 1, 1, 1],
        "p3d_info": {"bbox": [-9, -9, 20, 20], "p3d_class": "car"},
        "image_path": "Images/b.png",
    }
    return entries


def h36m() -> list[Entry]:
    entries = plain(2)
    for entry, scale, action in zip(entries, (100.0, 250.0), ("Eating", "Photo"), strict=True):
        entry["h36m_info"] = {"scale": scale, "action_name": action}
    return entries


def write(root: Path, stem: str, entries: Any, below: str = "c3dpo") -> Path:
    path = root / below / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"dataset": stem, "data": entries}), encoding="utf-8")
    return path


def load(root: Path, entries: Any, subset: str = "mine") -> Dataset:
    write(root, f"{subset}_val", entries)
    return C3dpoJson().load(root, subset, "val")


def test_the_spec_makes_the_adapter() -> None:
    assert isinstance(C3DPO_JSON.make(**vars(C3DPO_JSON.params())), C3dpoJson)
    assert C3DPO_JSON.splits == ("train", "val", "test")


@pytest.mark.parametrize("below", ["c3dpo", "datasets/c3dpo", "data/datasets/c3dpo"])
def test_subsets_are_the_names_of_the_files(tmp_path: Path, below: str) -> None:
    for stem in ("pascal3d_hrnet_val", "pascal3d_val", "up3d_79kp_test", "up3d_79kp_train"):
        write(tmp_path, stem, plain(), below)
    write(tmp_path, "notes", {}, below)
    assert C3dpoJson().subsets(tmp_path) == ("pascal3d", "pascal3d_hrnet", "up3d_79kp")
    assert C3dpoJson().load(tmp_path, "up3d_79kp", "test").observations.frames == 3


def test_points_are_those_of_the_file(tmp_path: Path) -> None:
    data = load(tmp_path, plain())
    seen, truth = data.observations, data.truth
    assert truth is not None
    space = np.array([entry["kp_loc_3d"] for entry in plain()]).swapaxes(1, 2)
    np.testing.assert_array_equal(truth.points_3d, space)
    visible = np.ones((3, POINTS), dtype=bool)
    visible[0, 0] = False
    np.testing.assert_array_equal(seen.visible, visible)
    np.testing.assert_array_equal(seen.points_2d[visible], space[visible][:, :2])
    assert (seen.camera, seen.box, seen.images) == ("orthographic", None, None)
    assert (truth.mask, set(truth.group)) == (None, {"all"})
    assert seen.sequence.tolist() == [0, 1, 2]


def test_a_list_without_a_name_is_read_too(tmp_path: Path) -> None:
    path = write(tmp_path, "mine_val", [])
    path.write_text(json.dumps(plain()), encoding="utf-8")
    assert C3dpoJson().load(tmp_path, "mine", "val").observations.frames == 3


def test_one_row_of_visibility_is_read_too(tmp_path: Path) -> None:
    flat = load(tmp_path, plain()).observations.visible
    entries = plain()
    for entry in entries:
        entry["kp_vis"] = [entry["kp_vis"]]
    np.testing.assert_array_equal(load(tmp_path, entries).observations.visible, flat)


def test_masks_and_categories_of_pascal(tmp_path: Path) -> None:
    truth = load(tmp_path, pascal(), "pascal3d").truth
    assert truth is not None
    assert truth.mask is not None
    assert truth.mask.tolist() == [[True, False, True, False, False], [False, False, *[True] * 3]]
    assert truth.group.tolist() == ["aeroplane", "car"]
    assert truth.unit == "pixel"


def test_points_beyond_the_grown_box_are_hidden(tmp_path: Path) -> None:
    # The box reaches from 1 to 11 along x and grows to 0 to 12; points 3 and 4 are no aeroplane's.
    seen = load(tmp_path, pascal(), "pascal3d").observations
    assert seen.visible[0].tolist() == [True, True, False, False, False]
    assert seen.box is not None
    assert seen.box[0].tolist() == [1, 0, 10, 10]


def test_undefined_points_may_be_anything(tmp_path: Path) -> None:
    entries = pascal()
    entries[0]["kp_loc_3d"][2][1] = float("nan")
    truth = load(tmp_path, entries).truth
    assert truth is not None
    np.testing.assert_array_equal(truth.points_3d[0, 1], 0)
    entries[0]["kp_loc_3d"][2][2] = float("nan")
    with pytest.raises(UserError, match=r"val\.json: entry 0: kp_loc_3d: point 2 is no finite"):
        load(tmp_path, entries)


def test_scale_of_human36m_multiplies_errors(tmp_path: Path) -> None:
    """C3DPO's error is scale * mean ‖P - G‖: the same as that of scaled points."""
    entries = h36m()
    data = load(tmp_path, entries, "h36m")
    seen, truth = data.observations, data.truth
    assert truth is not None
    guess = np.random.default_rng(0).standard_normal((2, POINTS, 3))
    for i, entry in enumerate(entries):
        scale = entry["h36m_info"]["scale"]
        error = np.linalg.norm(guess[i] - np.transpose(entry["kp_loc_3d"]), axis=1).mean()
        scaled = np.linalg.norm(scale * guess[i] - truth.points_3d[i], axis=1).mean()
        assert scaled == pytest.approx(scale * error)
        shown = seen.visible[i]
        np.testing.assert_allclose(
            seen.points_2d[i][shown], scale * np.transpose(entry["kp_loc"])[shown]
        )
    assert (truth.unit, truth.group.tolist()) == ("mm", ["Eating", "Photo"])


def test_a_file_without_3d_points_has_no_truth(tmp_path: Path) -> None:
    entries = [{k: entry[k] for k in ("kp_loc", "kp_vis")} for entry in plain()]
    assert load(tmp_path, entries, "cub_birds").truth is None


def test_images_are_read_when_asked_for(tmp_path: Path) -> None:
    images = load(tmp_path, pascal()).observations.images
    assert images is not None
    with pytest.raises(DataMissingError, match=r"Images/b\.png"):
        images.image(1)
    (tmp_path / "c3dpo" / "Images").mkdir()
    Image.new("RGB", (4, 3), (9, 8, 7)).save(tmp_path / "c3dpo" / "Images" / "b.png")
    assert images.image(1).shape == (3, 4, 3)


def test_known_points_have_names(tmp_path: Path) -> None:
    pascal_names = load(tmp_path, plain(2, 124), "pascal3d_hrnet").observations.skeleton.points
    assert pascal_names[8].startswith("car_")
    assert [name.startswith("train_") for name in pascal_names] == [False] * 107 + [True] * 17
    body = load(tmp_path, plain(2, 17), "h36m").observations.skeleton
    assert body.points[body.root] == "Hip"
    assert len(body.edges) == 16
    assert {(body.points[a], body.points[b]) for a, b in body.left_right} >= {("LFoot", "RFoot")}
    assert load(tmp_path, plain(2, 3), "h36m").observations.skeleton.points[2] == "point_2"


def test_a_second_load_does_not_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(tmp_path, pascal())
    monkeypatch.setattr(c3dpo_json, "read_entries", None)
    again = C3dpoJson().load(tmp_path, "mine", "val")
    np.testing.assert_array_equal(first.observations.points_2d, again.observations.points_2d)


def test_the_checksum_sees_every_file(tmp_path: Path) -> None:
    sums = set()
    for stem, count in (("mine_train", 3), ("mine_val", 3), ("mine_val", 4), ("other_val", 3)):
        write(tmp_path, stem, plain(count))
        sums.add(C3dpoJson().checksum(tmp_path, "mine"))
    assert len(sums) == 3


def test_absent_files_are_told(tmp_path: Path) -> None:
    assert C3dpoJson().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError, match=r"c3dpo/h36m_train\.json.*data info c3dpo_json"):
        C3dpoJson().load(tmp_path, "h36m", "train")
    write(tmp_path, "h36m_val", plain())
    with pytest.raises(DataMissingError, match=r"no h36m_train\.json, there is only h36m_val"):
        C3dpoJson().load(tmp_path, "h36m", "train")
    (finding,) = C3dpoJson().check(tmp_path / "nowhere")
    assert not finding.ok


def test_note_and_check_tell_what_is_not_the_release(tmp_path: Path) -> None:
    write(tmp_path, "pascal3d_val", pascal())
    write(tmp_path, "mine_val", plain())
    (tmp_path / "c3dpo" / "bad_val.json").write_text("[{}]", encoding="utf-8")
    note = "pascal3d_val.json has 2 of the official 1950 entries"
    assert C3dpoJson().note(tmp_path, "pascal3d") == note
    assert C3dpoJson().note(tmp_path, "mine") == ""
    found = {finding.item: finding for finding in C3dpoJson().check(tmp_path)}
    assert not found["pascal3d_val"].ok
    assert f"3D points in 2 groups; {note}; MD5 " in found["pascal3d_val"].detail
    assert found["mine_val"].ok
    assert found["mine_val"].detail.startswith("3 entries of 5 points, 93 % visible")
    assert not found["bad_val"].ok


def test_check_knows_the_releases_files_by_md5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "pascal3d_train", pascal())
    monkeypatch.setitem(c3dpo_json._MD5, "pascal3d_train", md5(path))
    assert C3dpoJson().check(tmp_path)[0].ok


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 that of the release


def change(name: str, value: Any) -> Callable[[Entry], None]:
    def apply(entry: Entry) -> None:
        *place, last = name.split(".")
        for key in place:
            entry = entry[key]
        entry[last] = value

    return apply


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (change("kp_loc", [[1, 2]]), r"entry 1: kp_loc: expected numbers of shape \(2, any\)"),
        (change("kp_loc", [[1, 2], [1]]), "entry 1: kp_loc: .* rows of unequal length"),
        (change("kp_loc", [["a"] * 5] * 2), "entry 1: kp_loc: expected numbers .* got other"),
        (change("kp_loc", None), "entry 1: kp_loc: expected numbers"),
        (change("kp_vis", [1, 1]), r"entry 1: kp_vis: .* shape \(5\), got shape \(2\)"),
        (change("kp_loc_3d", [[1] * 5] * 2), r"entry 1: kp_loc_3d: .*\(3, 5\), got shape \(2, 5\)"),
        (change("class_mask", [1] * 4), r"entry 1: class_mask: .*\(5\), got shape \(4\)"),
        (change("p3d_info.bbox", [1, 1, -1, 1]), "entry 1: p3d_info.bbox: .* negative size"),
        (change("p3d_info.bbox", [1, 1, float("nan"), 1]), "entry 1: p3d_info.bbox: .* finite"),
        (
            change("p3d_info.p3d_class", 3),
            "entry 1: p3d_info.p3d_class: expected a list of 1 text",
        ),
        (change("image_path", "x" * 10**6), "entry 1: image_path: expected texts of at most 200"),
        (change("kp_defined", None), "entry 1: kp_defined: expected in all entries or in none"),
        (change("kp_loc", [[float("inf")] * 5] * 2), "entry 1: kp_loc: point 2 is no finite"),
        (lambda entry: entry.update(plain(1, 4)[0]), "entry 1: "),
    ],
)
def test_damage_names_the_entry_and_the_field(
    tmp_path: Path, damage: Callable[[Entry], None], told: str
) -> None:
    entries = pascal()
    damage(entries[1])
    with pytest.raises(UserError, match=told) as caught:
        load(tmp_path, entries)
    assert "\n" not in str(caught.value)


LEAVES = st.sampled_from(
    [None, "x", -1, 10**30, float("nan"), float("inf"), [], [[]], {}, True, [[1], [2, 3]], "9" * 50]
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    entries = copy.deepcopy(data.draw(st.sampled_from([pascal(), h36m()])))
    for _ in range(data.draw(st.integers(0, 2))):
        place: Any = data.draw(st.sampled_from(entries))
        key = data.draw(st.sampled_from(sorted(place)))
        place[key] = data.draw(LEAVES)
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, "mine_val", entries)
    text = path.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    path.write_bytes(text[:start] + data.draw(st.binary(max_size=3)) + text[start:][::-1][:9])
    try:
        C3dpoJson().load(folder, "mine", "val")
    except UserError as error:
        told = str(error)
    else:
        return
    assert told.startswith(f"{path}: ")
    assert "\n" not in told

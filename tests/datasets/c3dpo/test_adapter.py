"""The reader of C3DPO's JSON files on small files that the test writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none
from tests.datasets.c3dpo.conftest import POINTS, h36m, load, pascal, plain, write
from tests.datasets.conftest import truth_of

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.c3dpo import adapter as c3dpo_json
from liftbench_datasets.c3dpo.adapter import C3DPO_JSON, C3dpoJson


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
    seen, truth = data.observations, truth_of(data)
    space = np.array([entry["kp_loc_3d"] for entry in plain()]).swapaxes(1, 2)
    np.testing.assert_array_equal(truth.points_3d, space)
    visible = np.ones((3, POINTS), dtype=bool)
    visible[0, 0] = False
    np.testing.assert_array_equal(seen.visible, visible)
    np.testing.assert_array_equal(seen.points_2d[visible], space[visible][:, :2])
    assert (seen.camera, seen.box, seen.images) == ("orthographic", None, None)
    assert (truth.mask, set(truth.group)) == (None, {"all"})
    assert seen.sequence.tolist() == [0, 1, 2]


def test_masks_and_categories_of_pascal(tmp_path: Path) -> None:
    truth = truth_of(load(tmp_path, pascal(), "pascal3d"))
    assert not_none(truth.mask).tolist() == [
        [True, False, True, False, False],
        [False, False, *[True] * 3],
    ]
    assert truth.group.tolist() == ["aeroplane", "car"]
    assert truth.unit == "pixel"


def test_points_beyond_the_grown_box_are_hidden(tmp_path: Path) -> None:
    # The box reaches from 1 to 11 along x and grows to 0 to 12; points 3 and 4 are no aeroplane's.
    seen = load(tmp_path, pascal(), "pascal3d").observations
    assert seen.visible[0].tolist() == [True, True, False, False, False]
    assert not_none(seen.box)[0].tolist() == [1, 0, 10, 10]


def test_undefined_points_may_be_anything(tmp_path: Path) -> None:
    entries = pascal()
    entries[0]["kp_loc_3d"][2][1] = float("nan")
    truth = truth_of(load(tmp_path, entries))
    np.testing.assert_array_equal(truth.points_3d[0, 1], 0)
    entries[0]["kp_loc_3d"][2][2] = float("nan")
    with pytest.raises(UserError, match=r"val\.json: entry 0: kp_loc_3d: point 2 is not finite"):
        load(tmp_path, entries)


def test_scale_of_human36m_multiplies_errors(tmp_path: Path) -> None:
    """C3DPO's error is scale * mean ‖P - G‖: the same as that of scaled points."""
    entries = h36m()
    data = load(tmp_path, entries, "h36m")
    seen, truth = data.observations, truth_of(data)
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
    images = not_none(load(tmp_path, pascal()).observations.images)
    with pytest.raises(DataMissingError, match=r"Images/b\.png"):
        images.image(1)
    (tmp_path / "c3dpo" / "Images").mkdir()
    Image.new("RGB", (4, 3), (9, 8, 7)).save(tmp_path / "c3dpo" / "Images" / "b.png")
    assert images.image(1).shape == (3, 4, 3)


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


def test_absent_files_are_reported(tmp_path: Path) -> None:
    assert C3dpoJson().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError, match=r"c3dpo/h36m_train\.json.*data info c3dpo_json"):
        C3dpoJson().load(tmp_path, "h36m", "train")
    write(tmp_path, "h36m_val", plain())
    with pytest.raises(DataMissingError, match=r"h36m_train\.json not found, there is only h36m_v"):
        C3dpoJson().load(tmp_path, "h36m", "train")
    (finding,) = C3dpoJson().check(tmp_path / "nowhere")
    assert not finding.ok


def test_note_and_check_say_what_is_not_the_release(tmp_path: Path) -> None:
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


def test_a_box_grows_by_a_tenth_at_each_side(tmp_path: Path) -> None:
    entries = plain(1)
    entries[0] |= {
        "kp_loc": [[-0.01, 0, 12, 12.01, 5], [5, 5, 5, 5, 5.96]],
        "kp_vis": [1] * POINTS,
        "p3d_info": {"bbox": [1, 1, 10, 4.5]},
    }
    visible = load(tmp_path, entries).observations.visible
    assert visible[0].tolist() == [False, True, True, False, False]


def test_the_first_of_several_folders_is_read(tmp_path: Path) -> None:
    for count, below in ((3, "c3dpo"), (4, "datasets/c3dpo")):
        write(tmp_path, "mine_val", plain(count), below)
    assert C3dpoJson().load(tmp_path, "mine", "val").observations.frames == 3

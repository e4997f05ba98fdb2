"""The Two Cloths adapter on files that the test writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from liftbench.errors import DataMissingError, UserError
from liftbench.types import Floats
from liftbench_datasets.two_cloths import adapter as two_cloths
from liftbench_datasets.two_cloths.adapter import TwoCloths


def tracks(frames: int = 163, points: int = 525) -> Floats:
    found = np.random.default_rng(5).uniform(0, 600, (frames, points, 2))
    found[2, 7] = np.nan
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "two_cloths").mkdir()
    rows = tracks().swapaxes(1, 2).reshape(326, 525)
    savemat(tmp_path / "two_cloths" / "two_cloths.mat", {"W": rows})
    return tmp_path


def test_points_are_those_of_the_file(root: Path) -> None:
    data = TwoCloths().load(root, "all", "all")
    seen = data.observations
    assert data.truth is None
    np.testing.assert_array_equal(seen.points_2d, tracks())
    assert np.argwhere(~seen.visible).tolist() == [[2, 7]]
    assert (seen.camera, set(seen.sequence.tolist())) == ("orthographic", {1})
    assert TwoCloths().subsets(root) == ("all",)
    assert TwoCloths().note(root, "all") == ""
    (finding,) = TwoCloths().check(root)
    assert (finding.ok, finding.detail) == (True, "163 frames of 525 points, 1 hidden")


@pytest.mark.parametrize("place", ["two_cloths/two_cloths.npz", "two_cloths.npz"])
def test_other_forms_and_places(root: Path, tmp_path: Path, place: str) -> None:
    (root / "two_cloths" / "two_cloths.mat").unlink()
    np.savez(root / place, W=tracks())
    np.testing.assert_array_equal(
        TwoCloths().load(root, "all", "all").observations.points_2d, tracks()
    )


def test_other_counts_are_errors(root: Path) -> None:
    before = TwoCloths().checksum(root, "all")
    (root / "two_cloths" / "two_cloths.mat").unlink()
    np.savetxt(root / "two_cloths" / "two_cloths.txt", np.ones((8, 5)))
    assert TwoCloths().checksum(root, "all") != before
    note = "4 frames of 5 points, not 163 of 525"
    assert TwoCloths().note(root, "all") == note
    (finding,) = TwoCloths().check(root)
    assert (finding.ok, finding.detail) == (False, note)


def test_damage_is_an_error(root: Path) -> None:
    path = root / "two_cloths" / "two_cloths.mat"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"two_cloths\.mat: expected a MATLAB file"):
        TwoCloths().load(root, "all", "all")
    (finding,) = TwoCloths().check(root)
    assert not finding.ok


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_absent_tracks_are_errors(tmp_path: Path, call: str) -> None:
    args = (tmp_path, "all", "all") if call == "load" else (tmp_path, "all")
    with pytest.raises(DataMissingError, match="see 'liftbench data info two_cloths'") as caught:
        getattr(TwoCloths(), call)(*args)
    assert str(tmp_path / "two_cloths" / "two_cloths.mat") in str(caught.value)
    assert TwoCloths().subsets(tmp_path) == ()
    assert not TwoCloths().check(tmp_path)[0].ok


def test_unknown_names_are_errors(root: Path) -> None:
    with pytest.raises(UserError, match="unknown subset of dataset 'two_cloths' 'left'"):
        TwoCloths().load(root, "left", "all")
    with pytest.raises(UserError, match="unknown split 'train'"):
        TwoCloths().load(root, "all", "train")


def test_a_second_load_does_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = TwoCloths().load(root, "all", "all")
    monkeypatch.setattr(two_cloths, "read_tracks", None)
    again = TwoCloths().load(root, "all", "all")
    np.testing.assert_array_equal(first.observations.points_2d, again.observations.points_2d)

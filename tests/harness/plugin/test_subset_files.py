from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liftbench import Dataset, SubsetFiles
from liftbench.errors import DataMissingError, UserError
from liftbench.testing import scene


class Walks(SubsetFiles):
    """Files that hold a number of frames, from which a scene is made."""

    key, suffix, splits = "walks", ".walk.npy", ("train", "unseen")

    def read(self, path: Path, split: str) -> Dataset:
        return scene("orthographic", split, sequences=1, frames=int(np.load(path)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "walks").mkdir()
    for name, frames in (("b", 4), ("a", 3)):
        np.save(tmp_path / "walks" / f"{name}.walk.npy", frames)
    (tmp_path / "walks" / "c.npy").touch()
    return tmp_path


def test_a_file_is_a_subset(root: Path) -> None:
    walks = Walks()
    assert walks.subsets(root) == ("a", "b")
    assert walks.load(root, "a", "train").observations.frames == 3
    assert walks.note(root, "a") == ""
    assert walks.checksum(root, "a") != walks.checksum(root, "b")
    before = walks.checksum(root, "a")
    np.save(root / "walks" / "a.walk.npy", 5)
    assert walks.checksum(root, "a") != before
    assert [(f.item, f.ok, f.detail) for f in walks.check(root)] == [
        ("a", True, "frames: 5 train, 5 unseen"),
        ("b", True, "frames: 4 train, 4 unseen"),
    ]


@pytest.mark.parametrize("subset", ["c", "..", "../walks/a", "a.walk.npy", ""])
def test_a_file_that_is_absent_is_reported(root: Path, subset: str) -> None:
    for call in (Walks().checksum, Walks().note):
        with pytest.raises(DataMissingError, match=r"walks: looked for .*\.walk\.npy; see 'liftb"):
            call(root, subset)
    with pytest.raises(DataMissingError):
        Walks().load(root, subset, "train")


def test_an_unknown_split_is_reported(root: Path) -> None:
    with pytest.raises(UserError, match="unknown split of dataset 'walks' 'trian': did you mean"):
        Walks().load(root, "a", "trian")


def test_a_damaged_file_is_reported_and_others_are_read(root: Path) -> None:
    (root / "walks" / "a.walk.npy").write_bytes(b"no\narray")
    with pytest.raises(UserError, match=r"a\.walk\.npy: .*; mend or remove the file") as caught:
        Walks().load(root, "a", "train")
    assert "\n" not in str(caught.value)
    assert [f.ok for f in Walks().check(root)] == [False, True]


def test_no_files_is_one_finding(tmp_path: Path) -> None:
    (finding,) = Walks().check(tmp_path)
    assert not finding.ok
    assert f"looked for {tmp_path}/walks/<subset>.walk.npy; see" in finding.detail

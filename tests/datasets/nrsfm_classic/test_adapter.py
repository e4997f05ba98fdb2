"""The classical sequences in files that the test writes, and in the real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from tests.datasets.conftest import truth_of
from tests.datasets.nrsfm_classic.conftest import FRAMES, body, load, stacked, torresani, write

from liftbench.errors import DataMissingError, UserError
from liftbench.files import checksum
from liftbench_datasets.nrsfm_classic import adapter as nrsfm_classic
from liftbench_datasets.nrsfm_classic.adapter import COUNTS, NrsfmClassic


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("nrsfm_classic/jaws.mat", "shark"),
        ("nrsfm_classic/shark.mat", "shark"),
        ("nrsfm_classic/face_mocap_rearranged.mat", "face_mocap"),
        ("nrsfm_classic/my_own.mat", "my_own"),
        ("yoga.mat", "yoga"),
    ],
)
def test_places_and_names(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    savemat(tmp_path / file, stacked())
    assert NrsfmClassic().subsets(tmp_path) == (name,)
    assert load(tmp_path, name).observations.frames == FRAMES


def test_other_files_at_the_root_are_left_alone(tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", stacked())
    assert NrsfmClassic().subsets(tmp_path) == ()


def test_subsets_of_the_tables_come_first(tmp_path: Path) -> None:
    for name in ("jaws", "abc", "pickup", "drink"):
        write(tmp_path, stacked(), name)
    assert NrsfmClassic().subsets(tmp_path) == ("drink", "pickup", "shark", "abc")


def test_other_counts_are_reported(tmp_path: Path) -> None:
    write(tmp_path, stacked(), "yoga")
    write(tmp_path, stacked(), "my_own")
    note = "6 frames of 5 points, not 307 of 41"
    assert NrsfmClassic().note(tmp_path, "yoga") == note
    assert NrsfmClassic().note(tmp_path, "my_own") == ""
    yoga, own = NrsfmClassic().check(tmp_path)
    assert (yoga.item, yoga.ok, yoga.detail) == ("yoga", False, note)
    assert (own.item, own.ok) == ("my_own", True)
    assert own.detail == "6 frames of 5 points, a camera that stands still"


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
@pytest.mark.parametrize("name", ["drink", "../drink", "no such"])
def test_an_absent_sequence_is_reported(tmp_path: Path, call: str, name: str) -> None:
    write(tmp_path, stacked(), "dance")
    args = (tmp_path, name, "all") if call == "load" else (tmp_path, name)
    with pytest.raises(DataMissingError, match="see 'liftbench data info nrsfm_classic'") as caught:
        getattr(NrsfmClassic(), call)(*args)
    assert str(tmp_path / "nrsfm_classic" / "drink.mat") in str(caught.value) or name == "no such"


def test_an_unknown_split_is_reported(tmp_path: Path) -> None:
    write(tmp_path, stacked())
    with pytest.raises(UserError, match="unknown split 'train'"):
        NrsfmClassic().load(tmp_path, "drink", "train")


def test_the_checksum_sees_a_change_and_a_second_load_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, stacked())
    before = NrsfmClassic().checksum(tmp_path, "drink")
    first = load(tmp_path)
    monkeypatch.setattr(nrsfm_classic, "read_sequence", None)
    np.testing.assert_array_equal(
        load(tmp_path).observations.points_2d, first.observations.points_2d
    )
    write(tmp_path, torresani())
    assert NrsfmClassic().checksum(tmp_path, "drink") != before


def test_real_files_are_those_of_the_papers(shared_data: Path) -> None:
    adapter = NrsfmClassic()
    if not (names := adapter.subsets(shared_data)):
        pytest.skip(f"no sequences in {shared_data}")
    for found in adapter.check(shared_data):
        assert found.ok, f"{found.item}: {found.detail}"
    for name in names:
        data = adapter.load(shared_data, name, "all")
        assert data.observations.visible.shape == COUNTS.get(name, (80, 40))
        assert (truth_of(data).rotation is not None) == (name in ("drink", "pickup"))


def test_of_two_files_of_a_sequence_the_one_of_its_name_is_read(tmp_path: Path) -> None:
    for name in ("jaws", "shark"):
        path = write(tmp_path, {"X": stacked()["X"] + (name == "shark")}, name)
    assert NrsfmClassic().checksum(tmp_path, "shark") == checksum([path])
    points_2d = load(tmp_path, "shark").observations.points_2d
    np.testing.assert_array_equal(points_2d, body()[..., :2] + 1)

"""The ECCV 2018 challenge's poses on small files in its form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import truth_of

from liftbench.errors import DataMissingError, UserError
from liftbench.plugin.specs import DatasetAdapter
from liftbench.types import Floats
from liftbench_datasets.h36m.adapter import make_h36m

POSES = np.random.default_rng(0).normal(0, 300, (7, 17, 3)).round(4)
POSES[:, 0] = 0


def adapter(every: int = 1) -> DatasetAdapter:
    return make_h36m(release="eccv18", camera="orthographic", every=every)


def write_pose(path: Path, pose: Floats) -> None:
    path.write_text("\n".join(",".join(map(str, point)) for point in pose.tolist()) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Write files 1 to 5 of Train and 1 and 2 of Val."""
    for part, poses in (("Train", POSES[:5]), ("Val", POSES[5:])):
        folder = tmp_path / "h36m" / "ECCV18_Challenge" / part / "POSE"
        folder.mkdir(parents=True)
        for number, pose in enumerate(poses, start=1):
            write_pose(folder / f"{number:05d}.csv", pose)
    return tmp_path


def train(root: Path) -> Path:
    return root / "h36m" / "ECCV18_Challenge" / "Train"


def test_poses_and_their_projections(root: Path) -> None:
    for split, poses in (("train", POSES[:5]), ("test", POSES[5:])):
        data = adapter().load(root, "all", split)
        np.testing.assert_array_equal(truth_of(data).points_3d, poses)
        np.testing.assert_array_equal(data.observations.points_2d, poses[..., :2])
        assert truth_of(data).sequence.tolist() == list(range(1, len(poses) + 1))
        assert set(truth_of(data).group.tolist()) == {"all"}
        assert data.observations.camera == "orthographic"
        assert data.observations.images is None
        low, size = not_none(data.observations.box)[:, :2], not_none(data.observations.box)[:, 2:]
        np.testing.assert_allclose(low, poses[..., :2].min(axis=1))
        np.testing.assert_allclose(size, np.ptp(poses[..., :2], axis=1))


def test_every_and_images(root: Path) -> None:
    folder = train(root) / "IMG"
    folder.mkdir()
    for number in range(1, 6):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(folder / f"{number:05d}.jpg", quality=100)
    data = adapter(every=2).load(root, "all", "train")
    assert truth_of(data).sequence.tolist() == [1, 3, 5]
    np.testing.assert_array_equal(truth_of(data).points_3d, POSES[:5:2])
    images = not_none(data.observations.images)
    assert [Path(name).name for name in images.files] == ["00001.jpg", "00003.jpg", "00005.jpg"]
    assert images.image(2).shape == (3, 4, 3)


def test_points_are_assumed_to_fill_three_quarters_of_their_image(root: Path) -> None:
    folder = train(root) / "IMG"
    folder.mkdir()
    for number in range(1, 6):
        Image.new("RGB", (200, 100 + number)).save(folder / f"{number:05d}.jpg")
    seen = adapter().load(root, "all", "train").observations
    for frame, (x, y, width, height) in enumerate(not_none(seen.in_pixels().box)):
        shorter = 101 + frame
        assert max(width, height) == pytest.approx(0.75 * shorter)
        np.testing.assert_allclose([x + width / 2, y + height / 2], [100, shorter / 2])
    (folder / "00002.jpg").unlink()
    assert adapter().load(root, "all", "train").observations.origin is None
    assert "place in the images is assumed" in adapter().note(root, "all")


def test_note_and_check(root: Path) -> None:
    note = adapter().note(root, "all")
    assert "orthographic projections" in note
    assert note.endswith("; 5 of the official 35832 training poses")
    first, second = adapter().check(root)
    assert (first.item, first.ok, second.item, second.ok) == ("Train", True, "Val", True)
    assert first.detail == "5 poses, no images; 5 of the official 35832"
    assert second.detail == "2 poses, no images"
    (train(root) / "POSE" / "00002.csv").write_text("1,2\n")
    assert [finding.ok for finding in adapter().check(root)] == [False, True]


def test_absent_parts_are_named(root: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    assert adapter().subsets(empty) == ()
    assert adapter().subsets(root) == ("all",)
    with pytest.raises(DataMissingError, match=r"Train/POSE/00001\.csv; see 'liftbench data info"):
        adapter().checksum(empty, "all")
    whole = adapter().checksum(root, "all")
    for path in (root / "h36m" / "ECCV18_Challenge" / "Val" / "POSE").iterdir():
        path.unlink()
    assert adapter().checksum(root, "all") != whole
    with pytest.raises(DataMissingError, match=r"Val/POSE/00001\.csv"):
        adapter().load(root, "all", "test")
    adapter().load(root, "all", "train")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines"),
        ("0,0,0\n" * 16, "16 lines"),
        ("0,0,0\n" * 18, "18 lines"),
        ("0,0,0\n" * 16 + "1,2\n", "line 17: '1,2'"),
        ("0,0,0\n" * 16 + "1,2,x\n", "line 17: could not convert"),
        ("0,0,0\n" * 16 + "1,2,nan\n", "line 17: '1,2,nan'"),
        ("5,0,0\n" * 17, "line 1: '5,0,0'"),
        ("0,0,0\n" * 16 + "1,2,\N{DEGREE SIGN}\n", "00003.csv"),
    ],
)
def test_damaged_files_name_the_line(root: Path, text: str, message: str) -> None:
    path = train(root) / "POSE" / "00003.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        adapter().load(root, "all", "train")
    assert str(caught.value).startswith(f"{path}: expected 17 lines of x,y,z in mm")


def test_odd_names_are_errors(root: Path) -> None:
    odd = train(root) / "POSE" / "00003 copy.csv"
    write_pose(odd, POSES[0])
    with pytest.raises(UserError, match=r"copy\.csv: expected a name such as 00001\.csv"):
        adapter().load(root, "all", "train")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=400) | st.text("0123456789,.-einf\n", max_size=400).map(str.encode))
def test_any_bytes_are_one_line_errors(root: Path, content: bytes) -> None:
    path = train(root) / "POSE" / "00001.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        adapter().load(root, "all", "train")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)

"""Where the files of PASCAL3D+ lie, and its lists of images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.datasets.pascal3d.conftest import (
    VOC_LISTS,
    frame_images,
    models_of,
    write_cad,
    write_list,
    write_release,
)

from liftbench.cli import main
from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.release import find_release


@pytest.mark.parametrize(
    "below", ["pascal3d", "", "PASCAL3D+_release1.1", "pascal3d/PASCAL3D+_release1.1"]
)
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_release(tmp_path / below)
    assert Pascal3d().subsets(tmp_path) == ("all", "car", "bus")
    assert Pascal3d(categories=8).subsets(tmp_path) == ("bus", "car")
    assert Pascal3d().load(tmp_path, "car", "train").observations.frames == 3


def test_models_without_annotations_are_listed_as_a_part(tmp_path: Path) -> None:
    write_cad(tmp_path / "pascal3d", "bus", models_of("bus", 2))
    for words in (["list"], ["info", "pascal3d"]):
        result = CliRunner().invoke(main, ["data", *words, "--data-root", str(tmp_path)])
        message = " ".join(result.stdout.split())
        assert "partial: CAD models only, set views: random all, bus" in message
    assert all(finding.ok for finding in Pascal3d().check(tmp_path))
    write_release(tmp_path / "pascal3d")
    listed = CliRunner().invoke(main, ["data", "list", "--data-root", str(tmp_path)]).stdout
    assert "pascal3d found all, car, bus" in " ".join(listed.split())


def test_an_empty_root_has_no_subsets_and_says_what_was_looked_for(tmp_path: Path) -> None:
    assert Pascal3d().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError, match=r"CAD/<category>\.mat in .*pascal3d; see 'liftb"):
        Pascal3d().load(tmp_path, "car", "train")
    (finding,) = Pascal3d().check(tmp_path)
    assert not finding.ok


def test_absent_parts_are_named(root: Path) -> None:
    with pytest.raises(DataMissingError, match=r"CAD/sofa\.mat not found; see 'liftbench data"):
        Pascal3d().load(root, "sofa", "train")
    shutil.rmtree(root / "pascal3d" / "Annotations")
    assert Pascal3d().subsets(root) == ()
    assert Pascal3d(views="random").subsets(root) == ("all", "car", "bus")
    with pytest.raises(DataMissingError, match=r"no annotations of 'car'.*set 'views: random'"):
        Pascal3d().load(root, "car", "train")


def test_an_absent_list_is_named(root: Path) -> None:
    path = root / "pascal3d" / VOC_LISTS / "car_val.txt"
    path.unlink()
    with pytest.raises(DataMissingError, match=r"car_val\.txt: not found, .*pascal images"):
        Pascal3d().load(root, "car", "test")
    assert frame_images(Pascal3d(test_images="imagenet").load(root, "car", "test"))


@pytest.mark.parametrize("line", ["../../etc/passwd", "2008_000001 2", "a b c", "\x00"])
def test_damaged_lists_are_reported(root: Path, line: str) -> None:
    write_list(root / "pascal3d", f"{VOC_LISTS}/car_val.txt", ["2008_000002 1", line])
    with pytest.raises(UserError, match=r"car_val\.txt: expected the list.*line 2: expected"):
        Pascal3d().load(root, "car", "test")


def test_an_image_that_is_listed_twice_is_read_once(root: Path) -> None:
    write_list(root / "pascal3d", f"{VOC_LISTS}/car_val.txt", ["2008_000002 1", "2008_000002 1"])
    names = find_release(root).image_names("car", "pascal", "val")
    assert names == ["car_pascal/2008_000002"]

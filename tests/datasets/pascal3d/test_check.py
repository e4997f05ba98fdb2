"""What `liftbench data check` and the notes say of a folder of PASCAL3D+ files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.datasets.conftest import truth_of
from tests.datasets.pascal3d.conftest import labelled, write_image

from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS


def test_listed_images_without_annotations_are_noted(root: Path) -> None:
    assert "listed" not in Pascal3d().note(root, "car")
    (root / "pascal3d/Annotations/car_pascal/2008_000001.mat").unlink()
    assert Pascal3d().load(root, "car", "train").observations.frames == 2
    assert "2 of 3 listed images have annotations" in Pascal3d().note(root, "car")
    assert "2 of 12 categories" in Pascal3d().note(root, "all")
    failed = {f.item: f.detail for f in Pascal3d().check(root) if not f.ok}
    assert "1 of 1 listed images have no annotation" in failed["car pascal train"]


def test_models_are_numbered_from_1_where_they_lack_keypoints(root: Path) -> None:
    finding = {f.item: f for f in Pascal3d().check(root)}["CAD bus"]
    names = POINTS["bus"][4:6]
    assert finding.detail.endswith(f"by model: {names[0]} in 2; {names[1]} in 2")


def test_only_a_model_after_the_last_one_is_reported(root: Path) -> None:
    item, folder = "car pascal val", root / "pascal3d"
    write_image(folder, "car_pascal/2008_000002", [labelled("car", 3)])
    assert {f.item: f for f in Pascal3d().check(root)}[item].ok
    write_image(folder, "car_pascal/2008_000002", [labelled("car", 4)])
    finding = {f.item: f for f in Pascal3d().check(root)}[item]
    assert not finding.ok
    assert finding.detail.endswith("1 objects have a model that is not among the 3")


def test_the_real_models(shared_data: Path) -> None:
    adapter = Pascal3d(views="random")
    there = ("aeroplane", "chair", "bus", "bottle", "boat", "bicycle")
    assert adapter.subsets(shared_data) == ("all", *there)
    findings = {f.item: f for f in adapter.check(shared_data)}
    assert all(finding.ok for finding in findings.values())
    assert "6 of 12 categories" in findings["CAD"].detail
    assert set(findings["CAD"].detail.partition("; no ")[2].split(", ")) == (
        set(CATEGORIES) - set(there)
    )
    counts = {"aeroplane": 7, "chair": 10, "bus": 6, "bottle": 8, "boat": 6, "bicycle": 5}
    for category, count in counts.items():
        finding = findings[f"CAD {category}"]
        assert finding.ok
        assert finding.detail.startswith(f"{count} models of {len(POINTS[category])} keypoints")
    assert "lacks 8 of 100" in findings["CAD chair"].detail
    assert "leg_upper_left in 2, 10" in findings["CAD chair"].detail
    assert "lacks 7 of 42" in findings["CAD boat"].detail
    assert "tail in 1, 2, 3, 4, 6" in findings["CAD boat"].detail
    assert "so only random views" in findings["annotations"].detail
    data = Pascal3d(views="random", random_views=200).load(shared_data, "all", "train")
    assert data.observations.points_2d.shape == (6 * 160, 124, 2)
    groups, frames = np.unique(truth_of(data).group, return_counts=True)
    assert (frames == 160).all()
    assert len(groups) == 6
    assert truth_of(data).unit == "model unit"
    sizes = np.linalg.norm(truth_of(data).points_3d, axis=2).max(axis=1)
    assert ((sizes > 0.25) & (sizes < 0.75)).all()
    assert "6 of 12 categories" in adapter.note(shared_data, "all")

"""The names of the points of C3DPO's data sets."""

from __future__ import annotations

from pathlib import Path

from tests.datasets.c3dpo.conftest import load, plain


def test_known_points_have_names(tmp_path: Path) -> None:
    pascal_names = load(tmp_path, plain(2, 124), "pascal3d_hrnet").observations.skeleton.points
    assert pascal_names[8].startswith("car_")
    assert [name.startswith("train_") for name in pascal_names] == [False] * 107 + [True] * 17
    body = load(tmp_path, plain(2, 17), "h36m").observations.skeleton
    assert body.points[body.root] == "Hip"
    assert len(body.edges) == 16
    assert {(body.points[a], body.points[b]) for a, b in body.left_right} >= {("LFoot", "RFoot")}
    assert load(tmp_path, plain(2, 3), "h36m").observations.skeleton.points[2] == "point_2"

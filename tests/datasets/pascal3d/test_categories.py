"""The layout of points of PASCAL3D+'s categories."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench_datasets.pascal3d.categories import (
    ALL,
    CATEGORIES,
    EIGHT,
    POINTS,
    columns,
    mirror_name,
    skeleton,
)

# Source: C3DPO's data, in its order.
COUNTS = {
    "aeroplane": 8,
    "car": 12,
    "tvmonitor": 8,
    "sofa": 10,
    "motorbike": 10,
    "diningtable": 12,
    "chair": 10,
    "bus": 12,
    "bottle": 7,
    "boat": 7,
    "bicycle": 11,
    "train": 17,
}


def test_categories_and_counts_are_those_of_the_124_points() -> None:
    assert {c: len(POINTS[c]) for c in CATEGORIES} == COUNTS
    assert list(CATEGORIES) == list(COUNTS)
    assert len(skeleton(ALL).points) == 124
    assert all(COUNTS[c] >= 8 for c in EIGHT)


def test_columns_cover_all_points_in_order() -> None:
    taken = [i for c in CATEGORIES for i in range(124)[columns(ALL, c)]]
    assert taken == list(range(124))
    assert columns("train", "train") == slice(0, 17)
    assert columns(ALL, "car") == slice(8, 20)


@pytest.mark.parametrize("category", CATEGORIES)
def test_edges_join_all_points_and_are_symmetric(category: str) -> None:
    layout = skeleton(category)
    swap = np.arange(len(layout.points))
    for a, b in layout.left_right:
        swap[[a, b]] = b, a
        assert layout.points[b] == mirror_name(layout.points[a])
    edges = {frozenset(edge) for edge in layout.edges}
    assert edges == {frozenset(swap[list(edge)].tolist()) for edge in edges}
    reached = {0}
    for _ in layout.points:
        reached |= {i for edge in edges if edge & reached for i in edge}
    assert reached == set(range(len(layout.points)))
    sided = [name for name in layout.points if "left" in name or "right" in name]
    assert len(sided) == 2 * len(layout.left_right)


@pytest.mark.parametrize("category", CATEGORIES)
def test_all_holds_the_skeleton_of_each_category(category: str) -> None:
    own, joint, at = skeleton(category), skeleton(ALL), columns(ALL, category)
    assert joint.points[at] == tuple(f"{category}_{name}" for name in own.points)
    for field in ("edges", "left_right"):
        moved = {(a + at.start, b + at.start) for a, b in getattr(own, field)}
        inside = {pair for pair in getattr(joint, field) if pair[0] in range(124)[at]}
        assert inside == moved

"""Meshes that are made when they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import not_none

from liftbench.types import GroundTruth, Mesh
from liftbench_datasets.geometry.lazy_meshes import LazyMeshes, chain_meshes


def numbered(start: int, count: int, made: list[int]) -> LazyMeshes:
    def make(index: int) -> Mesh:
        made.append(start + index)
        return Mesh(np.full((3, 3), start + index), np.array([[0, 1, 2]]))

    return LazyMeshes(count, make)


def test_chained_meshes_are_those_of_the_parts_one_after_another() -> None:
    made: list[int] = []
    parts = [numbered(0, 3, made), numbered(3, 0, made), numbered(3, 1, made), numbered(4, 2, made)]
    whole = chain_meshes(parts)
    assert made == []
    assert len(whole) == 6
    assert [whole[i].vertices[0, 0] for i in range(6)] == list(range(6))
    assert whole[-1].vertices[0, 0] == 5
    assert made == [0, 1, 2, 3, 4, 5, 5]
    for beyond in (6, -7):
        with pytest.raises(IndexError):
            whole[beyond]
    assert len(chain_meshes([])) == 0


def test_the_truth_holds_numbers_of_meshes_and_makes_none() -> None:
    made: list[int] = []
    rows = np.zeros((4, 2, 3)) + np.arange(2)[:, None], "m", np.full(4, "a"), np.arange(4)
    truth = GroundTruth(*rows, meshes=numbered(0, 3, made), mesh=np.array([2, 0, 2, 1]))
    assert made == []
    assert not_none(truth.meshes)[int(not_none(truth.mesh)[0])].vertices[0, 0] == 2
    with pytest.raises(ValueError, match=r"mesh: an index lies outside 0\.\.2"):
        GroundTruth(*rows, meshes=numbered(0, 3, made), mesh=np.array([2, 0, 3, 1]))

"""Shadows against rays that are followed to the lamp."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Bools, Floats
from liftbench_datasets.geometry.ray_mesh import crossings
from liftbench_datasets.people.lighting import unit_vectors
from liftbench_datasets.people.shadows import cast_shadow, contact_shade, lamp_axes
from liftbench_datasets.people.surface import OUTWARD, REST

STANDING = REST + np.array([0, 1.0, 0])
TEXEL = 0.01
LAMPS = unit_vectors(np.array([[0.3, 1.0, 0.2], [-0.8, 0.7, 0.1], [0.1, 0.9, -0.9]]))


def blocked(points: Floats, towards: Floats) -> Bools:
    """Return which points (N, 3) the body hides from a far lamp, by rays."""
    hits = np.zeros(len(points), dtype=bool)
    for i, point in enumerate(points):
        at = crossings(9 * towards[None], STANDING[OUTWARD] - point)
        hits[i] = (np.nan_to_num(at) > 1e-4).any()
    return hits


@pytest.mark.parametrize("lamp", range(3))
def test_the_shadow_on_the_floor_is_that_of_rays(lamp: int) -> None:
    towards = LAMPS[lamp]
    rng = named_rng("floor", lamp)
    aim = STANDING[rng.integers(len(STANDING), size=150)] + rng.normal(0, 0.1, (150, 3))
    floor = aim - aim[:, 1:2] / towards[1] * towards
    lit = cast_shadow(STANDING, OUTWARD, towards, TEXEL).lit(floor)
    hits = blocked(floor, towards)
    assert 0.2 < hits.mean() < 0.95
    assert np.mean((lit < 0.5) == hits) > 0.95  # others lie within a texel of the edge
    assert set(np.unique(lit[np.abs(lit - 0.5) > 0.5]).tolist()) <= {0.0, 1.0}


def test_an_arm_shades_the_trunk_and_nothing_shades_itself() -> None:
    """Light from the left: the left arm is lit, the trunk behind it is not."""
    towards = np.array([1.0, 0.0, 0.0])
    shadow = cast_shadow(STANDING, OUTWARD, towards, TEXEL)
    outer = STANDING[STANDING[:, 0] == STANDING[:, 0].max()]
    trunk = np.array([[0.14, 1.15, 0.0]])
    assert shadow.lit(outer).min() == 1
    assert shadow.lit(trunk).max() == 0
    assert shadow.lit(trunk + np.array([0, 0, 0.5])).min() == 1


def test_axes_of_a_lamp_are_a_rotation() -> None:
    for towards in (*LAMPS, np.array([0.0, -1.0, 0.0])):
        axes = lamp_axes(towards)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1)
        np.testing.assert_allclose(axes[2], -towards)


def test_the_floor_is_dark_below_the_feet_and_not_below_a_jump() -> None:
    feet = STANDING[np.argsort(STANDING[:, 1])[:40]][:, [0, 2]]
    away = feet + np.array([1.5, 0])
    low = STANDING - [0, STANDING[np.unique(OUTWARD), 1].min(), 0]
    assert contact_shade(low, OUTWARD, feet).mean() > 0.2
    np.testing.assert_array_equal(contact_shade(low, OUTWARD, away), 0)
    jump = contact_shade(low + np.array([0, 0.6, 0]), OUTWARD, feet)
    np.testing.assert_allclose(jump, contact_shade(low, OUTWARD, feet) * np.exp(-2), rtol=1e-6)

"""Areas, costs and growth of numbers over a grid, against closed forms."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.suites.grids import Axis, Grid
from liftbench.sweeps.surfaces import Surface, areas

NOISE = Axis("noise", "pixels", (0.0, 3.0, 5.0, 10.0, 15.0), "Noise", "px")
MISSING = Axis("missing", "share", (0.0, 0.3, 0.6), "Hidden", "%")
FRAMES = Axis("frames", "share", (1.0, 0.5, 0.1), "Frames", "%")


def surface(values: Any, *axes: Axis, **fields: Any) -> Surface:
    array = np.asarray(values, dtype=np.float64)
    shape = array.shape[1:]
    made = {"printed": np.full(shape, np.nan), "status": np.full(shape, "ok"), **fields}
    return Surface(Grid(axes), "unseen", "method", array, **made)


def over(function: Any, *axes: Axis) -> Any:
    """Return the values of a function of the severities, scaled to 0..1, as one seed."""
    scaled = [np.array(axis.severities) / axis.severities[-1] for axis in axes]
    return function(*np.meshgrid(*scaled, indexing="ij"))[None]


@pytest.mark.parametrize("axes", [(NOISE,), (FRAMES,), (NOISE, MISSING), (NOISE, MISSING, FRAMES)])
def test_area_of_constant_numbers_is_the_clean_number(axes: tuple[Axis, ...]) -> None:
    values = np.full((2, *Grid(axes).shape), 0.25)
    np.testing.assert_allclose(areas(values, axes), 0.25)
    made = surface(values, *axes)
    assert made.cost == pytest.approx(1)
    assert made.area_spread == 0


@settings(max_examples=20, deadline=None)
@given(corners=st.lists(st.floats(0, 2), min_size=4, max_size=4))
def test_area_of_a_bilinear_surface_is_the_mean_of_its_corners(corners: list[float]) -> None:
    a, b, c, d = corners
    values = over(
        lambda x, y: a * (1 - x) * (1 - y) + b * x * (1 - y) + c * (1 - x) * y + d * x * y,
        NOISE,
        MISSING,
    )
    np.testing.assert_allclose(areas(values, (NOISE, MISSING)), np.mean(corners), atol=1e-12)


def test_area_weighs_steps_by_their_length() -> None:
    """A step at 3 of 15 px lasts longer than one at 10."""
    early, late = (np.array([[0.0, *([0] * n), *([1] * (4 - n))]]) for n in (0, 3))
    np.testing.assert_allclose(areas(early, (NOISE,)), 1 - 1.5 / 15)
    np.testing.assert_allclose(areas(late, (NOISE,)), 2.5 / 15)


def test_area_of_each_seed_and_its_spread() -> None:
    values = np.array([np.full(5, 1.0), np.full(5, 2.0), [1.0, np.nan, 1, 1, 1]])
    made = surface(values, NOISE)
    assert made.whole.tolist() == [True, True, False]
    assert made.area == 1.5
    assert made.area_spread == pytest.approx(np.std([1, 2], ddof=1))
    assert made.cost == 1


def test_area_of_a_single_whole_seed_has_no_spread() -> None:
    """It is NaN without the warning of NumPy, which would be an error here."""
    made = surface([[1.0, 3.0, 5.0], [1.0, np.nan, 5.0]], MISSING)
    assert made.area == 3
    assert np.isnan(made.area_spread)


def test_area_and_cost_are_means_over_the_seeds() -> None:
    """The areas are 2, 4 and 12, the clean numbers 1, 1 and 4; the cost is the ratio of means."""
    made = surface([[1.0, 2.0, 3.0], [1.0, 4.0, 7.0], [4.0, 12.0, 20.0]], MISSING)
    assert made.area == 6
    assert made.cost == 3
    assert made.area_spread == pytest.approx(np.sqrt(28))


def test_two_seeds_have_a_spread() -> None:
    assert surface([[1.0, 2.0, 3.0], [3.0, 2.0, np.nan]], MISSING).spread.tolist()[:2] == [
        pytest.approx(np.sqrt(2)),
        0,
    ]


def test_cost_is_over_the_clean_number_of_the_same_seeds() -> None:
    made = surface([[1.0, 3.0, 5.0], [100.0, np.nan, 1.0]], MISSING)
    assert made.area == made.cost == 3.0


def test_area_of_a_surface_with_a_missing_number_is_nan() -> None:
    made = surface([[1.0, np.nan, 1.0]], MISSING)
    assert np.isnan([made.area, made.cost, made.area_spread]).all()


def test_mean_spread_and_count_leave_out_missing_numbers() -> None:
    values = np.random.default_rng(0).random((4, 5, 3))
    values[0, 1, 1] = values[1, 1, 1] = values[2, 1, 1] = np.nan
    values[:, 2, 2] = np.nan
    made = surface(values, NOISE, MISSING)
    for i, j in product(range(5), range(3)):
        known = values[:, i, j][np.isfinite(values[:, i, j])]
        assert made.count[i, j] == len(known)
        expected = (
            known.mean() if len(known) else np.nan,
            known.std(ddof=1) if len(known) > 1 else np.nan,
        )
        np.testing.assert_allclose((made.mean[i, j], made.spread[i, j]), expected)


def test_clean_and_strongest_are_the_corners() -> None:
    made = surface(np.arange(15.0).reshape(1, 5, 3), NOISE, MISSING)
    assert (made.clean, made.strongest) == (0, 14)


def test_growth_counts_steps_against_the_bands() -> None:
    """Along the noise: up by 1, within the bands (0.2 both), down by 1, up by 1."""
    middle = np.array([1.0, 2.0, 2.15, 1.2, 2.2])
    made = surface(np.stack([middle - 0.1, middle, middle + 0.1]), NOISE)
    growth = made.growth(0)
    assert (growth.grows, growth.within) == (2, 1)
    assert growth.falls == ("noise 5 to 10",)
    assert growth.factor == pytest.approx(2.2)


def test_a_step_as_large_as_its_band_is_within_it() -> None:
    """The two seeds are 2 apart at each value, or equal; the numbers are exact in binary."""
    made = surface([[1.0, 1.0, 3.0], [1.0, 1.0, 3.0]], MISSING)
    assert (made.growth(0).grows, made.growth(0).within, made.growth(0).falls) == (1, 1, ())


def test_growth_along_a_middle_axis() -> None:
    """Each of three axes has its own step; the bands are those of the same cells."""
    steps = np.stack(np.meshgrid([0, 1, 2, 3, 4], [0, 10, 20], [0, 100, 200], indexing="ij"))
    middle = steps.sum(axis=0) + 1.0
    width = np.where(steps[1] == 10, 8.0, 0.0)  # a standard deviation of 8 at missing=30
    made = surface(np.stack([middle - width, middle, middle + width]), NOISE, MISSING, FRAMES)
    noise, missing, frames = (made.growth(number) for number in range(3))
    assert (noise.axis, missing.axis, frames.axis) == (NOISE, MISSING, FRAMES)
    assert (noise.factor, missing.factor, frames.factor) == (5, 21, 201)
    assert (noise.grows, noise.within) == (4 * 2 * 3, 4 * 3)
    assert (missing.grows, missing.within) == (2 * 5 * 3, 0)
    assert (frames.grows, frames.within) == (2 * 5 * 3, 0)


def test_a_single_seed_has_no_band() -> None:
    growth = surface([[1.0, 1.001, 1.0]], MISSING).growth(0)
    assert (growth.grows, growth.within, growth.falls) == (1, 0, ("missing 30 to 60",))


def test_growth_along_one_axis_at_each_value_of_the_others() -> None:
    values = np.arange(15.0).reshape(1, 5, 3) + 1
    values[0, 3, 2] = 0
    made = surface(values, NOISE, MISSING)
    noise, missing = made.growth(0), made.growth(1)
    assert (noise.grows, noise.falls) == (11, ("noise 5 to 10 at missing=60",))
    assert (missing.grows, missing.falls) == (9, ("missing 30 to 60 at noise=10",))
    assert (noise.factor, missing.factor) == (13, 3), "with the other axis clean"


def test_a_score_gets_worse_as_it_falls() -> None:
    growth = surface([[0.9, 0.5, 0.7]], MISSING, more_is_better=True).growth(0)
    assert (growth.grows, growth.falls) == (1, ("missing 30 to 60",))


def test_steps_beside_a_hole_are_not_counted() -> None:
    growth = surface([[1.0, np.nan, 2.0, 3.0, 4.0]], NOISE).growth(0)
    assert (growth.grows, growth.within, growth.falls) == (2, 0, ())

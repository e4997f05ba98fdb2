from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.optimize import least_squares

from liftbench.types import Floats
from liftbench_plugins.classical.gauss_newton import Quadratic, damped_gauss_newton


def quadratic(
    residual: Callable[[Floats], Floats], jacobian: Callable[[Floats], Floats]
) -> Callable[[Floats], Quadratic]:
    """Return the model of half the sum of squares of residuals."""

    def model(x: Floats) -> Quadratic:
        rest, slope = residual(x), jacobian(x)
        return float(rest @ rest) / 2, slope.T @ rest, slope.T @ slope

    return model


def valley(x: Floats) -> Floats:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def valley_slope(x: Floats) -> Floats:
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def test_a_linear_problem_is_solved() -> None:
    rng = np.random.default_rng(0)
    matrix, goal = rng.standard_normal((9, 4)), rng.standard_normal(9)
    model = quadratic(lambda x: matrix @ x - goal, lambda _: matrix)
    found = damped_gauss_newton(model, np.zeros(4), steps=20, tolerance=1e-15)
    np.testing.assert_allclose(found, np.linalg.lstsq(matrix, goal, rcond=None)[0], atol=1e-7)


def test_the_valley_of_rosenbrock_is_followed_to_its_end() -> None:
    model = quadratic(valley, valley_slope)
    found = damped_gauss_newton(model, np.array([-1.2, 1.0]), steps=200, tolerance=1e-15)
    np.testing.assert_allclose(found, least_squares(valley, [-1.2, 1.0]).x, atol=1e-5)


def test_no_step_makes_the_value_greater() -> None:
    values: list[float] = []
    model = quadratic(valley, valley_slope)
    for steps in range(60):
        found = damped_gauss_newton(model, np.array([-1.2, 1.0]), steps=steps, tolerance=0)
        values.append(model(found)[0])
    assert (np.diff(values) <= 0).all()
    assert values[-1] < 1e-6 * values[0]


def test_results_are_retracted_to_their_constraint() -> None:
    goal = np.array([3.0, 4.0])
    model = quadratic(lambda x: x / np.linalg.norm(x) - goal, lambda x: _unit_slope(x))
    found = damped_gauss_newton(
        model,
        np.array([1.0, 0.0]),
        steps=100,
        tolerance=1e-14,
        retract=lambda x: x / np.linalg.norm(x),
    )
    assert np.linalg.norm(found) == pytest.approx(1)
    np.testing.assert_allclose(found, [0.6, 0.8], atol=1e-4)


def test_the_start_is_kept_if_no_step_helps() -> None:
    model = quadratic(lambda _: np.ones(3), lambda _: np.ones((3, 2)))
    start = np.array([1.0, 2.0])
    np.testing.assert_array_equal(
        damped_gauss_newton(model, start, steps=50, tolerance=1e-9), start
    )


def _unit_slope(x: Floats) -> Floats:
    length = np.linalg.norm(x)
    slope: Floats = np.eye(2) / length - np.outer(x, x) / length**3
    return slope


def dampings(gains: Sequence[bool], **options: float) -> list[float]:
    """Return the damping of each step, where each trial is a gain or not.

    Matrix and gradient are 1, so that a step is -1 / (1 + damping).
    """
    calls: list[float] = []
    value = [100.0]
    answers = iter(gains)

    def model(x: Floats) -> Quadratic:
        if len(calls) == 0:
            calls.append(float(x[0]))
            return value[0], np.ones(1), np.eye(1)
        calls.append(float(x[0]))
        better = next(answers)
        if better:
            value[0] /= 2
            return value[0], np.ones(1), np.eye(1)
        return 1e3, np.ones(1), np.eye(1)

    damped_gauss_newton(model, np.zeros(1), steps=len(gains), tolerance=1e-12)
    found, at = [], calls[0]
    for x, better in zip(calls[1:], gains, strict=True):
        found.append(-1 / (x - at) - 1)
        if better:
            at = x
    return found


def test_damping_grows_by_ten_after_a_failure_and_falls_to_a_hundredth_after_a_gain() -> None:
    found = dampings([False, False, True, False])
    np.testing.assert_allclose(found, [1e-4, 1e-3, 1e-2, 1e-4], rtol=1e-6)


def test_damping_has_a_least_value() -> None:
    assert dampings([True] * 8)[-1] < 1e-11


def test_a_small_gain_is_the_last_and_is_taken() -> None:
    model = quadratic(lambda x: np.array([x[0] - 3.0, 2.0]), lambda _: np.array([[1.0], [0.0]]))
    one = damped_gauss_newton(model, np.zeros(1), steps=50, tolerance=0.9)
    two = damped_gauss_newton(model, np.zeros(1), steps=1, tolerance=0)
    np.testing.assert_array_equal(one, two)
    assert one[0] == pytest.approx(3, abs=1e-3)


def test_a_matrix_that_is_not_positive_is_damped_until_it_is() -> None:
    def model(x: Floats) -> Quadratic:
        return float(x @ x) / 2, x, np.diag([1.0, -0.9])

    start = np.ones(2)
    found = damped_gauss_newton(model, start, steps=50, tolerance=1e-9)
    assert np.linalg.norm(found) < 1

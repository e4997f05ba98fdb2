"""Fields of files: the right kind and shape pass; all else is an error that takes little memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from liftbench_datasets.reading.array_fields import (
    finite_field,
    flag_field,
    integer_field,
    number_field,
    text_field,
)

NAN = float("nan")


def test_numbers_are_float64() -> None:
    for value in ([[1, 2.5], [None, True]], np.array([[1, 2.5], [NAN, 1]], dtype="f4")):
        found = number_field(value, "x", (None, 2))
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, [[1, 2.5], [NAN, 1]])
    assert number_field(3, "x", ()) == 3


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        [[1], [2, 3]],
        "x",
        None,
        {},
        ["a", "b"],
        ["1", "2"],
        np.array(["1", "2"]),
        [10**400, 1],
        np.array(["1", "2"], dtype=object),
    ],
)
def test_other_values_are_errors(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^x: expected numbers of shape \(2\), got .+"):
        number_field(value, "x", (2,))


def test_integers_flags_and_finite_numbers() -> None:
    assert integer_field([1.0, 2, True], "x", (3,)).tolist() == [1, 2, 1]
    assert flag_field([1, 0, True], "x", (3,)).tolist() == [True, False, True]
    for field, value, message in (
        (integer_field, [0.5], "expected integers"),
        (integer_field, [0.75], "expected integers"),
        (integer_field, [1.25], "expected integers"),
        (integer_field, [2**60 + 1], r"expected finite numbers up to 1e\+12"),
        (integer_field, [None], "expected finite numbers"),
        (finite_field, [float("inf")], "expected finite numbers"),
        (finite_field, [-1e200], r"expected finite numbers up to 1e\+12"),
        (flag_field, [2], "expected true or false"),
        (flag_field, [NAN], "expected true or false"),
    ):
        with pytest.raises(ValueError, match=f"^x: {message}"):
            field(value, "x", (1,))


def test_bounds_are_inclusive() -> None:
    assert finite_field([1e12, -1e12], "x", (2,)).tolist() == [1e12, -1e12]
    with pytest.raises(ValueError, match="expected finite numbers"):
        finite_field([np.nextafter(1e12, np.inf)], "x", (1,))
    assert text_field(["a" * 200], "x", 1).tolist() == ["a" * 200]


def test_texts() -> None:
    texts: list[object] = [["a", "bc"], np.array(["a", "bc"]), np.array(["a", "bc"], dtype=object)]
    for value in texts:
        assert text_field(value, "x", 2).tolist() == ["a", "bc"]
    assert text_field([], "x", None).shape == (0,)
    for bad, message in (
        (["a"], "list of 2 texts, got 1"),
        (["a", 1], "got other values"),
        ("ab", "got other values"),
        (["a", "b" * 201], "at most 200 characters"),
    ):
        with pytest.raises(ValueError, match=message):
            text_field(bad, "x", 2)


def test_one_long_text_takes_no_room_for_all() -> None:
    strange = ["x" * 10**6, *["y"] * 10**4]  # 40 GB as an array of texts
    tracemalloc.start()
    with pytest.raises(ValueError, match="expected numbers"):
        number_field(strange, "x", (None,))
    with pytest.raises(ValueError, match="at most 200"):
        text_field(strange, "x", None)
    assert tracemalloc.get_traced_memory()[1] < 10**8
    tracemalloc.stop()

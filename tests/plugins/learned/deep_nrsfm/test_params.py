"""The parameters of Deep NRSfM and its presets."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.conftest import registry


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sizes": (8,)}, "sizes: expected at least two"),
        ({"nonlinearity": "tanh"}, "nonlinearity: expected one of bst, relu, got 'tanh'"),
        ({"code": "none"}, "code: expected"),
        ({"steps": 0}, "steps: expected a positive number, got 0"),
        ({"starts": 0}, "starts: expected a positive number, got 0"),
        ({"sizes": "cmv"}, "sizes: expected one of cmu, up3d, pascal3d, .*, got 'cmv'"),
        ({"camera": "fisheye"}, "camera: expected one of observed, orthographic, got 'fisheye'"),
        ({"hidden_points": "zero"}, "hidden_points: expected one of masked, mean_filled, got"),
        ({"shape_scale": "box"}, "shape_scale: expected one of constant, box_max, box_min"),
        ({"scale_measure": "size"}, "scale_measure: expected one of norm, bones, got 'size'"),
        ({"scale_rounds": -1}, "scale_rounds: expected 0 or more, got -1"),
        ({"held_out": 1.0}, "held_out: expected less than 1, got 1.0"),
        ({"consistency": -0.1}, "consistency: expected 0 or more, got -0.1"),
        ({"input_scale": 0.0}, "input_scale: expected a positive number, got 0.0"),
    ],
)
@pytest.mark.parametrize("key", ["deep_nrsfm", "deep_nrsfm_pp", "deep_nrsfm_pp_consist"])
def test_bad_parameters_are_refused_in_one_line(
    key: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as e:
        registry().methods[key].params(**params)
    assert "\n" not in str(e.value)


HALVED = (512, 256, 128, 64, 32, 16, 8)
LINEAR = (125, 115, 104, 94, 83, 73, 62, 52, 41, 31, 20, 10)


@pytest.mark.parametrize(
    ("preset", "sizes"),
    [
        ("cmu", HALVED),
        ("up3d", HALVED),
        ("pascal3d", (256, 128, 64, 32, 16, 8, 4, 2)),
        ("h36m", LINEAR),
        ("nrsfm_challenge", LINEAR),
        ("apollo", (128, 100, 64, 50, 32, 16, 8, 4)),
    ],
)
def test_presets_are_the_sizes_of_table_7(preset: str, sizes: tuple[int, ...]) -> None:
    assert registry().methods["deep_nrsfm_pp"].params(sizes=preset).sizes == sizes

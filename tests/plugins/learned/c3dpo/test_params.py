"""The parameters of C3DPO and its recipes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.conftest import registry

from liftbench_plugins.learned.c3dpo import C3dpoPublishedParams

BOTH = [
    ({"basis": 0}, "basis: expected a positive number, got 0"),
    ({"width": -1}, "width: expected a positive number, got -1"),
    ({"learning_rate": 0.0}, "learning_rate: expected a positive number, got 0.0"),
    ({"canonicalisation": -1.0}, "canonicalisation: expected 0 or more, got -1.0"),
]
PUBLISHED = [
    ({"epochs": "cmu"}, "epochs: expected one of h36m, pascal3d, up3d, got 'cmu'"),
    ({"epochs": ()}, r"epochs: expected rising positive numbers, got \(\)"),
    ({"epochs": (0, 3)}, "epochs: expected rising positive numbers"),
    ({"epochs": (5, 5)}, "epochs: expected rising positive numbers"),
    ({"epochs": (1, 2.5)}, "epochs: expected rising positive numbers"),
    ({"momentum": -0.1}, "momentum: expected 0 or more, got -0.1"),
]


@pytest.mark.parametrize(
    ("key", "params", "message"),
    [
        *(("c3dpo", *case) for case in BOTH),
        *(("c3dpo_published", *case) for case in (*BOTH, *PUBLISHED)),
        ("c3dpo_base", {"steps": 0}, "steps: expected a positive number, got 0"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(
    key: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as e:
        registry().methods[key].params(**params)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("name", "epochs"),
    [("h36m", (60, 80, 90)), ("pascal3d", (20, 40, 60)), ("up3d", (50, 60, 70))],
)
def test_the_published_recipe_is_that_of_the_paper(name: str, epochs: tuple[int, ...]) -> None:
    params = C3dpoPublishedParams(epochs=name)  # type: ignore[arg-type]
    assert params.epochs == params.stages == epochs
    assert (params.width, params.bottleneck, params.blocks, params.basis) == (1024, 256, 6, 10)
    assert (params.batch_size, params.learning_rate) == (1024, 1e-3)
    assert (params.momentum, params.weight_decay) == (0.9, 5e-4)


@pytest.mark.parametrize("suffix", ["", "_published"])
def test_the_base_variant_differs_in_the_canonicalisation_alone(suffix: str) -> None:
    methods = registry().methods
    whole = vars(methods[f"c3dpo{suffix}"].params())
    base = vars(methods[f"c3dpo_base{suffix}"].params())
    assert {name for name in whole if whole[name] != base[name]} == {"canonicalisation"}
    assert base["canonicalisation"] == 0

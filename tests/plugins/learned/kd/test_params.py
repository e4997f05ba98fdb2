"""Parameters of students: false ones are refused by name, and recipes are what they say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from liftbench_plugins.learned.kd import (
    KdParams,
    KdPublishedParams,
    PictureParams,
    WeaksupPublishedParams,
)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cell": 0}, "cell: expected 1, 2, 4, 8, 16 or 32 pixels, got 0"),
        ({"cell": 12}, "cell: expected 1, 2, 4, 8, 16 or 32 pixels, got 12"),
        ({"cell": 64}, "cell: expected 1, 2, 4, 8, 16 or 32 pixels, got 64"),
        ({"image_size": 100}, "image_size: expected a multiple of 32 pixels, got 100"),
        ({"flip": 1.5}, "flip: expected a share of frames, at most 1, got 1.5"),
        ({"scale": 0.5}, "scale, colour: expected less than 0.5"),
        ({"backbone": "vgg"}, "backbone"),
        ({"steps": 0}, "steps"),
    ],
)
def test_false_parameters_are_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        PictureParams(**params)


@pytest.mark.parametrize("recipe", [KdPublishedParams, WeaksupPublishedParams])
def test_the_published_recipe_is_that_of_the_paper(recipe: type[PictureParams]) -> None:
    # Section 5.1: ResNet50, 256 pixels, batches of 32, rates from 1e-3 to 1e-5.
    params = recipe()
    assert (params.backbone, params.width, params.image_size) == ("resnet50", 1, 256)
    assert (params.batch_size, params.learning_rate, params.final_rate) == (32, 1e-3, 1e-5)
    assert params.image_size // params.cell == 64


@pytest.mark.parametrize("recipe", [KdParams, KdPublishedParams])
def test_both_recipes_of_kd_refuse_a_false_weight(recipe: type[KdParams]) -> None:
    assert recipe().weight == 0.3
    with pytest.raises(ValueError, match="weight: expected 0 or more"):
        recipe(weight=-1)

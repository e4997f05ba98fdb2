"""Parameters of To The Point."""

from __future__ import annotations

from typing import Any

import pytest

from liftbench_plugins.learned.ttp import (
    VARIANTS,
    TtpMasksPublishedParams,
    TtpParams,
    TtpPublishedParams,
    TtpViewsParams,
)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_size": 100}, "image_size: expected a multiple of 32 pixels, got 100"),
        ({"backbone": "resnet"}, "backbone: expected one of resnet18, resnet50"),
        ({"optimiser": "sgd"}, "optimiser: expected one of muon, adam, got 'sgd'"),
        ({"basis_pace": 0.0}, "basis_pace: expected"),
        ({"basis": -1}, "basis: expected"),
        ({"mask": -0.5}, "mask: expected"),
        ({"flip": 1.5}, "flip: expected a share of pictures from 0 to 1, got 1.5"),
        ({"scale": 0.5}, "scale, colour: expected less than 0.5"),
        ({"farthest_guess": 181.0}, "farthest_guess: expected 0 to 180 degrees, got 181"),
    ],
)
def test_bad_parameters_are_reported_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        TtpParams(**params)
    assert "\n" not in str(caught.value)


def test_the_recipe_of_the_paper_has_what_it_and_its_authors_say() -> None:
    """Sections 3 and 4; 100 epochs without deformation and 100 with it, of 8 pictures a step."""
    recipe = TtpPublishedParams()
    epoch = 5964 // recipe.batch_size
    assert recipe.rigid_steps == recipe.steps == 100 * epoch
    assert (recipe.image_size, recipe.width, recipe.basis, recipe.iterations) == (256, 1.0, 16, 4)
    # The basis learns at 1e-2, all else at 1e-4.
    assert recipe.learning_rate * recipe.basis_pace == pytest.approx(1e-2)
    assert (recipe.optimiser, recipe.modes, recipe.keypoints) == ("adam", 0, 30.0)
    assert TtpMasksPublishedParams().keypoints == 0


def test_methods_that_need_no_key_points_give_them_no_weight() -> None:
    for spec in VARIANTS:
        assert ("keypoints" in spec.capabilities.learns_from) == (spec.params().keypoints > 0)
    assert TtpViewsParams().farthest_guess == 90

"""The reasons why a method cannot take observations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import not_none

from liftbench import (
    Capabilities,
    Images,
    Mesh,
    Observations,
    Skeleton,
    Template,
)
from liftbench.runs.compatibility import incompatibility


def test_incompatibility_looks_at_camera_and_points() -> None:
    points = np.zeros((2, 3, 2))
    points[0, 0] = np.nan
    seen = Observations(
        points, np.isfinite(points[..., 0]), np.zeros(2, int), "perspective", Skeleton(("a", *"bc"))
    )
    able = Capabilities(cameras=("orthographic", "perspective"), missing_points=True)
    assert incompatibility(able, seen) == ""
    assert "camera" in incompatibility(Capabilities(missing_points=True), seen)
    assert "visible" in incompatibility(Capabilities(cameras=("perspective",)), seen)


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        ([4, 4, 4, 2, 2], ""),
        ([4, 4, 2, 4, 2], "in the order of time: frames of different sequences are mixed"),
        ([4, 4, 2, 2, 4], "in the order of time: frames of different sequences are mixed"),
        ([0, 1, 2, 3, 4], "in the order of time: 5 of 5 have one frame only"),
        ([0, 0, 0, 0, 9], "in the order of time: 1 of 2 have one frame only"),
    ],
)
def test_incompatibility_looks_at_sequences(sequence: list[int], reason: str) -> None:
    shown = np.ones((5, 1), dtype=bool)
    seen = Observations(
        np.zeros((5, 1, 2)), shown, np.array(sequence), "orthographic", Skeleton(("a",))
    )
    assert incompatibility(Capabilities(), seen) == ""
    message = incompatibility(Capabilities(needs_sequences=True), seen)
    assert message.endswith(reason)
    assert bool(message) == bool(reason)


def pictured(folder: Path, **changes: Any) -> Observations:
    """Return two frames with one hidden point and their pictures, which exist."""
    files = tuple(str(folder / f"{number}.png") for number in range(2))
    for file in files:
        Path(file).touch()
    visible = np.array([[True, True], [True, False]])
    fields: dict[str, Any] = {
        "points_2d": np.where(visible[..., None], np.zeros((2, 2, 2)), np.nan),
        "visible": visible,
        "sequence": np.arange(2),
        "camera": "orthographic",
        "skeleton": Skeleton(("a", "b")),
        "images": Images(files, files),
        "pixel": np.ones(2),
        "origin": np.zeros((2, 2)),
    }
    return Observations(**(fields | changes))


def test_points_count_as_missing_only_where_the_method_sees_them(tmp_path: Path) -> None:
    seen = pictured(tmp_path)
    needs = "the method needs every point to be visible"
    assert incompatibility(Capabilities(images=True), seen, "fit") == needs
    assert incompatibility(Capabilities(images=True), seen, "predict") == ""
    assert incompatibility(Capabilities(), seen, "predict") == needs
    given = Capabilities(images=True, given_points=True)
    assert incompatibility(given, seen, "predict") == needs
    from_masks = Capabilities(images=True, learns_from=("masks",))
    assert incompatibility(from_masks, seen, "fit") == ""


def test_incompatibility_looks_at_images(tmp_path: Path) -> None:
    can = Capabilities(images=True, missing_points=True)
    from_masks = Capabilities(images=True, learns_from=("masks",))
    assert incompatibility(can, pictured(tmp_path)) == ""
    images = not_none(pictured(tmp_path).images)
    for absent in ("pixel", "origin"):
        reason = incompatibility(can, pictured(tmp_path, **{absent: None}))
        assert "does not say where its points lie in the images" in reason
    without = pictured(tmp_path, images=replace(images, masks=None))
    assert incompatibility(can, without) == ""
    assert (
        incompatibility(from_masks, without) == "the method learns from masks, which are not there"
    )
    assert incompatibility(from_masks, without, "predict") == ""
    seen = pictured(tmp_path)
    Path(images.files[1]).unlink()
    expected = f"the method needs images: 1 of 2 are missing, first {images.files[1]}"
    assert incompatibility(can, seen) == expected
    drawn = replace(images, draw=print)
    assert incompatibility(can, replace(seen, images=drawn)) == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learns_from": ("masks",)}, "only a method with `images`"),
        ({"images": True, "learns_from": ("pixels",)}, "expected some of keypoints, masks"),
        ({"images": True, "transductive": True}, "must predict other frames too"),
    ],
)
def test_contradictory_capabilities_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Capabilities(**given)


def test_incompatibility_looks_at_the_number_of_frames() -> None:
    shown = np.ones((5, 1), dtype=bool)
    seen = Observations(
        np.zeros((5, 1, 2)), shown, np.zeros(5, int), "orthographic", Skeleton(("a",))
    )
    assert incompatibility(Capabilities(most_frames=5), seen) == ""
    message = incompatibility(Capabilities(most_frames=4), seen)
    assert message == "the method takes at most 4 frames, there are 5"


def test_a_method_that_needs_a_template_learns_only_where_there_is_one() -> None:
    seen = Observations(
        np.zeros((2, 3, 2)),
        np.ones((2, 3), bool),
        np.zeros(2, int),
        "orthographic",
        Skeleton(("a", "b", "c")),
    )
    able = Capabilities(needs_template=True)
    assert "a template of the category, which is not there" in incompatibility(able, seen)
    assert incompatibility(able, seen, "predict") == ""
    known = replace(seen, template=Template(Mesh(np.eye(3), np.array([[0, 1, 2]])), np.eye(3)))
    assert incompatibility(able, known) == ""

"""The reasons why a method cannot take observations."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench import (
    Capabilities,
    Observations,
    Skeleton,
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


def test_incompatibility_looks_at_the_number_of_frames() -> None:
    shown = np.ones((5, 1), dtype=bool)
    seen = Observations(
        np.zeros((5, 1, 2)), shown, np.zeros(5, int), "orthographic", Skeleton(("a",))
    )
    assert incompatibility(Capabilities(most_frames=5), seen) == ""
    message = incompatibility(Capabilities(most_frames=4), seen)
    assert message == "the method takes at most 4 frames, there are 5"

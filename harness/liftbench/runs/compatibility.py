"""Decides whether a method can take observations: its capabilities against their contents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.plugin.specs import Capabilities
from liftbench.types import Observations


def incompatibility(capabilities: Capabilities, observations: Observations) -> str:
    """Return why a method cannot take these observations, or an empty string."""
    if observations.camera not in capabilities.cameras:
        return f"the method has no {observations.camera} camera"
    if not capabilities.missing_points and not observations.visible.all():
        return "the method needs every point to be visible"
    if capabilities.images and observations.images is None:
        return "the method needs images, which are not there"
    if capabilities.needs_sequences and (reason := _disorder(observations.sequence)):
        return f"the method needs sequences of frames in the order of time: {reason}"
    most = capabilities.most_frames
    if most is not None and observations.frames > most:
        return f"the method takes at most {most} frames, there are {observations.frames}"
    return ""


def _disorder(sequence: NDArray[np.int64]) -> str:
    """Return why sequence ids (F,) show no order of time, or an empty string."""
    ids, lengths = np.unique(sequence, return_counts=True)
    if np.count_nonzero(np.diff(sequence)) + 1 > len(ids):
        return "frames of different sequences are mixed"
    if single := int((lengths == 1).sum()):
        return f"{single} of {len(ids)} have one frame only"
    return ""

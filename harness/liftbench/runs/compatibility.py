"""Decides whether a method can take observations: its capabilities against their contents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from liftbench.plugin.specs import Capabilities
from liftbench.runs.firewall import Stage, shows_points
from liftbench.types import Observations


def incompatibility(
    capabilities: Capabilities, observations: Observations, stage: Stage = "fit"
) -> str:
    """Return why a method cannot take the observations of a stage, or an empty string.

    The observations are those of the data, before anything is hidden from a method with `images`.
    """
    if observations.camera not in capabilities.cameras:
        return f"the method has no {observations.camera} camera"
    sees_points = shows_points(capabilities, stage)
    if sees_points and not capabilities.missing_points and not observations.visible.all():
        return "the method needs every point to be visible"
    needs_masks = stage == "fit" and "masks" in capabilities.learns_from
    if capabilities.images and (reason := _lack_of_images(observations, masks=needs_masks)):
        return reason
    if stage == "fit" and capabilities.needs_template and observations.template is None:
        return "the method needs a template of the category, which is not there"
    if capabilities.needs_sequences and (reason := _disorder(observations.sequence)):
        return f"the method needs sequences of frames in the order of time: {reason}"
    most = capabilities.most_frames
    if most is not None and observations.frames > most:
        return f"the method takes at most {most} frames, there are {observations.frames}"
    return ""


def _lack_of_images(observations: Observations, *, masks: bool) -> str:
    """Return what a method that reconstructs from images lacks, or an empty string."""
    images = observations.images
    if images is None:
        return "the method needs images, which are not there"
    if masks and images.masks is None:
        return "the method learns from masks, which are not there"
    if missing := (images if masks else replace(images, masks=None)).missing():
        files = len(images) * (2 if masks else 1)
        return f"the method needs images: {len(missing)} of {files} are missing, first {missing[0]}"
    if observations.pixel is None or observations.origin is None:
        return "the data does not say where its points lie in the images (pixel and origin)"
    return ""


def _disorder(sequence: NDArray[np.int64]) -> str:
    """Return why sequence ids (F,) show no order of time, or an empty string."""
    ids, lengths = np.unique(sequence, return_counts=True)
    if np.count_nonzero(np.diff(sequence)) + 1 > len(ids):
        return "frames of different sequences are mixed"
    if single := int((lengths == 1).sum()):
        return f"{single} of {len(ids)} have one frame only"
    return ""

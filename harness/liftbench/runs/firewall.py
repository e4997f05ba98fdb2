"""What a method is shown of the data, and how a reconstruction in pixels returns to its unit.

A method without the capability `images` sees points and never an image. One with it learns from
images, boxes and what its `learns_from` names; to predict it sees images and boxes alone, unless it
is declared to be `given_points`. Without this, scores in the image (PCK, mask IoU) could be copied
from the input.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from liftbench.plugin.specs import Capabilities
from liftbench.types import Floats, GroundTruth, Observations, Reconstruction

Stage = Literal["fit", "predict"]


def show_at_fit(capabilities: Capabilities, observations: Observations) -> Observations:
    """Return what a method may learn from, in the unit of the data.

    Observations from which nothing is to be hidden are returned themselves.
    """
    if not capabilities.images:
        return _without_images(observations)
    if "masks" not in capabilities.learns_from:
        observations = _without_masks(observations)
    return observations if shows_points(capabilities, "fit") else _without_points(observations)


def show_at_predict(capabilities: Capabilities, observations: Observations) -> Observations:
    """Return what a method predicts from; with `images` it is in pixels of these."""
    if not capabilities.images:
        return replace(observations, images=None)
    observations = _without_masks(observations.in_pixels())
    return observations if shows_points(capabilities, "predict") else _without_points(observations)


def shows_points(capabilities: Capabilities, stage: Stage) -> bool:
    """Return whether a method sees points at a stage."""
    if not capabilities.images:
        return True
    return "keypoints" in capabilities.learns_from if stage == "fit" else capabilities.given_points


def to_data_unit(prediction: Reconstruction, observations: Observations) -> Reconstruction:
    """Return a reconstruction in pixels of the images in the unit of the data.

    x and y become what `Observations.in_pixels` would map back to them; depths are scaled alike.
    The positions of the points in the image are x and y of `points_3d` if the method returns none.

    Args:
        prediction: in pixels of the images.
        observations: of the same frames, with `pixel` and `origin`.

    Raises:
        ValueError: `pixel` or `origin` is unknown.
    """
    if observations.pixel is None or observations.origin is None:
        raise ValueError("to_data_unit: it needs `pixel` and `origin`")
    pixel = observations.pixel[:, None, None]
    origin = np.pad(observations.origin, ((0, 0), (0, 1)))[:, None]  # at any depth
    flat = prediction.points_2d
    flat = prediction.points_3d[..., :2] if flat is None else flat
    vertices = prediction.vertices
    return replace(
        prediction,
        points_3d=(prediction.points_3d - origin) * pixel,
        points_2d=(flat - origin[..., :2]) * pixel,
        vertices=None if vertices is None else (vertices - origin) * pixel,
    )


def shown_truth(truth: GroundTruth) -> Floats:
    """Return the true points (F, P, 3) as a supervised method sees them, NaN where none counts."""
    if truth.mask is None:
        return truth.points_3d
    return np.where(truth.mask[..., None], truth.points_3d, np.nan)


def _without_images(observations: Observations) -> Observations:
    return observations if observations.images is None else replace(observations, images=None)


def _without_masks(observations: Observations) -> Observations:
    images = observations.images
    if images is None or images.masks is None:
        return observations
    return replace(observations, images=replace(images, masks=None))


def _without_points(observations: Observations) -> Observations:
    if not observations.visible.any():
        return observations
    return replace(
        observations,
        points_2d=np.full_like(observations.points_2d, np.nan),
        visible=np.zeros_like(observations.visible),
    )

"""What students are trained to predict: depths of a teacher or of the truth, or low cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations
from liftbench.plugin.specs import Teacher
from liftbench.types import Bools, Floats
from liftbench_plugins.learned.kd.annotation import AnnotatedFrames, annotate
from liftbench_plugins.learned.kd.distillation import (
    Distillation,
    TeacherFrames,
    teacher_frames,
)


class Target(Protocol):
    """What a student is trained for."""

    @property
    def frames(self) -> AnnotatedFrames:
        """The annotation."""

    def loss(self, coordinates: Tensor, frames: Tensor) -> Tensor:
        """Return the loss (B,) of predicted coordinates.

        Args:
            coordinates: (B, P, 3) in the unit of the observations: positions x and y, and z with
                any offset of a frame.
            frames: (B,) indices of the frames.
        """


@dataclass(frozen=True, eq=False)
class DepthTarget:
    """The L1 distance from the annotated points and from given depths.

    Attributes:
        frames: the annotation.
        depth: (F, P) in the unit of `frames`.
    """

    frames: AnnotatedFrames
    depth: Tensor

    def loss(self, coordinates: Tensor, frames: Tensor) -> Tensor:
        """Return the loss (B,), see `Target`."""
        chosen = self.frames.select(frames)
        x_y, z = _in_unit(coordinates, chosen)
        error = chosen.relative(z - self.depth.index_select(0, frames))
        return chosen.image_loss(x_y) + error.abs().sum(dim=1)


@dataclass(frozen=True, eq=False)
class DistillationTarget:
    """The L1 distance from the annotated points and the cost of the depths (eq. 15).

    Attributes:
        distillation: the cost.
        weight: of the L1 norm of the code.
    """

    distillation: Distillation
    weight: float

    @property
    def frames(self) -> AnnotatedFrames:
        """The annotation, in the teacher's unit."""
        return self.distillation.frames

    def loss(self, coordinates: Tensor, frames: Tensor) -> Tensor:
        """Return the loss (B,), see `Target`."""
        chosen = self.frames.select(frames)
        x_y, z = _in_unit(coordinates, chosen)
        return chosen.image_loss(x_y) + self.distillation.loss(z, frames, self.weight)


@dataclass(frozen=True, eq=False)
class ImageTarget:
    """The L1 distance from the annotated points alone, of frames that nobody gives depths for.

    Attributes:
        frames: the annotation.
    """

    frames: AnnotatedFrames

    def loss(self, coordinates: Tensor, frames: Tensor) -> Tensor:
        """Return the loss (B,), see `Target`."""
        chosen = self.frames.select(frames)
        return chosen.image_loss(_in_unit(coordinates, chosen)[0])


def seen_points(observations: Observations, like: AnnotatedFrames, device: str) -> ImageTarget:
    """Return the annotated points of further frames as a target (section 5.2, MPII).

    Their unit makes these frames as large as those of the first data set usually are.

    Args:
        observations: the further frames.
        like: the first data set, in the unit of its losses.
        device: of the tensors.
    """
    points = torch.from_numpy(np.array(observations.points_2d))
    visible = torch.from_numpy(np.array(observations.visible))
    root = observations.skeleton.root
    spread = annotate(points, visible, torch.ones(len(points)).double(), root).spread()
    scale = spread / like.spread().median().cpu()
    scale = torch.where(scale > 0, scale, 1)
    return ImageTarget(annotate(points, visible, scale, root).to(device))


def taught_depth(teacher: Teacher, observations: Observations, device: str) -> DepthTarget:
    """Return the depths of a teacher as the target, the baseline Weaksup-bs (section 5.2)."""
    frames = _teacher_frames(teacher, observations).to(device)
    dictionary = torch.from_numpy(np.array(teacher.dictionary)).to(frames.code)
    shape = (frames.code @ dictionary.t()).view(len(frames.code), -1, 3)
    return DepthTarget(frames, (shape @ frames.rotation)[..., 2])


def distilled_depth(
    teacher: Teacher, observations: Observations, weight: float, device: str
) -> DistillationTarget:
    """Return the cost under a teacher's dictionary as the target (section 4).

    Raises:
        ValueError: the dictionary is too small.
    """
    frames = _teacher_frames(teacher, observations).to(device)
    dictionary = torch.from_numpy(np.array(teacher.dictionary))
    return DistillationTarget(Distillation(dictionary, frames), weight)


def true_depth(truth: Floats, observations: Observations, device: str) -> DepthTarget:
    """Return the true depths as the target of a supervised control.

    Depths get the scale of each frame's image: the best factor from the true x and y to the
    observed ones. Losses are in units of the mean size of the true shapes.

    Args:
        truth: (F, P, 3), NaN at points that do not count.
        observations: of the same frames.
        device: of the tensors.
    """
    counted = observations.visible & np.isfinite(truth).all(axis=2)
    shapes = _subtract_means(truth, counted)
    images = _subtract_means(observations.points_2d, counted)
    square = (shapes[..., :2] ** 2).sum(axis=(1, 2))
    factor = (images * shapes[..., :2]).sum(axis=(1, 2)) / np.where(square > 0, square, 1)
    factor = np.where(factor > 0, factor, 1)
    unit = np.sqrt((shapes**2).sum() / max(counted.sum(), 1))
    frames = annotate(
        torch.from_numpy(np.array(observations.points_2d)),
        torch.from_numpy(counted),
        torch.from_numpy(factor * unit),
        observations.skeleton.root,
    )
    return DepthTarget(frames.to(device), torch.from_numpy(shapes[..., 2] / unit).to(device))


def _teacher_frames(teacher: Teacher, observations: Observations) -> TeacherFrames:
    return teacher_frames(
        torch.from_numpy(np.array(teacher.codes(observations), dtype=np.float64)),
        torch.from_numpy(np.array(teacher.cameras(observations), dtype=np.float64)),
        torch.from_numpy(np.array(observations.points_2d)),
        torch.from_numpy(np.array(observations.visible)),
        observations.skeleton.root,
    )


def _in_unit(coordinates: Tensor, frames: AnnotatedFrames) -> tuple[Tensor, Tensor]:
    """Return x and y (B, P, 2), and z (B, P), in the unit of annotated frames."""
    scaled = coordinates.to(frames.scale) / frames.scale[:, None, None]
    return scaled[..., :2], scaled[..., 2]


def _subtract_means(points: Floats, counted: Bools) -> Floats:
    """Return points (F, P, D) from the mean of those that count, 0 elsewhere."""
    shown = counted[..., None]
    kept = np.where(shown, points, 0)
    mean = kept.sum(axis=1, keepdims=True) / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    centred: Floats = np.where(shown, kept - mean, 0)
    return centred

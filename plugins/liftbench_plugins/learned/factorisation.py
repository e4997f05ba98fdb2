"""The generalised bilinear factorisation of Deep NRSfM++: W~ = D~ Psi~ (Table 1).

One form serves orthographic and perspective cameras, with and without hidden points. The normalised
dictionary D~ of a frame differs from the dictionary D of all frames by terms of rank one. These are
applied to images and to shapes, so that D~ is never formed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from liftbench_plugins.learned.mirror_images import evidence, log_odds
from liftbench_plugins.learned.rotations import full_rotation, rotate

_EPSILON = 1e-12
# A random view may put a point behind the camera; its depth is kept above this share of t_z.
_NEAREST = 0.1


@dataclass(frozen=True)
class NormalisedViews:
    """Normalised images of B frames; the frames are the last axis.

    Attributes:
        columns: (P, a, B), the network's input, to which the transpose of D is applied. The first
            two columns are the image W~ about the mean of its visible points (eqs. 15, 30), times
            t_z for a perspective camera. A perspective camera may have a third column,
            -(u W~_u + v W~_v), for the entries -u_i d_i of D~ (eqs. 11, 14). Zero at hidden
            points: the entries of D~ that average over points are multiplied with the sum of W~
            over visible points, which is zero.
        visible: (P, B) ones and zeros; None where every point is visible.
        rays: (P, 2, B) points on the unit focal plane, zero at hidden ones; None if orthographic.
        depth: (B,) t_z, the depth of the object's centre in the unit of the shape; None if
            orthographic.
    """

    columns: Tensor
    visible: Tensor | None = None
    rays: Tensor | None = None
    depth: Tensor | None = None

    @property
    def image(self) -> Tensor:
        """W~, (P, 2, B)."""
        return self.columns[:, :2]

    @property
    def frames(self) -> int:
        """The number of frames B."""
        return self.columns.shape[2]

    def select(self, frames: Tensor) -> NormalisedViews:
        """Return the views of the frames with the given indices."""
        return self._of_parts(lambda part: part.index_select(part.ndim - 1, frames))

    def to(self, device: str, dtype: torch.dtype) -> NormalisedViews:
        """Return the views on a device, in a number type."""
        return self._of_parts(lambda part: part.to(device, dtype).contiguous())

    def _of_parts(self, change: Callable[[Tensor], Tensor]) -> NormalisedViews:
        optional = (self.visible, self.rays, self.depth)
        parts = (None if part is None else change(part) for part in optional)
        return NormalisedViews(change(self.columns), *parts)

    def rescale(self, factor: Tensor) -> NormalisedViews:
        """Return the views with the t_z of each frame multiplied by `factor` (B,)."""
        depth = None if self.depth is None else self.depth * factor
        return replace(self, columns=self.columns * factor, depth=depth)

    def residual(self, shape: Tensor, camera: Tensor) -> Tensor:
        """Return M W~ - M D~ Psi~ (P, 2, B), which is zero for the true shape and camera.

        Args:
            shape: S = D phi, (P, 3, B).
            camera: the columns of R, (3, a, B).
        """
        seen = self.rotate(shape, camera)
        flat = seen[:, :2]
        if self.visible is not None:
            hidden = flat * (1 - self.visible)[:, None]
            flat = flat + hidden.sum(dim=0) / self._count()
        if self.rays is not None:
            lifted = self.rays * seen[:, 2:]
            flat = flat - lifted + lifted.sum(dim=0) / self._count()
        error = self.image - flat
        return error if self.visible is None else error * self.visible[:, None]

    def rotate(self, shape: Tensor, camera: Tensor) -> Tensor:
        """Return S R; for a perspective camera with its depth, by the third column of R."""
        if self.rays is not None and camera.shape[1] == 2:
            camera = full_rotation(camera)
        return rotate(shape, camera)

    def choose_mirror_images(
        self, shape: Tensor, camera: Tensor, odds: float | None = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return, for each frame, the more likely of a reconstruction and its mirror image.

        Both look the same to an orthographic camera and to the first two columns of R, so that a
        network may learn either. If the perspective loss took the reconstruction alone, the
        network would make up for mirrored frames by shapes that change with the view.

        Args:
            shape: (P, 3, B).
            camera: (3, a, B); with all three columns there is no choice.
            odds: prior log odds that a frame is not mirrored, see `mirror_images.log_odds`. None:
                they are estimated from these frames.
        """
        evidence = self.mirror_evidence(shape, camera)
        if evidence is None:
            return shape, camera
        sign = torch.ones_like(shape[0])
        sign[2] = torch.where(evidence + (log_odds(evidence) if odds is None else odds) < 0, -1, 1)
        return shape * sign, camera * sign[:, None]

    @torch.no_grad()
    def mirror_evidence(self, shape: Tensor, camera: Tensor) -> Tensor | None:
        """Return the log likelihood ratio of reconstructions to their mirror images (B,).

        None where there is no choice: an orthographic camera, or one with three columns.
        """
        if self.rays is None or camera.shape[1] == 3:
            return None
        flip = torch.tensor([1.0, 1.0, -1.0], dtype=shape.dtype, device=shape.device)[:, None]
        own = norms(self.residual(shape, camera))
        mirrored = norms(self.residual(shape * flip, camera * flip[:, None]))
        return evidence(own, mirrored, 2 * self._count())

    def fill_hidden_points(
        self, shape: Tensor, camera: Tensor, odds: float | None = 0.0
    ) -> NormalisedViews:
        """Return complete views, in which hidden points are where a reconstruction puts them.

        Args:
            shape: (P, 3, B), centred.
            camera: the columns of R, (3, a, B).
            odds: as for `choose_mirror_images`.
        """
        if self.visible is None:
            return self
        seen = self.rotate(*self.choose_mirror_images(shape, camera, odds))
        shown = self.visible[:, None]
        if self.rays is None or self.depth is None:
            flat = seen - (seen * shown).sum(dim=0) / self._count()
            return normalise_views(torch.where(shown > 0, self.image, flat))
        depth = (seen[:, 2:] + self.depth).maximum(_NEAREST * self.depth)
        place = ((self.rays * depth - seen[:, :2]) * shown).sum(dim=0) / self._count()
        points = torch.where(shown > 0, self.rays, (seen[:, :2] + place) / depth)
        return normalise_views(points, None, self.depth, columns=self.columns.shape[1])

    def show_only(self, visible: Tensor) -> NormalisedViews:
        """Return the views in which only the points of a mask (P, B) of 0 and 1 are visible."""
        points = self.image if self.rays is None else self.rays
        return normalise_views(points, visible, self.depth, columns=self.columns.shape[1])

    def visibility(self) -> Tensor:
        """Return the visibility (P, B) of ones and zeros, also where every point is visible."""
        return torch.ones_like(self.columns[:, 0]) if self.visible is None else self.visible

    def _count(self) -> Tensor | int:
        return self.columns.shape[0] if self.visible is None else self.visible.sum(dim=0)

    def centre(self) -> Tensor:
        """Return the mean ray (2, B) of the visible points of perspective views."""
        if self.rays is None:
            raise ValueError("orthographic views have no centre ray")
        mean: Tensor = self.rays.sum(dim=0) / self._count()
        return mean


def normalise_views(
    points: Tensor,
    visible: Tensor | None = None,
    depth: Tensor | None = None,
    *,
    columns: int = 3,
) -> NormalisedViews:
    """Return the normalised views of image points.

    Args:
        points: (P, 2, B), on the unit focal plane if there is a depth; finite where hidden.
        visible: (P, B) ones and zeros; None where every point is visible.
        depth: t_z (B,) of a perspective camera; None if orthographic.
        columns: a of the perspective camera, 2 or 3.
    """
    if visible is None:
        image = points - points.mean(dim=0, keepdim=True)
    else:
        points = points * visible[:, None]
        mean = points.sum(dim=0) / visible.sum(dim=0)
        image = (points - mean) * visible[:, None]
    if depth is None:
        return NormalisedViews(image, visible)
    image = image * depth
    if columns == 2:
        return NormalisedViews(image, visible, points, depth)
    third = -(points * image).sum(dim=1, keepdim=True)
    return NormalisedViews(torch.cat([image, third], dim=1), visible, points, depth)


def views_from(shape: Tensor, camera: Tensor, like: NormalisedViews) -> NormalisedViews:
    """Return views of shapes under given rotations, with the masks and the places of other views.

    Args:
        shape: (P, 3, B), centred.
        camera: the columns of the rotations, (3, a, B).
        like: gives the visibility and, for a perspective camera, the place of each frame.
    """
    seen = like.rotate(shape, camera)
    if like.depth is None:
        return normalise_views(seen, like.visible)
    depth = (seen[:, 2:] + like.depth).maximum(_NEAREST * like.depth)
    points = (seen[:, :2] + like.centre() * like.depth) / depth
    return normalise_views(points, like.visible, like.depth, columns=like.columns.shape[1])


def reprojection_loss(
    views: NormalisedViews,
    shape: Tensor,
    camera: Tensor,
    odds: float | None = 0.0,
    *,
    in_image: bool = False,
) -> Tensor:
    """Return the mean over frames of ‖M W~ - M D~ Psi~‖_F / ‖M W~‖_F (eq. 17, relative).

    Where the mirror image is more likely, its residual counts, see
    `NormalisedViews.choose_mirror_images`.

    Noise of one size in all images grows with the object's distance when it is measured in the unit
    of the shape. With `in_image`, norms are divided by t_z, and the loss is the sum of residuals
    over the sum of ‖M W~‖_F / t_z. Where noise dominates the residual, the gradient then weighs a
    frame by 1 / t_z^2, as the likelihood does.

    Args:
        views: B frames.
        shape: S, (P, 3, B).
        camera: the columns of R, (3, a, B).
        odds: as for `NormalisedViews.choose_mirror_images`.
        in_image: residuals are measured in the image. Orthographic views have no t_z; their frames
            weigh alike.
    """
    residual = norms(views.residual(*views.choose_mirror_images(shape, camera, odds)))
    size = norms(views.image)
    if not in_image:
        return (residual / size).mean()
    depth = 1.0 if views.depth is None else views.depth
    return (residual / depth).sum() / (size / depth).sum()


def norms(points: Tensor) -> Tensor:
    """Return the Frobenius norm (B,) of each frame of (P, D, B)."""
    return (points.square().sum(dim=(0, 1)) + _EPSILON).sqrt()

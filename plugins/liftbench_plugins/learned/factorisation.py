"""The generalised bilinear factorisation of Deep NRSfM++: W~ = D~ Psi~ (Table 1).

One form for orthographic and perspective cameras, with and without hidden points. The normalised
dictionary D~ differs from the dictionary D of all frames by terms of rank one; they are applied to
images and to shapes, so that D~ is never formed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from liftbench_plugins.learned.mirror_images import evidence, log_odds
from liftbench_plugins.learned.rotations import full_rotation, turned

_EPSILON = 1e-12
# A random view may put a point behind the camera; nearer than this share of t_z none comes.
_NEAREST = 0.1


@dataclass(frozen=True)
class NormalisedViews:
    """Normalised images of B frames; the frames are the last axis.

    Attributes:
        columns: (P, a, B), what the dictionary's transpose is applied to: the image W~ about the
            mean of its visible points (a = 2, eqs. 15, 30), for a perspective camera scaled by
            t_z, where a third column -(u W~_u + v W~_v) may stand for the entries -u_i d_i of D~
            (a = 3, eqs. 11, 14). Zero at hidden points: the entries of D~ that average over
            points meet the sum of W~ over visible points, which is zero.
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
        """Return the views of some frames, by their indices."""
        return self._of_parts(lambda part: part.index_select(part.ndim - 1, frames))

    def to(self, device: str, dtype: torch.dtype) -> NormalisedViews:
        """Return the views on a device, as numbers of a type."""
        return self._of_parts(lambda part: part.to(device, dtype).contiguous())

    def _of_parts(self, change: Callable[[Tensor], Tensor]) -> NormalisedViews:
        optional = (self.visible, self.rays, self.depth)
        parts = (None if part is None else change(part) for part in optional)
        return NormalisedViews(change(self.columns), *parts)

    def rescaled(self, factor: Tensor) -> NormalisedViews:
        """Return the views with every frame's t_z times `factor` (B,)."""
        depth = None if self.depth is None else self.depth * factor
        return replace(self, columns=self.columns * factor, depth=depth)

    def residual(self, shape: Tensor, camera: Tensor) -> Tensor:
        """Return M W~ - M D~ Psi~ (P, 2, B), which is zero for the true shape and camera.

        Args:
            shape: S = D phi, (P, 3, B).
            camera: the columns of R, (3, a, B).
        """
        seen = self.turned(shape, camera)
        flat = seen[:, :2]
        if self.visible is not None:
            hidden = flat * (1 - self.visible)[:, None]
            flat = flat + hidden.sum(dim=0) / self._count()
        if self.rays is not None:
            lifted = self.rays * seen[:, 2:]
            flat = flat - lifted + lifted.sum(dim=0) / self._count()
        error = self.image - flat
        return error if self.visible is None else error * self.visible[:, None]

    def turned(self, shape: Tensor, camera: Tensor) -> Tensor:
        """Return S R; a perspective camera needs the depth too, the third column of R."""
        if self.rays is not None and camera.shape[1] == 2:
            camera = full_rotation(camera)
        return turned(shape, camera)

    def told_apart(
        self, shape: Tensor, camera: Tensor, odds: float | None = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return of every frame the reconstruction or its mirror image, which is more likely.

        The two look the same to an orthographic camera, and two columns of R leave open which it
        is; there a network takes to either. A network that has the perspective loss of one of them
        alone makes up for the wrong ones by shapes that change with the view.

        Args:
            shape: (P, 3, B).
            camera: (3, a, B); with all three columns nothing is open.
            odds: that a frame is not mirrored, before it is looked at; see
                `mirror_images.log_odds`. None takes those of these frames.
        """
        evidence = self.mirror_evidence(shape, camera)
        if evidence is None:
            return shape, camera
        sign = torch.ones_like(shape[0])
        sign[2] = torch.where(evidence + (log_odds(evidence) if odds is None else odds) < 0, -1, 1)
        return shape * sign, camera * sign[:, None]

    @torch.no_grad()
    def mirror_evidence(self, shape: Tensor, camera: Tensor) -> Tensor | None:
        """Return what speaks for reconstructions, against their mirror images, in each frame (B,).

        None where nothing does: an orthographic camera, or one with three columns.
        """
        if self.rays is None or camera.shape[1] == 3:
            return None
        flip = torch.tensor([1.0, 1.0, -1.0], dtype=shape.dtype, device=shape.device)[:, None]
        own = norms(self.residual(shape, camera))
        mirrored = norms(self.residual(shape * flip, camera * flip[:, None]))
        return evidence(own, mirrored, 2 * self._count())

    def filled(self, shape: Tensor, camera: Tensor, odds: float | None = 0.0) -> NormalisedViews:
        """Return views without hidden points: they lie where a reconstruction puts them.

        Args:
            shape: (P, 3, B), centred.
            camera: the columns of R, (3, a, B).
            odds: as for `told_apart`.
        """
        if self.visible is None:
            return self
        seen = self.turned(*self.told_apart(shape, camera, odds))
        shown = self.visible[:, None]
        if self.rays is None or self.depth is None:
            flat = seen - (seen * shown).sum(dim=0) / self._count()
            return normalised_views(torch.where(shown > 0, self.image, flat))
        depth = (seen[:, 2:] + self.depth).maximum(_NEAREST * self.depth)
        place = ((self.rays * depth - seen[:, :2]) * shown).sum(dim=0) / self._count()
        points = torch.where(shown > 0, self.rays, (seen[:, :2] + place) / depth)
        return normalised_views(points, None, self.depth, columns=self.columns.shape[1])

    def showing(self, visible: Tensor) -> NormalisedViews:
        """Return the views with fewer visible points, (P, B) of ones and zeros."""
        points = self.image if self.rays is None else self.rays
        return normalised_views(points, visible, self.depth, columns=self.columns.shape[1])

    def seen(self) -> Tensor:
        """Return the visibility (P, B), of ones alone where every point is visible."""
        return torch.ones_like(self.columns[:, 0]) if self.visible is None else self.visible

    def _count(self) -> Tensor | int:
        return self.columns.shape[0] if self.visible is None else self.visible.sum(dim=0)

    def centre(self) -> Tensor:
        """Return the mean ray (2, B) of the visible points of perspective views."""
        if self.rays is None:
            raise ValueError("orthographic views have no centre: they know no place")
        mean: Tensor = self.rays.sum(dim=0) / self._count()
        return mean


def normalised_views(
    points: Tensor,
    visible: Tensor | None = None,
    depth: Tensor | None = None,
    *,
    columns: int = 3,
) -> NormalisedViews:
    """Return the normalised form of image points.

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


def seen_from(shape: Tensor, camera: Tensor, like: NormalisedViews) -> NormalisedViews:
    """Return views of shapes under given rotations, where and as far as `like` sees its frames.

    Args:
        shape: (P, 3, B), centred.
        camera: the columns of the rotations, (3, a, B).
        like: gives the visibility and, for a perspective camera, the place of each frame.
    """
    seen = like.turned(shape, camera)
    if like.depth is None:
        return normalised_views(seen, like.visible)
    depth = (seen[:, 2:] + like.depth).maximum(_NEAREST * like.depth)
    points = (seen[:, :2] + like.centre() * like.depth) / depth
    return normalised_views(points, like.visible, like.depth, columns=like.columns.shape[1])


def reprojection_loss(
    views: NormalisedViews,
    shape: Tensor,
    camera: Tensor,
    odds: float | None = 0.0,
    *,
    in_image: bool = False,
) -> Tensor:
    """Return the mean over frames of ‖M W~ - M D~ Psi~‖_F / ‖M W~‖_F (eq. 17, relative).

    That of the mirror image where it is more likely, see `NormalisedViews.told_apart`.

    Equal noise in all images is greater in the unit of the shape the farther the object is. In the
    image, the norms are those over t_z, and their sum is over the sum of ‖M W~‖_F / t_z; the
    gradient then weighs a frame by 1 / t_z^2 wherever noise is most of its residual, as the
    likelihood does.

    Args:
        views: B frames.
        shape: S, (P, 3, B).
        camera: the columns of R, (3, a, B).
        odds: as for `NormalisedViews.told_apart`.
        in_image: residuals are those in the image. Orthographic views have no t_z left, and are
            weighed alike.
    """
    residual = norms(views.residual(*views.told_apart(shape, camera, odds)))
    size = norms(views.image)
    if not in_image:
        return (residual / size).mean()
    depth = 1.0 if views.depth is None else views.depth
    return (residual / depth).sum() / (size / depth).sum()


def norms(points: Tensor) -> Tensor:
    """Return the Frobenius norm (B,) of each frame of (P, D, B)."""
    return (points.square().sum(dim=(0, 1)) + _EPSILON).sqrt()

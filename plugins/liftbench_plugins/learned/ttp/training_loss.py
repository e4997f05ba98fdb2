"""The loss that To The Point is trained with (section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from liftbench_plugins.learned.ttp import LossWeights
from liftbench_plugins.learned.ttp.appearance import Distance
from liftbench_plugins.learned.ttp.arap import rigidity_loss
from liftbench_plugins.learned.ttp.layer.pose_deformation import Fit
from liftbench_plugins.learned.ttp.losses import (
    coverage_loss,
    cycle_loss,
    distance_fields,
    outside_loss,
    point_loss,
    turn_loss,
    visibility_loss,
)
from liftbench_plugins.learned.ttp.mesh import CategoryMesh
from liftbench_plugins.learned.ttp.picture_views import Views
from liftbench_plugins.learned.ttp.rasteriser import Fragments, rasterise, visible_vertices
from liftbench_plugins.learned.ttp.silhouette import soft_silhouette

_MASK_SAMPLES = 500  # places in a mask that positions must cover. Source: the authors' settings


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was found in B pictures.

    Attributes:
        positions: u (B, N, 2), from -1 to 1 in the picture.
        visibility: v (B, N).
        fit: pose and deformation.
    """

    positions: Tensor
    visibility: Tensor
    fit: Fit

    def halves(self) -> tuple[Prediction, Prediction]:
        """Return the predictions of the first and of the second half of the pictures."""
        half = len(self.positions) // 2
        return self._part(slice(half)), self._part(slice(half, None))

    def _part(self, items: slice) -> Prediction:
        return Prediction(self.positions[items], self.visibility[items], self.fit.take(items))


def total_loss(
    found: Prediction,
    one: Views,
    two: Views,
    mesh: CategoryMesh,
    basis: Tensor,
    weights: LossWeights,
    distance: Distance,
    softness: float,
    generator: torch.Generator,
) -> Tensor:
    """Return the loss of two changed versions of some pictures, the mean over them.

    Both versions have the losses of points and are compared with each other. The mesh is drawn and
    deformed in the first one alone, which takes most of the time of a step.

    Args:
        found: in the first versions, then in the second ones.
        one: the first versions.
        two: the second versions.
        mesh: the template.
        basis: (K, N, 3), of the deformations; K = 0 without.
        weights: of the losses.
        distance: of pictures.
        softness: of rendered masks, in pixels.
        generator: draws places in the masks.
    """
    first, second = found.halves()
    losses = rendering_losses(first, one, mesh, weights, distance, softness)
    parts = [
        point_losses(part, views, mesh, generator) for part, views in ((first, one), (second, two))
    ]
    losses |= {name: (loss + parts[1][name]) / 2 for name, loss in parts[0].items()}
    losses |= equivariance_losses(first, second, one, two, mesh.partner)
    if len(basis):
        losses |= shape_losses(first.fit, mesh, basis)
    weighed = [getattr(weights, name) * loss.mean() for name, loss in losses.items()]
    return torch.stack(weighed).sum()


def point_losses(
    found: Prediction, views: Views, mesh: CategoryMesh, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return the losses (B,) of positions and of projected key points, which render nothing."""
    masks = views.masks > 0.5
    size = masks.shape[-1]
    projected = found.fit.project(found.fit.shape)
    pixels = (found.positions + 1) * size / 2
    fields = distance_fields(masks.cpu().numpy()).to(pixels)
    samples, drawn = sample_masks(masks, generator)
    return {
        "consistency": outside_loss(pixels, fields) * 2 / size,
        "coverage": coverage_loss(found.positions, 2 * samples / size - 1, drawn),
        "cycle": cycle_loss(found.positions, projected),
        "keypoints": point_loss(mesh.points @ projected, views.points, views.visible),
    }


def rendering_losses(
    found: Prediction,
    views: Views,
    mesh: CategoryMesh,
    weights: LossWeights,
    distance: Distance,
    softness: float,
) -> dict[str, Tensor]:
    """Return the losses (B,) that compare the drawn mesh with pictures and masks."""
    size = views.masks.shape[-1]
    posed = found.fit.place(found.fit.shape)
    corners = torch.cat([posed[..., :2] + 1, posed[..., 2:]], dim=2) * size / 2
    fragments = rasterise(corners, mesh.faces, size, size)
    losses = {}
    if weights.mask:
        soft = soft_silhouette(corners, mesh.faces, mesh.edges, fragments, softness)
        some = (views.masks > 0.5).flatten(1).any(dim=1)
        losses["mask"] = (soft - views.masks).abs().mean(dim=(1, 2)) * some
    if weights.visibility:
        seen = visible_vertices(corners, mesh.faces, fragments)
        losses["visibility"] = visibility_loss(found.visibility, seen)
    if weights.texture:
        losses["texture"] = texture_loss(found.positions, fragments, mesh, views, distance)
    return losses


def sample_masks(masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return places (B, 500, 2) in masks, in pixels, and which masks (B,) have any."""
    drawn = masks.flatten(1).any(dim=1)
    weights = masks.flatten(1).float() + (~drawn[:, None]).float()
    picked = torch.multinomial(weights.cpu(), _MASK_SAMPLES, True, generator=generator)
    row, column = picked // masks.shape[2], picked % masks.shape[2]
    return (torch.stack([column, row], dim=2) + 0.5).to(masks.device), drawn


def texture_loss(
    positions: Tensor, fragments: Fragments, mesh: CategoryMesh, views: Views, distance: Distance
) -> Tensor:
    """Return how unlike pictures (B,) and meshes with their colours look (section 3.4).

    The colour of a pixel of the mesh is that of the picture at the interpolated positions u
    (section 3.3). If the template is symmetric, half of the loss is that of colours from the
    mirrored side.
    """
    sides = [positions] if mesh.partner is None else [positions, positions[:, mesh.partner]]
    losses = [
        distance(_paint(side, fragments, mesh.faces, views), views.pictures, views.masks)
        for side in sides
    ]
    return torch.stack(losses).mean(dim=0)


def _paint(positions: Tensor, fragments: Fragments, faces: Tensor, views: Views) -> Tensor:
    """Return the picture (B, 3, N, N) of a mesh with the colours at its positions."""
    place = fragments.interpolate(positions, faces)
    colours = grid_sample(views.pictures, place, padding_mode="border", align_corners=False)
    return colours * fragments.covered[:, None]


def equivariance_losses(
    one: Prediction, two: Prediction, before: Views, after: Views, partner: Tensor | None
) -> dict[str, Tensor]:
    """Return the losses (B,) of two changed versions of the same pictures.

    Positions move with the picture, and so does the pose. Where one version is the mirror image of
    the other, the pose is that of the mirrored body; positions are compared if the template says
    which vertex is where another one was.
    """
    linear = after.linear @ torch.linalg.inv(before.linear)
    shift = after.shift - (linear @ before.shift[..., None])[..., 0]
    mirrored = torch.linalg.det(linear) < 0
    expected = one.positions @ linear.mT + shift[:, None]
    if partner is not None:
        expected = torch.where(mirrored[:, None, None], expected[:, partner], expected)
    gap = (two.positions - expected).abs().sum(dim=2).mean(dim=1)
    comparable = ~mirrored if partner is None else torch.ones_like(mirrored)
    return {
        "equivariance": torch.where(comparable, gap, 0),
        "turn": turn_loss(two.fit.rotation, turned_rotations(one.fit.rotation, linear)),
    }


def turned_rotations(rotation: Tensor, linear: Tensor) -> Tensor:
    """Return the rotations (B, 3, 3) in changed pictures; see `equivariance_losses`.

    Args:
        rotation: (B, 3, 3) in the pictures as they were.
        linear: (B, 2, 2), of the changes: turns and scales, for some mirrored.
    """
    determinant = torch.linalg.det(linear)
    flat = linear / determinant.abs().sqrt()[:, None, None]
    change = torch.eye(3).to(rotation).repeat(len(rotation), 1, 1)
    change[:, :2, :2] = flat
    mirror = torch.ones(len(rotation), 3).to(rotation)
    mirror[:, 0] = determinant.sign()
    return change @ rotation * mirror[:, None]


def shape_losses(fit: Fit, mesh: CategoryMesh, basis: Tensor) -> dict[str, Tensor]:
    """Return the losses (B,) of deformations, and those (K,) of the basis shapes."""
    change = fit.shape - mesh.vertices
    return {
        "rigidity": rigidity_loss(mesh.vertices, fit.shape, mesh.neighbours),
        "deformation": change.square().sum(dim=2).mean(dim=1),
        "basis_rigidity": rigidity_loss(mesh.vertices, mesh.vertices + basis, mesh.neighbours),
    }

"""Trains To The Point and reconstructs meshes from pictures."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from liftbench import Observations, Reconstruction, RunContext, Template, time_part
from liftbench_plugins.learned.optimiser import OPTIMISERS
from liftbench_plugins.learned.pictures.augmentation import Augmentation
from liftbench_plugins.learned.pictures.backbones import STAGES, make_backbone
from liftbench_plugins.learned.training import Schedule, train
from liftbench_plugins.learned.ttp import TtpParams
from liftbench_plugins.learned.ttp.appearance import Distance, make_distance
from liftbench_plugins.learned.ttp.layer.pose_deformation import PoseDeformation, affine_scale
from liftbench_plugins.learned.ttp.mesh import CategoryMesh, prepare
from liftbench_plugins.learned.ttp.modes import smooth_fields, smooth_modes
from liftbench_plugins.learned.ttp.network import PointRegressor
from liftbench_plugins.learned.ttp.picture_views import MaskedPictures
from liftbench_plugins.learned.ttp.training_loss import Prediction, total_loss
from liftbench_plugins.learned.ttp.view_start import GuessedViews, guess_views

_PREDICT_BATCH = 64
_FIRST_BASIS = 0.01  # Source: the authors' settings
_FIRST_SHAPE = 0.1  # root mean square of basis shapes of smooth modes
_FIRST_SIZE = 0.5  # half edge of the picture that the template has before any step
_WIDE, _NARROW = 4.0, 0.1  # times the softness at first, and the share of steps until it is 1
_GUESSING = 0.3  # the share of steps in which guessed views count
_SEEN = 0.5
_LARGE = 128  # pixels, from which pictures go through all stages of a backbone


class CategoryNetwork(nn.Module):
    """The network, the basis of deformations and its weight: all that is learned.

    Args:
        params: of the method.
        mesh: the template.
        generator: draws the weights.
    """

    def __init__(self, params: TtpParams, mesh: CategoryMesh, generator: torch.Generator) -> None:
        super().__init__()
        count, self.pace = len(mesh.vertices), params.basis_pace
        # So that a map has four cells an edge or more, as in the paper.
        stages = STAGES if params.image_size >= _LARGE else STAGES - 1
        backbone = make_backbone(
            params.backbone, params.width, params.weights, generator, stages=stages
        )
        vertices = mesh.vertices.cpu()
        modes = smooth_modes(mesh.neighbours, count, params.modes) if params.modes else None
        self.modes: Tensor | None
        self.register_buffer("modes", modes)
        fields = None if modes is None else smooth_fields(vertices, modes)
        start = _first_positions(vertices, generator)
        self.regressor = PointRegressor(backbone, params.image_size, start, fields, generator)
        if modes is not None:
            drawn = torch.randn(params.basis, modes.shape[1], 3, generator=generator)
            self.shares = nn.Parameter(_FIRST_SHAPE / self.pace / modes.shape[1] ** 0.5 * drawn)
        else:
            drawn = torch.rand(params.basis, count, 3, generator=generator)
            self.shares = nn.Parameter(_FIRST_BASIS / self.pace * drawn)
        self.log_gamma = nn.Parameter(torch.zeros(()))
        # A part of the state, so that a training that goes on from a checkpoint knows it.
        self.steps_done: Tensor
        self.register_buffer("steps_done", torch.zeros((), dtype=torch.int64))
        self.iterations, self.rigid_steps = params.iterations, params.rigid_steps

    @property
    def basis(self) -> Tensor:
        """The basis shapes (K, N, 3); K = 0 as long as the training is rigid."""
        shares = self.shares if int(self.steps_done) > self.rigid_steps else self.shares[:0]
        shares = self.pace * shares
        return shares if self.modes is None else self.modes @ shares

    def find(self, pictures: Tensor, mesh: CategoryMesh, basis: Tensor) -> Prediction:
        """Return positions, poses and shapes in pictures (B, 3, N, N)."""
        with time_part("network"):
            positions, visibility = self.regressor(pictures)
        with time_part("optimisation"):
            layer = PoseDeformation("alternating", self.iterations if len(basis) else 1)
            scale = affine_scale(positions, visibility, mesh.vertices)
            fit = layer(positions, visibility, mesh.vertices, basis, self.log_gamma.exp(), scale)
        return Prediction(positions, visibility, fit)


class ToThePoint:
    """Learns where the vertices of a template lie in pictures, and how it deforms."""

    device: str
    template: Template
    network: CategoryNetwork
    mesh: CategoryMesh
    distance: Distance

    def __init__(self, params: TtpParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn poses of the template first, then its deformations (section 4)."""
        params, self.device = self.params, context.device
        self.template = _template(observations)
        self.mesh = prepare(self.template, self.device)
        generator = torch.Generator().manual_seed(context.seed)
        self.network = CategoryNetwork(params, self.mesh, generator).to(self.device)
        self.distance = make_distance(params.appearance)
        views = MaskedPictures(observations, params.image_size, self.device)
        masks = views.whole_masks()
        if empty := int((masks.amax(dim=(1, 2)) <= _SEEN).sum()):
            print(f"{empty} of {len(masks)} masks are empty: losses of masks leave them out")
        guess = None
        if params.guessed_view:
            guess = guess_views(self.mesh.vertices, self.mesh.faces, masks, params.farthest_guess)
        train(
            self.network,
            partial(self._loss, views, guess),
            observations.frames,
            Schedule(params.rigid_steps + params.steps, params.batch_size, params.learning_rate),
            context,
            OPTIMISERS[params.optimiser](self.network),
        )

    @torch.no_grad()
    def predict(self, observations: Observations) -> Reconstruction:
        """Return the mesh in every picture, in pixels of the images."""
        self.network.eval()
        views = MaskedPictures(observations, self.params.image_size, self.device, masks=False)
        batches = torch.split(torch.arange(observations.frames), _PREDICT_BATCH)
        parts = [self._reconstruct(views.pictures(batch)) for batch in batches]
        posed, shapes, rotation, visible, colours = (
            torch.cat(part).double().cpu().numpy() for part in zip(*parts, strict=True)
        )
        half = views.crops.edge[:, None] / 2
        middle = np.pad(views.crops.corner + half, ((0, 0), (0, 1)))
        vertices = posed * half[:, None] + middle[:, None]
        points = self.template.points
        return Reconstruction(
            points @ vertices,
            rotation=rotation,
            canonical_3d=points @ shapes,
            points_2d=points @ vertices[..., :2],
            visible=visible @ points.T > _SEEN,
            vertices=vertices,
            canonical_vertices=shapes,
            faces=self.template.mesh.faces,
            colours=colours.clip(0, 1),
        )

    def _loss(
        self,
        views: MaskedPictures,
        guess: GuessedViews | None,
        frames: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the loss of two changed versions of some frames."""
        params, network = self.params, self.network
        network.train()
        how = Augmentation(params.flip, params.rotation, params.scale, params.shift, params.colour)
        one, two = (views.changed_views(frames, how, generator) for _ in range(2))
        done = int(network.steps_done) / (params.rigid_steps + params.steps)
        network.steps_done += 1
        basis = network.basis
        found = network.find(torch.cat([one.pictures, two.pictures]), self.mesh, basis)
        softness = params.softness * max(1.0, _WIDE - (_WIDE - 1) * done / _NARROW)
        loss = total_loss(
            found, one, two, self.mesh, basis, params, self.distance, softness, generator
        )
        if guess is not None and done < _GUESSING:
            first, _ = found.halves()
            away = guess.distance(first.positions, frames, one, self.mesh.partner).mean()
            loss = loss + params.guessed_view * (1 - done / _GUESSING) * away
        return loss

    def _reconstruct(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Return posed vertices, shapes, rotations, visibilities and colours of pictures."""
        found = self.network.find(pictures, self.mesh, self.network.basis)
        fit = found.fit
        place = found.positions[:, None]
        colours = grid_sample(pictures, place, padding_mode="border", align_corners=False)
        posed, shapes = fit.place(fit.shape), self.mesh.original(fit.shape)
        return posed, shapes, fit.rotation, found.visibility, colours[:, :, 0].mT


def _first_positions(vertices: Tensor, generator: torch.Generator) -> Tensor:
    """Return the template (N, 2) from a side that is drawn, in the middle of the picture.

    Positions that are all at one place have no pose, and noise has one that means nothing.
    """
    side = torch.linalg.qr(torch.randn(3, 3, generator=generator)).Q
    flat: Tensor = (vertices @ side)[:, :2]
    return flat * (_FIRST_SIZE / float(flat.abs().max()))


def _template(observations: Observations) -> Template:
    if observations.template is None:
        raise ValueError("To The Point needs a template of the category; these data have none")
    return observations.template

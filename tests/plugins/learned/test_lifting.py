"""The choice of a start among several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from tests.conftest import not_none
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench import RunContext
from liftbench_plugins.learned.consistency import inconsistency
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalise_views,
    reprojection_loss,
)
from liftbench_plugins.learned.lifting import (
    LiftingNetwork,
    Network,
    is_collapsed,
    misfit,
    reconstruction,
    train_best_start,
)
from liftbench_plugins.learned.rotations import random_cameras
from liftbench_plugins.learned.start_schedule import StartSchedule

P, B = 6, 40
Report = tuple[int, int, float]
CAMERA = torch.eye(3)[:, :2, None].expand(3, 2, B)


class Flat(LiftingNetwork):
    """Lifts an image to itself times a scale, or every image to the same shape."""

    def __init__(self, number: int, *, dead: bool, scale: float = 1.0) -> None:
        super().__init__()
        self.number, self.dead = number, dead
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        image = columns.mean(dim=2, keepdim=True).expand_as(columns) if self.dead else columns
        shape = torch.cat([image, torch.zeros_like(image[:, :1])], dim=1)
        return self.scale * shape, CAMERA[..., : columns.shape[2]]


def views() -> NormalisedViews:
    return normalise_views(torch.randn(P, 2, B, generator=seeded(0)))


def train_starts(
    make: Callable[[int, int], Network],
    tmp_path: Path,
    seed: int = 0,
    reported: list[Report] | None = None,
) -> tuple[Network, list[tuple[int, int]]]:
    drawn: list[tuple[int, int]] = []
    reports: list[Report] = [] if reported is None else reported

    def start(number: int, turn: int) -> Network:
        drawn.append((number, turn))
        return make(number, turn)

    def loss(network: Network, batch: NormalisedViews, _generator: torch.Generator) -> Tensor:
        return reprojection_loss(batch, *network.lift(batch))

    def report(step: int, steps: int, loss: float) -> None:
        reports.append((step, steps, loss))

    context = RunContext(seed, "cpu", 1, 100.0, tmp_path, report)
    schedule = StartSchedule(starts=3, start_steps=2, steps=4, batch_size=8, learning_rate=1e-3)
    return train_best_start(start, loss, views(), schedule, context), drawn


def test_a_network_that_tells_frames_apart_is_not_collapsed() -> None:
    assert is_collapsed(Flat(0, dead=True).lift, views())
    assert not is_collapsed(Flat(0, dead=False).lift, views())
    assert misfit(Flat(0, dead=False).lift, views()) < misfit(Flat(0, dead=True).lift, views())


def test_the_best_start_is_trained_to_the_end(tmp_path: Path) -> None:
    scales = {3: 0.5, 4: 0.9, 5: 0.7}
    network, drawn = train_starts(
        lambda number, _: Flat(number, dead=False, scale=scales[number]), tmp_path, seed=1
    )
    assert drawn == [(3, 0), (4, 0), (5, 0)]
    assert network.number == 4
    assert network.scale.item() > 0.9


def test_starts_and_turns_may_be_chosen_in_another_way(tmp_path: Path) -> None:
    asked: list[list[int]] = []

    def choose(networks: Sequence[Flat], seen: NormalisedViews) -> Flat:
        assert seen.frames == B
        asked.append([network.number for network in networks])
        return networks[-1] if len(networks) == 3 else networks[0]

    def start(number: int, turn: int) -> Flat:
        return Flat(number, dead=turn == 0)

    def loss(network: Flat, batch: NormalisedViews, _generator: torch.Generator) -> Tensor:
        return reprojection_loss(batch, *network.lift(batch))

    context = RunContext(0, "cpu", 1, 100.0, tmp_path, lambda *_: None)
    schedule = StartSchedule(starts=3, start_steps=2, steps=4, batch_size=8)
    found = train_best_start(start, loss, views(), schedule, context, choose)
    assert asked[0] == [0, 1, 2]
    assert asked[2] == [2, asked[1][-1]]
    assert found.number == 2


def test_training_is_repeated_with_other_starts_if_the_result_has_collapsed(tmp_path: Path) -> None:
    reported: list[Report] = []
    network, drawn = train_starts(
        lambda number, turn: Flat(number, dead=turn == 0), tmp_path, 1, reported
    )
    assert [turn for _, turn in drawn] == [0, 0, 0, 1, 1, 1]
    assert len({number for number, _ in drawn}) == 6
    assert (network.number, network.dead) == (drawn[3][0], False)
    assert reported[-1][:2] == (20, 20)


def test_a_network_that_collapsed_twice_is_returned(tmp_path: Path) -> None:
    network, drawn = train_starts(lambda number, _: Flat(number, dead=True), tmp_path)
    assert len(drawn) == 6
    assert network.dead


def test_seeds_share_no_start_in_either_turn(tmp_path: Path) -> None:
    make = partial(lambda number, _: Flat(number, dead=True))
    draws = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        draws += [number for number, _ in train_starts(make, folder, seed)[1]]
    assert len(set(draws)) == len(draws)


class Rigid(LiftingNetwork):
    """Knows the shape and the cameras of all frames but the lost ones, whose code is zero."""

    def __init__(self, shape: Tensor, cameras: Tensor, lost: list[int]) -> None:
        super().__init__()
        self.shape, self.cameras, self.lost = shape, cameras, lost

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        alive = torch.ones(columns.shape[2])
        alive[self.lost] = 0
        bias = (1 - alive) * torch.ones(P, 3, 1)
        return self.shape[..., None] * alive + bias, self.cameras * alive


def test_a_frame_without_a_code_has_the_mean_shape_as_its_image_shows_it() -> None:
    generator = seeded(1)
    shape = torch.randn(P, 3, generator=generator)
    shape -= shape.mean(dim=0)
    cameras = random_cameras(2, torch.empty(B), generator)
    image = torch.einsum("pi,iab->pab", shape, cameras)
    lost = [3, 17]
    whole = reconstruction(Rigid(shape, cameras, []), normalise_views(image), 1.0)
    mended = reconstruction(Rigid(shape, cameras, lost), normalise_views(image), 1.0)
    np.testing.assert_allclose(
        not_none(mended.canonical_3d), not_none(whole.canonical_3d), atol=1e-6
    )
    kept = [frame for frame in range(B) if frame not in lost]
    np.testing.assert_array_equal(mended.points_3d[kept], whole.points_3d[kept])
    for frame in lost:  # no rotation by ten degrees makes the image more like that of the frame
        seen = image[..., frame].numpy()
        turns = Rotation.from_rotvec(np.radians(10) * np.eye(3)).as_matrix()
        points = mended.points_3d[frame]
        scores = [(seen * (points @ turn)[:, :2]).sum() for turn in (np.eye(3), *turns)]
        assert scores[0] == max(scores)


class Drifting(Flat):
    """Its shapes depend more on the image size with every step, except in the second turn."""

    def __init__(self, number: int, turn: int) -> None:
        super().__init__(number, dead=False)
        self.turn, self.steps = turn, 0

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        self.steps += self.training and torch.is_grad_enabled()
        shape, camera = super().forward(columns)
        size = columns.square().mean(dim=(0, 1)) ** (0.5 * self.steps * (self.turn == 0))
        return shape * size, camera


def test_training_is_repeated_if_shapes_change_when_seen_from_elsewhere(
    tmp_path: Path,
) -> None:
    reported: list[Report] = []
    network, drawn = train_starts(Drifting, tmp_path, reported=reported)
    assert inconsistency(Drifting(0, 0).lift, views()) < 1.2
    assert [turn for _, turn in drawn] == [0, 0, 0, 1, 1, 1]
    assert network.turn == 1
    assert reported[-1][:2] == (20, 20)

"""Distillation against equations written out frame by frame, and against general solvers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from torch import Tensor

from liftbench.types import Bools, Floats
from liftbench_plugins.learned.kd.distillation import (
    Distillation,
    rotations_from_cameras,
    teacher_frames,
)

ROOT = 2


class Problem(NamedTuple):
    """A random teacher and depth hypotheses for its frames."""

    dictionary: Floats
    codes: Floats
    cameras: Floats
    points: Floats
    visible: Bools
    depth: Floats

    def distillation(self) -> Distillation:
        """Return the distillation from this teacher."""
        codes, cameras, points = map(tensor, (self.codes, self.cameras, self.points))
        frames = teacher_frames(codes, cameras, points, torch.from_numpy(self.visible), ROOT)
        return Distillation(tensor(self.dictionary), frames)

    def losses(self, depth: Floats | Tensor | None = None, weight: float = 0.3) -> Tensor:
        """Return the loss of each frame for its hypothesis, or for other depths."""
        chosen = self.depth if depth is None else depth
        return self.distillation().loss(torch.as_tensor(chosen), self.all(), weight)

    def all(self) -> Tensor:
        """Return the indices of all frames."""
        return torch.arange(len(self.codes))


def tensor(array: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def draw_problem(
    seed: int, frames: int = 6, points: int = 7, atoms: int = 20, *, missing: bool = False
) -> Problem:
    """Return a teacher with a centred dictionary; `missing` hides points, the root's too."""
    rng = np.random.default_rng(seed)
    dictionary = rng.standard_normal((points, 3, atoms))
    dictionary -= dictionary.mean(axis=0)
    turns = Rotation.random(frames, random_state=seed).as_matrix()
    cameras = turns[:, :, :2] * rng.uniform(0.5, 90, (frames, 1, 1))
    visible = np.ones((frames, points), dtype=np.bool_)
    if missing:
        for frame in range(frames):
            visible[frame, rng.permutation(points)[: frame % (points + 1)]] = False
        visible[1 % frames, ROOT] = False
    image = rng.standard_normal((frames, points, 2)) + rng.standard_normal((frames, 1, 2))
    image *= np.linalg.norm(cameras, axis=1)[:, None]
    codes = rng.standard_normal((frames, atoms))
    depth = 3 * rng.standard_normal((frames, points))
    return Problem(
        dictionary.reshape(3 * points, atoms),
        codes,
        cameras,
        np.where(visible[..., None], image, np.nan),
        visible,
        depth,
    )


class Frame(NamedTuple):
    """One frame by the letter of the paper: B_xy and w about their means, B_z and z' about one."""

    across: Floats
    image: Floats
    along: Floats
    depth: Floats

    def cost(self, code: Floats, weight: float) -> float:
        """Return eq. 9 with the norms of section 4.4."""
        return float(np.linalg.norm(self.across @ code - self.image) + weight * abs(code).sum())


def frame_of(problem: Problem, index: int) -> Frame:
    """Return B_xy, w, B_z and z' of the visible points of a frame, point after point."""
    camera = problem.cameras[index]
    scale = float(np.linalg.norm(camera[:, 0]))
    one, two = camera.T / scale
    rotation = np.stack([one, two, np.cross(one, two)], axis=1)
    atoms = problem.dictionary.shape[1]
    shown = np.flatnonzero(problem.visible[index])
    rotated = np.stack([problem.dictionary[3 * p : 3 * p + 3].T @ rotation for p in shown])
    across = rotated[:, :, :2] - rotated[:, :, :2].mean(axis=0)
    image = problem.points[index, shown] - problem.points[index, shown].mean(axis=0)
    start = shown.tolist().index(ROOT) if ROOT in shown else 0
    others = [i for i in range(len(shown)) if i != start]
    along = rotated[others, :, 2] - rotated[start, :, 2]
    depth = problem.depth[index, shown]
    return Frame(
        across.transpose(0, 2, 1).reshape(-1, atoms),
        image.ravel() / scale,
        along,
        depth[others] - depth[start],
    )


def solve_constrained(frame: Frame, code: Floats) -> Floats:
    """Return the code of the depth that is nearest to `code`, from the full KKT system."""
    rows, atoms = frame.along.shape
    system = np.block([[np.eye(atoms), frame.along.T], [frame.along, np.zeros((rows, rows))]])
    return np.asarray(np.linalg.solve(system, np.concatenate([code, frame.depth]))[:atoms])


either = pytest.mark.parametrize("missing", [False, True], ids=["complete", "hidden"])


@either
def test_the_projected_code_solves_the_constrained_least_squares(missing: bool) -> None:
    problem = draw_problem(0, missing=missing)
    found = problem.distillation().project_code(tensor(problem.depth), problem.all()).numpy()
    for index, code in enumerate(problem.codes):
        expected = solve_constrained(frame_of(problem, index), code)
        np.testing.assert_allclose(found[index], expected, atol=1e-10)


@either
def test_the_loss_is_the_cost_of_the_projected_code(missing: bool) -> None:
    problem = draw_problem(1, missing=missing)
    found = problem.losses(weight=0.7)
    for index, code in enumerate(problem.codes):
        frame = frame_of(problem, index)
        expected = frame.cost(solve_constrained(frame, code), weight=0.7)
        assert float(found[index]) == pytest.approx(expected, rel=1e-10)


def least_cost(frame: Frame, start: Floats, weight: float) -> float:
    """Return the minimum of eq. 10, a smooth problem in the positive and negative parts."""
    atoms = frame.along.shape[1]
    both = np.hstack([frame.along, -frame.along])

    def cost(parts: Floats) -> tuple[float, Floats]:
        residual = frame.across @ (parts[:atoms] - parts[atoms:]) - frame.image
        norm = float(np.linalg.norm(residual))
        slope = frame.across.T @ residual / max(norm, 1e-12)
        return norm + weight * float(parts.sum()), np.concatenate([slope, -slope]) + weight

    constraint = {
        "type": "eq",
        "fun": lambda parts: both @ parts - frame.depth,
        "jac": lambda _: both,
    }
    found: Any = minimize(
        cost,
        np.concatenate([start.clip(0), (-start).clip(0)]),
        jac=True,
        method="SLSQP",
        bounds=[(0, None)] * (2 * atoms),
        constraints=constraint,
        options={"maxiter": 500, "ftol": 1e-10},
    )
    assert found.success, found.message
    code = found.x[:atoms] - found.x[atoms:]
    np.testing.assert_allclose(frame.along @ code, frame.depth, atol=1e-7)
    return frame.cost(code, weight)


def test_the_loss_bounds_the_least_cost_of_a_depth() -> None:
    """Also far from tightly: the teacher's codes are random here, not its minima."""
    problem = draw_problem(2, frames=50, points=5, atoms=9)
    bounds = problem.losses(weight=0.3).numpy()
    rng = np.random.default_rng(0)
    least = np.array(
        [least_cost(frame_of(problem, i), rng.standard_normal(9), 0.3) for i in range(50)]
    )
    assert (least <= bounds * (1 + 1e-8)).all()
    assert (least < 0.98 * bounds).sum() > 25


def test_the_bound_is_tight_where_the_teacher_s_code_is_the_minimum() -> None:
    """With no freedom left, the code of a depth is unique and the bound is the minimum."""
    problem = draw_problem(3, frames=5, points=5, atoms=4)
    for index, bound in enumerate(problem.losses(weight=0.3).tolist()):
        frame = frame_of(problem, index)
        unique = np.asarray(np.linalg.solve(frame.along, frame.depth), dtype=np.float64)
        assert bound == pytest.approx(frame.cost(unique, 0.3), rel=1e-8)


@either
def test_the_gradient_is_that_of_finite_differences(missing: bool) -> None:
    problem = draw_problem(4, missing=missing)
    distillation = problem.distillation()
    depth = tensor(problem.depth).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda z: distillation.loss(z, problem.all(), 0.3), (depth,), eps=1e-6
    )


def consistent_problem(seed: int) -> Problem:
    """Return a problem in which image and depth are those of the teacher's codes."""
    problem = draw_problem(seed, missing=True)
    shape = (problem.codes @ problem.dictionary.T).reshape(len(problem.codes), -1, 3)
    image = shape @ problem.cameras + 5.0
    image = np.where(problem.visible[..., None], image, np.nan)
    problem = problem._replace(points=image)
    own = problem.distillation().teacher_depth(problem.all()).numpy()
    return problem._replace(depth=own - 7.0)


def test_the_loss_is_that_of_the_code_where_depth_and_code_agree() -> None:
    problem = consistent_problem(5)
    zeros = np.zeros(len(problem.codes))
    np.testing.assert_allclose(problem.losses(weight=0.0).numpy(), zeros, atol=1e-12)
    expected = 0.3 * abs(problem.codes).sum(axis=1)
    np.testing.assert_allclose(problem.losses(weight=0.3).numpy(), expected, rtol=1e-12)


def test_the_gradient_is_finite_where_the_loss_is_zero() -> None:
    problem = consistent_problem(5)
    depth = tensor(problem.depth).requires_grad_()
    (slope,) = torch.autograd.grad(problem.losses(depth, weight=0.0).sum(), depth)
    assert slope.isfinite().all()


def test_hidden_points_and_the_place_of_a_frame_do_not_count() -> None:
    problem = draw_problem(6, missing=True)
    other = np.where(problem.visible, problem.depth, 1e3) + np.arange(6.0)[:, None]
    shifted = problem._replace(points=problem.points + 40.0)
    for changed in (problem.losses(other), shifted.losses()):
        torch.testing.assert_close(changed, problem.losses(), rtol=1e-10, atol=0)


def test_a_frame_without_points_costs_the_norm_of_its_code() -> None:
    problem = draw_problem(6)
    problem = problem._replace(visible=np.zeros_like(problem.visible))
    expected = 0.3 * abs(problem.codes).sum(axis=1)
    np.testing.assert_allclose(problem.losses(weight=0.3).numpy(), expected, rtol=1e-12)


def test_a_turned_teacher_gives_the_same_loss() -> None:
    """The world's frame is free: D turned by Q and cameras by Q^T describe the same teacher."""
    problem = draw_problem(7)
    turn = Rotation.random(random_state=3).as_matrix()
    atoms = problem.dictionary.shape[1]
    blocks = problem.dictionary.reshape(-1, 3, atoms)
    turned = problem._replace(
        dictionary=np.einsum("ij,pjk->pik", turn, blocks).reshape(-1, atoms),
        cameras=turn @ problem.cameras,
    )
    torch.testing.assert_close(turned.losses(), problem.losses(), rtol=1e-10, atol=0)


def test_the_unit_of_the_observations_does_not_count() -> None:
    problem = draw_problem(8)
    metres = problem._replace(points=problem.points / 1000, cameras=problem.cameras / 1000)
    torch.testing.assert_close(metres.losses(), problem.losses(), rtol=1e-10, atol=0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0, 2), share=st.floats(0, 1))
def test_the_loss_is_convex_in_the_depth(seed: int, weight: float, share: float) -> None:
    problem = draw_problem(seed, missing=True)
    other = np.random.default_rng(seed + 1).standard_normal(problem.depth.shape)
    between = share * problem.depth + (1 - share) * other
    chord = share * problem.losses(weight=weight) + (1 - share) * problem.losses(other, weight)
    assert (problem.losses(between, weight) <= chord * (1 + 1e-10) + 1e-10).all()


def test_frames_are_taken_by_their_indices() -> None:
    problem = draw_problem(9, missing=True)
    chosen = torch.tensor([4, 0, 4])
    distillation = problem.distillation()
    found = distillation.loss(tensor(problem.depth)[chosen], chosen, 0.3)
    torch.testing.assert_close(found, problem.losses()[chosen])
    depth = distillation.teacher_depth(chosen)
    torch.testing.assert_close(depth, distillation.teacher_depth(problem.all())[chosen])


def test_the_teacher_s_depth_is_the_third_axis_of_its_rotated_shapes() -> None:
    problem = draw_problem(10)
    rotation, scale = rotations_from_cameras(tensor(problem.cameras))
    np.testing.assert_allclose(scale, np.linalg.norm(problem.cameras[:, :, 1], axis=1))
    assert torch.linalg.det(rotation).tolist() == pytest.approx([1.0] * 6)
    shape = (problem.codes @ problem.dictionary.T).reshape(6, -1, 3) @ rotation.numpy()
    found = problem.distillation().teacher_depth(problem.all())
    np.testing.assert_allclose(found, shape[..., 2], rtol=1e-12)
    np.testing.assert_allclose(
        shape[..., :2] * scale.numpy()[:, None, None],
        (problem.codes @ problem.dictionary.T).reshape(6, -1, 3) @ problem.cameras,
        rtol=1e-9,
    )


def test_too_few_atoms_are_named_with_the_number_of_depths() -> None:
    problem = draw_problem(11, points=7, atoms=5)
    with pytest.raises(ValueError, match=r"6 rows of depths and 5 atoms; .* at least as many"):
        problem.distillation()


def test_as_many_atoms_as_depths_are_enough() -> None:
    assert math.isfinite(float(draw_problem(12, points=7, atoms=6).losses().sum()))


def test_a_singular_system_is_named_with_both_sizes_and_the_frame() -> None:
    problem = draw_problem(13)
    flat = problem.dictionary.reshape(-1, 3, 20) * np.array([1.0, 1.0, 0.0])[:, None]
    cameras = problem.cameras.copy()
    cameras[4] = 2 * np.eye(3)[:, :2]
    singular = problem._replace(dictionary=flat.reshape(-1, 20), cameras=cameras)
    with pytest.raises(ValueError, match=r"6 rows of depths and 20 atoms.*singular in frame 4;"):
        singular.distillation()


@pytest.mark.parametrize(
    "camera",
    [np.zeros((3, 2)), np.eye(3)[:, :2] * [1.0, 1.1], np.ones((3, 2))],
    ids=["zero", "uneven", "parallel"],
)
def test_a_camera_that_is_not_scaled_orthographic_is_named(camera: Floats) -> None:
    cameras = np.stack([2 * np.eye(3)[:, :2], camera])
    with pytest.raises(ValueError, match="camera of frame 1 is no scaled orthographic one"):
        rotations_from_cameras(tensor(cameras))

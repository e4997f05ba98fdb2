"""Normalised images, dictionaries and losses against the formulas, entry by entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from tests.conftest import not_none
from tests.plugins.learned.conftest import (
    B,
    P,
    backward,
    draw,
    every_case,
    make_scene,
    seeded,
    views_of,
)

from liftbench.types import Camera, Floats
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalise_views,
    norms,
    reprojection_loss,
    views_from,
)

K = 3  # blocks of a dictionary


def brute_image(points: Floats, mask: Floats, t_z: float | None) -> Floats:
    """Return M W~ (P, 2) of eqs. 11, 14, 15."""
    result: Floats = np.zeros((P, 2))
    for i in range(P):
        for axis in range(2):
            total = sum(mask[j] * points[j, axis] for j in range(P))
            result[i, axis] = mask[i] * (points[i, axis] - total / sum(mask))
    return result if t_z is None else t_z * result


def brute_dictionary(points: Floats, mask: Floats, rows: Floats, perspective: bool) -> Floats:
    """Return M D~ of rows d_i (P, N): (P, N) of eq. 15, or (2P, 3N) of eqs. 11 and 14."""
    number, entries = sum(mask), rows.shape[1]
    normal: Floats = np.array(
        [rows[i] + sum((1 - mask[j]) * rows[j] for j in range(P)) / number for i in range(P)]
    )
    if not perspective:
        masked: Floats = mask[:, None] * normal
        return masked
    result: Floats = np.zeros((2 * P, 3 * entries))
    for i in range(P):
        for axis in range(2):  # eq. 14 is printed with u in place of v in the second row
            mean = sum(mask[j] * points[j, axis] * rows[j] for j in range(P)) / number
            row = np.zeros((3, entries))
            row[axis] = normal[i]
            row[2] = -points[i, axis] * rows[i] + mean
            result[2 * i + axis] = mask[i] * row.ravel()
    return result


@every_case
def test_residual_equals_that_of_the_dictionary_written_entry_by_entry(
    camera_model: Camera, missing: bool
) -> None:
    scene, rng = make_scene(camera_model, missing), np.random.default_rng(1)
    perspective = scene.t_z is not None
    atoms = rng.standard_normal((P, K, 3))  # D#: row i holds K blocks d_i of 3
    codes = rng.standard_normal((B, K))
    rotations = Rotation.random(B, random_state=7).as_matrix()
    columns = 3 if perspective else 2
    shape = torch.from_numpy(np.einsum("pkc,bk->pcb", atoms, codes))
    camera = torch.from_numpy(rotations[:, :, :columns]).permute(1, 2, 0)
    residual = views_of(scene).residual(shape, camera)
    for b in range(B):
        t_z = None if scene.t_z is None else scene.t_z[b]
        image = brute_image(scene.images[b], scene.masks[b], t_z)
        dictionary = brute_dictionary(
            scene.images[b], scene.masks[b], atoms.reshape(P, -1), perspective
        )
        psi = np.kron(codes[b][:, None], rotations[b])  # (3K, 3)
        expected = (
            image - (dictionary @ psi.T.reshape(-1)).reshape(P, 2)
            if perspective
            else image - dictionary @ psi[:, :2]
        )
        np.testing.assert_allclose(residual[..., b], expected, atol=1e-12)


@every_case
def test_encoder_applies_the_transpose_of_the_dictionary_written_entry_by_entry(
    camera_model: Camera, missing: bool
) -> None:
    scene, rng = make_scene(camera_model, missing), np.random.default_rng(2)
    perspective = scene.t_z is not None
    columns = 3 if perspective else 2
    views = views_of(scene)
    assert views.columns.shape == (P, columns, B)
    network = BlockSparseNetwork(P, columns, (K, 2), "bst", "projection", 1.0, seeded(0)).double()
    atoms = rng.standard_normal((P, K, 3))
    with torch.no_grad():
        network.first.view(-1, 3, atoms.shape[0]).copy_(torch.from_numpy(atoms).permute(1, 2, 0))
        network.deeper[0].copy_(torch.eye(2, K))
        ours = network.encode(views.columns)  # thresholds are zero, the second level selects
    for b in range(B):
        t_z = None if scene.t_z is None else scene.t_z[b]
        image = brute_image(scene.images[b], scene.masks[b], t_z)
        dictionary = brute_dictionary(
            scene.images[b], scene.masks[b], atoms.reshape(P, -1), perspective
        )
        if perspective:
            expected = (dictionary.T @ image.reshape(-1)).reshape(3, 3 * K).T
        else:
            expected = dictionary.T @ image
        np.testing.assert_allclose(ours[..., b].reshape(-1, columns), expected[:6], atol=1e-12)


@every_case
def test_residual_and_loss_of_the_truth_are_zero(camera_model: Camera, missing: bool) -> None:
    scene = make_scene(camera_model, missing, seed=3)
    views = views_of(scene)
    assert views.residual(scene.shape, scene.camera).abs().max() < 1e-10
    assert views.residual(scene.shape, -scene.camera).abs().max() > 0.1
    assert float(reprojection_loss(views, scene.shape, scene.camera)) < 1e-5


@pytest.mark.parametrize("missing", [False, True])
def test_two_columns_of_a_camera_determine_the_third(missing: bool) -> None:
    scene = make_scene("perspective", missing)
    views = views_of(scene)
    flat = replace(views, columns=views.image)
    camera, shape = scene.camera, scene.shape
    torch.testing.assert_close(
        flat.residual(shape, camera[:, :2]), views.residual(shape, camera), atol=1e-12, rtol=0
    )
    again = views_from(shape, camera[:, :2], flat)
    torch.testing.assert_close(again.columns, views_from(shape, camera, views).image)


@every_case
def test_values_of_hidden_points_do_not_matter(camera_model: Camera, missing: bool) -> None:
    scene = make_scene(camera_model, missing)
    zero, large = views_of(scene), views_of(scene, fill=1e6)
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(zero, name), getattr(large, name), rtol=0, atol=0)
    if missing:
        assert not zero.columns[:, :, 0][scene.masks[0] == 0].any()


@every_case
def test_a_mask_of_ones_is_no_mask(camera_model: Camera, missing: bool) -> None:
    scene = make_scene(camera_model, missing=False)
    bare = views_of(scene)
    masked = normalise_views(
        torch.from_numpy(scene.images).permute(1, 2, 0),
        torch.ones(P, B, dtype=torch.float64),
        bare.depth,
    )
    shape = draw(P, 3, B)
    torch.testing.assert_close(masked.columns, bare.columns)
    torch.testing.assert_close(
        masked.residual(shape, scene.camera), bare.residual(shape, scene.camera)
    )


@every_case
def test_rescaled_views_multiply_depth_and_image_together(
    camera_model: Camera, missing: bool
) -> None:
    scene = make_scene(camera_model, missing)
    factor = torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)
    found = views_of(scene).rescale(factor)
    t_z = None if scene.t_z is None else scene.t_z * factor.numpy()
    images = scene.images * factor.numpy()[:, None, None] if t_z is None else scene.images
    expected = views_of(scene._replace(t_z=t_z, images=images))
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))
    assert found.residual(scene.shape * factor, scene.camera).abs().max() < 1e-10


def test_select_takes_frames_of_every_part() -> None:
    scene = make_scene("perspective", missing=True)
    views = views_of(scene)
    chosen = views.select(torch.tensor([2, 0]))
    assert chosen.frames == 2
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(chosen, name), getattr(views, name)[..., [2, 0]])


def test_to_changes_the_type_of_every_part() -> None:
    views = views_of(make_scene("perspective", missing=True)).to("cpu", torch.float32)
    for name in ("columns", "visible", "rays", "depth"):
        assert getattr(views, name).dtype == torch.float32


def test_centre_is_the_mean_ray_of_visible_points() -> None:
    scene = make_scene("perspective", missing=True)
    expected = [scene.images[b][scene.masks[b] > 0].mean(axis=0) for b in range(B)]
    np.testing.assert_allclose(views_of(scene, fill=9.0).centre().T, expected)


@every_case
def test_reprojection_loss_is_the_mean_relative_norm(camera_model: Camera, missing: bool) -> None:
    scene = make_scene(camera_model, missing)
    views = views_of(scene)
    shape = draw(P, 3, B, seed=1)
    residual = views.residual(shape, scene.camera)
    ratios = [
        np.linalg.norm(residual[..., b]) / np.linalg.norm(views.image[..., b]) for b in range(B)
    ]
    assert float(reprojection_loss(views, shape, scene.camera)) == pytest.approx(np.mean(ratios))


@every_case
def test_reprojection_loss_in_the_image_divides_by_the_depth(
    camera_model: Camera, missing: bool
) -> None:
    scene = make_scene(camera_model, missing)
    views = views_of(scene)
    shape = draw(P, 3, B, seed=1)
    parts = np.zeros(2)
    for b in range(B):
        t_z = 1.0 if views.depth is None else float(views.depth[b])
        residual = views.residual(shape, scene.camera)[..., b]
        parts += np.linalg.norm(residual) / t_z, np.linalg.norm(views.image[..., b]) / t_z
    loss = reprojection_loss(views, shape, scene.camera, in_image=True)
    assert float(loss) == pytest.approx(parts[0] / parts[1])


def test_norms_are_norms_of_frames_and_have_a_gradient_at_zero() -> None:
    points = torch.randn(4, 2, 3, dtype=torch.float64)
    expected = [np.linalg.norm(points[..., b]) for b in range(3)]
    np.testing.assert_allclose(norms(points), expected)
    zero = torch.zeros(4, 2, 3, requires_grad=True)
    backward(norms(zero).sum())
    assert torch.isfinite(not_none(zero.grad)).all()


def test_orthographic_views_have_two_columns_and_no_rays() -> None:
    views = views_of(make_scene("orthographic", missing=False))
    assert views == replace(views, visible=None, rays=None, depth=None)
    assert isinstance(views, NormalisedViews)
    torch.testing.assert_close(views.image, views.columns)


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_views_that_show_fewer_points_equal_those_made_with_the_smaller_mask(
    camera_model: Camera,
) -> None:
    scene = make_scene(camera_model, missing=True)
    fewer = scene.masks.copy()
    fewer[:, 0] = 0
    shown = views_of(scene).show_only(torch.from_numpy(fewer.T))
    expected = views_of(scene._replace(masks=fewer))
    torch.testing.assert_close(shown.columns, expected.columns)
    torch.testing.assert_close(shown.visible, expected.visible)
    torch.testing.assert_close(shown.rays, expected.rays)

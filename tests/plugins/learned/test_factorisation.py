"""Against the normalised images and dictionaries of the paper, written out entry by entry."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.stats import norm as normal

from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalise_views,
    norms,
    reprojection_loss,
    views_from,
)
from liftbench_plugins.learned.rotations import random_cameras

P, K, B = 5, 3, 4
CASES = [
    ("orthographic", False),
    ("orthographic", True),
    ("perspective", False),
    ("perspective", True),
]
every_case = pytest.mark.parametrize(("camera_model", "missing"), CASES)


class Scene(NamedTuple):
    """Frames first: shapes (B, P, 3), rotations (B, 3, 3), images (B, P, 2), masks, t_z."""

    shapes: np.ndarray
    rotations: np.ndarray
    images: np.ndarray
    masks: np.ndarray
    t_z: np.ndarray | None

    @property
    def camera(self):
        columns = 2 if self.t_z is None else 3
        return torch.from_numpy(self.rotations[:, :, :columns]).permute(1, 2, 0).contiguous()

    @property
    def shape(self):
        return torch.from_numpy(self.shapes).permute(1, 2, 0).contiguous()


def make_scene(camera_model, missing, seed=0):
    """Return exact projections of random centred shapes, translated."""
    rng = np.random.default_rng(seed)
    shapes = rng.standard_normal((B, P, 3))
    shapes -= shapes.mean(axis=1, keepdims=True)
    rotations = Rotation.random(B, random_state=seed).as_matrix()
    seen = shapes @ rotations
    translation = rng.standard_normal((B, 1, 2))
    t_z = rng.uniform(6, 9, B) if camera_model == "perspective" else None
    images = seen[..., :2] + translation
    if t_z is not None:
        images = images / (seen[..., 2:] + t_z[:, None, None])
    masks = np.ones((B, P))
    if missing:
        for frame in range(B):
            masks[frame, rng.permutation(P)[: 1 + frame % 2]] = 0
    return Scene(shapes, rotations, images, masks, t_z)


def views_of(scene, fill=0.0):
    points = np.where(scene.masks[..., None] > 0, scene.images, fill)
    complete = bool(scene.masks.all())
    return normalise_views(
        torch.from_numpy(points).permute(1, 2, 0).contiguous(),
        None if complete else torch.from_numpy(scene.masks.T.copy()),
        None if scene.t_z is None else torch.from_numpy(scene.t_z),
    )


def brute_image(points, mask, t_z):
    """Return M W~ (P, 2) of eqs. 11, 14, 15."""
    result = np.zeros((P, 2))
    for i in range(P):
        for axis in range(2):
            total = sum(mask[j] * points[j, axis] for j in range(P))
            result[i, axis] = mask[i] * (points[i, axis] - total / sum(mask))
    return result if t_z is None else t_z * result


def brute_dictionary(points, mask, rows, perspective):
    """Return M D~ of rows d_i (P, N): (P, N) of eq. 15, or (2P, 3N) of eqs. 11 and 14."""
    number, entries = sum(mask), rows.shape[1]
    normal = np.array(
        [rows[i] + sum((1 - mask[j]) * rows[j] for j in range(P)) / number for i in range(P)]
    )
    if not perspective:
        return mask[:, None] * normal
    result = np.zeros((2 * P, 3 * entries))
    for i in range(P):
        for axis in range(2):  # the text of eq. 14 has u for v in the second row
            mean = sum(mask[j] * points[j, axis] * rows[j] for j in range(P)) / number
            row = np.zeros((3, entries))
            row[axis] = normal[i]
            row[2] = -points[i, axis] * rows[i] + mean
            result[2 * i + axis] = mask[i] * row.ravel()
    return result


@every_case
def test_residual_is_that_of_the_dictionary_written_out(camera_model, missing):
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
        t_z = scene.t_z[b] if perspective else None
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
def test_encoder_applies_the_transpose_of_the_dictionary_written_out(camera_model, missing):
    scene, rng = make_scene(camera_model, missing), np.random.default_rng(2)
    perspective = scene.t_z is not None
    columns = 3 if perspective else 2
    views = views_of(scene)
    assert views.columns.shape == (P, columns, B)
    network = BlockSparseNetwork(
        P, columns, (K, 2), "bst", "projection", 1.0, torch.Generator().manual_seed(0)
    ).double()
    atoms = rng.standard_normal((P, K, 3))
    with torch.no_grad():
        network.first.view(-1, 3, atoms.shape[0]).copy_(torch.from_numpy(atoms).permute(1, 2, 0))
        network.deeper[0].copy_(torch.eye(2, K))
        ours = network.encode(views.columns)  # thresholds are zero, the second level selects
    for b in range(B):
        t_z = scene.t_z[b] if perspective else None
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
def test_residual_and_loss_of_the_truth_are_zero(camera_model, missing):
    scene = make_scene(camera_model, missing, seed=3)
    views = views_of(scene)
    assert views.residual(scene.shape, scene.camera).abs().max() < 1e-10
    assert views.residual(scene.shape, -scene.camera).abs().max() > 0.1
    assert float(reprojection_loss(views, scene.shape, scene.camera)) < 1e-5


@pytest.mark.parametrize("missing", [False, True])
def test_two_columns_of_a_camera_stand_for_all_three(missing):
    scene = make_scene("perspective", missing)
    views = views_of(scene)
    flat = replace(views, columns=views.image)
    camera, shape = scene.camera, scene.shape
    torch.testing.assert_close(
        flat.residual(shape, camera[:, :2]), views.residual(shape, camera), atol=1e-12, rtol=0
    )
    again = views_from(shape, camera[:, :2], flat)
    torch.testing.assert_close(again.columns, views_from(shape, camera, views).image)


MIRROR = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)


@pytest.mark.parametrize("missing", [False, True])
def test_a_near_camera_tells_a_shape_from_its_mirror_image(missing):
    scene = make_scene("perspective", missing)
    views = replace(views_of(scene), columns=views_of(scene).image)
    shape, camera = scene.shape, scene.camera[:, :2]
    wrong = torch.arange(B) % 2 == 1
    sign = torch.where(wrong, MIRROR[:, None], 1.0)
    mixed = shape * sign, camera * sign[:, None]
    assert reprojection_loss(views, *mixed) == pytest.approx(0, abs=1e-6)
    reported = views.choose_mirror_images(*mixed)
    torch.testing.assert_close(reported, (shape, camera))
    assert norms(views.residual(*mixed))[wrong].min() > 0.01
    if missing:
        torch.testing.assert_close(
            views.fill_hidden_points(*mixed).columns,
            views.fill_hidden_points(shape, camera).columns,
        )


def log_likelihood(residual):
    """Return that of normal noise of the size that makes the residual most likely."""
    return normal.logpdf(residual, scale=np.sqrt(np.mean(residual**2))).sum()


@pytest.mark.parametrize("missing", [False, True])
def test_mirror_evidence_is_the_ratio_of_likelihoods_of_all_visible_coordinates(missing):
    scene = make_scene("perspective", missing)
    noise = np.random.default_rng(5).normal(0, 0.02, scene.images.shape)
    views = views_of(scene._replace(images=scene.images + noise))
    views = replace(views, columns=views.image)
    shape, camera = scene.shape, scene.camera[:, :2]
    own = views.residual(shape, camera)
    mirrored = views.residual(shape * MIRROR[:, None], camera * MIRROR[:, None, None])
    evidence = views.mirror_evidence(shape, camera)
    for b in range(B):
        seen = scene.masks[b] > 0
        expected = log_likelihood(own[seen, :, b].numpy()) - log_likelihood(
            mirrored[seen, :, b].numpy()
        )
        assert float(evidence[b]) == pytest.approx(expected, rel=1e-6)


def test_frames_that_noise_hides_follow_the_others():
    rng = np.random.default_rng(0)
    shape = torch.from_numpy(rng.standard_normal((P, 3, 1))).repeat(1, 1, 60)
    shape -= shape.mean(dim=0)
    camera = random_cameras(2, shape, torch.Generator().manual_seed(0)).double()
    depth = torch.cat([torch.full((30,), 5.0), torch.full((30,), 40.0)]).double()
    like = normalise_views(torch.zeros(P, 2, 60).double(), None, depth, columns=2)
    exact = views_from(shape, camera, like)
    noise = 0.1 * torch.from_numpy(rng.standard_normal((P, 2, 60))) / depth
    views = normalise_views(exact.rays + noise, None, depth, columns=2)
    assert (views.mirror_evidence(shape, camera)[30:] < 0).any()
    assert views.choose_mirror_images(shape, camera, odds=None)[0].equal(shape)
    flip = MIRROR[:, None]
    mirrored = views.choose_mirror_images(shape * flip, camera * flip[:, None], odds=None)
    torch.testing.assert_close(mirrored, (shape, camera))
    last = views.mirror_evidence(shape, camera).argmin()[None]
    alone = (shape[..., last], camera[..., last])
    assert not views.select(last).choose_mirror_images(*alone)[0].equal(alone[0])
    assert views.select(last).choose_mirror_images(*alone, odds=5.0)[0].equal(alone[0])


@pytest.mark.parametrize("missing", [False, True])
def test_odds_decide_for_the_mirror_image_in_the_loss_and_where_points_are_filled(missing):
    scene = make_scene("perspective", missing)
    views = replace(views_of(scene), columns=views_of(scene).image)
    own = scene.shape, scene.camera[:, :2]
    mirrored = own[0] * MIRROR[:, None], own[1] * MIRROR[:, None, None]
    expected = (norms(views.residual(*mirrored)) / norms(views.image)).mean()
    torch.testing.assert_close(reprojection_loss(views, *own, odds=-1e3), expected)
    filled = views.fill_hidden_points(*own, odds=-1e3)
    torch.testing.assert_close(
        filled.columns, views.fill_hidden_points(*mirrored, odds=1e3).columns
    )
    assert missing != torch.allclose(filled.columns, views.fill_hidden_points(*own).columns)


def test_a_hidden_point_behind_the_camera_is_filled_in_front():
    scene = make_scene("perspective", missing=True)
    seen = 20 * scene.shapes @ scene.rotations
    behind = seen[..., 2] + scene.t_z[:, None]
    assert ((behind < 0) & (scene.masks == 0)).any()
    depth = np.maximum(behind, 0.1 * scene.t_z[:, None])[..., None]
    apart = (scene.images * depth - seen[..., :2]) * scene.masks[..., None]
    place = apart.sum(axis=1, keepdims=True) / scene.masks.sum(axis=1)[:, None, None]
    expected = np.where(scene.masks[..., None] > 0, scene.images, (seen[..., :2] + place) / depth)
    rays = views_of(scene).fill_hidden_points(20 * scene.shape, scene.camera).rays
    np.testing.assert_allclose(rays.permute(2, 0, 1), expected)


def test_nothing_is_told_apart_by_a_far_camera_or_three_columns():
    for model in ("orthographic", "perspective"):
        scene = make_scene(model, missing=False)
        shape, camera = scene.shape * MIRROR[:, None], scene.camera * MIRROR[:, None, None]
        reported = views_of(scene).choose_mirror_images(shape, camera)
        assert reported[0] is shape
        assert reported[1] is camera


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_the_true_shape_and_camera_fill_hidden_points_where_they_are(camera_model):
    scene = make_scene(camera_model, missing=True)
    filled = views_of(scene).fill_hidden_points(scene.shape, scene.camera)
    whole = views_of(scene._replace(masks=np.ones((B, P))))
    assert filled.visible is None
    torch.testing.assert_close(filled.columns, whole.columns)
    assert whole.fill_hidden_points(scene.shape + 1, scene.camera) is whole


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_filling_leaves_visible_points_where_they_are(camera_model):
    scene = make_scene(camera_model, missing=True)
    views = views_of(scene)
    filled = views.fill_hidden_points(scene.shape * 1.3, scene.camera)
    for frame in range(B):
        seen = scene.masks[frame] > 0
        shift = (filled.image - views.image)[seen, :, frame]
        if camera_model == "perspective":
            torch.testing.assert_close(filled.rays[seen, :, frame], views.rays[seen, :, frame])
        torch.testing.assert_close(shift, shift[:1].expand_as(shift))


@every_case
def test_views_seen_from_the_true_camera_are_the_views(camera_model, missing):
    scene = make_scene(camera_model, missing, seed=4)
    if scene.t_z is not None:  # the mean visible ray is where the centre is placed
        seen = scene.shapes @ scene.rotations
        depth = seen[..., 2:] + scene.t_z[:, None, None]
        place = scene.images.copy()
        for b in range(B):
            shown = scene.masks[b] > 0
            place[b] = (seen[b, :, :2] + scene.images[b, shown].mean(0) * scene.t_z[b]) / depth[b]
        views, expected = views_of(scene), views_of(scene._replace(images=place))
    else:
        views = expected = views_of(scene)
    found = views_from(scene.shape, scene.camera, views)
    assert (found.rays is None) == (found.depth is None) == (camera_model == "orthographic")
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))


def test_a_point_that_a_drawn_view_puts_behind_the_camera_stays_in_front():
    scene = make_scene("perspective", missing=False)
    views = views_of(scene)
    large = 20 * scene.shapes @ scene.rotations
    depth = large[..., 2] + scene.t_z[:, None]
    assert (depth < 0).any()
    place = scene.images.mean(axis=1) * scene.t_z[:, None]
    nearest = np.maximum(depth, 0.1 * scene.t_z[:, None])
    expected = (large[..., :2] + place[:, None]) / nearest[..., None]
    found = views_from(20 * scene.shape, scene.camera, views).rays
    np.testing.assert_allclose(found.permute(2, 0, 1), expected)


@every_case
def test_values_of_hidden_points_do_not_matter(camera_model, missing):
    scene = make_scene(camera_model, missing)
    one, other = views_of(scene), views_of(scene, fill=1e6)
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=0)
    if missing:
        assert not one.columns[:, :, 0][scene.masks[0] == 0].any()


@every_case
def test_a_mask_of_ones_is_no_mask(camera_model, missing):
    scene = make_scene(camera_model, missing=False)
    bare = views_of(scene)
    masked = normalise_views(
        torch.from_numpy(scene.images).permute(1, 2, 0),
        torch.ones(P, B, dtype=torch.float64),
        bare.depth,
    )
    shape = torch.randn(P, 3, B, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(masked.columns, bare.columns)
    torch.testing.assert_close(
        masked.residual(shape, scene.camera), bare.residual(shape, scene.camera)
    )


@every_case
def test_rescaled_views_multiply_depth_and_image_together(camera_model, missing):
    scene = make_scene(camera_model, missing)
    factor = torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)
    found = views_of(scene).rescale(factor)
    t_z = None if scene.t_z is None else scene.t_z * factor.numpy()
    images = scene.images * factor.numpy()[:, None, None] if t_z is None else scene.images
    expected = views_of(scene._replace(t_z=t_z, images=images))
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))
    assert found.residual(scene.shape * factor, scene.camera).abs().max() < 1e-10


def test_select_takes_frames_of_every_part():
    scene = make_scene("perspective", missing=True)
    views = views_of(scene)
    chosen = views.select(torch.tensor([2, 0]))
    assert chosen.frames == 2
    for name in ("columns", "visible", "rays", "depth"):
        torch.testing.assert_close(getattr(chosen, name), getattr(views, name)[..., [2, 0]])


def test_to_changes_the_type_of_every_part():
    views = views_of(make_scene("perspective", missing=True)).to("cpu", torch.float32)
    for name in ("columns", "visible", "rays", "depth"):
        assert getattr(views, name).dtype == torch.float32


def test_centre_is_the_mean_ray_of_visible_points():
    scene = make_scene("perspective", missing=True)
    expected = [scene.images[b][scene.masks[b] > 0].mean(axis=0) for b in range(B)]
    np.testing.assert_allclose(views_of(scene, fill=9.0).centre().T, expected)


@every_case
def test_reprojection_loss_is_the_mean_relative_norm(camera_model, missing):
    scene = make_scene(camera_model, missing)
    views = views_of(scene)
    shape = torch.randn(P, 3, B, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    residual = views.residual(shape, scene.camera)
    ratios = [
        np.linalg.norm(residual[..., b]) / np.linalg.norm(views.image[..., b]) for b in range(B)
    ]
    assert float(reprojection_loss(views, shape, scene.camera)) == pytest.approx(np.mean(ratios))


@every_case
def test_reprojection_loss_in_the_image_is_over_the_depth(camera_model, missing):
    scene = make_scene(camera_model, missing)
    views = views_of(scene)
    shape = torch.randn(P, 3, B, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    parts = np.zeros(2)
    for b in range(B):
        t_z = 1.0 if views.depth is None else float(views.depth[b])
        residual = views.residual(shape, scene.camera)[..., b]
        parts += np.linalg.norm(residual) / t_z, np.linalg.norm(views.image[..., b]) / t_z
    loss = reprojection_loss(views, shape, scene.camera, in_image=True)
    assert float(loss) == pytest.approx(parts[0] / parts[1])


def test_norms_are_those_of_frames_and_differentiable_at_zero():
    points = torch.randn(4, 2, 3, dtype=torch.float64)
    expected = [np.linalg.norm(points[..., b]) for b in range(3)]
    np.testing.assert_allclose(norms(points), expected)
    zero = torch.zeros(4, 2, 3, requires_grad=True)
    norms(zero).sum().backward()
    assert torch.isfinite(zero.grad).all()


def test_orthographic_views_have_two_columns_and_no_rays():
    views = views_of(make_scene("orthographic", missing=False))
    assert views == replace(views, visible=None, rays=None, depth=None)
    assert isinstance(views, NormalisedViews)
    torch.testing.assert_close(views.image, views.columns)


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_views_that_show_fewer_points_are_those_of_fewer_points(camera_model):
    scene = make_scene(camera_model, missing=True)
    fewer = scene.masks.copy()
    fewer[:, 0] = 0
    shown = views_of(scene).show_only(torch.from_numpy(fewer.T))
    expected = views_of(scene._replace(masks=fewer))
    torch.testing.assert_close(shown.columns, expected.columns)
    torch.testing.assert_close(shown.visible, expected.visible)
    torch.testing.assert_close(shown.rays, expected.rays)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from tests.conftest import not_none

from liftbench.cameras import project, subtract_mean
from liftbench.testing import check_dataset, examiner, moving_body, scene
from liftbench.testing.differences import differing_fields
from liftbench.testing.scenes import SCENES, permute_points, turn_about_the_axis
from liftbench.types import CAMERAS


def test_scenes_pass_the_kit_themselves() -> None:
    outcomes = list(check_dataset(SCENES.key, plugin_files=(Path(examiner.__file__),)))
    assert [o for o in outcomes if o.failed] == []
    assert sum(o.passed for o in outcomes) > 10


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_scene_is_a_smooth_motion_of_a_body_with_depth(camera: str) -> None:
    data = scene(camera, "train")  # type: ignore[arg-type]
    assert data.truth is not None
    points = data.truth.points_3d
    np.testing.assert_array_equal(points, moving_body("train"))
    assert points.shape == (60, 12, 3)
    assert points[..., 2].min() > 5
    assert (np.linalg.svd(subtract_mean(points), compute_uv=False)[:, 2] > 0.5).all()
    assert data.observations.sequence.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    steps = np.linalg.norm(np.diff(subtract_mean(points), axis=0), axis=2).mean(axis=1)
    jumps = [19, 39]
    assert np.median(np.delete(steps, jumps)) < 0.5 * steps[jumps].min()
    np.testing.assert_array_equal(
        data.observations.points_2d,
        project(points, camera),  # type: ignore[arg-type]
    )


def test_pictures_show_the_points_and_masks_their_squares(tmp_path: Path) -> None:
    seen = scene("perspective", "train", hidden=True, pictures=tmp_path).observations
    whole, found = scene("perspective", "train").observations, seen.in_pixels()
    images, box = not_none(seen.images), not_none(found.box)
    places = replace(whole, pixel=seen.pixel, origin=seen.origin).in_pixels().points_2d
    for frame in (0, 1, 59):
        mask, picture = images.mask(frame), images.image(frame)
        columns, rows = np.floor(places[frame]).astype(int).T
        assert mask[rows, columns].all()  # also those of hidden points
        assert (picture[rows, columns] != picture[0, 0]).any(axis=1).all()
        assert (picture[~mask] == picture[0, 0]).all()
        rows, columns = np.nonzero(mask)
        low, high = box[frame, :2], box[frame, :2] + box[frame, 2:]
        np.testing.assert_allclose([columns.min(), rows.min()], low, atol=2.5)
        np.testing.assert_allclose([columns.max() + 1, rows.max() + 1], high, atol=2.5)
    assert len({images.image(frame).shape for frame in range(3)}) == 3


def test_a_scene_has_the_requested_size() -> None:
    seen = scene("orthographic", "train", sequences=2, frames=7, first=5, hidden=True).observations
    assert seen.sequence.tolist() == [5] * 7 + [6] * 7
    assert ((~seen.visible).sum(axis=1) == 3).all()
    assert len({tuple(row) for row in seen.visible.tolist()}) > 10


def test_boxes_hold_the_visible_points_and_a_hundred_pixels() -> None:
    given = scene("orthographic", "train", hidden=True, boxes=True).observations
    plain = scene("orthographic", "train", hidden=True).observations
    assert differing_fields(given, plain) == ["box", "pixel"]
    assert given.box is not None
    assert given.pixel is not None
    for frame, (x, y, width, height) in enumerate(given.box):
        shown = given.points_2d[frame, given.visible[frame]]
        np.testing.assert_allclose(shown.min(axis=0), [x, y])
        np.testing.assert_allclose(shown.max(axis=0), [x + width, y + height])
        assert height == pytest.approx(100 * given.pixel[frame])
    assert len(set(given.pixel.tolist())) == given.frames


def test_permuted_points_keep_their_names_and_edges() -> None:
    seen = scene("orthographic", "train", hidden=True).observations
    order = np.random.default_rng(0).permutation(12)
    other = permute_points(seen, order)
    names, others = seen.skeleton.points, other.skeleton.points
    assert others != names
    edges = [
        {(s.points[a], s.points[b]) for a, b in s.edges} for s in (seen.skeleton, other.skeleton)
    ]
    assert edges[0] == edges[1]
    assert others[other.skeleton.root] == names[seen.skeleton.root]
    place = [others.index(name) for name in names]
    np.testing.assert_array_equal(other.points_2d[:, place], seen.points_2d)
    np.testing.assert_array_equal(other.visible[:, place], seen.visible)


def test_a_turn_turns_images_as_it_turns_points() -> None:
    points, turn = moving_body("train"), turn_about_the_axis(0.7)
    for camera in CAMERAS:
        np.testing.assert_allclose(
            project(points @ turn.T, camera), project(points, camera) @ turn[:2, :2].T, atol=1e-12
        )


def test_the_template_of_scenes_with_pictures_is_the_closed_body_at_rest(tmp_path: Path) -> None:
    assert scene("orthographic", "a").observations.template is None
    seen = scene("orthographic", "a", pictures=tmp_path).observations
    template = not_none(seen.template)
    vertices, faces = template.mesh.vertices, template.mesh.faces
    volume = np.linalg.det(vertices[faces]).sum() / 6
    assert volume == pytest.approx(ConvexHull(template.points_3d).volume)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    order = np.arange(12)[::-1]
    moved = not_none(permute_points(seen, order).template)
    np.testing.assert_array_equal(moved.points_3d, template.points_3d[order])

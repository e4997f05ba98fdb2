"""Photographs of generated objects, their masks, rotations and templates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.pascal3d.synthetic.conftest import NOWHERE, load

from liftbench.cameras import subtract_mean
from liftbench.seeds import named_rng
from liftbench_datasets.adapting.backdrops import draw_backdrop
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS
from liftbench_datasets.pascal3d.synthetic.adapter import SyntheticPascal3d
from liftbench_datasets.pascal3d.synthetic.pictures import (
    HEIGHT,
    WIDTH,
    Scene,
    draw_object,
    object_mask,
)
from liftbench_datasets.pascal3d.synthetic.views import BATCH, draw_batch
from liftbench_plugins.learned.ttp.mesh import prepare

FACING = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # the camera looks at the front


def scene(turn: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = FACING) -> Scene:
    boxes = np.array([[[-0.3, -0.5, -0.2], [0.3, 0.5, 0.1]], [[-0.2, -0.2, 0.1], [0.2, 0.3, 0.3]]])
    wheels = np.array([[-0.3, -0.3, -0.1]])
    return Scene(boxes, turn, 300.0, np.array([250.5, 188.0, 0.0]), wheels)


def test_a_mask_has_the_pixels_whose_middles_the_boxes_cover() -> None:
    mask = object_mask(scene())
    # Position 1 is the middle of the first pixel: the hull spans 160.5 to 340.5 and 158 to 248.
    expected = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    expected[157:248, 160:340] = True
    expected[97:158, 190:310] = True
    assert (mask == expected).all()


def test_a_picture_differs_from_its_backdrop_in_the_mask_alone() -> None:
    picture = draw_object(np.random.default_rng(3), scene())
    backdrop = np.asarray(draw_backdrop(np.random.default_rng(3), WIDTH, HEIGHT))
    differs, mask = (picture != backdrop).any(axis=2), object_mask(scene())
    assert not differs[~mask].any()
    assert differs[mask].mean() > 0.95


TURN = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # a quarter turn about the upright axis


def test_front_back_and_sides_look_different() -> None:
    """Lamps are light in front and red behind, cabins have windows, wheels are dark."""
    front, back = (draw_object(np.random.default_rng(3), scene(t)) for t in (FACING, BEHIND))
    lamp = (slice(195, 205), slice(178, 190))
    assert front[lamp].min() > 130
    red, green, blue = np.moveaxis(back[lamp].reshape(-1, 3), 1, 0)
    assert (red > 2 * green).all()
    assert (red > 2 * blue).all()
    window = front[110:125, 240:260].reshape(-1, 3)
    assert (window.mean(axis=0) < 80).all()
    side = draw_object(np.random.default_rng(3), scene(FACING @ TURN.T))
    hub = scene(FACING @ TURN.T).place(np.array([[-0.3, -0.3, -0.1]]))[0].round().astype(int)
    assert side[hub[1], hub[0]].max() < 40


BEHIND = FACING @ TURN @ TURN


@pytest.mark.parametrize("category", ["car", "aeroplane", "motorbike", "chair"])
def test_pictures_show_the_object_where_the_points_are(category: str) -> None:
    data = load(category, "train", frames=20)
    seen, truth = data.observations.in_pixels(), truth_of(data)
    images = not_none(data.observations.images)
    for frame in range(4):
        batch, place = divmod(int(not_none(truth.mesh)[frame]), BATCH)
        drawn = draw_batch(category, 0, batch)
        shown = drawn.scene(place, category)
        # The middle of pixel 0 is at 0.5 in `in_pixels`, and at 0 in a scene.
        placed = shown.place(drawn.bodies.points[place])[:, :2] + 0.5
        visible = seen.visible[frame]
        np.testing.assert_allclose(placed[visible], seen.points_2d[frame, visible], atol=1e-6)
        assert images.image(frame).shape == (HEIGHT, WIDTH, 3)
        assert (images.mask(frame) == object_mask(shown)).all()


def test_more_frames_change_no_picture() -> None:
    few, more = (load("car", "train", frames=frames).observations for frames in (10, 20))
    names = [[Path(file).name for file in not_none(seen.images).files] for seen in (few, more)]
    assert names[0] == names[1][: few.frames]
    drawn = draw_batch("car", 0, 0).scene(int(not_none(truth_of(load("car")).mesh)[0]), "car")
    pictures = [draw_object(named_rng("x"), drawn) for _ in range(2)]
    assert (pictures[0] == pictures[1]).all()


@pytest.mark.parametrize("category", ["car", "boat"])
@pytest.mark.parametrize("split", ["train", "unseen"])
def test_rotations_take_models_to_the_camera(category: str, split: str) -> None:
    data = truth_of(load(category, split, frames=300))
    for frame in (0, 20, -1):
        batch, place = divmod(int(not_none(data.mesh)[frame]), BATCH)
        model = subtract_mean(draw_batch(category, 0, batch).bodies.points[place][None])[0]
        turned = model @ not_none(data.rotation)[frame].T
        true = subtract_mean(data.points_3d[frame][None])[0]
        scale = np.linalg.norm(true) / np.linalg.norm(turned)
        np.testing.assert_allclose(scale * turned, true, atol=1e-6)


def test_all_categories_together_have_neither_pictures_nor_template() -> None:
    data = SyntheticPascal3d(frames=5, template=True).load(NOWHERE, "all", "train")
    assert data.observations.images is None
    assert data.observations.template is None


@pytest.mark.parametrize("category", CATEGORIES)
def test_templates_are_closed_and_symmetric_with_points_on_them(category: str) -> None:
    data = SyntheticPascal3d(frames=5, template=True).load(NOWHERE, category, "train")
    template = not_none(data.observations.template)
    mesh = prepare(template, "cpu")  # refuses what is not closed or no manifold
    assert mesh.partner is not None
    assert len(template.points) == len(POINTS[category])
    low, high = template.mesh.vertices.min(axis=0), template.mesh.vertices.max(axis=0)
    assert (template.points_3d > low - 0.1).all()
    assert (template.points_3d < high + 0.1).all()


def test_a_template_is_given_if_it_is_asked_for() -> None:
    plain = load("car", frames=5).observations
    assert plain.template is None
    asked = SyntheticPascal3d(frames=5, template=True)
    assert asked.checksum(NOWHERE, "car") != SyntheticPascal3d(frames=5).checksum(NOWHERE, "car")
    seen = replace(asked.load(NOWHERE, "car", "train").observations, template=None)
    assert (seen.points_2d[seen.visible] == plain.points_2d[plain.visible]).all()

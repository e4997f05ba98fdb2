"""The generated birds before their cameras."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.cub.synthetic.conftest import LEFT, RIGHT, at

from liftbench.seeds import named_rng
from liftbench_datasets.cub.adapter import Cub
from liftbench_datasets.cub.cmr import read_sfm
from liftbench_datasets.cub.synthetic.adapter import (
    SyntheticCub,
)
from liftbench_datasets.cub.synthetic.pictures import SIZE
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.shapes import draw_species
from liftbench_datasets.cub.synthetic.surface import FACES
from liftbench_datasets.cub.synthetic.views import MIDDLE_SKIN, SIDE_SKIN, Views, draw_views
from liftbench_datasets.geometry.ray_mesh import crossings


@cache
def many() -> Views:
    rng = named_rng("test views")
    return draw_views(rng, draw_species(rng, 50), np.arange(600))


def test_parts_hide_behind_the_bird() -> None:
    """A ray from a part to a far eye crosses the bird farther away than its skin."""
    views = many().take(slice(30))
    skin = np.full(15, MIDDLE_SKIN)
    skin[[*LEFT, *RIGHT]] = SIDE_SKIN
    far = 1e5  # so that rays are nearly along z
    agree = []
    for frame in range(30):
        vertices = (views.picture_vertices(frame) - views.shift[frame]) / views.scale[frame]
        hidden = []
        for part, before in zip(vertices[VERTICES], skin, strict=True):
            eye = part - [0, 0, far]
            on_ray = crossings(np.array([[[0, 0, far]]]), (vertices - eye)[FACES][None])[0, 0]
            nearest = np.nanmin(on_ray, initial=np.inf) * far
            hidden.append(nearest < far - before)
        inside = (np.abs(views.points_3d[frame, :, :2] - 127.5) < 128).all(axis=1)
        agree.append(views.visible[frame] == (inside & ~np.array(hidden)))
    assert np.mean(agree) > 0.995
    assert 0.6 < views.visible.mean() < 0.9


def test_birds_are_upright_and_seen_from_the_side_that_shows() -> None:
    views = many()
    points, visible = views.points_3d, views.visible
    low = points[:, [at("left leg"), at("right leg")], 1].mean(axis=1)
    assert (points[:, at("crown"), 1] < low).mean() > 0.97  # y points down
    # Of two eyes the nearer one shows.
    eyes = [at("left eye"), at("right eye")]
    left, right = points[:, eyes, 2].T
    gaps = np.linalg.norm(points[:, eyes[0]] - points[:, eyes[1]], axis=1)
    apart = np.abs(left - right) > 0.85 * gaps  # seen from the side
    both = visible[:, eyes]
    inside = (np.abs(points[:, eyes, :2] - 127.5) < 127).all(axis=(1, 2))
    clear = apart & inside
    assert clear.mean() > 0.2
    assert both[clear, 0][left[clear] < right[clear]].mean() > 0.95
    assert both[clear, 1][left[clear] < right[clear]].mean() < 0.02
    assert both[clear, 0][left[clear] > right[clear]].mean() < 0.02


def test_cameras_stand_where_those_of_cmr_do(shared_data: Path) -> None:
    """Shares of birds that are seen from before, the sides and behind."""
    real = read_sfm(shared_data / "cub_ttp" / "anno_train.mat").rotations
    shares = []
    for turns in (real, many().turn):
        eye = -turns[:, 2]  # the way to the camera in the frame of the bird
        azimuth = np.degrees(np.abs(np.arctan2(eye[:, 0], -eye[:, 1])))
        shares.append(np.histogram(azimuth, (0, 45, 90, 135, 180))[0] / len(azimuth))
        assert np.abs((eye[:, 0] > 0).mean() - 0.5) < 0.06
    np.testing.assert_allclose(shares[1], shares[0], atol=0.12)


def test_as_many_parts_show_as_in_cub(shared_data: Path) -> None:
    real = Cub().load(shared_data, "all", "train").observations.visible
    made = SyntheticCub(frames=600).views().visible
    assert made.sum(axis=1).min() == real.sum(axis=1).min() == 7
    assert made.sum(axis=1).mean() == pytest.approx(real.sum(axis=1).mean(), abs=0.7)
    np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), atol=0.17)


def test_some_birds_are_cut_off_and_most_lie_in_the_picture() -> None:
    views = many()
    sides = np.ptp(views.points_3d[..., :2], axis=1).max(axis=1)
    low, high = views.box[:, :2], views.box[:, :2] + views.box[:, 2:]
    whole = ((low > -0.5) & (high < 255.5)).all(axis=1)
    assert 0.75 < whole.mean() < 0.95
    assert np.median(sides) == pytest.approx(0.65 * SIZE, rel=0.2)

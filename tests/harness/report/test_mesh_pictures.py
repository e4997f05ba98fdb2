"""Drawn meshes: what they cover, what hides what, and how they are turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from liftbench.report import SuiteReport
from liftbench.report.content import MeshFrame
from liftbench.report.mesh_pictures import COLUMNS, draw_mesh, panels, turn
from liftbench.types import Floats

BOX_FACES = np.array(
    [
        *([0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4]),
        *([2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5]),
    ]
)


def box(low: tuple[float, ...], high: tuple[float, ...]) -> Floats:
    """Return the corners (8, 3) of a box; with the faces it is closed."""
    ends = np.array([low, high])
    return np.array(
        [[ends[i, 0], ends[j, 1], ends[k, 2]] for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    )


def test_the_faces_of_the_box_look_outwards() -> None:
    first, second, third = np.moveaxis(box((0, 0, 0), (2, 3, 4))[BOX_FACES], 1, 0)
    assert (first * np.cross(second, third)).sum() / 6 == 24


def test_a_mesh_covers_the_pixels_whose_middles_it_covers() -> None:
    vertices = box((3.5, 1.5, 0), (9.5, 5.5, 4))
    drawn = draw_mesh(np.ones((12, 16, 3)), vertices, BOX_FACES, np.zeros((8, 3)), 1.0)
    expected = np.ones((12, 16), dtype=np.bool_)
    expected[2:6, 4:10] = False
    assert ((drawn == 1).all(axis=2) == expected).all()


def test_the_nearer_mesh_hides_the_farther_one() -> None:
    near, far = box((2.5, 2.5, 0), (6.5, 6.5, 2)), box((4.5, 4.5, 5), (9.5, 9.5, 8))
    faces = np.concatenate([BOX_FACES, BOX_FACES + 8])
    colours = np.repeat([[1.0, 0, 0], [0, 1.0, 0]], 8, axis=0)
    for order in (1, -1):
        drawn = draw_mesh(
            np.ones((12, 12, 3)), np.concatenate([near, far]), faces[::order], colours, 1.0
        )
        red, green = drawn[..., 0] > drawn[..., 1], drawn[..., 1] > drawn[..., 0]
        assert red[3:7, 3:7].all()
        assert red.sum() == 16
        assert green.sum() == 25 - 4


def test_what_is_below_shows_through_by_its_share() -> None:
    vertices, white = box((1.5, 1.5, 0), (5.5, 5.5, 4)), np.ones((8, 8, 3))
    drawn = draw_mesh(white, vertices, BOX_FACES, np.zeros((8, 3)), 0.75)
    np.testing.assert_allclose(drawn[3, 3], 0.25)
    assert (drawn[0] == 1).all()


def test_turning_keeps_heights_distances_and_the_middle() -> None:
    vertices = box((1, 2, 3), (5, 9, 4))
    turned = turn(vertices)
    np.testing.assert_allclose(turned[:, 1], vertices[:, 1])
    np.testing.assert_allclose(turned.mean(axis=0), vertices.mean(axis=0))
    before, after = (np.linalg.norm(v[:, None] - v, axis=2) for v in (vertices, turned))
    np.testing.assert_allclose(after, before)
    assert np.abs(turned - vertices).max() > 1


def test_panels_place_the_mesh_over_its_picture() -> None:
    """A picture of 20 pixels is enlarged to 256."""
    vertices = box((5, 10, 0), (15, 15, 4))
    white = np.full((20, 20, 3), 255, dtype=np.uint8)
    red = np.tile(np.array([255, 0, 0], dtype=np.uint8), (8, 1))
    points, seen = np.zeros((1, 2)), np.ones(1, dtype=np.bool_)
    frame = MeshFrame(0, 1.0, white, points, seen, vertices, red)
    shown = dict(zip(COLUMNS, panels(frame, BOX_FACES), strict=True))
    expected = np.ones((256, 256), dtype=np.bool_)
    expected[128:192, 64:192] = False
    for name in ("mesh", "texture"):
        assert ((shown[name] == 255).all(axis=2) == expected).all(), name
    assert (shown["texture"][~expected][:, 1:] == 0).all()
    assert (shown["picture"] == 255).all()
    assert (shown["turned"] != 255).any()


def test_every_frame_of_the_report_has_its_panels(report: SuiteReport) -> None:
    gallery = report.meshes[0]
    for frame in gallery.frames:
        assert [panel.shape for panel in panels(frame, gallery.faces)] == [(256, 256, 3)] * 5
    far = replace(gallery.frames[0], vertices=gallery.frames[0].vertices + 1e4)
    assert (panels(far, gallery.faces)[3] == 255).all()

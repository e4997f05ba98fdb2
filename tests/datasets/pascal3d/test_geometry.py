"""Cameras of PASCAL3D+: against the formulas written out point by point, and invariants."""

from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.pascal3d.cad import keypoint_mask, read_cad
from liftbench_datasets.pascal3d.geometry import (
    Viewpoints,
    camera_points,
    orthographic_set,
    perspective,
)

CAD = ("aeroplane", "bicycle", "boat", "bottle", "bus", "chair")


def viewpoints(count: int = 300, distance: float | None = None) -> Viewpoints:
    rng = named_rng("viewpoints")
    return Viewpoints(
        azimuth=rng.uniform(0, 360, count),
        elevation=rng.uniform(-60, 80, count),
        theta=rng.uniform(-30, 30, count),
        distance=rng.uniform(2, 9, count) if distance is None else np.full(count, distance),
        focal=rng.uniform(0.8, 1.2, count),
        viewport=rng.uniform(500, 3000, count),
        px=rng.uniform(0, 500, count),
        py=rng.uniform(0, 400, count),
    )


def shapes(count: int = 300) -> Floats:
    return named_rng("shapes").uniform(-0.35, 0.35, (count, 9, 3))


def pixel(point: Floats, views: Viewpoints, frame: int) -> tuple[float, float]:
    """Return where a model point falls, by the formulas of the release's viewer."""
    a, e, t = (radians(getattr(views, n)[frame]) for n in ("azimuth", "elevation", "theta"))
    d = views.distance[frame]
    centre = np.array([d * cos(e) * sin(a), -d * cos(e) * cos(a), d * sin(e)])
    tilt = -(np.pi / 2 - e)
    about_z = np.array([[cos(-a), -sin(-a), 0], [sin(-a), cos(-a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cos(tilt), -sin(tilt)], [0, sin(tilt), cos(tilt)]])
    x, y, z = about_x @ about_z @ (point - centre)
    zoom = views.viewport[frame] * views.focal[frame]
    u, v = zoom * x / -z, zoom * y / -z
    u, v = cos(t) * u - sin(t) * v, sin(t) * u + cos(t) * v
    return u + views.px[frame], -v + views.py[frame]


def weak_scale(views: Viewpoints) -> Floats:
    """Return the pixels of a length at the model's origin, (F,)."""
    return views.viewport * views.focal / views.distance


def weak_perspective(seen: Floats, views: Viewpoints) -> Floats:
    """Return the pixels (F, P, 2) if all points had the depth of the model's origin."""
    pixels: Floats = weak_scale(views)[:, None, None] * seen[..., :2] + views.principal()[:, None]
    return pixels


def test_perspective_is_the_formula_for_every_point() -> None:
    views, points = viewpoints(40), shapes(40)
    expected = [[pixel(p, views, f) for p in points[f]] for f in range(40)]
    np.testing.assert_allclose(perspective(camera_points(points, views), views), expected)


def test_the_models_origin_lies_ahead_at_its_distance_and_falls_on_px_py() -> None:
    views = viewpoints()
    seen = camera_points(np.zeros((300, 1, 3)), views)
    np.testing.assert_allclose(seen[:, 0, :2], 0, atol=1e-12)
    np.testing.assert_allclose(seen[:, 0, 2], views.distance)
    np.testing.assert_allclose(perspective(seen, views)[:, 0], views.principal())


def test_perspective_tends_to_weak_perspective_as_the_camera_moves_away() -> None:
    views, points = viewpoints(), shapes()
    errors = []
    for distance in (10.0, 20.0, 40.0):
        far = replace(views, distance=np.full(300, distance))
        seen = camera_points(points, far)
        gap = np.abs(perspective(seen, far) - weak_perspective(seen, far))
        errors.append((gap / weak_scale(far)[:, None, None]).max())
    assert errors[0] < 0.04
    np.testing.assert_allclose([errors[0] / errors[1], errors[1] / errors[2]], 2, rtol=0.05)


@pytest.mark.parametrize("category", CAD)
def test_real_models_at_distance_6_are_near_weak_perspective(
    shared_data: Path, category: str
) -> None:
    views = viewpoints(200, distance=6.0)
    for model in read_cad(shared_data / "pascal3d" / "CAD" / f"{category}.mat", category):
        points = np.tile(model[keypoint_mask(model[None])[0]], (200, 1, 1))
        seen = camera_points(points, views)
        exact, weak = perspective(seen, views), weak_perspective(seen, views)
        size = np.ptp(weak, axis=1).max(axis=1)
        assert (np.linalg.norm(exact - weak, axis=2).mean(axis=1) / size).mean() < 0.03
        # A point's distance from the origin's place is off by z / (6 + z), z its depth behind it.
        behind = seen[..., 2:] - 6
        gap = (views.principal()[:, None] - weak) * behind / (6 + behind)
        np.testing.assert_allclose(exact - weak, gap, atol=1e-9)


def test_orthographic_set_is_a_similarity_without_mirroring() -> None:
    views, points = viewpoints(), shapes()
    made = orthographic_set(camera_points(points, views), views, np.ones((300, 9), dtype=bool))
    flat, turned = (p - p.mean(axis=1, keepdims=True) for p in (points, made))
    maps = np.linalg.pinv(flat) @ turned
    scale = np.cbrt(np.linalg.det(maps))
    assert (scale > 0).all()
    np.testing.assert_allclose(flat @ maps, turned, atol=1e-8)
    gram = maps @ maps.swapaxes(1, 2) / scale[:, None, None] ** 2
    np.testing.assert_allclose(gram, np.tile(np.eye(3), (300, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(scale, weak_scale(views), rtol=0.35)


def test_orthographic_set_fits_the_perspective_projection() -> None:
    views, points = viewpoints(), shapes()
    seen = camera_points(points, views)
    made = orthographic_set(seen, views, np.ones((300, 9), dtype=bool))
    pixels = perspective(seen, views)
    np.testing.assert_allclose(made[..., :2].mean(axis=1), pixels.mean(axis=1))
    np.testing.assert_allclose(made[..., 2].mean(axis=1), 0, atol=1e-9)
    sides = np.ptp(made[..., :2], axis=1).max(axis=1)
    np.testing.assert_allclose(sides, np.ptp(pixels, axis=1).max(axis=1))
    nearest = seen[..., 2].argmin(axis=1)
    np.testing.assert_array_equal(made[..., 2].argmin(axis=1), nearest)


def test_orthographic_set_heeds_defined_points_alone() -> None:
    views, points = viewpoints(), shapes()
    seen = camera_points(points, views)
    alone = orthographic_set(seen[:, 2:], views, np.ones((300, 7), dtype=bool))
    defined = np.ones((300, 9), dtype=bool)
    defined[:, :2] = False
    seen[:, :2] = 40.0
    made = orthographic_set(seen, views, defined)
    np.testing.assert_allclose(made[:, 2:], alone)
    assert not made[:, :2].any()

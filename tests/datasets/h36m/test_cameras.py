"""The cameras of Human3.6M against numbers from elsewhere, and projections against the formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.types import Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, PLACES, Lens
from liftbench_datasets.h36m.skeleton import ACTIONS, KEPT, SKELETON, SUBJECTS, sequence_id


def test_places_are_those_that_others_read_from_the_metadata() -> None:
    # Rows of R and of t = -R·position that karfly/human36m-camera-parameters prints.
    printed = {
        ("S1", "54138969"): ((-0.91536173, 0.40180837, 0.02574754), (-346.051, 546.981, 5474.481)),
        ("S5", "55011271"): ((0.92221160, 0.38649076, 0.01227429), (103.903, 395.672, 5767.973)),
        ("S6", "60457274"): ((0.91829506, -0.38507690, 0.09192373), (-56.297, 420.296, 4499.323)),
        ("S7", "58860488"): ((-0.92450697, -0.37555597, -0.0651503), (441.106, 271.916, 5660.120)),
        ("S8", "55011271"): ((0.93101628, 0.36476269, 0.01252435), (-209.063, 375.069, 5818.277)),
        ("S9", "54138969"): ((-0.90334862, 0.42691198, 0.04132109), (-321.208, 467.135, 5514.330)),
        ("S11", "58860488"): ((-0.90635405, -0.42053102, -0.0409388), (781.127, 235.313, 5576.370)),
    }
    for (subject, camera), (row, shift) in printed.items():
        place = PLACES[subject][camera]
        np.testing.assert_allclose(place.rotation[0], row, atol=1e-6)
        np.testing.assert_allclose(-place.rotation @ place.position, shift, atol=2e-3)


def test_cameras_stand_in_the_corners_and_look_at_the_middle() -> None:
    assert [list(places) for places in PLACES.values()] == [list(CAMERAS)] * 7
    assert set(PLACES) == {s for subjects in SUBJECTS.values() for s in subjects}
    for places in PLACES.values():
        for camera, place in places.items():
            np.testing.assert_allclose(place.rotation @ place.rotation.T, np.eye(3), atol=1e-6)
            assert np.linalg.det(place.rotation) == pytest.approx(1, abs=1e-6)
            middle = place.views(np.array([[[0.0, 0.0, 900.0]]]))[0, 0]
            assert 4000 < middle[2] < 6500
            pixels = LENSES[camera].pixels(middle[:2] / middle[2])
            assert (np.abs(pixels - 500) < 200).all()
            above = place.views(np.array([[[0.0, 0.0, 1900.0]]]))[0, 0]
            assert above[1] < middle[1] - 900  # y points down


def by_the_rule(lens: Lens, x: float, y: float) -> Floats:
    """Project one point as the release's own formula is written."""
    r2 = x * x + y * y
    k1, k2, k3 = lens.radial
    p1, p2 = lens.tangential
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p1 * x + p2 * y
    plane = np.array([x, y]) * factor + lens.tangential * r2
    pixels: Floats = lens.focal * plane + lens.centre
    return pixels


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CAMERAS), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_pixels_are_those_of_the_rule(camera: str, x: float, y: float) -> None:
    lens = LENSES[camera]
    np.testing.assert_allclose(lens.pixels(np.array([x, y])), by_the_rule(lens, x, y), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CAMERAS), st.floats(-1000, 2000), st.floats(-1000, 2000))
def test_undistortion_undoes_distortion(camera: str, u: float, v: float) -> None:
    lens = LENSES[camera]
    pixels = np.array([[u, v]])
    np.testing.assert_allclose(lens.pixels(lens.plane(pixels)), pixels, atol=1e-6)


def test_the_distortion_matters_at_the_corners() -> None:
    for lens in LENSES.values():
        corner = np.array([[0.0, 0.0]])
        straight = (corner - lens.centre) / lens.focal
        assert np.abs(lens.plane(corner) - straight).max() * 1145 > 5


def test_points_and_sequences() -> None:
    assert len(KEPT) == len(SKELETON.points) == 17
    assert SKELETON.points[SKELETON.root] == "Hip"
    pairs = [(SKELETON.points[a], SKELETON.points[b]) for a, b in SKELETON.left_right]
    assert len(pairs) == 6
    assert all((a[0], b[0], a[1:]) == ("L", "R", b[1:]) for a, b in pairs)
    assert len(SKELETON.edges) == 16
    assert len(ACTIONS) == 15
    assert sequence_id("S11", "Discussion", 2, 3) == 110224
    ids = [
        sequence_id(subject, action, take, camera)
        for subject in ("S1", "S11")
        for action in ACTIONS
        for take in range(10)
        for camera in range(4)
    ]
    assert len(set(ids)) == len(ids)

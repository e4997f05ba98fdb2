"""What convex parts hide, against samples of the segment from a point to the eye."""

from __future__ import annotations

import numpy as np

from liftbench.seeds import named_rng
from liftbench_datasets.geometry.convex_occlusion import Part


def box_part(half: float) -> Part:
    normals = np.concatenate([np.eye(3), -np.eye(3)])[None]
    return Part(normals, np.full((1, 6), half + 0.03), 0.03)


def test_a_box_hides_what_samples_of_the_segment_say() -> None:
    rng = named_rng("segments")
    points = rng.uniform(-3, 3, (1, 400, 3))
    eye = np.array([[1.3, 0.3, -0.2]])  # close to a face, with points all around
    along = np.linspace(0, 1, 2001)[:, None, None]
    inside = (np.abs(points + along * (eye - points)) < 1).all(axis=2).any(axis=0)
    hides = box_part(1.0).hides(points, eye)[0]
    assert 50 < hides.sum() < 350
    assert (hides != inside).sum() <= 2  # samples miss a cut corner


def test_a_segment_along_a_face_is_decided_by_its_side() -> None:
    eye = np.array([[0.0, 0.0, 9.0]])
    points = np.array([[[0.0, 0.0, -2.0], [0.0, 2.0, -2.0], [0.0, 0.0, 2.0]]])
    assert box_part(1.0).hides(points, eye)[0].tolist() == [True, False, False]
    beside = np.array([[0.0, 2.0, 9.0]])
    assert not box_part(1.0).hides(points[:, 1:2], beside).any()

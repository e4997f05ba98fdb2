"""The scale t_z of a frame, the size of a shape, and the correction of one by the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench import Observations, Skeleton
from liftbench.types import Camera, Floats
from liftbench_plugins.learned.deep_nrsfm import DeepNrsfmParams, ScaleMeasure, ShapeScale
from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.deep_nrsfm.scale import shape_scale, shape_size
from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views

BOXES = np.array([[0.0, 0.0, 2.0, 4.0], [5.0, 5.0, 8.0, 0.5]])
CHOICES = ["constant", "box_max", "box_min"]


def observe(
    points: Floats, camera: Camera = "perspective", box: Floats | None = None
) -> Observations:
    frames, count = points.shape[:2]
    return Observations(
        points,
        ~np.isnan(points[..., 0]),
        np.zeros(frames, dtype=np.int64),
        camera,
        Skeleton(tuple(f"p{i}" for i in range(count)), tuple(pairwise(range(count)))),
        box,
    )


def triangles() -> Floats:
    """Return two frames with one hidden point each; the others extend over 2 x 1 and 4 x 5."""
    points = np.array(
        [[[0, 0], [2, 1], [1, 0], [9, 9]], [[0, 0], [4, 0], [9, 9], [1, 5]]], dtype=float
    )
    points[0, 3] = points[1, 2] = np.nan
    return points


@pytest.mark.parametrize("camera", ["perspective", "weak_perspective"])
@pytest.mark.parametrize(
    ("choice", "box", "expected"),
    [
        ("constant", BOXES, [1, 1]),
        ("constant", None, [1, 1]),
        ("box_max", BOXES, [1 / 4, 1 / 8]),
        ("box_min", BOXES, [1 / 2, 2]),
        ("box_max", None, [1 / 2, 1 / 5]),
        ("box_min", None, [1, 1 / 4]),
    ],
)
def test_shape_scale_is_one_over_an_edge_of_the_box(
    camera: Camera, choice: ShapeScale, box: Floats | None, expected: list[float]
) -> None:
    np.testing.assert_allclose(shape_scale(observe(triangles(), camera, box), choice), expected)


@pytest.mark.parametrize("choice", CHOICES)
def test_shape_scale_of_orthographic_points_is_one(choice: ShapeScale) -> None:
    np.testing.assert_array_equal(
        shape_scale(observe(triangles(), "orthographic", BOXES), choice), [1, 1]
    )


@pytest.mark.parametrize("from_box", [True, False])
@pytest.mark.parametrize("choice", ["box_max", "box_min"])
def test_a_box_without_extent_is_refused_in_one_line(choice: ShapeScale, from_box: bool) -> None:
    points, boxes = triangles(), BOXES.copy()
    boxes[1, 2:] = 0
    if not from_box:
        points[1] = 3.0
    with pytest.raises(
        ValueError, match=f"shape_scale '{choice}' .* that of frame 1 has none"
    ) as e:
        shape_scale(observe(points, box=boxes if from_box else None), choice)
    assert "\n" not in str(e.value)


def test_norm_is_that_of_the_centred_shape() -> None:
    shape = torch.zeros(2, 3, 2, dtype=torch.float64)
    shape[0, :, 0] = torch.tensor([3.0, 4.0, 0.0])  # 5 apart: each is 2.5 from the centre
    shape[:, :, 1] = 7.0
    size = shape_size(shape + 100, "norm", ())
    torch.testing.assert_close(size, torch.tensor([5 / 2**0.5, 0.0]).double(), rtol=0, atol=2e-6)


def test_bones_is_the_mean_length_of_edges() -> None:
    shape = torch.zeros(4, 3, 2, dtype=torch.float64)
    shape[1, 0] = torch.tensor([1.0, 10.0])
    shape[2, 1] = 2.0
    shape[3] = 1e6  # belongs to no bone
    expected = torch.tensor([(1 + 2) / 2, (10 + 2) / 2], dtype=torch.float64)
    torch.testing.assert_close(shape_size(shape, "bones", ((0, 1), (2, 0))), expected)


class Linear(BlockSparseNetwork):
    """Its shapes are as large as t_z makes the image; its cameras are zero."""

    def __init__(self) -> None:
        super().__init__(6, 2, (2, 1), "bst", "projection", 1.0, seeded())

    def lift(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
        image = views.image
        return torch.cat([image, image[:, :1]], dim=1), torch.zeros(3, *views.columns.shape[1:])


@pytest.mark.parametrize("measure", ["norm", "bones"])
def test_correction_gives_every_frame_the_size_of_the_training(measure: ScaleMeasure) -> None:
    """The depth of a frame becomes right; its rays stay as they are."""
    generator = seeded(0)
    rays = torch.randn(6, 2, 5, generator=generator)
    depth = torch.tensor([1.0, 2.0, 4.0, 0.5, 3.0])
    views, edges = normalise_views(rays, None, depth), ((0, 1), (2, 4))
    method = DeepNrsfm(DeepNrsfmParams(scale_rounds=1, scale_measure=measure))
    method.network, method.size, method.edges = Linear(), 2.5, edges
    corrected, factor = method._correct_scale(views)
    sizes = shape_size(Linear().lift(corrected)[0], measure, edges)
    torch.testing.assert_close(sizes, torch.full((5,), 2.5))
    before = shape_size(Linear().lift(views)[0], measure, edges)
    torch.testing.assert_close(not_none(corrected.depth), depth * 2.5 / before)
    torch.testing.assert_close(factor, 2.5 / before)
    torch.testing.assert_close(corrected.rays, rays)
    torch.testing.assert_close(
        corrected.columns, normalise_views(rays, None, corrected.depth).columns
    )


def test_correction_has_as_many_rounds_as_the_parameter_says() -> None:
    class Damped(Linear):
        def lift(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
            shape, camera = super().lift(views)
            norm = shape.square().sum(dim=(0, 1)).sqrt()
            return shape / norm.sqrt(), camera  # the size is the root of t_z

    views = normalise_views(torch.randn(6, 2, 3), None, torch.tensor([1.0, 4.0, 9.0]))
    errors = []
    for rounds in (0, 1, 2, 3):
        method = DeepNrsfm(DeepNrsfmParams(scale_rounds=rounds))
        method.network, method.size, method.edges = Damped(), 1.0, ()
        sizes = shape_size(Damped().lift(method._correct_scale(views)[0])[0], "norm", ())
        errors.append(sizes.log().abs().max())
    for before, after in pairwise(errors):
        torch.testing.assert_close(after, before / 2)

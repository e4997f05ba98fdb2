"""What real and generated cars share: which cars count, their boxes and their groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.cameras import project
from liftbench.images import Images
from liftbench.types import Bools, Dataset, Floats, GroundTruth, Observations, Skeleton
from liftbench_datasets.adapting.image_maps import best_origin
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.geometry.boxes import point_boxes

LEAST_VISIBLE = 25  # of 58. Source: Deep NRSfM++, section 5
FARTHEST = 30.0  # metres along the view. Source: Deep NRSfM++, section 5
GROUPS = ("0-10 m", "10-20 m", "20-30 m")
GROUP_ENDS = (10.0, 20.0)


def car_dataset(
    points_3d: Floats,
    visible: Bools,
    depth: Floats,
    sequence: NDArray[np.int64],
    pixel: Floats,
    skeleton: Skeleton = SKELETON,
    images: Images | None = None,
    positions: Floats | None = None,
) -> Dataset:
    """Return perspective views of cars; a box encloses all 58 points, also the hidden ones.

    Args:
        points_3d: (F, 58, 3) in the camera's frame, metres.
        visible: (F, 58).
        depth: (F,) distances of the cars' centres along the view, metres; they give the groups.
        sequence: (F,) number of each frame's sequence.
        pixel: (F,) size of a pixel on the unit focal plane.
        skeleton: names and edges of the points.
        images: the image of each frame; None if there are none.
        positions: (F, 58, 2) of the points in their images, pixels; None without images.
    """
    points_2d = project(points_3d, "perspective")
    shown = np.where(visible[..., None], points_2d, np.nan)
    boxes = point_boxes(points_2d)
    origin = None if positions is None else best_origin(points_2d, positions, pixel)
    return Dataset(
        Observations(
            shown, visible, sequence, "perspective", skeleton, boxes, images, pixel, origin
        ),
        GroundTruth(points_3d, "m", distance_groups(depth), sequence),
    )


def distance_groups(depth: Floats) -> NDArray[np.str_]:
    """Return the name of each distance's group, (F,)."""
    names: NDArray[np.str_] = np.array(GROUPS)[np.digitize(depth, GROUP_ENDS)]
    return names

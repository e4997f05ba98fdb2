"""Consensus of non-rigid reconstructions: many groups of points are reconstructed (CNS)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liftbench import Conformance, RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench.protocols.alignment import orthogonal_alignment
from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.shapes.depth_consensus import consensus_depths, group_signs
from liftbench_plugins.classical.shapes.group_shapes import group_depths
from liftbench_plugins.classical.shapes.point_groups import Groups, random_groups
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of

# Groups are solved together as long as their shapes have at most this many entries, which fit
# the CPU's cache.
_BLOCK = 500_000
_ROUNDS = 100


@dataclass(frozen=True)
class CnsParams:
    """Parameters of the consensus.

    Attributes:
        group_size: number of points in a group.
        least_groups: smallest number of groups that a point belongs to.
    """

    group_size: int = 10
    least_groups: int = 50

    def __post_init__(self) -> None:
        require_all_positive(self)


def solve_cns(tracks: Tracks, params: CnsParams, context: RunContext) -> Factors:
    """Return shapes with the image's points and the depths that overlapping groups agree on.

    Source: Lee, Cho, Oh, Consensus of non-rigid reconstructions, CVPR 2016. The paper has no
    cameras of the whole body; ours turn each shape to the mean of all shapes.

    Raises:
        ValueError: the frames do not determine shapes.
    """
    shape_rank(None, tracks)
    image = frames_of(tracks.rows, 2)
    rng = named_rng("cns", context.seed)
    groups = random_groups(image, params.group_size, params.least_groups, rng)
    depth = _depths(image, groups)
    depth *= group_signs(depth, groups)[:, None, None]
    points = np.concatenate([image, consensus_depths(depth, groups).T[..., None]], axis=2)
    rotation = rotations_to_mean(points)
    return Factors(rotation, points @ rotation)


def _depths(image: Floats, groups: Groups) -> Floats:
    """Return the depths (G, n, F) of all groups, each reconstructed separately."""
    block = max(1, _BLOCK // (3 * len(image) * groups.shape[1]))
    parts = []
    for start in range(0, len(groups), block):
        own = np.moveaxis(image[:, groups[start : start + block]], 1, 0)
        parts.append(group_depths(own - own.mean(axis=2, keepdims=True)))
    return np.concatenate(parts).swapaxes(1, 2)


def rotations_to_mean(points: Floats) -> Floats:
    """Return the rotations (F, 3, 3), body to camera, that align centred bodies to their mean."""
    weights = np.ones(points.shape[:2])
    rotation = np.broadcast_to(np.eye(3), (len(points), 3, 3))
    mean = points[0]
    for _ in range(_ROUNDS):
        target = np.broadcast_to(mean, points.shape)
        rotation = orthogonal_alignment(points, target, weights, reflection=False)
        before, mean = mean, (points @ rotation).mean(axis=0)
        if np.abs(mean - before).max() <= 1e-9:
            break
    return rotation


CNS = replace(
    batch_spec(
        key="cns",
        title="Consensus of group reconstructions (CNS)",
        reference="Lee, Cho, Oh, Consensus of non-rigid reconstructions, CVPR 2016",
        solve=solve_cns,
        params=CnsParams,
        seeded=True,
        most_frames=3000,
    ),
    conformance=Conformance(params={"least_groups": 8}),
)

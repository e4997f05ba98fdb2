"""The mean shape of generated birds, which methods may know."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Floats, Mesh, Template
from liftbench_datasets.cub.synthetic.points import VERTICES
from liftbench_datasets.cub.synthetic.shapes import POSE, draw_measures, draw_poses, draw_species
from liftbench_datasets.cub.synthetic.surface import FACES, bird_surface

_BIRDS = 400
_TURNS = [POSE.index(name) for name in ("neck_turn", "head_turn", "head_tilt", "tail_turn")]
_PAIRS = [
    (POSE.index(name), POSE.index(name.replace("left_", "right_")))
    for name in POSE
    if name.startswith("left_")
]
_SPREAD, _FLYING = POSE.index("spread"), 0.5


@lru_cache(maxsize=1)
def mean_bird() -> Template:
    """Return the mean of standing birds and their mirror images, in the frame of `anatomy`.

    Its birds are of species of their own, which no frame of any seed shows.
    """
    rng = named_rng("synthetic_cub", "template")
    measures = draw_measures(rng, draw_species(rng, _BIRDS))
    poses = draw_poses(rng, _BIRDS)
    stands = poses[:, _SPREAD] < _FLYING
    measures, poses = measures[stands], poses[stands]
    surfaces = [bird_surface(measures, sides) for sides in (poses, _mirror(poses))]
    points = np.zeros((len(VERTICES), surfaces[0].shape[1]))
    points[np.arange(len(VERTICES)), VERTICES] = 1
    return Template(Mesh(np.concatenate(surfaces).mean(axis=0), FACES), points)


def _mirror(poses: Floats) -> Floats:
    """Return the poses (F, A) of the mirror images."""
    mirrored = poses.copy()
    mirrored[:, _TURNS] *= -1
    for left, right in _PAIRS:
        mirrored[:, [left, right]] = poses[:, [right, left]]
    return mirrored

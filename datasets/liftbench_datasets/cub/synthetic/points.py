"""CUB's 15 parts on the skin of a bird."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from liftbench_datasets.cub.release import PARTS
from liftbench_datasets.cub.synthetic.surface import vertex

LEFT, ABOVE, RIGHT, BELOW = 0, 4, 8, 12
_PLACES: Mapping[str, tuple[str, int, int]] = {
    "back": ("spine", 11, ABOVE),
    "beak": ("spine", 0, ABOVE),
    "belly": ("spine", 13, BELOW),
    "breast": ("spine", 10, BELOW),
    "crown": ("spine", 5, ABOVE),
    "forehead": ("spine", 3, ABOVE),
    "left eye": ("spine", 4, 1),
    "left leg": ("lleg", 3, LEFT),
    "left wing": ("lwing", 3, LEFT),
    "nape": ("spine", 7, ABOVE),
    "right eye": ("spine", 4, 7),
    "right leg": ("rleg", 3, RIGHT),
    "right wing": ("rwing", 3, RIGHT),
    "tail": ("spine", 20, ABOVE),
    "throat": ("spine", 7, BELOW),
}
VERTICES = np.array([vertex(*_PLACES[part]) for part in PARTS])
"""The vertex of each part, in CUB's order."""

"""The measures of species and of their birds, and the poses of birds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from liftbench.types import Floats

# Measures are factors of those of the mean bird. Their logarithms have these standard deviations,
# over species and over the birds of a species.
MEASURES: Mapping[str, tuple[float, float]] = {
    "width": (0.07, 0.04),
    "depth": (0.07, 0.05),
    "neck": (0.22, 0.06),
    "neck_width": (0.08, 0.03),
    "head": (0.11, 0.02),
    "beak": (0.42, 0.03),
    "beak_depth": (0.22, 0.03),
    "tail": (0.30, 0.05),
    "tail_width": (0.22, 0.18),
    "wing": (0.10, 0.03),
    "wing_width": (0.09, 0.03),
    "leg": (0.22, 0.05),
    "leg_width": (0.12, 0.04),
    "foot": (0.14, 0.03),
}
_FARTHEST = 2.0  # standard deviations

# Angles in degrees, except `spread`: 0 for folded wings, 1 for spread ones. `rise` turns the whole
# bird, beak up; the other angles are against the part next to it, nearer to the trunk.
POSE = (
    *("rise", "neck_rise", "neck_turn", "head_rise", "head_turn", "head_tilt"),
    *("tail_rise", "tail_turn", "spread", "left_flap", "right_flap"),
    *("left_leg", "right_leg", "left_foot", "right_foot"),
)
POSTURES: Mapping[str, float] = {"perched": 0.68, "level": 0.18, "flying": 0.14}


def draw_species(rng: np.random.Generator, count: int) -> Floats:
    """Return the measures of `count` species, (S, M)."""
    return _draw_factors(rng, count, [species for species, _ in MEASURES.values()])


def draw_measures(rng: np.random.Generator, species: Floats) -> Floats:
    """Return the measures (F, M) of one bird for each of F species (F, M)."""
    return species * _draw_factors(rng, len(species), [own for _, own in MEASURES.values()])


def draw_poses(rng: np.random.Generator, count: int) -> Floats:
    """Return poses (F, A): most birds perch, some stand or swim level, some fly."""
    posture = rng.choice(list(POSTURES), count, p=list(POSTURES.values()))
    flying = posture == "flying"
    noise = dict(zip(POSE, rng.standard_normal((len(POSE), count)).clip(-2.2, 2.2), strict=True))
    rise = np.select(
        [posture == "perched", flying], [38 + 13 * noise["rise"], 4 + 12 * noise["rise"]]
    )
    rise = np.where(posture == "level", 10 + 8 * noise["rise"], rise)
    neck_rise = np.where(flying, 6, 42 - 0.7 * rise) + 7 * noise["neck_rise"]
    turn = np.where(flying, 8, 30) * noise["head_turn"]
    flap = 12 + 26 * noise["left_flap"]
    leg = np.where(flying, 72, 0.85 * rise)
    pose = {
        "rise": rise,
        "neck_rise": neck_rise,
        "neck_turn": 0.35 * turn,
        "head_rise": 11 * noise["head_rise"] - rise - neck_rise,
        "head_turn": 0.65 * turn,
        "head_tilt": 7 * noise["head_tilt"],
        "tail_rise": np.where(flying, 4, 9) * noise["tail_rise"],
        "tail_turn": 5 * noise["tail_turn"],
        "spread": np.where(flying, 0.9 + 0.05 * noise["spread"], 0.015 * abs(noise["spread"])),
        "left_flap": np.where(flying, flap, 0),
        "right_flap": np.where(flying, flap + 5 * noise["right_flap"], 0),
        "left_leg": leg + 7 * noise["left_leg"],
        "right_leg": leg + 7 * noise["right_leg"],
        "left_foot": rise - leg + 6 * noise["left_foot"],
        "right_foot": rise - leg + 6 * noise["right_foot"],
    }
    return np.stack([np.broadcast_to(pose[name], count) for name in POSE], axis=1)


def _draw_factors(rng: np.random.Generator, count: int, spread: list[float]) -> Floats:
    logarithms = rng.standard_normal((count, len(spread))).clip(-_FARTHEST, _FARTHEST)
    measures: Floats = np.exp(logarithms * spread)
    return measures

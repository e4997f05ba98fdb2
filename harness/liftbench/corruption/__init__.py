"""Corruptions: seeded changes of the observations, the same for every method.

Each has a severity. The random draw does not depend on it, so that a severe corruption extends a
mild one: it scales the same noise, hides more points, or keeps fewer of the same frames.
"""

from liftbench.corruption.hiding import HIDING, HidingParams
from liftbench.corruption.noise import NOISE, NOISE_RATIO, NoiseParams, NoiseRatioParams
from liftbench.corruption.spec import CannotCorruptError, CorruptionParams, CorruptionSpec, Stage
from liftbench.corruption.training_frames import FRAMES, FramesParams

BUILTIN_CORRUPTIONS = (NOISE, NOISE_RATIO, *HIDING, FRAMES)

__all__ = [
    "BUILTIN_CORRUPTIONS",
    "CannotCorruptError",
    "CorruptionParams",
    "CorruptionSpec",
    "FramesParams",
    "HidingParams",
    "NoiseParams",
    "NoiseRatioParams",
    "Stage",
]

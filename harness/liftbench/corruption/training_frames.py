"""The corruption that leaves fewer frames to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from liftbench.corruption.spec import CorruptionParams, CorruptionSpec
from liftbench.types import Observations


@dataclass(frozen=True, kw_only=True)
class FramesParams(CorruptionParams):
    """Parameters of `frames`.

    Attributes:
        share: share of the frames that is kept, but at least one frame.
        stage: only `fit` sees fewer frames; all frames are predicted.
    """

    share: float
    stage: Literal["fit"] = "fit"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share: expected more than 0 and at most 1, got {self.share}")


def drop_frames(
    observations: Observations, params: FramesParams, rng: np.random.Generator
) -> Observations:
    """Keep round(share · F) random frames, in their order (PR-RRN, section 5.3).

    A smaller share keeps a part of the same frames.
    """
    count = max(round(params.share * observations.frames), 1)
    return observations.take(np.sort(rng.permutation(observations.frames)[:count]))


FRAMES = CorruptionSpec(
    "frames",
    "Share of the frames to learn from",
    FramesParams,
    drop_frames,
    severity="share",
    clean=1.0,
    unit="%",
)

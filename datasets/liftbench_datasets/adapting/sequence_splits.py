"""The split of the papers into whole sequences: the first 80 % for training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from liftbench.errors import require_known

SPLITS = ("train", "unseen")
TRAIN_SHARE = 0.8


def split_sequences(sequences: Sequence[int], split: str) -> Sequence[int]:
    """Return the sequences of a split: of n sequences, the first floor(0.8 n) are `train`.

    Source: PR-RRN, section 5.1.

    Raises:
        UserError: there is no such split.
    """
    require_known("split", split, SPLITS)
    count = math.floor(TRAIN_SHARE * len(sequences))
    return sequences[:count] if split == "train" else sequences[count:]

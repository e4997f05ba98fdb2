"""Random generators with names, so that no draw depends on another draw."""

from __future__ import annotations

import hashlib

import numpy as np


def named_rng(*names: str | int) -> np.random.Generator:
    """Return a generator that depends on `names` alone and is the same on every machine."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))

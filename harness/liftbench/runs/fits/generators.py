"""The global random generators, for methods that draw from them."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np


def seed_generators(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch."""
    import torch

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 see above
    torch.manual_seed(seed)


def remember_generators() -> Callable[[], None]:
    """Return a function that sets the generators back to their present state."""
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002

    def set_back() -> None:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])

    return set_back

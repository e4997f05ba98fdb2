"""Learned methods, and the training that they share.

This module does not import torch, so that listing plugins is quick.
"""

from __future__ import annotations

from typing import Literal

OptimiserName = Literal["muon", "adam"]
"""The optimisers that a recipe may name, see `optimiser.OPTIMISERS`."""

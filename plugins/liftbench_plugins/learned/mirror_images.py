"""Which of a shape and its mirror image in depth a perspective camera saw.

From afar the two look the same, and noise hides what little sets them apart. A network mostly takes
to the same one of the two, so that frames in which they can be told apart speak for the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDS = 20


def evidence(own: Tensor, mirrored: Tensor, coordinates: Tensor | int) -> Tensor:
    """Return the log of the ratio of the likelihoods (B,) of shapes and their mirror images.

    Under normal noise of a size that is each frame's own and unknown, n log(‖r'‖ / ‖r‖).

    Args:
        own: ‖r‖, (B,), the norms of the residuals of the shapes.
        mirrored: ‖r'‖, (B,), those of the mirror images.
        coordinates: n, (B,), how many coordinates the residuals are of.
    """
    return coordinates * torch.log(mirrored / own)


def log_odds(evidence: Tensor) -> Tensor:
    """Return log(q / (1 - q)) for the share q of frames that are not mirrored.

    The most likely q, found by EM; one frame more of either kind keeps it from 0 and 1.

    Args:
        evidence: (B,), for each frame not being mirrored.
    """
    odds = torch.zeros((), device=evidence.device)
    for _ in range(_ROUNDS):
        share = (torch.sigmoid(evidence + odds).sum() + 1) / (len(evidence) + 2)
        odds = torch.logit(share)
    return odds

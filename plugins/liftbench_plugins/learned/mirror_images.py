"""Whether a perspective camera saw a shape or its mirror image in depth.

From afar the two look the same, and noise hides the small difference. A network mostly settles on
the same one of the two, so that frames that show the difference can decide for the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDS = 20


def evidence(own: Tensor, mirrored: Tensor, coordinates: Tensor | int) -> Tensor:
    """Return the log of the ratio of the likelihoods (B,) of shapes and their mirror images.

    It is n log(‖r'‖ / ‖r‖) under normal noise whose size is unknown and differs between frames.

    Args:
        own: ‖r‖, (B,), norms of the residuals of the shapes.
        mirrored: ‖r'‖, (B,), norms of the residuals of the mirror images.
        coordinates: n, (B,), the number of coordinates of a residual.
    """
    return coordinates * torch.log(mirrored / own)


def log_odds(evidence: Tensor) -> Tensor:
    """Return log(q / (1 - q)) for the share q of frames that are not mirrored.

    The most likely q, found by EM; one added frame of either kind keeps it away from 0 and 1.

    Args:
        evidence: (B,), the log likelihood ratio of each frame, positive if it is not mirrored.
    """
    odds = torch.zeros((), device=evidence.device)
    for _ in range(_ROUNDS):
        share = (torch.sigmoid(evidence + odds).sum() + 1) / (len(evidence) + 2)
        odds = torch.logit(share)
    return odds

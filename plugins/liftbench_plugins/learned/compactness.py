"""The choice of a start by how compact its shapes are: one body has fewer of them than two.

An orthographic camera sees a body and its mirror image in depth alike. A network may settle on the
body in some poses and on its mirror image in others, in all their views: then it reprojects well
and does not contradict itself, but its shapes need more dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from liftbench_plugins.learned.factorisation import NormalisedViews
from liftbench_plugins.learned.lifting import Network, lift_all, misfit

# Of the least misfit, the most that counts: a start with one shape for all frames is compact too.
_COMPARABLE = 1.5


def most_compact(networks: Sequence[Network], views: NormalisedViews) -> Network:
    """Return the network with the least trace norm, of those that fit about as well as the best.

    Args:
        networks: have all been trained for equally long; their `misfit` says how well they fit.
        views: all frames.
    """
    misfits = [misfit(network.lift, views, network.odds) for network in networks]
    limit = _COMPARABLE * min(misfits)
    fitting = [network for network, fit in zip(networks, misfits, strict=True) if fit <= limit]
    return min(fitting, key=lambda network: trace_norm(lift_all(network.lift, views)[0]))


@torch.no_grad()
def trace_norm(shapes: Tensor) -> float:
    """Return the sum of the singular values of F canonical shapes, divided by the root of F.

    The shapes are centred and have the norm 1, so that the number is 1 if they are all alike and at
    most the root of their rank. The trace norm is the convex stand-in for the rank, by which
    NRSfM without other priors chooses among shapes that reproject equally well (Dai, Li, He, A
    Simple Prior-Free Method for Non-Rigid Structure-from-Motion Factorization, CVPR 2012).

    Args:
        shapes: (P, 3, F), in one frame of reference for all.
    """
    columns = (shapes - shapes.mean(dim=0, keepdim=True)).flatten(0, 1).double()
    columns = torch.nn.functional.normalize(columns, dim=0)
    return float(torch.linalg.svdvals(columns).sum()) / math.sqrt(columns.shape[1])

"""The choice of a start by how well it agrees with other starts.

An orthographic camera sees a body and its mirror image in depth alike. A network may settle on the
body in some poses and on its mirror image in others, in all their views: then it reprojects well
and does not contradict itself. Mostly its first weights decide which poses these are, so that other
starts contradict it. Poses that most starts get wrong do not show.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from liftbench_plugins.learned.consistency import Lift
from liftbench_plugins.learned.factorisation import NormalisedViews
from liftbench_plugins.learned.lifting import Network, least_misfit, lift_all, misfit
from liftbench_plugins.learned.rotations import full_rotation, polar_factor, rotate

# Of the least misfit, the most that counts: starts with one shape for all frames agree, too.
_COMPARABLE = 1.5
_FEWEST = 3  # networks; two disagree as much with each other


def most_agreed(networks: Sequence[Network], views: NormalisedViews) -> Network:
    """Return the network whose depths differ least from those of the others.

    Where fewer than three networks fit about as well as the best, that is the one that fits best.

    Args:
        networks: have all been trained for equally long; their `misfit` says how well they fit.
        views: all frames.
    """
    misfits = [misfit(network.lift, views, network.odds) for network in networks]
    limit = _COMPARABLE * min(misfits)
    fitting = [network for network, fit in zip(networks, misfits, strict=True) if fit <= limit]
    if len(fitting) < _FEWEST:
        return least_misfit(fitting, views)
    depths = [find_depths(network.lift, views) for network in fitting]
    sums = [sum(disagreement(one, other) for other in depths) for one in depths]
    return fitting[sums.index(min(sums))]


@torch.no_grad()
def find_depths(lift: Lift, views: NormalisedViews) -> Tensor:
    """Return the depths (P, F) of points about the mean of their frame."""
    shape, camera = lift_all(lift, views)
    depth = rotate(shape, full_rotation(polar_factor(camera[:, :2]))[:, 2:])[:, 0]
    return depth - depth.mean(dim=0)


def disagreement(one: Tensor, other: Tensor) -> float:
    """Return the mean difference of depths (P, F).

    One of the two may be mirrored as a whole, as nothing in the images decides its sign.
    """
    return float(torch.minimum((one - other).abs().mean(), (one + other).abs().mean()))

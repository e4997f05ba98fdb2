"""The rigidity-based pairwise contrastive loss and its memory (PR-RRN, section 4.2.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from liftbench_plugins.learned.factorisation import NormalisedViews
from liftbench_plugins.learned.pr_rrn.rigidity import minimal_singular_value_ratio


class Memory(nn.Module):
    """The latest representations and their images, by which the rigidity of pairs is measured.

    Its tensors are buffers, so that a checkpoint of the training holds them.

    Args:
        size: N_mem.
        views: the training views, which give the number of points and the number type.
        channels: length of a representation.
    """

    images: Tensor
    visible: Tensor
    codes: Tensor
    stored: Tensor

    def __init__(self, size: int, views: NormalisedViews, channels: int) -> None:
        super().__init__()
        points = views.columns.shape[0]
        like = views.columns
        self.size, self.complete = size, views.visible is None
        self.register_buffer("images", like.new_zeros(points, 2, size))
        self.register_buffer("visible", like.new_zeros(0 if self.complete else points, size))
        self.register_buffer("codes", like.new_zeros(channels, size))
        self.register_buffer("stored", torch.zeros((), dtype=torch.long))

    def store(self, views: NormalisedViews, codes: Tensor) -> None:
        """Replace the oldest entries by those of a batch; `codes` have unit norm."""
        kept = min(views.frames, self.size)
        places = (torch.arange(kept) + int(self.stored)) % self.size
        self.images[:, :, places] = views.image[:, :, -kept:]
        self.codes[:, places] = codes.detach()[:, -kept:]
        if views.visible is not None:
            self.visible[:, places] = views.visible[:, -kept:]
        self.stored += kept

    def rigidity(self, views: NormalisedViews) -> Tensor:
        """Return the minimal singular value ratio (B, N) of a batch with all stored images."""
        filled = min(int(self.stored), self.size)
        visible = None if self.complete else self.visible[:, :filled]
        return minimal_singular_value_ratio(
            views.image, self.images[:, :, :filled], views.visible, visible
        )

    def similarities(self, codes: Tensor) -> Tensor:
        """Return h_i . h_j (B, N) of unit codes (C, B) with all stored codes."""
        # A copy, since the gradient needs these codes after later ones have replaced them.
        return codes.t() @ self.codes[:, : min(int(self.stored), self.size)].clone()


def contrastive_loss(
    views: NormalisedViews,
    codes: Tensor,
    memory: Memory,
    rigid_below: float,
    nonrigid_above: float,
) -> Tensor:
    """Return the contrastive loss of a batch with the memory (eq. 12), then store the batch.

    The mean is over frames that have a rigid partner in the memory (eq. 10).

    Args:
        views: the batch.
        codes: representations h (C, B), of any norm.
        memory: earlier representations.
        rigid_below: tau (eq. 10).
        nonrigid_above: xi (eq. 11).
    """
    codes = normalize(codes, dim=0)
    with torch.no_grad():
        ratio = memory.rigidity(views)
    closeness = memory.similarities(codes).exp()
    rigid = (closeness * (ratio < rigid_below)).sum(dim=1)
    nonrigid = (closeness * (ratio > nonrigid_above)).sum(dim=1)
    has_partner = rigid > 0
    share = torch.where(has_partner, rigid / (rigid + nonrigid).clamp_min(1e-12), 1.0)
    memory.store(views, codes)
    return -share.log().sum() / has_partner.sum().clamp_min(1)

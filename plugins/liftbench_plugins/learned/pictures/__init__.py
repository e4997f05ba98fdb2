"""Networks that read pictures: backbones, integral regression, augmentation.

This module does not import torch, so that listing plugins is quick.
"""

from __future__ import annotations

from typing import Literal

BackboneName = Literal["resnet18", "resnet50", "efficientnet_lite0"]
"""The backbones that there are."""
STRIDE = 32
"""Pixels of a picture along each side of a cell of a backbone's feature map."""
PACKAGE = "package"
"""Stands for the weights that an installed package holds, in place of a path."""

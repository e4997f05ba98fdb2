"""The camera network q_M and the code network q_phi of KD (section 3), over the same dictionaries.

The layout of tensors is that of `deep_nrsfm.network`: the frames are the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.deep_nrsfm import Nonlinearity
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.matrix_product import matrix_product


class CameraFirstNetwork(BlockSparseNetwork):
    """First the camera of a frame, then its code given the camera.

    The camera network is the encoder of Deep NRSfM: it does not know the camera, so that its codes
    have a 3x2 block per atom. With the camera, a dictionary is rotated into the frame (eq. 6) and
    its codes are vectors, as in sparse coding of a known view.

    Args:
        points: number of points P.
        sizes: dictionary sizes K_1 .. K_L.
        nonlinearity: of the camera network, see `BlockSparseNetwork`.
        gain: of the initial weights, see `BlockSparseNetwork`.
        generator: draws the weights.
    """

    def __init__(
        self,
        points: int,
        sizes: Sequence[int],
        nonlinearity: Nonlinearity,
        gain: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__(points, 2, sizes, nonlinearity, "projection", gain, generator)
        self.code_thresholds = nn.ParameterList(nn.Parameter(torch.zeros(k)) for k in sizes)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Lift the columns (P, 2, B) of normalised views.

        Returns:
            The canonical shape S (P, 3, B) and the camera (3, 2, B).
        """
        code, camera = self.factorise(views)
        return self.shape_of(code), camera

    def factorise(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes phi_1 (K_1, B), at least 0, and cameras (3, 2, B) of columns (P, 2, B)."""
        products = self.products(views)
        camera = self.camera(self.encode_products(products))
        return self.code_given(products, camera), camera

    def code_given(self, products: Tensor, camera: Tensor) -> Tensor:
        """Return the codes q_phi(W, M): phi_1 (K_1, B) after encoder, bottleneck and decoder.

        B_xy^T w of the rotated dictionary (eq. 7) is the inner product of the camera with the
        blocks of D_1^T W, so that no dictionary is rotated.

        Args:
            products: D_1^T W, (K_1, 6, B).
            camera: M, (3, 2, B).
        """
        code = (products * camera.reshape(1, 6, -1)).sum(dim=1)
        first, *deeper = self.code_thresholds
        code = torch.relu(code - first[:, None])
        for dictionary, threshold in zip(self.deeper, deeper, strict=True):
            code = torch.relu(matrix_product(dictionary, code) - threshold[:, None])
        return self.expand(code)

"""Channel-wise L2 normalisation with a learned scale."""

import torch
from torch import Tensor, nn


class L2Norm(nn.Module):
    """Scales every position's feature vector to unit length, then each channel by a learned factor.

    Args:
        channels: Channels of the map.
        scale: Initial factor of every channel.
        eps: Added to the squared length, inside the root.

    Source: docs/fidelity.md section 1.2; ``weiliu89/caffe: src/caffe/layers/normalize_layer.cpp``.
    """

    def __init__(self, channels: int, scale: float = 20.0, eps: float = 1e-10) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), float(scale)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: (B, C, h, w).

        Returns:
            Same shape and dtype; computed in float32.
        """
        values = x.float()
        length = (values.square().sum(1, keepdim=True) + self.eps).rsqrt()
        return (values * length * self.weight[:, None, None].float()).type_as(x)

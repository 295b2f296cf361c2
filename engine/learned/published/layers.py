"""Layers that published models are built from; their parameters have the names that checkpoints have."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

SLOPE = 0.01  # of leaky rectifiers
PEDESTAL = 2.0**-36  # squares of parameters of GDN are stored as roots of a number that is so much larger
LEAST_BETA = 1e-6


class Gdn(nn.Module):
    """x / √(β + γ·x²), or the product where `inverse` (J. Ballé et al., arXiv 1511.06281).

    The parameters are stored as roots, which keeps them from becoming negative.
    """

    def __init__(self, channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(torch.zeros(channels, channels))

    def forward(self, values: Tensor) -> Tensor:
        beta = self.beta.clamp_min((LEAST_BETA + PEDESTAL) ** 0.5) ** 2 - PEDESTAL
        gamma = self.gamma.clamp_min(PEDESTAL**0.5) ** 2 - PEDESTAL
        norm = F.conv2d(values**2, gamma[:, :, None, None], beta)
        return values * (norm.sqrt_() if self.inverse else norm.rsqrt_())


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """With zeros around the picture, so that the size is divided by `stride`."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)


def doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A transposed 5×5 convolution that doubles the sides."""
    return nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=1)


def shuffled(inputs: int, outputs: int) -> nn.Sequential:
    """A 3×3 convolution that doubles the sides by making four pixels at each place (arXiv 1609.05158)."""
    return nn.Sequential(convolution(inputs, 4 * outputs), nn.PixelShuffle(2))


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions, added to what went in (Z. Cheng et al., arXiv 2001.01568)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = convolution(channels, channels)
        self.conv2 = convolution(channels, channels)

    def forward(self, values: Tensor) -> Tensor:
        inner = F.leaky_relu(self.conv1(values), SLOPE, inplace=True)
        return F.leaky_relu(self.conv2(inner), SLOPE, inplace=True).add_(values)


class HalvingBlock(nn.Module):
    """The same with GDN at half of the sides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, stride=2)
        self.conv2 = convolution(outputs, outputs)
        self.gdn = Gdn(outputs)
        self.skip = convolution(inputs, outputs, 1, 2)

    def forward(self, values: Tensor) -> Tensor:
        inner = F.leaky_relu(self.conv1(values), SLOPE, inplace=True)
        return self.gdn(self.conv2(inner)).add_(self.skip(values))


class DoublingBlock(nn.Module):
    """The same with inverse GDN at twice the sides."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.subpel_conv = shuffled(channels, channels)
        self.conv = convolution(channels, channels)
        self.igdn = Gdn(channels, inverse=True)
        self.upsample = shuffled(channels, channels)

    def forward(self, values: Tensor) -> Tensor:
        inner = F.leaky_relu(self.subpel_conv(values), SLOPE, inplace=True)
        return self.igdn(self.conv(inner)).add_(self.upsample(values))


class AttentionBlock(nn.Module):
    """What goes in, plus a change times a mask, each made by three residual units (Z. Cheng et al., 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_a = nn.Sequential(*(_Unit(channels) for _ in range(3)))
        self.conv_b = nn.Sequential(*(_Unit(channels) for _ in range(3)), convolution(channels, channels, 1))

    def forward(self, values: Tensor) -> Tensor:
        return self.conv_a(values).mul_(self.conv_b(values).sigmoid_()).add_(values)


class _Unit(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv = nn.Sequential(
            convolution(channels, half, 1),
            nn.ReLU(inplace=True),
            convolution(half, half),
            nn.ReLU(inplace=True),
            convolution(half, channels, 1),
        )

    def forward(self, values: Tensor) -> Tensor:
        return self.conv(values).add_(values).relu_()


class MaskedConvolution(nn.Conv2d):
    """5×5 over positions that come before in raster order (A. van den Oord et al., arXiv 1606.05328)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5, padding=2)

    def forward(self, values: Tensor) -> Tensor:
        seen = torch.ones(5, 5, device=self.weight.device)
        seen[2, 2:] = 0
        seen[3:] = 0
        return F.conv2d(values, self.weight * seen, self.bias, padding=2)


class FactorisedDensity(nn.Module):
    """Parameters of the density of each channel (J. Ballé et al., arXiv 1802.01436, 6.1), as checkpoints have them:
    matrices, biases and factors of a network 1-3-3-3-3-1; quantiles, of which the middle one is the median."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        sizes = (1, 3, 3, 3, 3, 1)
        pairs = list(pairwise(sizes))
        self.matrices = nn.ParameterList(torch.zeros(channels, after, before) for before, after in pairs)
        self.biases = nn.ParameterList(torch.zeros(channels, after, 1) for _, after in pairs)
        self.factors = nn.ParameterList(torch.zeros(channels, after, 1) for _, after in pairs[:-1])
        self.quantiles = nn.Parameter(torch.zeros(channels, 1, 3))

    def rounded(self, values: Tensor) -> Tensor:
        """B×C×H×W at whole distances from the medians."""
        medians = self.quantiles[:, 0, 1, None, None]
        return torch.round(values - medians) + medians

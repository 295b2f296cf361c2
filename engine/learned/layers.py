"""Building blocks of the networks.

Two kinds of convolution: plain ones, where the last bits do not matter, and `EntropyConv`, on whose output both ends
of a stream must agree to the last bit. The latter run in integers in the codec: weights are whole multiples of a power
of two (8 bits, a scale for each output), activations multiples of 2⁻⁶ within ±32. A network with `quantised` set
trains in that arithmetic; gradients pass straight through the roundings (Y. Bengio et al., arXiv 1308.3432). It is the
very arithmetic: what single precision cannot hold is computed in double, and halves are rounded up, as integers do.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

ENTROPY_SLOPE = 0.125  # of the leaky rectifiers in the entropy networks: a shift, in integers
SLOPE = 0.1

ACTIVATION_STEPS = 64  # activations of the entropy networks are multiples of 1/64 …
ACTIVATION_MAX = 2047  # … in 12 bits
WEIGHT_MAX = 127
CAUSAL_TAPS = 12  # of a 5×5 kernel, before the middle in raster order
LEAST_WEIGHT_STEP = 2.0**-18
SCALE_STEPS = 256  # scales by rate are multiples of 1/256 in integers …
TABLE_STEPS = 1 << 16  # … and what tables over the rates hold, multiples of 2⁻¹⁶


def round_through(values: Tensor) -> Tensor:
    """Round to whole numbers; the gradient passes unchanged."""
    return values + (torch.round(values) - values).detach()


def wide(values: Tensor) -> Tensor:
    """In double precision, which holds what integers do exactly; as it is on Apple's devices, which have none."""
    return values if values.device.type == "mps" else values.double()


def round_up_through(values: Tensor) -> Tensor:
    """Round to whole numbers in double precision, halves up; the gradient passes unchanged."""
    values = wide(values)
    return values + (torch.floor(values + 0.5) - values).detach()


def to_activation_grid(values: Tensor) -> Tensor:
    """What 12-bit activations can hold of `values`, in single precision."""
    steps = (wide(values) * ACTIVATION_STEPS).clamp(-ACTIVATION_MAX - 1, ACTIVATION_MAX)
    return (round_up_through(steps) / ACTIVATION_STEPS).float()


def weight_step(weight: Tensor) -> Tensor:
    """The power of two that the 8-bit weights of each output count in, N×1×1×1."""
    largest = weight.detach().abs().amax((1, 2, 3), keepdim=True)
    return torch.exp2(torch.ceil(torch.log2(largest / WEIGHT_MAX))).clamp_min(LEAST_WEIGHT_STEP)


def to_weight_grid(weight: Tensor) -> Tensor:
    """A convolution's weights in 8 bits with a power of two as scale of each output."""
    step = weight_step(weight)
    return round_through(weight / step) * step


def to_bias_grid(bias: Tensor, weight: Tensor) -> Tensor:
    """Biases in the unit of the sums of products that they are added to."""
    unit = weight_step(weight).flatten() / ACTIVATION_STEPS
    return round_through(bias / unit) * unit


def half_precision(device: torch.device) -> bool:
    """Whether networks on this device compute in half the bits for now."""
    return torch.is_autocast_enabled(_kind(device))


def precision(device: torch.device, *, half: bool) -> torch.autocast:
    """A stretch of code in bfloat16 where that is safe, or all in full precision."""
    return torch.autocast(_kind(device), dtype=torch.bfloat16, enabled=half)


def in_network_precision(values: Tensor) -> Tensor:
    """Network inputs in the precision that the networks compute in, so that they are kept but once."""
    return values.to(torch.bfloat16) if half_precision(values.device) else values


def _kind(device: torch.device) -> str:
    return "cpu" if device.type == "meta" else device.type  # shapes without values count as the CPU's


def rate_weights(rate: Tensor, points: int) -> Tensor:
    """B rates in 0…points-1 → B×points weights that interpolate linearly between a table's rows."""
    rows = torch.arange(points, dtype=rate.dtype, device=rate.device)
    return (1 - (rate[:, None] - rows).abs()).clamp_min(0)


def checkerboard(like: Tensor) -> Tensor:
    """1×1×H×W for `like`, …×H×W: 1.0 at the anchors, coded first, 0.0 at the others, of which the top left is one."""
    rows, columns = (torch.arange(side, device=like.device) for side in like.shape[-2:])
    return ((rows[:, None] + columns[None]) % 2).float()[None, None]


def interpolate_in_steps(table: Tensor, weights: Tensor) -> Tensor:
    """As `RateTable.forward`, of a points×C table in whole steps of 2⁻¹⁶; in double precision, which is exact."""
    steps = round_up_through(wide(table) * TABLE_STEPS) / TABLE_STEPS
    return (wide(weights)[:, :, None] * steps).sum(1)[:, :, None, None]


def to_table_grid(values: Tensor) -> Tensor:
    """To whole steps of 2⁻¹⁶, halves up, in single precision."""
    return (round_up_through(values * TABLE_STEPS) / TABLE_STEPS).float()


class RateTable(nn.Module):
    """One value per channel, interpolated between the points of the range of rates."""

    def __init__(self, points: int, channels: int, start: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.full((points, channels), start))

    def forward(self, weights: Tensor) -> Tensor:
        """B×points weights → B×C×1×1, in full precision even where matrix products are not."""
        return (weights[:, :, None] * self.table).sum(1)[:, :, None, None]


class RateScale(RateTable):
    """Scales every channel by a factor that depends on the rate, 1 at first."""

    quantised = False

    def scale(self, values: Tensor, weights: Tensor) -> Tensor:
        if self.quantised:
            factors = 1 + interpolate_in_steps(self.table, weights)
            return wide(values) * (round_up_through(factors * SCALE_STEPS) / SCALE_STEPS)
        return values * (1 + self(weights)).to(values.dtype)


class EntropyConv(nn.Conv2d):
    """A convolution that feeds the entropy coder; see the module's text."""

    quantised = False

    @property
    def looked_through(self) -> Tensor:
        """The weights that take part."""
        return self.weight

    def forward(self, values: Tensor) -> Tensor:
        weight = self.looked_through
        if not self.quantised:
            return self._conv_forward(values, weight, self.bias)
        assert self.bias is not None
        return self._conv_forward(values, to_weight_grid(weight), to_bias_grid(self.bias, weight))

    def rectified(self, values: Tensor, scale: RateScale | None = None, weights: Tensor | None = None) -> Tensor:
        """The convolution, leaky rectifier and scale, rounded to the activation grid once, at the end."""
        return self.settle(F.leaky_relu(self(values), ENTROPY_SLOPE), scale, weights)

    def settle(self, values: Tensor, scale: RateScale | None = None, weights: Tensor | None = None) -> Tensor:
        if scale is not None and weights is not None:
            values = scale.scale(values, weights)
        return to_activation_grid(values) if self.quantised else values


class CausalConv(EntropyConv):
    """5×5, of the twelve positions before its own in raster order."""

    mask: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5, padding=2)
        mask = torch.zeros(25)
        mask[:CAUSAL_TAPS] = 1
        self.register_buffer("mask", mask.reshape(1, 1, 5, 5), persistent=False)

    @property
    def looked_through(self) -> Tensor:
        return self.weight * self.mask


class Residual(nn.Module):
    """x + conv(scale(leaky(conv(x)))), 3×3 both. The second convolution starts small, or at zero: an identity."""

    def __init__(self, channels: int, points: int = 0) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, channels, 3, padding=1)
        self.outer = nn.Conv2d(channels, channels, 3, padding=1)
        self.scale = RateScale(points, channels) if points else None

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        inner = F.leaky_relu(self.inner(values), SLOPE)
        if self.scale is not None:
            inner = self.scale.scale(inner, weights)
        return values + self.outer(inner)


class Attention(nn.Module):
    """x + trunk(x) · sigmoid(mask(x)): where to look is learned (simplified attention, D. Cheng et al., CVPR 2020).

    The trunk starts at zero: an identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.trunk = Residual(channels)
        self.trunk_out = nn.Conv2d(channels, channels, 1)
        self.mask = Residual(channels)
        self.mask_out = nn.Conv2d(channels, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        no_rates = values[:0]
        trunk, mask = self.trunk_out(self.trunk(values, no_rates)), self.mask_out(self.mask(values, no_rates))
        return values + trunk * torch.sigmoid(mask)


class EntropyResidual(nn.Module):
    """`Residual` in the arithmetic of the entropy networks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = EntropyConv(channels, channels, 3, padding=1)
        self.outer = EntropyConv(channels, channels, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        return self.outer.settle(values + self.outer(self.inner.rectified(values)))

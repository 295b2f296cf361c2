"""The hyper-latent and the networks around it (J. Ballé et al., "Variational image compression with a scale
hyperprior", ICLR 2018)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from engine.learned.entropy import (
    LOG_CEILING,
    LOG_FLOOR,
    LOG_ROW,
    SCALE_FLOOR,
    logistic_bits,
    lower_bound,
    scale_of_row,
    with_gradient,
)
from engine.learned.layers import (
    SLOPE,
    EntropyConv,
    EntropyResidual,
    RateScale,
    RateTable,
    interpolate_in_steps,
    round_through,
    round_up_through,
    to_activation_grid,
    wide,
)

OFFSET_STEPS = 256  # offsets of the hyper-latent are multiples of 1/256 in integers


class HyperLatent(nn.Module):
    """The hyper-latent's quantisation and static density: gain, offset and scale for each channel and rate."""

    quantised = False

    def __init__(self, channels: int, points: int) -> None:
        super().__init__()
        self.log_gain = RateTable(points, channels, math.log(1.5))
        self.offset = RateTable(points, channels)
        self.log_scale = RateTable(points, channels, 0.7)

    def forward(self, values: Tensor, weights: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Symbols (whole numbers), decoded values and bits (B) of `values`; `noise` as for `code_slice`."""
        exact = values * self.log_gain(weights).exp() - self.offset(weights)
        symbols = round_through(exact)
        log_scale = (
            scale_of_row(interpolate_in_steps(self.rows(), weights)) if self.quantised else self.log_scale(weights)
        )
        scale = lower_bound(log_scale.clamp_max(LOG_CEILING).exp(), SCALE_FLOOR)
        bits = logistic_bits(symbols if noise is None else symbols.detach(), scale)
        if noise is not None:
            bits = with_gradient(bits, logistic_bits(exact + noise, scale.detach()))
        return symbols, self.decoded(symbols, weights), bits.sum((1, 2, 3))

    def decoded(self, symbols: Tensor, weights: Tensor) -> Tensor:
        if not self.quantised:
            return (symbols + self.offset(weights)) / self.log_gain(weights).exp()
        offset = round_up_through(interpolate_in_steps(self.offset.table, weights) * OFFSET_STEPS) / OFFSET_STEPS
        return to_activation_grid((symbols + offset) * torch.exp2(-interpolate_in_steps(self.octaves(), weights)))

    def rows(self) -> Tensor:
        """The scale at every point of the range of rates as a row of the coder's tables, or between two."""
        return (wide(self.log_scale.table) - LOG_FLOOR) / LOG_ROW

    def octaves(self) -> Tensor:
        """log₂ of the gain at every point of the range of rates."""
        return wide(self.log_gain.table) / math.log(2)


class HyperAnalysis(nn.Module):
    """Features of the latent → hyper-latent at a quarter of its resolution. Runs at the encoder only."""

    def __init__(self, channels: int, width: int, hyper_channels: int, points: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * channels, width, 3, padding=1)
        self.scale = RateScale(points, width)
        self.halve = nn.Conv2d(width, width, 5, stride=2, padding=2)
        self.leave = nn.Conv2d(width, hyper_channels, 5, stride=2, padding=2)

    def entered(self, known: Tensor) -> Tensor:
        """What is the same at every rate, and most of the work."""
        return F.leaky_relu(self.enter(known), SLOPE)

    def forward(self, entered: Tensor, weights: Tensor) -> Tensor:
        values = self.scale.scale(entered, weights)
        return self.leave(F.leaky_relu(self.halve(values), SLOPE)).float()


class HyperSynthesis(nn.Module):
    """Decoded hyper-latent → what every slice is predicted from, at the latent's resolution."""

    def __init__(self, hyper_channels: int, width: int) -> None:
        super().__init__()
        self.enter = EntropyConv(hyper_channels, 4 * width, 3, padding=1)
        self.enlarge = EntropyConv(width, 4 * width, 3, padding=1)
        self.refine = EntropyResidual(width)

    def forward(self, values: Tensor) -> Tensor:
        values = F.pixel_shuffle(self.enter.rectified(values), 2)
        return self.refine(F.pixel_shuffle(self.enlarge.rectified(values), 2))

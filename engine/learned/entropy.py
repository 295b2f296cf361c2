"""Likelihoods of rounded latents, and the networks that predict them.

The latent is coded in slices of channels (D. Minnen and S. Singh, "Channel-wise autoregressive entropy models", ICIP
2020), each slice in the two passes of a checkerboard (D. He et al., "Checkerboard context model for efficient learned
image compression", CVPR 2021), all conditioned on a hyper-latent (J. Ballé et al., ICLR 2018). What is coded is the
rounded difference from a predicted mean, under a logistic density around zero. While training, bits are counted with
uniform noise in place of rounding, and everything else sees values rounded straight through.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from engine.learned import fixed
from engine.learned.fixed import ROWS_PER_OCTAVE, SCALE_ROWS
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
from engine.learned.recipe import ModelRecipe

SCALE_FLOOR = 0.05
LOG_FLOOR = math.log(SCALE_FLOOR)
LOG_ROW = math.log(2) / ROWS_PER_OCTAVE
LOG_CEILING = LOG_FLOOR + (SCALE_ROWS - 1) * LOG_ROW
PROBABILITY_FLOOR = 1e-9
LOGISTIC = math.sqrt(3) / math.pi  # scale of a logistic density of deviation 1
MEAN_STEPS = 16  # means are multiples of 1/16 of a quantisation step in integers
OFFSET_STEPS = 256  # and offsets of the hyper-latent, of 1/256
ROWS_PER_NAT = fixed.ROWS_PER_NAT / 2.0**fixed.FINE_BITS
ROW_OF_UNIT_SPREAD = fixed.ROW_OF_UNIT_SPREAD / 2.0**fixed.FINE_BITS


class _LowerBound(torch.autograd.Function):
    """max(x, bound), whose gradient still lets values below the bound rise (as in Ballé's compression library)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.bound = bound
        return values.clamp_min(bound)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (values,) = ctx.saved_tensors
        return gradient * ((values >= ctx.bound) | (gradient < 0)), None


def lower_bound(values: Tensor, bound: float) -> Tensor:
    return _LowerBound.apply(values, bound)


def logistic_bits(residual: Tensor, scale: Tensor) -> Tensor:
    """Bits for a residual's unit interval under a logistic density around zero."""
    distance = residual.abs()
    upper, lower = torch.sigmoid((0.5 - distance) / scale), torch.sigmoid((-0.5 - distance) / scale)
    return -torch.log2(lower_bound(upper - lower, PROBABILITY_FLOOR))


def scale_of_row(row: Tensor) -> Tensor:
    """Log of the scale of the coder's table that is nearest to a row between two."""
    return (round_up_through(row) * LOG_ROW + LOG_FLOOR).float()


def to_mean_grid(mean: Tensor) -> Tensor:
    return (round_up_through(mean * MEAN_STEPS) / MEAN_STEPS).float()


def features(relative: Tensor) -> Tensor:
    """What networks see of a coefficient in units of its deviation: compressed like a logarithm, linear around zero."""
    return torch.asinh(2 * relative)


class Units(NamedTuple):
    """How a slice's coefficients are measured, B×C×1×1. gain: quantisation steps per unit. spread: their standard
    deviation in quantisation steps, in double precision where networks are quantised."""

    gain: Tensor
    spread: Tensor


class Prediction(NamedTuple):
    """Mean in quantisation steps, and log of the logistic scale."""

    mean: Tensor
    log_scale: Tensor


def predict(head: Tensor, spread: Tensor, quantised: bool) -> Prediction:
    """Mean and scale from a head's output, which is relative to the coefficients' own spread."""
    mean, log_scale = head.float().chunk(2, 1)
    if not quantised:
        return Prediction(mean * spread, log_scale + torch.log(spread * LOGISTIC))
    row = wide(log_scale) * ROWS_PER_NAT + torch.log2(spread) * ROWS_PER_OCTAVE + ROW_OF_UNIT_SPREAD
    return Prediction(to_mean_grid(wide(mean) * spread), scale_of_row(row))


def both_signs(feature: Tensor, quantised: bool) -> Tensor:
    """Features and their magnitudes, stacked as channels."""
    feature = to_activation_grid(feature) if quantised else feature
    return torch.cat([feature, feature.abs()], 1)


def anchor_features(steps: Tensor, head: Tensor, spread: Tensor, anchors: Tensor, quantised: bool) -> Tensor:
    """What the second pass may know: the rounded coefficients (in `steps`) at the anchors, nothing elsewhere."""
    mean = predict(head, spread, quantised).mean
    known = (round_through(steps - mean) + mean) * anchors
    return both_signs(features(known / spread), quantised)


class CodedSlice(NamedTuple):
    """bits: B. residual: whole numbers, what the coder writes. steps: the decoded coefficients in steps. known: their
    features, for the slices to come."""

    bits: Tensor
    residual: Tensor
    steps: Tensor
    known: Tensor


def code_slice(
    steps: Tensor,
    heads: tuple[Tensor, Tensor],
    spread: Tensor,
    anchors: Tensor,
    *,
    noise: Tensor | None,
    quantised: bool,
) -> CodedSlice:
    """Round a slice around the means of its two passes and count its bits, with `noise` for rounding if given."""
    first, second = (predict(head, spread, quantised) for head in heads)
    mean = second.mean + (first.mean - second.mean) * anchors
    log_scale = second.log_scale + (first.log_scale - second.log_scale) * anchors
    scale = lower_bound(torch.exp(log_scale.clamp_max(LOG_CEILING)), SCALE_FLOOR)
    exact = steps - mean
    residual = round_through(exact)
    bits = logistic_bits(residual if noise is None else exact + noise, scale).sum((1, 2, 3))
    decoded = residual + mean
    return CodedSlice(bits, residual, decoded, both_signs(features(decoded / spread), quantised))


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
        bits = logistic_bits(symbols if noise is None else exact + noise, scale).sum((1, 2, 3))
        return symbols, self.decoded(symbols, weights), bits

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


class SliceContext(nn.Module):
    """Predicts one slice from the hyper-latent and the slices before it; its second pass also from its anchors."""

    def __init__(self, before: int, number: int, recipe: ModelRecipe, points: int) -> None:
        super().__init__()
        size, (width, anchor_width) = recipe.slices[number], recipe.widths(number)
        self.join = EntropyConv(2 * before + recipe.hyper_width, width, 3, padding=1)
        self.scale = RateScale(points, width)
        self.first_hidden = EntropyConv(width, width, 1)
        self.first_head = EntropyConv(width, 2 * size, 1)
        self.anchors = EntropyConv(2 * size, anchor_width, 3, padding=1)
        self.second_hidden = EntropyConv(width + anchor_width, width, 1)
        self.second_head = EntropyConv(width, 2 * size, 1)

    def context(self, known: Tensor, weights: Tensor) -> Tensor:
        return self.join.rectified(known, self.scale, weights)

    def first(self, context: Tensor) -> Tensor:
        return self.first_head(self.first_hidden.rectified(context))

    def second(self, context: Tensor, anchors: Tensor) -> Tensor:
        joined = torch.cat([context, self.anchors.rectified(anchors)], 1)
        return self.second_head(self.second_hidden.rectified(joined))

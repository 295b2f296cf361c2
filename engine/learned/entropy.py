"""Likelihoods of rounded latents: what networks say of a coefficient, and the bits that follow from it.

What is coded is the rounded difference from a predicted mean, under a logistic density around zero or a mixture of
several. While training, coefficients learn what they cost with uniform noise in place of rounding, densities learn of
the symbols, and everything else sees values rounded straight through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from engine.learned import fixed
from engine.learned.fixed import MEAN_STEPS, ROWS_PER_OCTAVE, SCALE_ROWS
from engine.learned.layers import round_through, round_up_through, to_activation_grid, wide

SCALE_FLOOR = 0.05
LOG_FLOOR = math.log(SCALE_FLOOR)
LOG_ROW = math.log(2) / ROWS_PER_OCTAVE
LOG_CEILING = LOG_FLOOR + (SCALE_ROWS - 1) * LOG_ROW
PROBABILITY_FLOOR = 1e-9
LOGISTIC = math.sqrt(3) / math.pi  # scale of a logistic density of deviation 1
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


def with_gradient(values: Tensor, other: Tensor) -> Tensor:
    """These values, with the gradient of others beside their own."""
    return values + (other - other.detach())


def lower_bound(values: Tensor, bound: float) -> Tensor:
    return _LowerBound.apply(values, bound)


def logistic_mass(distance: Tensor, scale: Tensor) -> Tensor:
    """Of the unit interval around `distance` from the middle of a logistic density."""
    distance = distance.abs()
    return torch.sigmoid((0.5 - distance) / scale) - torch.sigmoid((-0.5 - distance) / scale)


def logistic_density(distance: Tensor, scale: Tensor) -> Tensor:
    """At `distance` from the middle of a logistic density."""
    return torch.sigmoid(distance / scale) * torch.sigmoid(-distance / scale) / scale


def logistic_bits(residual: Tensor, scale: Tensor) -> Tensor:
    """Bits for a residual's unit interval under a logistic density around zero."""
    return -torch.log2(lower_bound(logistic_mass(residual, scale), PROBABILITY_FLOOR))


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


class Density(NamedTuple):
    """What is predicted of a coefficient. means: whether a mean, else it is 0. mixtures: how many logistic densities
    there are (after D. Cheng et al., "Learned image compression with discretized Gaussian mixture likelihoods", CVPR
    2020)."""

    means: bool = True
    mixtures: int = 1

    @property
    def outputs(self) -> int:
        """Of a head, for each coefficient."""
        return int(self.means) + 1 + 3 * (self.mixtures - 1)


class Prediction(NamedTuple):
    """mean: B×C×h×w, what is rounded around, in quantisation steps. Of the K densities around it: log_scale, B×KC×h×w,
    logs of the logistic scales; shift and share, B×(K-1)C×h×w, of all but the first: how far from the mean they lie,
    and logs of their weights against the first's."""

    mean: Tensor
    log_scale: Tensor
    shift: Tensor
    share: Tensor

    def where(self, anchors: Tensor, other: Prediction) -> Prediction:
        """This at the anchors, the other elsewhere."""
        return Prediction(*(there + (here - there) * anchors for here, there in zip(self, other, strict=True)))

    def detached(self) -> Prediction:
        """The same, that learns nothing."""
        return Prediction(*(tensor.detach() for tensor in self))

    def chosen(self, exact: Tensor, squared_step_bits: float) -> Tensor:
        """Whole numbers for residuals, B×C×h×w, as `engine.learned.choice` has them; the gradient passes unchanged."""
        if not squared_step_bits:
            return round_through(exact)
        with torch.no_grad():
            nearest = torch.round(exact)
            smaller = nearest - nearest.sign()
            error = (exact - smaller).square() - (exact - nearest).square()
            saved = self.bits(nearest) - self.bits(smaller)
            symbols = torch.where(saved > squared_step_bits * error, smaller, nearest)
        return with_gradient(symbols, exact)

    def bits(self, residual: Tensor) -> Tensor:
        """Bits of a residual's unit interval, B×C×h×w."""
        return self._bits(residual, logistic_mass)

    def density_bits(self, residual: Tensor) -> Tensor:
        """Bits of a residual itself, of which there is a continuum: -log₂ of its density for each step, B×C×h×w."""
        return self._bits(residual, logistic_density)

    def _bits(self, residual: Tensor, chance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        scale = lower_bound(torch.exp(self.log_scale.clamp_max(LOG_CEILING)), SCALE_FLOOR)
        mixtures = scale.shape[1] // residual.shape[1]
        if mixtures == 1:
            return -torch.log2(lower_bound(chance(residual, scale), PROBABILITY_FLOOR))
        none = torch.zeros_like(self.shift[:, : residual.shape[1]])
        shift = torch.cat([none, self.shift], 1)
        share = torch.cat([none, self.share.float()], 1)
        share = share.unflatten(1, (mixtures, -1)).softmax(1)
        each = chance(residual.repeat(1, mixtures, 1, 1) - shift, scale).unflatten(1, (mixtures, -1))
        return -torch.log2(lower_bound((each * share).sum(1), PROBABILITY_FLOOR))


def predict(head: Tensor, spread: Tensor, density: Density, quantised: bool) -> Prediction:
    """From a head's output, B×(outputs·C)×h×w, which is relative to the coefficients' own spread (B×C×1×1)."""
    parts = head.float().chunk(density.outputs, 1)
    first = int(density.means)
    mean = _steps(parts[0], spread, quantised) if density.means else torch.zeros_like(parts[0])
    others = parts[first + 1 :]
    scales = [_log_scale(part, spread, quantised) for part in (parts[first], *others[1::3])]
    shifts = [_steps(part, spread, quantised) for part in others[::3]]
    return Prediction(mean, torch.cat(scales, 1), joined(shifts, mean), joined(others[2::3], mean))


def _steps(value: Tensor, spread: Tensor, quantised: bool) -> Tensor:
    return to_mean_grid(wide(value) * spread) if quantised else value * spread


def _log_scale(value: Tensor, spread: Tensor, quantised: bool) -> Tensor:
    if not quantised:
        return value + torch.log(spread * LOGISTIC)
    return scale_of_row(wide(value) * ROWS_PER_NAT + torch.log2(spread) * ROWS_PER_OCTAVE + ROW_OF_UNIT_SPREAD)


def joined(parts: Sequence[Tensor], like: Tensor) -> Tensor:
    """Channels one after another; none of them, shaped like `like`, if there are no parts."""
    return torch.cat(list(parts), 1) if parts else like[:, :0]


def both_signs(feature: Tensor, quantised: bool) -> Tensor:
    """Features and their magnitudes, stacked as channels."""
    feature = to_activation_grid(feature) if quantised else feature
    return torch.cat([feature, feature.abs()], 1)


class CodedSlice(NamedTuple):
    """bits: B. residual: whole numbers, what the coder writes. steps: the decoded coefficients in steps. known: their
    features, for the slices to come."""

    bits: Tensor
    residual: Tensor
    steps: Tensor
    known: Tensor


def code(
    steps: Tensor,
    prediction: Prediction,
    spread: Tensor,
    noise: Tensor | None,
    quantised: bool,
    *,
    squared_step_bits: float = 0.0,
) -> CodedSlice:
    """Round coefficients around their means and count their bits, with the gradient of `noise` if given.
    squared_step_bits: see `ModelRecipe`."""
    exact = steps - prediction.mean
    residual = prediction.chosen(exact, squared_step_bits)
    bits = _bits(prediction, exact, residual, noise).sum((1, 2, 3))
    decoded = residual + prediction.mean
    return CodedSlice(bits, residual, decoded, both_signs(features(decoded / spread), quantised))


def _bits(prediction: Prediction, exact: Tensor, residual: Tensor, noise: Tensor | None) -> Tensor:
    """Densities learn of the symbols themselves, coefficients and means of the noise: a rounding passes no gradient."""
    if noise is None:
        return prediction.bits(residual)
    return with_gradient(prediction.bits(residual.detach()), prediction.detached().bits(exact + noise))

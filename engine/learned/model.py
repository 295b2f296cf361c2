"""Our learned codecs' model: a lapped transform, an entropy model of the latent, a learned decoder.

It works from the first step, as a transform codec with static statistics: heads start near zero, the decoder's network
at zero. One model covers the range of rates: gains, scales and densities are tables over a few rates, interpolated in
between (after Z. Cui et al., "Asymmetric gained deep image compression", CVPR 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from engine.learned.entropy import Units
from engine.learned.layers import Attention, RateTable, Residual, interpolate_in_steps, precision, rate_weights, wide
from engine.learned.prior_kinds import prior_of
from engine.learned.priors import STEP_DEVIATION, CodedLatent
from engine.learned.recipe import VARIATIONAL, ModelRecipe, RateRecipe
from engine.learned.symbols import SPREAD_OCTAVES
from engine.learned.synthesis import SynthesisNetwork
from engine.learned.transform import LappedTransform

M = TypeVar("M", bound=nn.Module)
Origin = tuple[int, int]

GRANULE = 64  # pictures' sides are multiples of this
LAMBDA_AT_UNIT_STEP = 20.0  # where an orthonormal coefficient starts with a quantisation step of one grey level


class Coded(NamedTuple):
    """picture: B×3×H×W, 0…1 but not clamped. latent_bits, hyper_bits: B. hyper, residuals: whole numbers, what a
    coder writes: the hyper-latent and each slice."""

    picture: Tensor
    latent_bits: Tensor
    hyper_bits: Tensor
    hyper: Tensor
    residuals: tuple[Tensor, ...]

    @property
    def bits(self) -> Tensor:
        return self.latent_bits + self.hyper_bits


class LatentModel(nn.Module):
    """See the module's text. Inputs are B×3×H×W in 0…1, sides multiples of 64, and B rates in 0…points-1."""

    def __init__(self, model: ModelRecipe, rate: RateRecipe) -> None:
        super().__init__()
        self.recipe, self.rate = model, rate
        self.quantised = False
        self.correcting = True
        """Whether the decoder's network takes part; without it the reconstruction is linear."""
        self.rendering = True
        """Whether pictures are decoded at all; without it they count as they are, and only bits are of interest."""
        points, channels = rate.points, model.channels
        self.transform = LappedTransform(channels, model.lapped_scale, learned=model.learned_transform)
        self.log_gain = RateTable(points, channels)
        self.shrinkage = RateTable(points, channels) if model.shrinks else None
        """Log of how much of a coefficient to believe."""
        self.prior = prior_of(model, points)
        self.synthesis = SynthesisNetwork(model, points)
        self.plausible = SynthesisNetwork(model, points, grain=True) if model.plausible else None
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Convolutions that keep energy; residual branches small; heads near, the decoder's output at zero."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=math.sqrt(1.6 / module.weight[0].numel()))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.synthesis.modules():
            if isinstance(module, Residual):
                module.outer.weight.mul_(0.3)
            elif isinstance(module, Attention):
                nn.init.zeros_(module.trunk_out.weight)
        self.prior.start()
        nn.init.zeros_(self.synthesis.leave.weight)
        self.start_plausible()

    def start_plausible(self) -> None:
        """Let the second decoder, if there is one, be what the first is."""
        if self.plausible is not None:
            self.plausible.load_state_dict(self.synthesis.state_dict(), strict=False)
            assert self.plausible.grain is not None
            self.plausible.grain.start()

    @torch.no_grad()
    def fit(self, pictures: Tensor, first: Sequence[int] = ()) -> None:
        """Start from data: choose the transform's coefficients on `pictures` and set the gains for every rate.

        first: coefficients that come before the others, as for `LappedTransform.fit`.
        """
        norms = self.transform.fit(pictures * 255 - 127.5, first)
        lambdas = self.lambda_of(torch.arange(self.rate.points).float())
        self.log_gain.table.copy_(0.5 * torch.log(lambdas / LAMBDA_AT_UNIT_STEP)[:, None] + torch.log(norms)[None])
        if self.shrinkage is not None and self.recipe.prior == VARIATIONAL:  # there is noise: as Wiener has it
            signal = (self.log_gain.table.exp() * self.transform.deviation).square()
            self.shrinkage.table.copy_(torch.log(signal / (signal + STEP_DEVIATION**2)))

    def lambda_of(self, rate: Tensor) -> Tensor:
        """The weight of squared error (of 8-bit values) against bits per pixel."""
        return self.rate.lambda_low * (self.rate.lambda_high / self.rate.lambda_low) ** (rate / (self.rate.points - 1))

    def quantise(self, on: bool) -> None:
        """Compute the entropy networks as the coder's integers do."""
        self.quantised = on
        self.prior.quantise(on)

    def forward(self, pictures: Tensor, rate: Tensor, *, noisy: bool = False) -> Coded:
        """Encode and decode at once. noisy: count bits with noise in place of rounding, for gradients."""
        weights = rate_weights(rate, self.rate.points)
        coded, units = self._coded(pictures, weights, noisy=noisy)
        picture = self.render(coded.steps / units.gain, coded.known, weights) if self.rendering else pictures
        return Coded(picture, coded.latent_bits, coded.hyper_bits, coded.hyper, coded.residuals)

    def both(self, pictures: Tensor, rate: Tensor, origin: Origin = (0, 0)) -> tuple[Tensor, Tensor]:
        """What the faithful decoder and what the plausible one makes of the same symbols; origin: as in `render`."""
        weights = rate_weights(rate, self.rate.points)
        coded, units = self._coded(pictures, weights, noisy=False)
        coefficients = coded.steps / units.gain
        faithful = self.render(coefficients, coded.known, weights, 0.0)
        return faithful, self.render(coefficients, coded.known, weights, 1.0, origin)

    def _coded(self, pictures: Tensor, weights: Tensor, *, noisy: bool) -> tuple[CodedLatent, Units]:
        with precision(pictures.device, half=False):
            coefficients = self.transform.analysis(pictures * 255 - 127.5)
        units = self.units(weights)
        return self.prior.code(coefficients, self._relative(coefficients), units, weights, noisy=noisy), units

    @torch.no_grad()
    def decode(self, hyper: Tensor, residuals: tuple[Tensor, ...], rate: Tensor) -> Tensor:
        """The picture from the whole numbers that a stream holds, in the order in which it holds them."""
        weights = rate_weights(rate, self.rate.points)
        units = self.units(weights)
        steps, known = self.prior.decode(hyper, residuals, units, weights)
        return self.render(steps / units.gain, known, weights)

    def octaves(self) -> Tensor:
        """log₂ of the coefficients' spread, in quantisation steps, at every point of the range of rates; not less than
        integers can hold, where a coefficient is never but zero."""
        octaves = (wide(self.log_gain.table) + wide(self.transform.deviation).log()) / math.log(2)
        return octaves.clamp_min(SPREAD_OCTAVES[0])

    def hyper_entered(self, coefficients: Tensor) -> Tensor:
        """As much of the way from coefficients to the hyper-latent as no rate counts in."""
        return self.prior.entered(self._relative(coefficients))

    def render(
        self, coefficients: Tensor, known: Tensor, weights: Tensor, blend: float = 1.0, origin: Origin = (0, 0)
    ) -> Tensor:
        """The picture, 0…1 but not clamped, from decoded coefficients and their features, both B×M×h×w.

        blend: how far to go from the faithful decoder (0) to the plausible one (1), where there are two. origin: row
        and column of the first of the blocks, if they are a part of a picture.
        """
        with precision(coefficients.device, half=False):
            if self.shrinkage is not None:
                coefficients = coefficients * self.shrinkage(weights).exp()
            linear = self.transform.synthesis(coefficients)
        if self.correcting:
            known = known[:, : self.recipe.looked_at].contiguous(memory_format=torch.channels_last)
            linear = linear.contiguous(memory_format=torch.channels_last)
            linear = linear + self._correction(known, linear, weights, blend, origin)
        return linear / 255 + 0.5

    def _correction(self, known: Tensor, linear: Tensor, weights: Tensor, blend: float, origin: Origin) -> Tensor:
        """What the decoders' networks add; one alone where the other has no say."""
        if self.plausible is None or blend == 0:
            faithful: Tensor = self.synthesis(known, linear, weights)
            return faithful
        plausible: Tensor = self.plausible(known, linear, weights, origin)
        return plausible if blend == 1 else torch.lerp(self.synthesis(known, linear, weights), plausible, blend)

    def _relative(self, coefficients: Tensor) -> Tensor:
        return coefficients / self.transform.deviation[:, None, None]

    def units(self, weights: Tensor) -> Units:
        """How coefficients are measured at these rates."""
        gain = self.log_gain(weights).exp()
        if self.quantised:
            return Units(gain, torch.exp2(interpolate_in_steps(self.octaves(), weights)))
        return Units(gain, gain * self.transform.deviation[:, None, None])


def channels_last(model: M) -> M:
    """A model with its weights laid out for the faster convolutions."""
    # torch's own types know this argument for tensors alone.
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

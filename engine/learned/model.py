"""The `hyperprior` codec's networks: a lapped transform, a sliced two-pass entropy model, a learned decoder.

It works from the first step, as a transform codec with static statistics: heads start near zero, the decoder's network
at zero. One model covers the range of rates: gains, scales and the hyper-latent's density are tables over a few rates,
interpolated in between (after Z. Cui et al., "Asymmetric gained deep image compression", CVPR 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from engine.learned import entropy
from engine.learned.entropy import HyperAnalysis, HyperLatent, HyperSynthesis, SliceContext, Units
from engine.learned.layers import (
    EntropyConv,
    EntropyResidual,
    RateTable,
    Residual,
    checkerboard,
    half_precision,
    interpolate_in_steps,
    precision,
    rate_weights,
    wide,
)
from engine.learned.recipe import ModelRecipe, RateRecipe
from engine.learned.symbols import SPREAD_OCTAVES
from engine.learned.synthesis import SynthesisNetwork
from engine.learned.transform import LappedTransform

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


class HyperpriorModel(nn.Module):
    """See the module's text. Inputs are B×3×H×W in 0…1, sides multiples of 64, and B rates in 0…points-1."""

    def __init__(self, model: ModelRecipe, rate: RateRecipe) -> None:
        super().__init__()
        self.recipe, self.rate = model, rate
        self.quantised = False
        self.correcting = True
        """Whether the decoder's network takes part; without it the reconstruction is linear."""
        points, channels = rate.points, model.channels
        self.transform = LappedTransform(channels, model.lapped_scale, learned=model.learned_transform)
        self.log_gain = RateTable(points, channels)
        self.hyper_analysis = HyperAnalysis(model.looked_at, model.hyper_width, model.hyper_channels, points)
        self.hyper_latent = HyperLatent(model.hyper_channels, points)
        self.hyper_synthesis = HyperSynthesis(model.hyper_channels, model.hyper_width)
        starts = [0, *accumulate(model.slices)]
        self.slices = nn.ModuleList(
            SliceContext(before, number, model, points)
            for number, before in zip(range(len(model.slices)), starts, strict=False)
        )
        self.synthesis = SynthesisNetwork(model.looked_at, model.synthesis_widths, model.synthesis_blocks, points)
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Convolutions that keep energy; residual branches small; heads near, the decoder's output at zero."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=math.sqrt(1.6 / module.weight[0].numel()))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, Residual | EntropyResidual):
                module.outer.weight.mul_(0.3)
            elif isinstance(module, SliceContext):
                module.first_head.weight.mul_(0.05)
                module.second_head.weight.mul_(0.05)
        nn.init.zeros_(self.synthesis.leave.weight)

    @torch.no_grad()
    def fit(self, pictures: Tensor, first: Sequence[int] = ()) -> None:
        """Start from data: choose the transform's coefficients on `pictures` and set the gains for every rate.

        first: coefficients that come before the others, as for `LappedTransform.fit`.
        """
        norms = self.transform.fit(pictures * 255 - 127.5, first)
        lambdas = self.lambda_of(torch.arange(self.rate.points).float())
        self.log_gain.table.copy_(0.5 * torch.log(lambdas / LAMBDA_AT_UNIT_STEP)[:, None] + torch.log(norms)[None])

    def lambda_of(self, rate: Tensor) -> Tensor:
        """The weight of squared error (of 8-bit values) against bits per pixel."""
        return self.rate.lambda_low * (self.rate.lambda_high / self.rate.lambda_low) ** (rate / (self.rate.points - 1))

    def quantise(self, on: bool) -> None:
        """Compute the entropy networks as the coder's integers do."""
        self.quantised = on
        for module in self.modules():
            if isinstance(module, EntropyConv | HyperLatent):
                module.quantised = on
        for context in self.contexts():
            context.scale.quantised = on

    def forward(self, pictures: Tensor, rate: Tensor, *, noisy: bool = False) -> Coded:
        """Encode and decode at once. noisy: count bits with noise in place of rounding, for gradients."""
        weights = rate_weights(rate, self.rate.points)
        with precision(pictures.device, half=False):
            coefficients = self.transform.analysis(pictures * 255 - 127.5)
        hyper, known, hyper_bits = self._hyper(coefficients, weights, noisy)
        anchors = checkerboard(coefficients)
        bits = torch.zeros_like(hyper_bits)
        decoded: list[Tensor] = []
        residuals: list[Tensor] = []
        own: list[Tensor] = []
        with self._entropy_precision(coefficients.device):
            for context, values, (gain, spread) in zip(
                self.contexts(), coefficients.split(self.recipe.slices, 1), self._units(weights), strict=True
            ):
                steps = values * gain
                seen = context.context(torch.cat([*own, known], 1), weights)
                first = context.first(seen)
                at_anchors = entropy.anchor_features(steps, first, spread, anchors, self.quantised)
                second = context.second(seen, self._cast(at_anchors))
                noise = torch.rand_like(steps) - 0.5 if noisy else None
                coded = entropy.code_slice(
                    steps, (first, second), spread, anchors, noise=noise, quantised=self.quantised
                )
                bits = bits + coded.bits
                decoded.append(coded.steps / gain)
                residuals.append(coded.residual)
                own.append(self._cast(coded.known))
        picture = self._picture(torch.cat(decoded, 1), own, weights)
        return Coded(picture, bits, hyper_bits, hyper, tuple(residuals))

    @torch.no_grad()
    def decode(self, hyper: Tensor, residuals: tuple[Tensor, ...], rate: Tensor) -> Tensor:
        """The picture from the whole numbers that a stream holds, in the order in which it holds them."""
        weights = rate_weights(rate, self.rate.points)
        own: list[Tensor] = []
        decoded = []
        with self._entropy_precision(hyper.device):
            known = self.hyper_synthesis(self.hyper_latent.decoded(hyper, weights))
            anchors = checkerboard(known)
            for context, residual, (gain, spread) in zip(self.contexts(), residuals, self._units(weights), strict=True):
                seen = context.context(torch.cat([*own, known], 1), weights)
                first = entropy.predict(context.first(seen), spread, self.quantised).mean
                at_anchors = (residual + first) * anchors
                features = entropy.both_signs(entropy.features(at_anchors / spread), self.quantised)
                second = entropy.predict(context.second(seen, self._cast(features)), spread, self.quantised).mean
                steps = at_anchors + (residual + second) * (1 - anchors)
                decoded.append(steps / gain)
                own.append(self._cast(entropy.both_signs(entropy.features(steps / spread), self.quantised)))
        return self._picture(torch.cat(decoded, 1), own, weights)

    def octaves(self) -> Tensor:
        """log₂ of the coefficients' spread, in quantisation steps, at every point of the range of rates; not less than
        integers can hold, where a coefficient is never but zero."""
        octaves = (wide(self.log_gain.table) + wide(self.transform.deviation).log()) / math.log(2)
        return octaves.clamp_min(SPREAD_OCTAVES[0])

    def _units(self, weights: Tensor) -> list[Units]:
        """How each slice's coefficients are measured at these rates."""
        gain = self.log_gain(weights).exp()
        if self.quantised:
            spread = torch.exp2(interpolate_in_steps(self.octaves(), weights))
        else:
            spread = gain * self.transform.deviation[:, None, None]
        sizes = self.recipe.slices
        return [Units(*pair) for pair in zip(gain.split(sizes, 1), spread.split(sizes, 1), strict=True)]

    def hyper_symbols(self, entered: Tensor, weights: Tensor) -> Tensor:
        """The hyper-latent, B×C×h×w whole numbers, as an encoder writes it; `entered` as `hyper_entered` gives it."""
        return self.hyper_latent(self.hyper_analysis(entered, weights), weights, None)[0]

    def hyper_entered(self, coefficients: Tensor) -> Tensor:
        """As much of the way from coefficients to the hyper-latent as no rate counts in."""
        seen = self.recipe.looked_at
        relative = entropy.features(coefficients[:, :seen] / self.transform.deviation[:seen, None, None])
        return self.hyper_analysis.entered(self._cast(torch.cat([relative, relative.abs()], 1)))

    def _hyper(self, coefficients: Tensor, weights: Tensor, noisy: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Symbols of the hyper-latent, what the slices get from it, and its bits."""
        values = self.hyper_analysis(self.hyper_entered(coefficients), weights)
        noise = torch.rand_like(values) - 0.5 if noisy else None
        symbols, decoded, bits = self.hyper_latent(values, weights, noise)
        with self._entropy_precision(values.device):
            return symbols, self.hyper_synthesis(self._cast(decoded)), bits

    def render(self, coefficients: Tensor, known: Tensor, weights: Tensor) -> Tensor:
        """The picture, 0…1 but not clamped, from decoded coefficients and their features, both B×M×h×w."""
        with precision(coefficients.device, half=False):
            linear = self.transform.synthesis(coefficients)
        if self.correcting:
            known = known[:, : self.recipe.looked_at].contiguous(memory_format=torch.channels_last)
            linear = linear + self.synthesis(known, linear.contiguous(memory_format=torch.channels_last), weights)
        return linear / 255 + 0.5

    def _picture(self, coefficients: Tensor, own: list[Tensor], weights: Tensor) -> Tensor:
        known = torch.cat([features[:, : features.shape[1] // 2] for features in own], 1)
        return self.render(coefficients, known, weights)

    def contexts(self) -> list[SliceContext]:
        return cast("list[SliceContext]", list(self.slices))

    def _entropy_precision(self, device: torch.device) -> torch.autocast:
        """What the entropy networks run in: half the bits where that is on, but never when they stand for integers."""
        return precision(device, half=half_precision(device) and not self.quantised)

    def _cast(self, values: Tensor) -> Tensor:
        """Network inputs in the precision that the networks compute in, so that they are kept but once."""
        return values.to(torch.bfloat16) if half_precision(values.device) else values


def channels_last(model: HyperpriorModel) -> HyperpriorModel:
    """The model with its weights laid out for the faster convolutions."""
    # torch's own types know this argument for tensors alone.
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

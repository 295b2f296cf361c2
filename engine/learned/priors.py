"""Entropy models: what both ends of a stream know of a latent before and while it is coded.

`HyperPrior` codes a hyper-latent first, then the latent in slices. `StaticPrior` has one density for each channel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import accumulate
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from engine.learned import entropy
from engine.learned.contexts import KINDS, Asked, SliceContext
from engine.learned.entropy import LOG_CEILING, LOG_FLOOR, Density, Prediction, Units
from engine.learned.hyper import HyperAnalysis, HyperLatent, HyperSynthesis
from engine.learned.layers import (
    EntropyConv,
    EntropyResidual,
    RateTable,
    half_precision,
    in_network_precision,
    interpolate_in_steps,
    precision,
    to_table_grid,
)
from engine.learned.recipe import ModelRecipe


class CodedLatent(NamedTuple):
    """steps, known: B×M×h×w, decoded coefficients in quantisation steps, and their features. latent_bits, hyper_bits:
    B. hyper, residuals: whole numbers, what a coder writes: the hyper-latent and each slice."""

    steps: Tensor
    known: Tensor
    latent_bits: Tensor
    hyper_bits: Tensor
    hyper: Tensor
    residuals: tuple[Tensor, ...]


class Prior(nn.Module, ABC):
    """Codes latents of B×M×h×w coefficients. quantised: whether in the arithmetic of integers."""

    quantised: bool

    @abstractmethod
    def quantise(self, on: bool) -> None: ...

    @abstractmethod
    def entered(self, relative: Tensor) -> Tensor:
        """As much of the way to the hyper-latent as no rate counts in; relative: coefficients over their deviation."""

    @abstractmethod
    def hyper_symbols(self, entered: Tensor, weights: Tensor) -> Tensor:
        """The hyper-latent, B×C×h/4×w/4 whole numbers, as an encoder writes it."""

    @abstractmethod
    def code(
        self, coefficients: Tensor, relative: Tensor, units: Units, weights: Tensor, *, noisy: bool
    ) -> CodedLatent:
        """Encode and decode at once. noisy: count bits with noise in place of rounding."""

    @abstractmethod
    def decode(
        self, hyper: Tensor, residuals: tuple[Tensor, ...], units: Units, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Coefficients in quantisation steps and their features."""

    @abstractmethod
    def start(self) -> None:
        """Little at first: predictions near what coefficients have by themselves."""


class HyperPrior(Prior):
    """Hyper-latent, then slices, each from the hyper-latent and the slices before it."""

    def __init__(self, recipe: ModelRecipe, points: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.quantised = False
        self.hyper_analysis = HyperAnalysis(recipe.looked_at, recipe.hyper_width, recipe.hyper_channels, points)
        self.hyper_latent = HyperLatent(recipe.hyper_channels, points)
        self.hyper_synthesis = HyperSynthesis(recipe.hyper_channels, recipe.hyper_width)
        starts = [0, *accumulate(recipe.slices)]
        kind = KINDS[recipe.context]
        self.slices = nn.ModuleList(
            kind(before, number, recipe, points)
            for number, before in zip(range(len(recipe.slices)), starts, strict=False)
        )

    def start(self) -> None:
        for module in self.modules():
            if isinstance(module, EntropyResidual):
                module.outer.weight.mul_(0.3)
        for context in self.contexts():
            for head in context.heads():
                head.weight.mul_(0.05)
                assert head.bias is not None
                part_mixtures(head.bias, context.density)

    def quantise(self, on: bool) -> None:
        self.quantised = on
        for module in self.modules():
            if isinstance(module, EntropyConv | HyperLatent):
                module.quantised = on
        for context in self.contexts():
            context.scale.quantised = on

    def entered(self, relative: Tensor) -> Tensor:
        seen = entropy.features(relative[:, : self.recipe.looked_at])
        return self.hyper_analysis.entered(in_network_precision(torch.cat([seen, seen.abs()], 1)))

    def hyper_symbols(self, entered: Tensor, weights: Tensor) -> Tensor:
        return self.hyper_latent(self.hyper_analysis(entered, weights), weights, None)[0]

    def code(
        self, coefficients: Tensor, relative: Tensor, units: Units, weights: Tensor, *, noisy: bool
    ) -> CodedLatent:
        values = self.hyper_analysis(self.entered(relative), weights)
        noise = torch.rand_like(values) - 0.5 if noisy else None
        hyper, decoded, hyper_bits = self.hyper_latent(values, weights, noise)
        bits = torch.zeros_like(hyper_bits)
        own: list[Tensor] = []
        coded = []
        with self._precision(coefficients.device):
            known = self.hyper_synthesis(in_network_precision(decoded))
            for context, part, (gain, spread) in zip(
                self.contexts(), coefficients.split(self.recipe.slices, 1), self._units(units), strict=True
            ):
                steps = part * gain
                asked = Asked(spread, torch.cat([*own, known], 1), weights, self.quantised)
                noise = torch.rand_like(steps) - 0.5 if noisy else None
                coded.append(context.code(steps, asked, noise))
                bits = bits + coded[-1].bits
                own.append(in_network_precision(coded[-1].known))
        steps = torch.cat([each.steps for each in coded], 1)
        return CodedLatent(steps, _signed(own), bits, hyper_bits, hyper, tuple(each.residual for each in coded))

    def decode(
        self, hyper: Tensor, residuals: tuple[Tensor, ...], units: Units, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        own: list[Tensor] = []
        decoded = []
        with self._precision(hyper.device):
            known = self.hyper_synthesis(self.hyper_latent.decoded(hyper, weights))
            for context, residual, (_, spread) in zip(self.contexts(), residuals, self._units(units), strict=True):
                asked = Asked(spread, torch.cat([*own, known], 1), weights, self.quantised)
                steps, features = context.decode(residual, asked)
                decoded.append(steps)
                own.append(features)
        return torch.cat(decoded, 1), _signed(own)

    def contexts(self) -> list[SliceContext]:
        return cast("list[SliceContext]", list(self.slices))

    def _units(self, units: Units) -> list[Units]:
        sizes = self.recipe.slices
        return [Units(*pair) for pair in zip(units.gain.split(sizes, 1), units.spread.split(sizes, 1), strict=True)]

    def _precision(self, device: torch.device) -> torch.autocast:
        """What the entropy networks run in: half the bits where that is on, but never when they stand for integers."""
        return precision(device, half=half_precision(device) and not self.quantised)


class PriorWithoutHyper(Prior):
    """There is no hyper-latent: it has no channels."""

    quantised = False

    def quantise(self, on: bool) -> None:
        self.quantised = on

    def entered(self, relative: Tensor) -> Tensor:
        return relative[:, :0]

    def hyper_symbols(self, entered: Tensor, weights: Tensor) -> Tensor:
        return entered[:, :, ::4, ::4]


class StaticPrior(PriorWithoutHyper):
    """One density for each channel and rate, the same at every position (J. Ballé, V. Laparra and E. Simoncelli,
    "End-to-end optimized image compression", ICLR 2017), here a mixture of logistic ones.

    head: what the head of a slice would say, in a table.
    """

    def __init__(self, recipe: ModelRecipe, points: int) -> None:
        super().__init__()
        self.density = Density(recipe.means, recipe.mixtures)
        self._squared_step_bits = recipe.squared_step_bits
        self.head = RateTable(points, self.density.outputs * recipe.channels)

    def start(self) -> None:
        part_mixtures(self.head.table, self.density)

    def code(
        self, coefficients: Tensor, relative: Tensor, units: Units, weights: Tensor, *, noisy: bool
    ) -> CodedLatent:
        steps = coefficients * units.gain
        noise = torch.rand_like(steps) - 0.5 if noisy else None
        prediction = self._prediction(self.head, units, weights)
        coded = entropy.code(
            steps, prediction, units.spread, noise, self.quantised, squared_step_bits=self._squared_step_bits
        )
        return self._coded(coded.steps, coded.known, coded.bits, coded.residual)

    @staticmethod
    def _coded(steps: Tensor, known: Tensor, bits: Tensor, residual: Tensor) -> CodedLatent:
        """With no hyper-latent. known: features and their magnitudes."""
        none = steps[:, :0, ::4, ::4]
        return CodedLatent(
            steps, _signed([in_network_precision(known)]), bits, torch.zeros_like(bits), none, (residual,)
        )

    def decode(
        self, hyper: Tensor, residuals: tuple[Tensor, ...], units: Units, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        steps = residuals[0] + self._prediction(self.head, units, weights).mean
        return steps, _signed([entropy.both_signs(entropy.features(steps / units.spread), self.quantised)])

    def _prediction(self, head: RateTable, units: Units, weights: Tensor) -> Prediction:
        if not self.quantised:
            return entropy.predict(head(weights), units.spread, self.density, False)
        exact = interpolate_in_steps(head.table, weights)
        return entropy.predict(to_table_grid(exact), units.spread, self.density, True)


STEP_DEVIATION = 12**-0.5  # of a quantisation step's error, in steps
POSTERIOR_BITS = 0.5 * math.log2(2 * math.pi * math.e / 12)  # differential entropy of a Gaussian of that deviation
TAIL = 1e-4  # of a density, from which nothing is drawn
LESS = -3.0  # log of the weight of a further density against the first's, at first
SPACING = 0.7  # between the logs of the scales of mixed densities, at first


def part_mixtures(head: Tensor, density: Density) -> None:
    """Let mixed densities be of different scales, as equal ones would learn the same, and the first one most of them;
    head: …×outputs·C."""
    parts = head.chunk(density.outputs, -1)[int(density.means) + 1 :]
    for number, (scale, share) in enumerate(zip(parts[1::3], parts[2::3], strict=True), 1):
        scale.fill_(SPACING * (number if number % 2 else -number))
        share.fill_(LESS)


def _signed(known: list[Tensor]) -> Tensor:
    """Features of all slices without their magnitudes."""
    return torch.cat([features[:, : features.shape[1] // 2] for features in known], 1)


class VariationalPrior(StaticPrior):
    """The prior of a β-VAE (I. Higgins et al., ICLR 2017): latents are Gaussian around the coefficients (D. P. Kingma
    and M. Welling, "Auto-encoding variational Bayes", ICLR 2014), of a deviation of a quantisation step's error, so
    that the learned gains are the posteriors' deviations; what they cost is their divergence from the prior.

    A coder writes their means, in steps. head: its table, which learns of rounded means and has no say in them. belief:
    the prior, in a table of the same kind, but of densities instead of masses of steps.
    """

    def __init__(self, recipe: ModelRecipe, points: int) -> None:
        super().__init__(recipe, points)
        self.belief = RateTable(points, self.density.outputs * recipe.channels)

    def start(self) -> None:
        super().start()
        part_mixtures(self.belief.table, self.density)

    def code(
        self, coefficients: Tensor, relative: Tensor, units: Units, weights: Tensor, *, noisy: bool
    ) -> CodedLatent:
        if self.quantised or not noisy:
            return super().code(coefficients, relative, units, weights, noisy=noisy)
        steps = coefficients * units.gain
        drawn = steps + STEP_DEVIATION * torch.randn_like(steps)
        prior = self._prediction(self.belief, units, weights)
        divergence = (prior.density_bits(drawn - prior.mean) - POSTERIOR_BITS).sum((1, 2, 3))
        detached = Units(units.gain.detach(), units.spread.detach())
        rounded = super().code(coefficients.detach(), relative, detached, weights, noisy=False).latent_bits
        known = entropy.both_signs(entropy.features(drawn / units.spread), False)
        return self._coded(drawn, known, divergence + (rounded - rounded.detach()), torch.round(steps.detach()))

    def draw(self, uniform: Tensor, units: Units, weights: Tensor) -> Tensor:
        """A latent that the prior believes in, B×M×h×w quantisation steps, from 2×B×M×h×w numbers within 0…1: which of
        the mixed densities, and where in it."""
        prior = self._prediction(self.belief, units, weights)
        mixtures, size = self.density.mixtures, uniform.shape[-2:]
        none = torch.zeros_like(prior.mean)
        shift, share = (torch.cat([none, part], 1).unflatten(1, (mixtures, -1)) for part in (prior.shift, prior.share))
        ends = share.float().softmax(1).cumsum(1)[:, :-1]
        chosen = (uniform[0][:, None] > ends).sum(1, keepdim=True)
        log_scale = prior.log_scale.clamp(LOG_FLOOR, LOG_CEILING).unflatten(1, (mixtures, -1))
        own_scale, own_shift = (
            part.expand(*part.shape[:3], *size).gather(1, chosen)[:, 0] for part in (log_scale, shift)
        )
        return prior.mean + own_shift + own_scale.exp() * torch.logit(uniform[1], eps=TAIL)

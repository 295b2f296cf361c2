"""What a slice of the latent is predicted from: the hyper-latent, earlier slices, and some of its own coefficients.

The latent is coded in slices of channels (D. Minnen and S. Singh, "Channel-wise autoregressive entropy models", ICIP
2020). Of its own coefficients a slice may know none; those of the other colour of a checkerboard (D. He et al.,
"Checkerboard context model for efficient learned image compression", CVPR 2021); or those that come before in raster
order (D. Minnen, J. Ballé and G. Toderici, "Joint autoregressive and hierarchical priors", NeurIPS 2018).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engine.learned import entropy
from engine.learned.entropy import CodedSlice, Density, Prediction
from engine.learned.layers import CausalConv, EntropyConv, RateScale, checkerboard, in_network_precision
from engine.learned.recipe import CHECKERBOARD, NOTHING, RASTER, ModelRecipe

GUESSES = 2  # in training, of coefficients that come before


class Asked(NamedTuple):
    """Of a slice: spread of its coefficients in quantisation steps, B×C×1×1; what is known beside it, B×N×h×w; weights
    of the rates, B×points; whether in the arithmetic of integers."""

    spread: Tensor
    known: Tensor
    weights: Tensor
    quantised: bool


class SliceContext(nn.Module, ABC):
    """Predicts one slice from what is known beside it and from some of itself."""

    def __init__(self, before: int, number: int, recipe: ModelRecipe, points: int) -> None:
        super().__init__()
        self.density = Density(recipe.means, recipe.mixtures)
        width = recipe.widths(number)[0]
        self.join = EntropyConv(2 * before + recipe.hyper_width, width, 3, padding=1)
        self.scale = RateScale(points, width)

    @abstractmethod
    def code(self, steps: Tensor, asked: Asked, noise: Tensor | None) -> CodedSlice:
        """Of B×C×h×w coefficients in quantisation steps."""

    @abstractmethod
    def decode(self, residual: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
        """Coefficients in quantisation steps and their features, from whole numbers."""

    @abstractmethod
    def heads(self) -> list[EntropyConv]:
        """Their last layers."""

    def _context(self, asked: Asked) -> Tensor:
        return self.join.rectified(asked.known, self.scale, asked.weights)

    def _predict(self, head: Tensor, asked: Asked) -> Prediction:
        return entropy.predict(head, asked.spread, self.density, asked.quantised)


class AtOnce(SliceContext):
    """Knows nothing of itself."""

    def __init__(self, before: int, number: int, recipe: ModelRecipe, points: int) -> None:
        super().__init__(before, number, recipe, points)
        size, (width, _) = recipe.slices[number], recipe.widths(number)
        self.first_hidden = EntropyConv(width, width, 1)
        self.first_head = EntropyConv(width, self.density.outputs * size, 1)

    def code(self, steps: Tensor, asked: Asked, noise: Tensor | None) -> CodedSlice:
        return entropy.code(steps, self._first(self._context(asked), asked), asked.spread, noise, asked.quantised)

    def decode(self, residual: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
        steps = residual + self._first(self._context(asked), asked).mean
        return steps, _features(steps, asked)

    def heads(self) -> list[EntropyConv]:
        return [self.first_head]

    def _first(self, context: Tensor, asked: Asked) -> Prediction:
        return self._predict(self.first_head(self.first_hidden.rectified(context)), asked)


class Checkerboard(AtOnce):
    """Half of the positions, the anchors, first; the other half knows them."""

    def __init__(self, before: int, number: int, recipe: ModelRecipe, points: int) -> None:
        super().__init__(before, number, recipe, points)
        size, (width, own_width) = recipe.slices[number], recipe.widths(number)
        self.anchors = EntropyConv(2 * size, own_width, 3, padding=1)
        self.second_hidden = EntropyConv(width + own_width, width, 1)
        self.second_head = EntropyConv(width, self.density.outputs * size, 1)

    def code(self, steps: Tensor, asked: Asked, noise: Tensor | None) -> CodedSlice:
        anchors, context = checkerboard(steps), self._context(asked)
        first = self._first(context, asked)
        at_anchors = (entropy.round_through(steps - first.mean) + first.mean) * anchors
        second = self._second(context, at_anchors, asked)
        return entropy.code(steps, first.where(anchors, second), asked.spread, noise, asked.quantised)

    def decode(self, residual: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
        anchors, context = checkerboard(residual), self._context(asked)
        at_anchors = (residual + self._first(context, asked).mean) * anchors
        steps = at_anchors + (residual + self._second(context, at_anchors, asked).mean) * (1 - anchors)
        return steps, _features(steps, asked)

    def heads(self) -> list[EntropyConv]:
        return [self.first_head, self.second_head]

    def _second(self, context: Tensor, at_anchors: Tensor, asked: Asked) -> Prediction:
        anchors = self.anchors.rectified(_features(at_anchors, asked))
        return self._predict(self.second_head(self.second_hidden.rectified(torch.cat([context, anchors], 1))), asked)


class Raster(SliceContext):
    """One position after another, each knowing the twelve before it in a window of 5×5.

    Torch does not wait: it guesses the coefficients before, and again from the means that this gives. What no longer
    changes is what a decoder has; the rest are a few thousandths after four guesses.
    """

    guesses = 4
    """Outside training, where two suffice."""

    def __init__(self, before: int, number: int, recipe: ModelRecipe, points: int) -> None:
        super().__init__(before, number, recipe, points)
        size, (width, own_width) = recipe.slices[number], recipe.widths(number)
        self.before = CausalConv(2 * size, own_width)
        self.hidden = EntropyConv(width + own_width, width, 1)
        self.head = EntropyConv(width, self.density.outputs * size, 1)

    def code(self, steps: Tensor, asked: Asked, noise: Tensor | None) -> CodedSlice:
        context, guess = self._context(asked), steps
        with torch.no_grad():
            for _ in range((GUESSES if self.training else self.guesses) - 1):
                mean = self._at(context, guess, asked).mean
                before, guess = guess, torch.round(steps - mean) + mean
                if _same(before, guess):
                    break
        mean = self._at(context, guess, asked).mean
        guess = entropy.round_through(steps - mean) + mean
        return entropy.code(steps, self._at(context, guess, asked), asked.spread, noise, asked.quantised)

    def decode(self, residual: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
        context, steps = self._context(asked), residual
        for _ in range(_enough(residual)):
            before, steps = steps, residual + self._at(context, steps, asked).mean
            if _same(before, steps):
                break
        return steps, _features(steps, asked)

    def heads(self) -> list[EntropyConv]:
        return [self.head]

    def _at(self, context: Tensor, guess: Tensor, asked: Asked) -> Prediction:
        before = self.before.rectified(_features(guess, asked))
        return self._predict(self.head(self.hidden.rectified(torch.cat([context, before], 1))), asked)


def _enough(steps: Tensor) -> int:
    """Guesses until every position has been told of all that it depends on."""
    rows, columns = steps.shape[2:]
    return columns + 3 * rows


def _same(one: Tensor, other: Tensor) -> bool:
    return not one.is_meta and torch.equal(one, other)


def _features(steps: Tensor, asked: Asked) -> Tensor:
    known = entropy.both_signs(entropy.features(steps / asked.spread), asked.quantised)
    return in_network_precision(known)


KINDS: dict[str, type[SliceContext]] = {NOTHING: AtOnce, CHECKERBOARD: Checkerboard, RASTER: Raster}

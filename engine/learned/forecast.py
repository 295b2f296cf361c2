"""What rates would cost, without running networks: from the coefficients alone, or from the symbols of one encode.

Bits grow with the number of coefficients that are not zero once quantised, by about the same law for all pictures
(Z. He & S. K. Mitra, A linear source model and a unified rate control algorithm for DCT video coding, 2002).

A rate scales every coefficient before it is rounded, and with it the deviation that the networks predict for it. So the
residuals of one encode, scaled before rounding, under the tables for deviations scaled alike, cost about what those of
another rate would: within 0.5 % of the size for rates up to a third apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.codec import Ctx
from engine.learned import fixed
from engine.learned.choice import chosen, under
from engine.learned.fixed import MEAN_STEPS
from engine.learned.slice_networks import Densities
from engine.learned.symbols import Latent, SymbolNetwork
from engine.native import latent
from engine.native.mixture import Mixed

if TYPE_CHECKING:
    from engine.learned.tiles import Analysis

# Predictions are better where more bits were spent, which the scaled ones do not know: measured on five photographs,
# the forecast grows by so much too fast with each e-fold of rate.
_BIAS = 0.02
# Bits per pixel are about _BITS · (coefficients that are not zero, per pixel)^_POWER: measured on 24 photographs from
# 0.08 to 1.2 bits per pixel, with a deviation of 5 %.
_BITS, _POWER = 4.45, 1.05
SHIFT_MAX = 32767


@dataclass(frozen=True)
class Outlook:
    """What a picture of so many pixels takes by a model of so many points, before anything was coded."""

    analysis: Analysis
    pixels: int
    points: int

    def size(self, value: Any, ctx: Ctx) -> float:
        """Bytes of the file at a quality of 0…100, within 5 % as a rule."""
        ctx.check()
        rate = fixed.rate_of(value, self.points)
        share = self.analysis.nonzero(rate) / self.pixels
        return self.pixels * _BITS * share**_POWER / 8


@dataclass(frozen=True)
class RateForecast:
    """Made of the encode of `steps` (4h×4w×M f32, coefficients in quantisation steps) at `rate`, into `coded`.

    extra: bytes of the file beside the symbols.
    """

    network: SymbolNetwork
    coded: Latent
    steps: np.ndarray
    rate: int
    extra: int

    def size(self, value: Any, ctx: Ctx) -> float:
        """Bytes of the file at a quality of 0…100."""
        ctx.check()
        bits = self._bits(fixed.rate_of(value, self.network.points))
        return self.extra + bits / 8 * (bits / self._bits_here) ** -_BIAS

    def _bits(self, rate: int) -> float:
        network, coded = self.network, self.coded
        octaves = network.octaves(rate) - network.octaves(self.rate)
        factors = np.exp2(octaves).astype(np.float32)
        exact = coded.in_order(self._exact * factors)
        moved = coded.in_order(np.broadcast_to(np.rint(fixed.ROWS_PER_OCTAVE * octaves), coded.values.shape))
        if coded.mixed is None:
            densities: Densities = _moved(coded.index[coded.hyper.size :], moved).astype(np.uint16)
        else:
            shifts = coded.mixed.shifts * coded.in_order(np.broadcast_to(factors, coded.values.shape))[:, None]
            rows = _moved(coded.mixed.rows, moved[:, None]).astype(np.uint8)
            densities = Mixed(rows, np.rint(shifts).clip(-SHIFT_MAX, SHIFT_MAX).astype(np.int16), coded.mixed.weights)
        costs = under(densities, network.tables)
        bits = costs(chosen(exact, costs, network.recipe.squared_step_bits), np.arange(exact.size))
        hyper = _rounded(coded.hyper * np.exp2(network.hyper_octaves(rate) - network.hyper_octaves(self.rate)))
        return sum(float(each.sum(dtype=np.float64)) for each in (bits, network.hyper_costs(hyper, rate)))

    @cached_property
    def _bits_here(self) -> float:
        return self._bits(self.rate)

    @cached_property
    def _exact(self) -> np.ndarray:
        """What was rounded to the residuals, rows×columns×M f32."""
        exact = self.steps - self.coded.means.astype(np.float32) / np.float32(MEAN_STEPS)
        return exact if self.coded.region is None else exact * self.coded.region.finer


def _moved(rows: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (rows.astype(np.int32) + by.astype(np.int32)).clip(0, fixed.SCALE_ROWS - 1)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(-latent.SYMBOL_MAX, latent.SYMBOL_MAX).astype(np.int32)

"""The contexts of slices (engine/learned/contexts.py) in integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

import numpy as np

from engine.learned import fixed
from engine.learned.fixed import FACTOR_BITS, MEAN_STEPS
from engine.learned.integers import Bands, Tensors, convolution, table
from engine.learned.recipe import CHECKERBOARD, NOTHING, RASTER, ModelRecipe
from engine.learned.region import Region
from engine.native import latent
from engine.native.latent import ALL, Convolution, Every
from engine.native.mixture import Mixed, MixedUnits, Mixing, predict_mixed
from engine.native.raster import Raster, RasterCoded, RasterOrder

ANCHORS, OTHERS = Every(2, 1), Every(2, 0)
Order = Every | RasterOrder
Densities = np.ndarray | Mixed
HeadUnits = latent.Units | MixedUnits


@dataclass(frozen=True)
class Pass:
    """A part of the latent in the order of the stream: some channels at some positions. densities: rows of tables (u16)
    or mixtures; residuals: symbols (i32), both one position after another, channels innermost. values: coefficients, in
    1/16. together: how many of these a symbol stands for."""

    channels: slice
    order: Order
    densities: Densities
    residuals: np.ndarray
    values: np.ndarray
    together: int = 1

    @property
    def symbols(self) -> slice:
        """The channels at whose place symbols are told of: the first of those that go together."""
        return slice(self.channels.start, self.channels.stop, self.together)


class Symbols(Protocol):
    """Gives the next symbols: those of a picture while encoding, those of a stream while decoding."""

    def hyper(self, index: np.ndarray) -> np.ndarray: ...

    def residuals(self, channels: slice, every: Every, means: np.ndarray, densities: Densities) -> np.ndarray: ...

    def raster(self, channels: slice, raster: Raster) -> RasterCoded: ...

    def vectors(self, channels: slice, books: Sequence[Codebook], index: np.ndarray) -> np.ndarray: ...


class Codebook(Protocol):
    """What vectors are coded by."""

    def nearest(self, steps: np.ndarray) -> np.ndarray:
        """N×D → N i32."""


@dataclass(frozen=True)
class RateUnits:
    """What a slice's arithmetic needs to know of the rate."""

    factors: np.ndarray
    heads: tuple[HeadUnits, ...]
    feature_mantissas: np.ndarray
    feature_shifts: np.ndarray


@dataclass(frozen=True)
class Work:
    """Where symbols come from or go to; what is seen beside the slice, rows×columns×N, and its own features, ×2C, both
    parts of a plane with a border of two; steps of positions, where they are not those of the rate."""

    source: Symbols
    seen: np.ndarray
    own: np.ndarray
    units: RateUnits
    bands: Bands
    region: Region | None = None


class SliceNetwork(ABC):
    """Channels start…stop of the latent."""

    heads: tuple[Convolution, ...]

    def __init__(self, tensors: Tensors, number: int, start: int, recipe: ModelRecipe) -> None:
        self.size = recipe.slices[number]
        self.start, self.stop = start, start + self.size
        self._base = recipe.hyper_width
        self._width, self._own_width = recipe.widths(number)
        name = f"slices.{number}"
        seen = 2 * start
        hyper_first = np.r_[seen : seen + recipe.hyper_width, :seen]  # the order in which the context lies in memory
        self._join = convolution(tensors, f"{name}.join", inputs=hyper_first)
        self._scales = table(tensors, f"{name}.scale", self._width, (-60, 60))
        self._density = DensityKind(recipe.means, recipe.mixtures)

    def units(self, logs: np.ndarray, rate: int) -> RateUnits:
        """logs: of all coefficients' spread, 2⁻²⁴ of an octave."""
        own = logs[self.start : self.stop]
        heads = tuple(head_units(head.shifts, own, self._density) for head in self.heads)
        inverse, shifts = feature_units(own)
        factors = (1 << FACTOR_BITS) + fixed.rounded(
            fixed.interpolate(self._scales, rate), fixed.FINE_BITS - FACTOR_BITS
        )
        return RateUnits(factors.astype(np.int32), heads, inverse, shifts)

    def run(self, whole: Work) -> Iterator[Pass]:
        """Code or decode the slice; adds its features to what is seen, which is all of the latent's, in its place."""
        context = whole.seen
        seen = context[:, :, : self._base + 2 * self.start]
        own = context[:, :, seen.shape[2] : seen.shape[2] + 2 * self.size]
        return self._passes(replace(whole, seen=seen, own=own))

    @abstractmethod
    def _passes(self, work: Work) -> Iterator[Pass]: ...

    def _head(self, tensors: Tensors, name: str) -> Convolution:
        """A head that gives means and scales; the means are 0 where none are predicted."""
        return convolution(tensors, name, zeros=self._density.zeros * self.size)

    def _predicted(
        self,
        work: Work,
        head: tuple[Convolution, Convolution, HeadUnits],
        known: np.ndarray,
        every: Every,
    ) -> Pass:
        """One pass, by a hidden layer and a head from what is known at its positions."""
        hidden_layer, last, own_units = head
        bands, units = work.bands, work.units
        rows, columns = known.shape[:2]
        hidden = np.empty((rows, columns, self._width), np.int16)
        bands.layer(hidden_layer, known, hidden)
        sums = np.empty((rows, columns, last.outputs), np.int32)
        bands.sums(last, hidden, sums)
        means, densities = predict(sums, own_units, self._density)
        channels = slice(self.start, self.stop)
        densities, residuals, values = coded(work.source, channels, every, (means, densities), work.region)
        thresholds = fixed.feature_thresholds()
        latent.features(values, units.feature_mantissas, units.feature_shifts, thresholds, out=work.own, every=every)
        return Pass(channels, every, densities, residuals, values)


class AtOnce(SliceNetwork):
    """All positions in one pass."""

    def __init__(self, tensors: Tensors, number: int, start: int, recipe: ModelRecipe) -> None:
        super().__init__(tensors, number, start, recipe)
        name = f"slices.{number}"
        self._hidden = convolution(tensors, f"{name}.first_hidden")
        self.heads = (self._head(tensors, f"{name}.first_head"),)

    def _passes(self, work: Work) -> Iterator[Pass]:
        known = np.empty((*work.seen.shape[:2], self._width), np.int16)
        work.bands.layer(self._join, work.seen, known, factors=work.units.factors)
        yield self._predicted(work, (self._hidden, self.heads[0], work.units.heads[0]), known, ALL)


class Checkerboard(SliceNetwork):
    """Two passes: the anchors, then the others, which know them."""

    def __init__(self, tensors: Tensors, number: int, start: int, recipe: ModelRecipe) -> None:
        super().__init__(tensors, number, start, recipe)
        name = f"slices.{number}"
        self._anchors = convolution(tensors, f"{name}.anchors", cross=True)
        self._hidden = [convolution(tensors, f"{name}.{which}_hidden") for which in ("first", "second")]
        self.heads = tuple(self._head(tensors, f"{name}.{which}_head") for which in ("first", "second"))

    def _passes(self, work: Work) -> Iterator[Pass]:
        rows, columns = work.seen.shape[0], work.seen.shape[1] // 2
        joined = np.empty((rows, columns, self._width + self._own_width), np.int16)
        for number, every in enumerate((ANCHORS, OTHERS)):
            known = joined[:, :, : self._width]
            work.bands.layer(self._join, work.seen, known, every, factors=work.units.factors)
            if number:
                work.bands.layer(self._anchors, work.own, joined[:, :, self._width :], every)
                known = joined
            head = self._hidden[number], self.heads[number], work.units.heads[number]
            yield self._predicted(work, head, known, every)


class OneByOne(SliceNetwork):
    """Position by position; what does not depend on each other, in between, side by side (csrc/latent_raster.c)."""

    def __init__(self, tensors: Tensors, number: int, start: int, recipe: ModelRecipe) -> None:
        super().__init__(tensors, number, start, recipe)
        name = f"slices.{number}"
        self._before = convolution(tensors, f"{name}.before")
        self._hidden = convolution(tensors, f"{name}.hidden")
        self.heads = (self._head(tensors, f"{name}.head"),)

    def _passes(self, work: Work) -> Iterator[Pass]:
        joined = np.empty((*work.seen.shape[:2], self._width + self._own_width), np.int16)
        work.bands.layer(self._join, work.seen, joined[:, :, : self._width], factors=work.units.factors)
        own_units = work.units.heads[0]
        assert isinstance(own_units, latent.Units)
        features = work.units.feature_mantissas, work.units.feature_shifts, fixed.feature_thresholds()
        raster = Raster(
            (self._before, self._hidden, self.heads[0]),
            (own_units, features),
            joined,
            work.own,
            work.bands.check,
            finer=None if work.region is None else (work.region.steps, work.region.rows),
        )
        channels = slice(self.start, self.stop)
        coded = work.source.raster(channels, raster)
        yield Pass(channels, coded.order, coded.index, coded.residuals, coded.values)


KINDS: dict[str, type[SliceNetwork]] = {NOTHING: AtOnce, CHECKERBOARD: Checkerboard, RASTER: OneByOne}


@dataclass(frozen=True)
class DensityKind:
    """What a head says of a coefficient: see `engine.learned.entropy.Density`."""

    means: bool
    mixtures: int

    @property
    def zeros(self) -> int:
        """Outputs for each coefficient that are put before the others, as single densities have means."""
        return int(not self.means and self.mixtures == 1)


def head_units(shifts: np.ndarray, logs: np.ndarray, density: DensityKind) -> HeadUnits:
    """For the sums of a head with these shifts; logs: of the coefficients' spread, 2⁻²⁴ of an octave."""
    mantissas, exponents = fixed.powers_of_two(logs)
    offsets = fixed.ROWS_PER_OCTAVE * logs + fixed.ROW_OF_UNIT_SPREAD
    down = (2 - exponents).astype(np.uint8)
    spread = mantissas.astype(np.int32)
    if density.mixtures == 1:
        mean_shifts = shifts[: down.size] + down
        return latent.Units(shifts, spread, mean_shifts, fixed.ROWS_PER_NAT, offsets, fixed.SCALE_ROWS)
    per_nat = fixed.ROWS_PER_NAT, fixed.OCTAVE_PARTS_PER_NAT
    return MixedUnits(shifts, spread, down, offsets, *per_nat, density.means)


def predict(sums: np.ndarray, units: HeadUnits, density: DensityKind) -> tuple[np.ndarray, Densities]:
    """Means in 1/16 of a step (…×C i32) and densities (…×C), from a head's sums."""
    if isinstance(units, MixedUnits):
        return predict_mixed(sums, units, mixing(), density.mixtures)
    return latent.predict(sums, units)


@cache
def mixing() -> Mixing:
    """The tables that mixtures are computed with."""
    return Mixing(fixed.mixing_scales(), fixed.reaches(), fixed.logistic_table(), fixed.mixing_powers())


def coded(
    source: Symbols,
    channels: slice,
    every: Every,
    predicted: tuple[np.ndarray, Densities],
    region: Region | None,
) -> tuple[Densities, np.ndarray, np.ndarray]:
    """Densities that symbols are coded under, the symbols, and the coefficients in 1/16, from what is predicted."""
    means, densities = predicted
    if region is None:
        residuals = source.residuals(channels, every, means, densities)
        return densities, residuals, residuals * MEAN_STEPS + means
    own = Region(take(region.levels[:, :, None], every)[:, :, 0])
    densities = own.densities(densities)
    residuals = source.residuals(channels, every, means, densities)
    return densities, residuals, own.values(residuals) + means


def feature_units(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas (i32) and shifts (i8) for |value| / 16 · 2 / spread in 2⁻²⁸; logs: of the spread, 2⁻²⁴ of an octave."""
    inverse, exponents = fixed.powers_of_two(-logs)
    return inverse.astype(np.int32), (3 - fixed.FEATURE_BITS - exponents).astype(np.int8)


def take(values: np.ndarray, every: Every) -> np.ndarray:
    """The positions of rows×columns×C that take part, rows×(columns/step)×C."""
    if every.step == 1:
        return values
    out = np.empty((values.shape[0], values.shape[1] // 2, values.shape[2]), values.dtype)
    for row in (0, 1):
        out[row::2] = values[row::2, (row + every.phase) % 2 :: 2]
    return out


def repeated(densities: Densities, size: tuple[int, int]) -> Densities:
    """Those of one position, 1×1×C, at rows×columns."""

    def everywhere(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.broadcast_to(values, (*size, *values.shape[2:])))

    if isinstance(densities, Mixed):
        return Mixed(*(everywhere(each) for each in (densities.rows, densities.shifts, densities.weights)))
    return everywhere(densities)


def in_order(values: np.ndarray, order: Order) -> np.ndarray:
    """What is at places of rows×columns×C, in an order: one position after another, channels innermost, flat."""
    if isinstance(order, Every):
        return take(values, order).ravel()
    return values[order.rows, order.columns].ravel()


def put(values: np.ndarray, part: np.ndarray, order: Order) -> None:
    """Put what is in an order, one position after another, where it belongs in rows×columns×C."""
    rows, columns, channels = values.shape
    if not isinstance(order, Every):
        values[order.rows, order.columns] = part.reshape(-1, channels)
    elif order.step == 1:
        values[:] = part.reshape(values.shape)
    else:
        part = part.reshape(rows, columns // 2, channels)
        for row in (0, 1):
            values[row::2, (row + order.phase) % 2 :: 2] = part[row::2]

"""Vector quantisation in integers: a latent whose coefficients are coded some at a time, as indices into codebooks.

A codebook belongs to a few neighbouring coefficients of a block and to a range of half a step of the rate; its codes
are in 1/16 of a quantisation step. Indices are coded under how often each occurred in training. The encoder takes the
code that costs least: its bits, and the squared error (P. Chou, T. Lookabaugh and R. Gray, "Entropy-constrained vector
quantization", IEEE Trans. ASSP 1989).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.codec import Ctx
from engine.errors import CorruptStream
from engine.learned import fixed, slice_networks
from engine.learned.fixed import MEAN_STEPS
from engine.learned.integers import Tensors, tensor
from engine.learned.recipe import BOOKS_PER_RATE, ModelRecipe
from engine.learned.slice_networks import Pass, Symbols
from engine.learned.symbols import Known, SymbolsWithoutHyper
from engine.native import latent
from engine.native.latent import ALL

BITS_PER_SQUARED_STEP = 12.0  # what an error of a quantisation step is worth: as the gains of `hyperprior` have it
_AT_ONCE = 4096  # positions, while the nearest codes are looked for


class Group(NamedTuple):
    """Coefficients that are coded together, start…start+size, and how many codes there can be."""

    start: int
    size: int
    codes: int


def groups(recipe: ModelRecipe) -> list[list[Group]]:
    """Those of each slice."""
    found, start = [], 0
    for width, size, codes in zip(recipe.slices, recipe.vectors, recipe.codes, strict=True):
        found.append([Group(first, size, codes) for first in range(start, start + width, size)])
        start += width
    return found


class Book(NamedTuple):
    """codes: K×D i32, in 1/16 of a step. bits: of each index, f32."""

    codes: np.ndarray
    bits: np.ndarray

    def nearest(self, steps: np.ndarray) -> np.ndarray:
        """The codes that cost least for vectors of steps, N×D → N i32."""
        codes = self.codes.astype(np.float32) / MEAN_STEPS
        scaled = -2 * BITS_PER_SQUARED_STEP * codes.T
        own = self.bits + BITS_PER_SQUARED_STEP * np.square(codes).sum(1)
        parts = [steps[at : at + _AT_ONCE] @ scaled + own for at in range(0, len(steps), _AT_ONCE)]
        return np.concatenate([costs.argmin(1) for costs in parts]).astype(np.int32)


class VectorSymbols(SymbolsWithoutHyper):
    """`VectorPrior`: no hyper-latent, no predictions. `CorruptStream` if codes and tables do not go together."""

    forecasts = False

    def __init__(self, recipe: ModelRecipe, tensors: Tensors) -> None:
        super().__init__(recipe, tensors)
        self._groups = groups(recipe)
        sizes = np.array([group.size for part in self._groups for group in part] * recipe.books)
        if self.tables.offsets.size != sizes.size or self.tables.offsets.any():
            raise CorruptStream("there is not a table for every codebook")
        counts = np.diff(self.tables.rows.astype(np.int64)) - 1  # the last of a table is the escape
        limits = np.array([group.codes for part in self._groups for group in part] * recipe.books)
        codes = tensor(tensors, "codes", np.int16)
        if counts.min() < 1 or (counts > limits).any() or codes.shape != (int((counts * sizes).sum()),):
            raise CorruptStream("codebooks and their tables do not go together")
        self._codes, self._sizes = codes, sizes
        self._starts = np.concatenate([[0], np.cumsum(counts * sizes)])

    def book(self, row: int) -> Book:
        """The codebook that goes with a row of the tables."""
        start, stop = self._starts[row : row + 2]
        first, last = self.tables.rows[row : row + 2]
        share = np.diff(self.tables.cdfs[first:last].astype(np.int32)) / float(1 << 16)
        return Book(
            self._codes[start:stop].reshape(-1, self._sizes[row]).astype(np.int32), -np.log2(share).astype(np.float32)
        )

    def first_row(self, rate: int) -> int:
        """Of the tables for a rate in 1/256: those of the next half step, so that no vector lies beyond its codes."""
        number = -(-rate * BOOKS_PER_RATE // fixed.RATE_STEPS)
        return min(number, self.recipe.books - 1) * sum(map(len, self._groups))

    def _passes(self, source: Symbols, known: Known, rate: int, ctx: Ctx) -> Iterator[Pass]:
        if known.region is not None:
            raise CorruptStream("vectors follow no map of importance")
        rows, columns, count = known.features.shape
        units = slice_networks.feature_units(fixed.interpolate(self._octaves, rate))
        row = self.first_row(rate)
        for part in self._groups:
            ctx.check()
            channels = slice(part[0].start, part[-1].start + part[-1].size)
            books = [self.book(row + number) for number in range(len(part))]
            index = np.broadcast_to(np.arange(row, row + len(part), dtype=np.uint16), (rows, columns, len(part)))
            symbols = source.vectors(channels, books, np.ascontiguousarray(index))
            values = np.empty((rows, columns, channels.stop - channels.start), np.int32)
            for number, book in enumerate(books):
                if not 0 <= symbols[:, :, number].min() <= symbols[:, :, number].max() < len(book.codes):
                    raise CorruptStream("an index goes beyond its codebook")
                at = number * part[0].size
                values[:, :, at : at + part[0].size] = book.codes[symbols[:, :, number]]
            both = np.empty((rows, columns, 2 * values.shape[2]), np.int16)
            inverse, down = (each[channels] for each in units)
            latent.features(values, inverse, down, fixed.feature_thresholds(), out=both)
            known.features[:, :, channels] = both[:, :, : values.shape[2]]
            yield Pass(channels, ALL, index, symbols, values, part[0].size)
            row += len(part)
            ctx.progress(channels.stop / count)

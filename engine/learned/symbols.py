"""The symbols of a latent, coded and decoded in integers alone: no framework, the same on every machine.

This is `HyperpriorModel` in quantised arithmetic as far as both ends of a stream must agree: what a hyper-latent says
of the coefficients, what coefficients say of those to come, means and scales from both. docs/learned.md has the
formulas, csrc/latent_conv.c and latent_model.c the kernels; engine/learned/freeze.py makes the tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np

from engine.codec import Ctx
from engine.errors import CorruptStream
from engine.learned import fixed
from engine.learned.recipe import ModelRecipe
from engine.native import crc32c, latent
from engine.native.entropy import Tables
from engine.native.latent import ACTIVATION_MAX, ALL, Convolution, Every

MEAN_STEPS = 16
OFFSET_STEPS_BITS = 8
FACTOR_BITS = 8
HYPER = 4  # positions of the latent along each side of one of the hyper-latent
ANCHORS, OTHERS = Every(2, 1), Every(2, 0)
SPREAD_OCTAVES = (-12, 20)  # log₂ of the coefficients' spread in quantisation steps
GAIN_OCTAVES = (-12, 12)  # and of the hyper-latent's gain
BAND_POSITIONS = 1 << 13  # cancelling is possible in between

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Latent:
    """What a stream says. hyper: h×w×C i32, whole. values: 4h×4w×M i32, coefficients in 1/16 of a quantisation step.
    features: of these, i16 multiples of 1/64. index, residuals: rows of tables and symbols in the order of the stream.
    slices: how many were coded; all coefficients of those that follow are 0.
    """

    hyper: np.ndarray
    values: np.ndarray
    features: np.ndarray
    index: np.ndarray
    residuals: np.ndarray
    slices: int

    @property
    def checksum(self) -> int:
        """CRC-32C of the hyper-latent and the coefficients, as little-endian integers in raster order."""
        return crc32c(self.values.astype("<i4").tobytes(), crc32c(self.hyper.astype("<i4").tobytes()))

    @property
    def mark(self) -> int:
        """As much of the checksum as travels in a stream."""
        return self.checksum & ((1 << latent.MARK_BITS) - 1)


class Symbols(Protocol):
    """Gives the next symbols: those of a picture while encoding, those of a stream while decoding."""

    def hyper(self, index: np.ndarray) -> np.ndarray: ...

    def residuals(self, channels: slice, every: Every, means: np.ndarray, index: np.ndarray) -> np.ndarray: ...


class SymbolNetwork:
    """The integer networks of one model. `CorruptStream` if its tensors do not fit or sums could overflow."""

    def __init__(self, recipe: ModelRecipe, tensors: Tensors) -> None:
        self.recipe = recipe
        width = recipe.hyper_width
        shuffled = np.arange(4 * width).reshape(width, 4).T.ravel()  # outputs in the order of a pixel shuffle
        self._enter = _convolution(tensors, "hyper_synthesis.enter", outputs=shuffled)
        self._enlarge = _convolution(tensors, "hyper_synthesis.enlarge", outputs=shuffled)
        self._inner = _convolution(tensors, "hyper_synthesis.refine.inner")
        self._outer = _convolution(tensors, "hyper_synthesis.refine.outer")
        starts = [0, *accumulate(recipe.slices)]
        self._slices = [_Slice(tensors, number, starts[number], recipe) for number in range(len(recipe.slices))]
        self._octaves = _table(tensors, "octaves", recipe.channels, SPREAD_OCTAVES)
        self._hyper_octaves = _table(tensors, "hyper_octaves", recipe.hyper_channels, GAIN_OCTAVES)
        self._hyper_offsets = _table(tensors, "hyper_offsets", recipe.hyper_channels, (-1 << 14, 1 << 14))
        self._hyper_rows = _table(tensors, "hyper_rows", recipe.hyper_channels, (-1 << 14, 1 << 14))
        self.tables = Tables(
            _get(tensors, "cdfs", np.uint16),
            _get(tensors, "cdf_rows", np.uint32),
            _get(tensors, "cdf_offsets", np.int32),
        )

    @property
    def points(self) -> int:
        """Of the range of rates."""
        return len(self._octaves)

    def encode(
        self, hyper: np.ndarray, steps: np.ndarray, rate: int, ctx: Ctx, *, slices: int | None = None
    ) -> tuple[bytes, Latent]:
        """Code a hyper-latent (h×w×C i32) and coefficients in quantisation steps (4h×4w×M f32) at a rate in 1/256; of
        the coefficients so many slices, all by default."""
        source = _Picture(hyper, steps)
        decoded = self._run(source, hyper.shape[:2], rate, ctx, slices)
        return latent.encode(decoded.residuals, decoded.index, self.tables, decoded.mark), decoded

    def decode(self, data: bytes, size: tuple[int, int], rate: int, ctx: Ctx, *, slices: int | None = None) -> Latent:
        """What :meth:`encode` coded for a hyper-latent of `size` (rows, columns); `CorruptStream`."""
        source = _Stream(data, self.tables)
        decoded = self._run(source, size, rate, ctx, slices)
        if source.reader.finish() != decoded.mark:
            raise CorruptStream("the decoded symbols are not those that were coded: stream or weights are damaged")
        return decoded

    def costs(self, decoded: Latent) -> tuple[np.ndarray, np.ndarray]:
        """Bits that were spent at each position: of the hyper-latent, h×w f32, and of the latent, 4h×4w f32."""
        bits = latent.costs(decoded.residuals, decoded.index, self.tables)
        hyper = bits[: decoded.hyper.size].reshape(decoded.hyper.shape).sum(2)
        return hyper, self.in_place(decoded, bits).sum(2)

    def hyper_costs(self, hyper: np.ndarray, rate: int) -> np.ndarray:
        """Bits of each symbol of a hyper-latent (h×w×C i32) at a rate in 1/256."""
        return latent.costs(hyper.ravel(), self._hyper_index(hyper.shape[:2], rate).ravel(), self.tables)

    def in_place(self, decoded: Latent, values: np.ndarray) -> np.ndarray:
        """What belongs to the symbols, in the order of the stream, at the places of the latent's: 4h×4w×M."""
        rows, columns, _ = decoded.values.shape
        out = np.zeros(decoded.values.shape, values.dtype)
        end = decoded.hyper.size
        for part in self._slices[: decoded.slices]:
            for every in (ANCHORS, OTHERS):
                start, end = end, end + rows * (columns // 2) * part.size
                own = values[start:end].reshape(rows, columns // 2, part.size)
                _put(out[:, :, part.start : part.stop], own, every)
        return out

    def octaves(self, rate: int) -> np.ndarray:
        """log₂ of each coefficient's spread in quantisation steps, M f64."""
        return fixed.interpolate(self._octaves, rate) / (1 << fixed.FINE_BITS)

    def hyper_octaves(self, rate: int) -> np.ndarray:
        """log₂ of the gain of each channel of the hyper-latent, C f64."""
        return fixed.interpolate(self._hyper_octaves, rate) / (1 << fixed.FINE_BITS)

    def _run(self, source: Symbols, size: tuple[int, int], rate: int, ctx: Ctx, slices: int | None) -> Latent:
        rows, columns = (HYPER * side for side in size)
        recipe = self.recipe
        bands = _Bands(ctx)
        index = [self._hyper_index(size, rate)]
        symbols = [source.hyper(index[0])]
        context = latent.plane(rows, columns, recipe.hyper_width + 2 * recipe.channels)
        context[:, :, : recipe.hyper_width] = self._from_hyper(symbols[0], rate, bands)
        values = np.zeros((rows, columns, recipe.channels), np.int32)
        features = np.zeros(values.shape, np.int16)
        logs = fixed.interpolate(self._octaves, rate)
        coded = self._slices[:slices]
        for part in coded:
            own = slice(part.start, part.stop)
            for means, rest, residual, every in part.run(source, context, part.units(logs, rate), bands):
                index.append(rest)
                symbols.append(residual)
                _put(values[:, :, own], residual * MEAN_STEPS + means, every)
            at = recipe.hyper_width + 2 * part.start
            features[:, :, own] = context[:, :, at : at + part.size]
            ctx.progress(part.stop / recipe.channels)
        rows_of_tables, coded_symbols = (np.concatenate([a.ravel() for a in arrays]) for arrays in (index, symbols))
        return Latent(symbols[0], values, features, rows_of_tables, coded_symbols, len(coded))

    def _hyper_index(self, size: tuple[int, int], rate: int) -> np.ndarray:
        rows = fixed.rounded(fixed.interpolate(self._hyper_rows, rate), fixed.FINE_BITS)
        last = self.tables.offsets.size - 1
        return np.ascontiguousarray(np.broadcast_to(rows.clip(0, last).astype(np.uint16), (*size, len(rows))))

    def _from_hyper(self, symbols: np.ndarray, rate: int, bands: _Bands) -> np.ndarray:
        """Four times as many rows and columns of activations."""
        rows, columns, channels = symbols.shape
        width = self.recipe.hyper_width
        values = latent.plane(rows, columns, channels)
        values[:] = self._decoded_hyper(symbols, rate)
        for layer in (self._enter, self._enlarge):
            wide = np.empty((rows, columns, 4 * width), np.int16)
            bands.layer(layer, values, wide)
            rows, columns = 2 * rows, 2 * columns
            values = latent.plane(rows, columns, width)
            split = wide.reshape(rows // 2, columns // 2, 2, 2, width)
            values[:] = split.transpose(0, 2, 1, 3, 4).reshape(values.shape)
        inner = latent.plane(rows, columns, width)
        bands.layer(self._inner, values, inner)
        bands.layer(self._outer, inner, values, leaky=False, add=values)
        return values

    def _decoded_hyper(self, symbols: np.ndarray, rate: int) -> np.ndarray:
        """(symbol + offset) / gain as activations."""
        offsets = fixed.rounded(fixed.interpolate(self._hyper_offsets, rate), fixed.FINE_BITS - OFFSET_STEPS_BITS)
        mantissas, exponents = fixed.powers_of_two(-fixed.interpolate(self._hyper_octaves, rate))
        bits = OFFSET_STEPS_BITS - exponents - (fixed.ACTIVATION_STEPS.bit_length() - 1)
        exact = ((symbols.astype(np.int64) << OFFSET_STEPS_BITS) + offsets) * mantissas
        return ((exact + (1 << (bits - 1))) >> bits).clip(-ACTIVATION_MAX - 1, ACTIVATION_MAX)


_Pass = tuple[np.ndarray, np.ndarray, np.ndarray, Every]


@dataclass(frozen=True)
class _RateUnits:
    """What a slice's arithmetic needs to know of the rate."""

    factors: np.ndarray
    heads: tuple[latent.Units, latent.Units]
    feature_mantissas: np.ndarray
    feature_shifts: np.ndarray


class _Slice:
    """`SliceContext` in integers: channels start…stop of the latent, predicted in two passes."""

    def __init__(self, tensors: Tensors, number: int, start: int, recipe: ModelRecipe) -> None:
        self.size = recipe.slices[number]
        self.start, self.stop = start, start + self.size
        self._base = recipe.hyper_width
        self._width, self._anchor_width = recipe.widths(number)
        name = f"slices.{number}"
        seen = 2 * start
        hyper_first = np.r_[seen : seen + recipe.hyper_width, :seen]  # the order in which the context lies in memory
        self._join = _convolution(tensors, f"{name}.join", inputs=hyper_first)
        self._anchors = _convolution(tensors, f"{name}.anchors", cross=True)
        self._hidden = [_convolution(tensors, f"{name}.{which}_hidden") for which in ("first", "second")]
        self._heads = [_convolution(tensors, f"{name}.{which}_head") for which in ("first", "second")]
        self._scales = _table(tensors, f"{name}.scale", self._width, (-60, 60))

    def units(self, logs: np.ndarray, rate: int) -> _RateUnits:
        """logs: of all coefficients' spread, 2⁻²⁴ of an octave."""
        own = logs[self.start : self.stop]
        mantissas, exponents = fixed.powers_of_two(own)
        offsets = fixed.ROWS_PER_OCTAVE * own + fixed.ROW_OF_UNIT_SPREAD
        heads = [
            latent.Units(
                shifts=head.shifts,
                mantissas=mantissas.astype(np.int32),
                mean_shifts=(head.shifts[: self.size] + 2 - exponents).astype(np.uint8),
                rows_per_nat=fixed.ROWS_PER_NAT,
                offsets=offsets,
                rows=fixed.SCALE_ROWS,
            )
            for head in self._heads
        ]
        inverse, inverse_exponents = fixed.powers_of_two(-own)
        # |value| / 16 · 2 / spread, in 2⁻²⁸.
        shifts = 3 - fixed.FEATURE_BITS - inverse_exponents
        factors = (1 << FACTOR_BITS) + fixed.rounded(
            fixed.interpolate(self._scales, rate), fixed.FINE_BITS - FACTOR_BITS
        )
        return _RateUnits(
            factors.astype(np.int32), (heads[0], heads[1]), inverse.astype(np.int32), shifts.astype(np.int8)
        )

    def run(self, source: Symbols, context: np.ndarray, units: _RateUnits, bands: _Bands) -> Iterator[_Pass]:
        """Both passes: yields means, rows of tables, residuals and where they belong. Adds features to `context`."""
        rows, columns = context.shape[0], context.shape[1] // 2
        seen = context[:, :, : self._base + 2 * self.start]
        own = context[:, :, seen.shape[2] : seen.shape[2] + 2 * self.size]
        joined = np.empty((rows, columns, self._width + self._anchor_width), np.int16)
        for number, every in enumerate((ANCHORS, OTHERS)):
            known = joined[:, :, : self._width]
            bands.layer(self._join, seen, known, every, factors=units.factors)
            if number:
                bands.layer(self._anchors, own, joined[:, :, self._width :], every)
                known = joined
            hidden = np.empty((rows, columns, self._width), np.int16)
            bands.layer(self._hidden[number], known, hidden)
            sums = np.empty((rows, columns, 2 * self.size), np.int32)
            bands.sums(self._heads[number], hidden, sums)
            means, index = latent.predict(sums, units.heads[number])
            residual = source.residuals(slice(self.start, self.stop), every, means, index)
            decoded = residual * MEAN_STEPS + means
            thresholds = fixed.feature_thresholds()
            latent.features(decoded, units.feature_mantissas, units.feature_shifts, thresholds, out=own, every=every)
            yield means, index, residual, every


class _Picture:
    """Symbols of a picture that is being encoded."""

    def __init__(self, hyper: np.ndarray, steps: np.ndarray) -> None:
        self._hyper, self._steps = hyper.clip(-latent.SYMBOL_MAX, latent.SYMBOL_MAX), steps

    def hyper(self, index: np.ndarray) -> np.ndarray:
        return self._hyper

    def residuals(self, channels: slice, every: Every, means: np.ndarray, index: np.ndarray) -> np.ndarray:
        exact = _take(self._steps[:, :, channels], every) - means.astype(np.float32) / np.float32(MEAN_STEPS)
        return np.rint(exact).clip(-latent.SYMBOL_MAX, latent.SYMBOL_MAX).astype(np.int32)


class _Stream:
    """Symbols of a stream that is being decoded."""

    def __init__(self, data: bytes, tables: Tables) -> None:
        self.reader, self._tables = latent.Reader(data), tables

    def hyper(self, index: np.ndarray) -> np.ndarray:
        return self.reader.read(index, self._tables)

    def residuals(self, channels: slice, every: Every, means: np.ndarray, index: np.ndarray) -> np.ndarray:
        return self.reader.read(index, self._tables)


def _take(values: np.ndarray, every: Every) -> np.ndarray:
    """The positions of rows×columns(×C) that take part, rows×(columns/2)(×C)."""
    out = np.empty((values.shape[0], values.shape[1] // 2, *values.shape[2:]), values.dtype)
    for row in (0, 1):
        out[row::2] = values[row::2, (row + every.phase) % 2 :: 2]
    return out


def _put(values: np.ndarray, part: np.ndarray, every: Every) -> None:
    """The inverse of `_take`."""
    for row in (0, 1):
        values[row::2, (row + every.phase) % 2 :: 2] = part[row::2]


class _Bands:
    """Runs convolutions a band of rows at a time: in several threads, and able to stop."""

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx

    def layer(
        self,
        convolution: Convolution,
        values: np.ndarray,
        out: np.ndarray,
        every: Every = ALL,
        *,
        leaky: bool = True,
        factors: np.ndarray | None = None,
        add: np.ndarray | None = None,
    ) -> None:
        def band(rows: slice) -> None:
            more = None if add is None else add[rows]
            here = every.rows(rows.start)
            convolution.layer(values[rows], out[rows], here, leaky=leaky, factors=factors, add=more)

        self._each(band, out.shape[:2])

    def sums(self, convolution: Convolution, values: np.ndarray, out: np.ndarray) -> None:
        self._each(lambda rows: convolution.sums(values[rows], out[rows]), out.shape[:2])

    def _each(self, work: Callable[[slice], None], size: tuple[int, ...]) -> None:
        rows, columns = size
        threads = max(1, self._ctx.threads)
        step = max(1, min(-(-rows // threads), BAND_POSITIONS // columns))
        bands = [slice(first, min(first + step, rows)) for first in range(0, rows, step)]

        def checked(band: slice) -> None:
            self._ctx.check()
            work(band)

        if min(threads, len(bands)) == 1:
            for band in bands:
                checked(band)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(checked, bands):
                pass


# --- Tensors that are checked as they are taken up -------------------------------------------------------------------


def _get(tensors: Tensors, name: str, kind: type) -> np.ndarray:
    if name not in tensors:
        raise CorruptStream(f"the weights lack the integers '{name}'")
    array = tensors[name]
    if array.dtype != kind:
        raise CorruptStream(f"the integers '{name}' are of type {array.dtype}")
    return np.ascontiguousarray(array)


def _table(tensors: Tensors, name: str, channels: int, limits: tuple[int, int]) -> np.ndarray:
    """A table over the rates, points×C in 2⁻¹⁶, its values within `limits`."""
    table = _get(tensors, name, np.int32)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] != channels:
        raise CorruptStream(f"the table '{name}' is {table.shape}, not of {channels} channels")
    low, high = (limit << fixed.TABLE_BITS for limit in limits)
    if table.min() < low or table.max() > high:
        raise CorruptStream(f"the table '{name}' goes beyond {limits[0]}…{limits[1]}")
    return table


def _convolution(
    tensors: Tensors,
    name: str,
    *,
    inputs: np.ndarray | None = None,
    outputs: np.ndarray | None = None,
    cross: bool = False,
) -> Convolution:
    """The convolution of that name, inputs and outputs put in another order. `CorruptStream` if it could overflow."""
    weights = _get(tensors, f"{name}.weight", np.int8)
    biases, shifts = _get(tensors, f"{name}.bias", np.int32), _get(tensors, f"{name}.shift", np.uint8)
    count = len(weights)
    if weights.ndim != 4 or biases.shape != (count,) or shifts.shape != (count,) or shifts.max() > latent.LARGEST_SHIFT:
        raise CorruptStream(f"the integers of '{name}' do not fit together")
    largest = (ACTIVATION_MAX + 1) * np.abs(weights.astype(np.int64)).sum((1, 2, 3)) + np.abs(biases.astype(np.int64))
    if largest.max() >= 1 << 31:
        raise CorruptStream(f"sums of '{name}' could exceed 32 bits")
    taps = weights.reshape(count, weights.shape[1], -1)
    if cross:
        taps = taps[:, :, [1, 3, 5, 7]]
    if inputs is not None:
        taps = taps[:, inputs]
    if outputs is not None:
        taps, biases, shifts = taps[outputs], biases[outputs], shifts[outputs]
    return Convolution(*(np.ascontiguousarray(array) for array in (taps, biases, shifts)))

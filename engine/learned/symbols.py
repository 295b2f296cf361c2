"""The symbols of a latent, coded and decoded in integers alone: no framework, the same on every machine.

This is `engine.learned.priors` in quantised arithmetic as far as both ends of a stream must agree: what a hyper-latent
says of the coefficients, what coefficients say of those to come, means and scales from both. docs/learned.md has the
formulas, csrc/latent_*.c the kernels; engine/learned/freeze.py makes the tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

import numpy as np

from engine.codec import Ctx
from engine.errors import CorruptStream
from engine.importance import Importance
from engine.learned import fixed, slice_networks
from engine.learned.choice import chosen, under
from engine.learned.fixed import MEAN_STEPS
from engine.learned.integers import Bands, Tensors, convolution, table, tensor
from engine.learned.recipe import ModelRecipe
from engine.learned.region import Region
from engine.learned.slice_networks import Codebook, Densities, Order, Pass, Symbols, Work
from engine.native import crc32c, latent
from engine.native.entropy import Tables
from engine.native.latent import ACTIVATION_MAX, ALL, Every
from engine.native.mixture import Mixed, mixed_costs
from engine.native.raster import Raster, RasterCoded

OFFSET_STEPS_BITS = 8
TABLE_SHIFT = fixed.TABLE_BITS - (fixed.ACTIVATION_STEPS.bit_length() - 1)  # of sums that are a table's values
HYPER = 4  # positions of the latent along each side of one of the hyper-latent
SPREAD_OCTAVES = (-12, 20)  # log₂ of the coefficients' spread in quantisation steps
GAIN_OCTAVES = (-12, 12)  # and of the hyper-latent's gain


@dataclass(frozen=True)
class Latent:
    """What a stream says. hyper: h×w×C i32, whole. values: 4h×4w×M i32, coefficients in 1/16 of a quantisation step.
    features: of these, i16 multiples of 1/64. residuals: symbols in the order of the stream, those of the hyper-latent
    first. index: rows of tables of these, where there are mixtures of the hyper-latent's alone. mixed: of the others.
    order: of the others, channels and positions, part by part. slices: how many were coded; all coefficients of those
    that follow are 0. region: which positions had steps of their own.
    """

    hyper: np.ndarray
    values: np.ndarray
    features: np.ndarray
    index: np.ndarray
    residuals: np.ndarray
    mixed: Mixed | None
    order: tuple[tuple[slice, Order], ...]
    slices: int
    region: Region | None = None

    @property
    def means(self) -> np.ndarray:
        """What was predicted of the coefficients, in 1/16 of a quantisation step; 0 where nothing was coded."""
        residuals = self.in_place(self.residuals)
        return self.values - (residuals * MEAN_STEPS if self.region is None else self.region.values(residuals))

    @property
    def checksum(self) -> int:
        """CRC-32C of the hyper-latent and the coefficients, as little-endian integers in raster order."""
        return crc32c(self.values.astype("<i4").tobytes(), crc32c(self.hyper.astype("<i4").tobytes()))

    @property
    def mark(self) -> int:
        """As much of the checksum as travels in a stream."""
        return self.checksum & ((1 << latent.MARK_BITS) - 1)

    def in_place(self, values: np.ndarray) -> np.ndarray:
        """What belongs to the symbols, in the order of the stream, at the places of the latent's: 4h×4w×M."""
        out = np.zeros(self.values.shape, values.dtype)
        end = self.hyper.size
        for channels, order in self.order:
            own = out[:, :, channels]
            start, end = end, end + own.size // (order.step if isinstance(order, Every) else 1)
            slice_networks.put(own, values[start:end], order)
        return out

    def in_order(self, values: np.ndarray) -> np.ndarray:
        """What is at the places of the latent's, 4h×4w×M, in the order of the stream, without the hyper-latent."""
        parts = [slice_networks.in_order(values[:, :, channels], order) for channels, order in self.order]
        return np.concatenate(parts) if parts else np.zeros(0, values.dtype)


@dataclass(frozen=True)
class Known:
    """The hyper-latent, h×w×C; features of the coefficients, to be filled in, 4h×4w×M; how many slices to code, with
    which steps of positions."""

    hyper: np.ndarray
    features: np.ndarray
    slices: int
    region: Region | None


class SymbolNetwork(ABC):
    """The integer networks of one model. `CorruptStream` if its tensors do not fit or sums could overflow."""

    forecasts: ClassVar[bool] = True  # whether one encode tells what other rates would cost

    def __init__(self, recipe: ModelRecipe, tensors: Tensors) -> None:
        self.recipe = recipe
        self._octaves = table(tensors, "octaves", recipe.channels, SPREAD_OCTAVES)
        self.tables = Tables(
            tensor(tensors, "cdfs", np.uint16),
            tensor(tensors, "cdf_rows", np.uint32),
            tensor(tensors, "cdf_offsets", np.int32),
        )

    @property
    def points(self) -> int:
        """Of the range of rates."""
        return len(self._octaves)

    def encode(
        self,
        hyper: np.ndarray,
        steps: np.ndarray,
        rate: int,
        ctx: Ctx,
        *,
        slices: int | None = None,
        importance: Importance | None = None,
    ) -> tuple[bytes, Latent]:
        """Code a hyper-latent (h×w×C i32) and coefficients in quantisation steps (4h×4w×M f32) at a rate in 1/256; of
        the coefficients so many slices, all by default, finer and coarser by `importance`."""
        region = _region(importance, hyper.shape[:2])
        source = _Picture(hyper, steps, region, self)
        decoded = self._run(source, hyper.shape[:2], rate, ctx, Extent(slices, region))
        writer, first = latent.Writer(decoded.residuals.size, decoded.mark), decoded.index.size
        if decoded.mixed is not None:
            writer.write_mixed(decoded.residuals[first:], decoded.mixed, slice_networks.mixing())
        writer.write(decoded.residuals[:first], decoded.index, self.tables)
        return writer.finish(), decoded

    def decode(
        self,
        data: bytes,
        size: tuple[int, int],
        rate: int,
        ctx: Ctx,
        *,
        slices: int | None = None,
        importance: Importance | None = None,
    ) -> Latent:
        """What :meth:`encode` coded for a hyper-latent of `size` (rows, columns); `CorruptStream`."""
        source = _Stream(data, self.tables)
        decoded = self._run(source, size, rate, ctx, Extent(slices, _region(importance, size)))
        if source.reader.finish() != decoded.mark:
            raise CorruptStream("the decoded symbols are not those that were coded: stream or weights are damaged")
        return decoded

    def costs(self, decoded: Latent) -> tuple[np.ndarray, np.ndarray]:
        """Bits that were spent at each position: of the hyper-latent, h×w f32, and of the latent, 4h×4w f32."""
        bits = self.symbol_costs(decoded.residuals, decoded.index, decoded.mixed)
        hyper = bits[: decoded.hyper.size].reshape(decoded.hyper.shape).sum(2)
        return hyper, decoded.in_place(bits).sum(2)

    def symbol_costs(self, residuals: np.ndarray, index: np.ndarray, mixed: Mixed | None) -> np.ndarray:
        """Bits of symbols, f32: of the first ones under the tables of `index`, of the others under mixtures."""
        bits = latent.costs(residuals[: index.size], index, self.tables)
        if mixed is None:
            return bits
        return np.concatenate([bits, mixed_costs(residuals[index.size :], mixed, slice_networks.mixing())])

    def octaves(self, rate: int) -> np.ndarray:
        """log₂ of each coefficient's spread in quantisation steps, M f64."""
        return fixed.interpolate(self._octaves, rate) / (1 << fixed.FINE_BITS)

    @abstractmethod
    def hyper_costs(self, hyper: np.ndarray, rate: int) -> np.ndarray:
        """Bits of each symbol of a hyper-latent (h×w×C i32) at a rate in 1/256."""

    @abstractmethod
    def hyper_octaves(self, rate: int) -> np.ndarray:
        """log₂ of the gain of each channel of the hyper-latent, C f64."""

    @abstractmethod
    def _hyper(self, source: Symbols, size: tuple[int, int], rate: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of tables and symbols of the hyper-latent, each h×w×C."""

    @abstractmethod
    def _passes(self, source: Symbols, known: Known, rate: int, ctx: Ctx) -> Iterator[Pass]:
        """The parts of the latent one after another; features of its coefficients go where they belong."""

    def _run(self, source: Symbols, size: tuple[int, int], rate: int, ctx: Ctx, extent: Extent) -> Latent:
        rows, columns = (HYPER * side for side in size)
        count = len(self.recipe.slices) if extent.slices is None else extent.slices
        hyper_index, hyper = self._hyper(source, size, rate)
        index, symbols = [hyper_index], [hyper]
        mixed: list[Mixed] = []
        order: list[tuple[slice, Order]] = []
        values = np.zeros((rows, columns, self.recipe.channels), np.int32)
        features = np.zeros(values.shape, np.int16)
        for part in self._passes(source, Known(hyper, features, count, extent.region), rate, ctx):
            if isinstance(part.densities, Mixed):
                mixed.append(part.densities)
            else:
                index.append(part.densities)
            symbols.append(part.residuals)
            order.append((part.symbols, part.order))
            slice_networks.put(values[:, :, part.channels], part.values, part.order)
        rows_of_tables, coded_symbols = (np.concatenate([a.ravel() for a in arrays]) for arrays in (index, symbols))
        densities = Mixed.joined(mixed) if mixed else None
        return Latent(
            hyper, values, features, rows_of_tables, coded_symbols, densities, tuple(order), count, extent.region
        )

    def _everywhere(self, rows_of_tables: np.ndarray, rate: int, size: tuple[int, int]) -> np.ndarray:
        """The rows of a table over the rates (points×C in 2⁻¹⁶), the same at every position, rows×columns×C u16."""
        rows = fixed.rounded(fixed.interpolate(rows_of_tables, rate), fixed.FINE_BITS)
        last = self.tables.offsets.size - 1
        return np.ascontiguousarray(np.broadcast_to(rows.clip(0, last).astype(np.uint16), (*size, len(rows))))


class SymbolsWithoutHyper(SymbolNetwork):
    """There is no hyper-latent: it has no channels."""

    def hyper_costs(self, hyper: np.ndarray, rate: int) -> np.ndarray:
        return np.zeros(0, np.float32)

    def hyper_octaves(self, rate: int) -> np.ndarray:
        return np.zeros(0)

    def _hyper(self, source: Symbols, size: tuple[int, int], rate: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((*size, 0), np.uint16), np.zeros((*size, 0), np.int32)


class StaticSymbols(SymbolsWithoutHyper):
    """`StaticPrior` and `VariationalPrior`: one density for each channel, no hyper-latent."""

    def __init__(self, recipe: ModelRecipe, tensors: Tensors) -> None:
        super().__init__(recipe, tensors)
        self._density = slice_networks.DensityKind(recipe.means, recipe.mixtures)
        outputs = int(recipe.means) + 3 * recipe.mixtures - 2
        self._head = table(tensors, "head", outputs * recipe.channels, (-1 << 10, 1 << 10))

    def _passes(self, source: Symbols, known: Known, rate: int, ctx: Ctx) -> Iterator[Pass]:
        ctx.check()
        rows, columns, count = known.features.shape
        logs = fixed.interpolate(self._octaves, rate)
        sums = fixed.rounded(fixed.interpolate(self._head, rate), fixed.FINE_BITS - fixed.TABLE_BITS).astype(np.int32)
        sums = np.concatenate([np.zeros(self._density.zeros * count, np.int32), sums])
        shifts = np.full(sums.size, TABLE_SHIFT, np.uint8)
        units = slice_networks.head_units(shifts, logs, self._density)
        means, densities = slice_networks.predict(sums[None, None], units, self._density)
        everywhere = slice_networks.repeated(densities, (rows, columns))
        channels = slice(0, count)
        predicted = np.broadcast_to(means, known.features.shape), everywhere
        everywhere, symbols, values = slice_networks.coded(source, channels, ALL, predicted, known.region)
        both = np.empty((*values.shape[:2], 2 * values.shape[2]), np.int16)
        inverse, down = slice_networks.feature_units(logs)
        latent.features(values, inverse, down, fixed.feature_thresholds(), out=both)
        known.features[:] = both[:, :, : values.shape[2]]
        yield Pass(channels, ALL, everywhere, symbols, values)


class HyperSymbols(SymbolNetwork):
    """`HyperPrior`: a hyper-latent, then slices."""

    def __init__(self, recipe: ModelRecipe, tensors: Tensors) -> None:
        super().__init__(recipe, tensors)
        width = recipe.hyper_width
        shuffled = np.arange(4 * width).reshape(width, 4).T.ravel()  # outputs in the order of a pixel shuffle
        self._enter = convolution(tensors, "hyper_synthesis.enter", outputs=shuffled)
        self._enlarge = convolution(tensors, "hyper_synthesis.enlarge", outputs=shuffled)
        self._inner = convolution(tensors, "hyper_synthesis.refine.inner")
        self._outer = convolution(tensors, "hyper_synthesis.refine.outer")
        starts = [0, *accumulate(recipe.slices)]
        kind = slice_networks.KINDS[recipe.context]
        self._slices = [kind(tensors, number, starts[number], recipe) for number in range(len(recipe.slices))]
        self._hyper_octaves = table(tensors, "hyper_octaves", recipe.hyper_channels, GAIN_OCTAVES)
        self._hyper_offsets = table(tensors, "hyper_offsets", recipe.hyper_channels, (-1 << 14, 1 << 14))
        self._hyper_rows = table(tensors, "hyper_rows", recipe.hyper_channels, (-1 << 14, 1 << 14))

    def hyper_costs(self, hyper: np.ndarray, rate: int) -> np.ndarray:
        index = self._everywhere(self._hyper_rows, rate, hyper.shape[:2])
        return latent.costs(hyper.ravel(), index.ravel(), self.tables)

    def hyper_octaves(self, rate: int) -> np.ndarray:
        return fixed.interpolate(self._hyper_octaves, rate) / (1 << fixed.FINE_BITS)

    def _hyper(self, source: Symbols, size: tuple[int, int], rate: int) -> tuple[np.ndarray, np.ndarray]:
        index = self._everywhere(self._hyper_rows, rate, size)
        return index, source.hyper(index)

    def _passes(self, source: Symbols, known: Known, rate: int, ctx: Ctx) -> Iterator[Pass]:
        recipe, bands = self.recipe, Bands(ctx)
        rows, columns, _ = known.features.shape
        context = latent.plane(rows, columns, recipe.hyper_width + 2 * recipe.channels, border=2)
        context[:, :, : recipe.hyper_width] = self._from_hyper(known.hyper, rate, bands)
        logs = fixed.interpolate(self._octaves, rate)
        for part in self._slices[: known.slices]:
            yield from part.run(Work(source, context, context, part.units(logs, rate), bands, known.region))
            at = recipe.hyper_width + 2 * part.start
            known.features[:, :, part.start : part.stop] = context[:, :, at : at + part.size]
            ctx.progress(part.stop / recipe.channels)

    def _from_hyper(self, symbols: np.ndarray, rate: int, bands: Bands) -> np.ndarray:
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


@dataclass(frozen=True)
class Extent:
    """How many slices to code, None for all, and which positions have steps of their own."""

    slices: int | None
    region: Region | None


def _region(importance: Importance | None, size: tuple[int, int]) -> Region | None:
    """For a hyper-latent of so many rows and columns."""
    return None if importance is None else Region.of(importance, (HYPER * size[0], HYPER * size[1]))


class _Picture:
    """Symbols of a picture that is being encoded."""

    def __init__(self, hyper: np.ndarray, steps: np.ndarray, region: Region | None, network: SymbolNetwork) -> None:
        self._hyper, self._steps = hyper.clip(-latent.SYMBOL_MAX, latent.SYMBOL_MAX), steps
        self._tables, self._squared_step_bits = network.tables, network.recipe.squared_step_bits
        self._finer = None if region is None else region.finer

    def hyper(self, index: np.ndarray) -> np.ndarray:
        return self._hyper

    def residuals(self, channels: slice, every: Every, means: np.ndarray, densities: Densities) -> np.ndarray:
        own = slice_networks.take(self._steps[:, :, channels], every)
        exact = own - means.astype(np.float32) / np.float32(MEAN_STEPS)
        if self._finer is not None:
            exact *= slice_networks.take(self._finer, every)
        return chosen(exact, under(densities, self._tables), self._squared_step_bits)

    def raster(self, channels: slice, raster: Raster) -> RasterCoded:
        return raster.encode(np.ascontiguousarray(self._steps[:, :, channels]))

    def vectors(self, channels: slice, books: Sequence[Codebook], index: np.ndarray) -> np.ndarray:
        parts = np.split(self._steps[:, :, channels], len(books), 2)
        found = [book.nearest(part.reshape(-1, part.shape[2])) for book, part in zip(books, parts, strict=True)]
        return np.stack(found, 1).reshape(index.shape)


class _Stream:
    """Symbols of a stream that is being decoded."""

    def __init__(self, data: bytes, tables: Tables) -> None:
        self.reader, self._tables = latent.Reader(data), tables

    def hyper(self, index: np.ndarray) -> np.ndarray:
        return self.reader.read(index, self._tables)

    def residuals(self, channels: slice, every: Every, means: np.ndarray, densities: Densities) -> np.ndarray:
        if isinstance(densities, Mixed):
            return self.reader.read_mixed(densities, slice_networks.mixing())
        return self.reader.read(densities, self._tables)

    def raster(self, channels: slice, raster: Raster) -> RasterCoded:
        return raster.decode(self.reader, self._tables)

    def vectors(self, channels: slice, books: Sequence[Codebook], index: np.ndarray) -> np.ndarray:
        return self.reader.read(index, self._tables)

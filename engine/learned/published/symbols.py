"""The symbols of an imported model: what both ends of a stream agree on. Without torch, in exact arithmetic.

The hyper-synthesis, the context and the network that makes parameters of both run in whole numbers (exact.py). Where
positions are predicted from those before them in raster order, they are coded along a wavefront: a position waits for
the one two columns on in the row above, so positions three columns apart in neighbouring rows are independent, and
matrices are multiplied for all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from itertools import pairwise
from typing import ParamSpec, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from engine.codec import Ctx
from engine.errors import CorruptStream, EngineError
from engine.learned.published.architecture import Shape
from engine.learned.published.exact import LEAK, LIMIT, STEPS, ExactChain, ExactLayer, Stage
from engine.native import crc32c
from engine.native import latent as native
from engine.native.entropy import Tables

P = ParamSpec("P")
R = TypeVar("R")

SCALE_ROWS = 64
_LAG = 3  # columns from a position to the one of the row above that is coded with it
_BEFORE = [(row, column) for row in (0, 1) for column in range(5)] + [(2, 0), (2, 1)]  # of a 5×5 window
_MARK = (1 << native.MARK_BITS) - 1


@dataclass(frozen=True)
class Latent:
    """What a stream holds. hyper: h×w×C i32 symbols, of no positions where there is none. symbols, rows, values:
    H×W×M symbols (i32), the tables they are under (u16) and what they stand for in 2⁻¹⁶ (i64)."""

    hyper: np.ndarray
    symbols: np.ndarray
    rows: np.ndarray
    values: np.ndarray

    @property
    def checksum(self) -> int:
        """CRC-32C of what was decoded: a digest of all that both ends must agree on."""
        return crc32c(self.hyper.astype("<i4").tobytes() + self.values.astype("<i8").tobytes())

    @property
    def mark(self) -> int:
        return self.checksum & _MARK

    def floats(self) -> np.ndarray:
        """H×W×M f32."""
        return (self.values / STEPS).astype(np.float32)


def _on_one_thread(work: Callable[P, R]) -> Callable[P, R]:
    """`work` with matrices multiplied on one thread: they are small, and several threads wait for one another."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _blas().limit(limits=1):
            return work(*args, **kwargs)

    return run


@cache
def _blas() -> ThreadpoolController:
    """The libraries that multiply matrices for numpy."""
    return ThreadpoolController().select(user_api="blas")


class SymbolCoder:
    """Codes latents of a model with these integers; `CorruptStream` if they do not belong to `shape`."""

    def __init__(self, shape: Shape, integers: Mapping[str, np.ndarray]) -> None:
        self.shape = shape
        architecture = shape.architecture
        wanted = {"cdfs": np.uint16, "cdf_rows": np.uint32, "cdf_offsets": np.int32, "medians": np.int32}
        for name, kind in wanted.items():
            if name not in integers or integers[name].dtype != kind or integers[name].ndim != 1:
                raise CorruptStream(f"these weights have no '{name}'")
        self._tables = Tables(*(integers[name] for name in ("cdfs", "cdf_rows", "cdf_offsets")))
        self._medians = integers["medians"].astype(np.int64)
        self.free = shape.width if architecture.hyper else shape.latent  # channels with a density of their own
        if self._medians.size != self.free or (np.abs(self._medians) > LIMIT).any():
            raise CorruptStream("the medians of these weights are of another kind")
        if self._tables.offsets.size != self.free + (SCALE_ROWS if architecture.hyper else 0):
            raise CorruptStream("these weights have another number of coding tables")
        self._synthesis: ExactChain | None = None
        if architecture.hyper:
            self._thresholds = integers.get("scale_steps", np.zeros(0, np.int32))
            if self._thresholds.shape != (SCALE_ROWS - 1,) or (np.diff(self._thresholds) <= 0).any():
                raise CorruptStream("these weights have no scales")
            plain = architecture.name == "bmshj2018-hyperprior"
            self._synthesis = ExactChain(integers, synthesis_stages(shape), 0.0 if plain else LEAK, closed=plain)
        if architecture.context:
            self._context = ExactLayer(integers, "context_prediction", shape.latent, 2 * shape.latent, 5)
            self._parameters = [
                ExactLayer(integers, each.name, each.inputs, each.outputs, 1) for each in parameter_stages(shape)
            ]

    @_on_one_thread
    def encode(self, latent: np.ndarray, hyper: np.ndarray, ctx: Ctx) -> tuple[bytes, Latent]:
        """Code H×W×M and h×w×C f32, unrounded. `EngineError` where they are no numbers."""
        if not (np.isfinite(latent).all() and np.isfinite(hyper).all()):
            raise EngineError("the networks of this checkpoint make no numbers of the picture")
        source = _Given(latent.astype(np.float64) * STEPS)
        symbols = _rounded(hyper.astype(np.float64) * STEPS - self._medians) if hyper.size else _none(self.free)
        coded = self._walk(source, symbols, latent.shape[:2], ctx)
        parts = [(symbols.ravel(), self._channels(symbols.shape[:2]).ravel()), *source.parts]
        values, index = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
        return native.encode(values.astype(np.int32), index.astype(np.uint16), self._tables, coded.mark), coded

    @_on_one_thread
    def decode(self, data: bytes, size: tuple[int, int], ctx: Ctx) -> Latent:
        """The latent of `size` positions; `CorruptStream` for what was not coded with these integers."""
        reader = native.Reader(data)
        if self._synthesis is not None:
            hyper = reader.read(self._channels((-(-size[0] // 4), -(-size[1] // 4))), self._tables)
        else:
            hyper = _none(self.free)
        found = self._walk(_Read(reader, self._tables), hyper, size, ctx)
        if reader.finish() != found.mark:
            raise CorruptStream("the symbols do not match their checksum")
        return found

    def costs(self, latent: Latent) -> tuple[np.ndarray, np.ndarray]:
        """Bits that each position takes: of the hyper-latent, h×w, and of the latent, H×W, f32."""
        hyper = native.costs(latent.hyper, self._channels(latent.hyper.shape[:2]), self._tables)
        return hyper.sum(2), native.costs(latent.symbols, latent.rows, self._tables).sum(2)

    def parameters(self, hyper: np.ndarray, ctx: Ctx) -> np.ndarray:
        """H×W×… activations that the hyper-latent's symbols give for each position of the latent."""
        if self._synthesis is None:
            raise ValueError("there is no hyper-latent")
        return self._synthesis((hyper * float(STEPS) + self._medians).clip(-LIMIT, LIMIT), ctx.check)

    def _walk(self, source: _Given | _Read, hyper: np.ndarray, size: tuple[int, int], ctx: Ctx) -> Latent:
        """Both directions: symbols come from `source`, which is told what is known of them."""
        ctx.check()
        if self._synthesis is None:
            rows = self._channels(size)
            means = np.broadcast_to(self._medians, rows.shape)
            places = np.indices(size).reshape(2, -1)
            symbols = source.take(places, rows.reshape(-1, self.free), means.reshape(-1, self.free))
            return _latent(hyper, symbols.reshape(rows.shape), rows, means)
        parameters = self.parameters(hyper, ctx)
        if self.shape.architecture.context:
            return self._follow(source, hyper, parameters, ctx)
        rows, means = self._split(parameters)
        places = np.indices(size).reshape(2, -1)
        flat = rows.reshape(-1, self.shape.latent), means.reshape(-1, self.shape.latent)
        symbols = source.take(places, *flat)
        return _latent(hyper, symbols.reshape(rows.shape), rows, means)

    def _follow(self, source: _Given | _Read, hyper: np.ndarray, parameters: np.ndarray, ctx: Ctx) -> Latent:
        """Along the wavefront, position after position of what they were predicted from."""
        height, width, _ = parameters.shape
        channels = self.shape.latent
        first, *others = self._parameters
        half = parameters.shape[2]
        known = parameters @ first.taps[0, 0, :half]
        context_taps = np.concatenate([self._context.taps[tap] for tap in _BEFORE])
        seen = np.zeros((height + 2, width + 4, channels))  # in steps, zeros around
        shape = height, width, channels
        symbols, rows, means = np.zeros(shape, np.int32), np.zeros(shape, np.uint16), np.zeros(shape, np.int64)
        done = 0
        for places in _wavefront(height, width):
            ctx.check()
            down, right = places
            around = np.concatenate([seen[down + row, right + column] for row, column in _BEFORE], 1)
            context = self._context.activations(around @ context_taps)
            values = first.activations(known[down, right] + context @ first.taps[0, 0, half:], LEAK)
            for layer in others:
                values = layer.activations(values @ layer.taps[0, 0], 1.0 if layer is others[-1] else LEAK)
            rows[down, right], means[down, right] = self._split(values)
            symbols[down, right] = source.take(places, rows[down, right], means[down, right])
            value = symbols[down, right].astype(np.int64) * STEPS + means[down, right]
            seen[down + 2, right + 2] = value.clip(-LIMIT, LIMIT)
            done += down.size
            ctx.progress(done / (height * width))
        return _latent(hyper, symbols, rows, means)

    def _split(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of tables (u16) and means (i64, in steps) from …×2M activations, or …×M that are scales alone."""
        scales = parameters[..., : self.shape.latent]
        rows = np.searchsorted(self._thresholds, scales).astype(np.uint16) + np.uint16(self.free)
        if parameters.shape[-1] == self.shape.latent:
            return rows, np.zeros(scales.shape, np.int64)
        return rows, parameters[..., self.shape.latent :].astype(np.int64)

    def _channels(self, size: tuple[int, int]) -> np.ndarray:
        """Tables of channels that have a density of their own, for each position."""
        return np.broadcast_to(np.arange(self.free, dtype=np.uint16), (*size, self.free)).copy()


class _Given:
    """Symbols of a latent in steps, H×W×M f64, as an encoder rounds them. parts: values and rows in coding order."""

    def __init__(self, latent: np.ndarray) -> None:
        self._latent = latent
        self.parts: list[tuple[np.ndarray, np.ndarray]] = []

    def take(self, places: np.ndarray, rows: np.ndarray, means: np.ndarray) -> np.ndarray:
        symbols = _rounded(self._latent[places[0], places[1]] - means)
        self.parts.append((symbols.ravel(), rows.ravel()))
        return symbols


class _Read:
    """Symbols of a stream."""

    def __init__(self, reader: native.Reader, tables: Tables) -> None:
        self._reader, self._tables = reader, tables

    def take(self, places: np.ndarray, rows: np.ndarray, means: np.ndarray) -> np.ndarray:
        return self._reader.read(np.ascontiguousarray(rows), self._tables)


def _rounded(steps: np.ndarray) -> np.ndarray:
    """The nearest symbols that can be coded."""
    return np.rint(steps / STEPS).clip(-native.SYMBOL_MAX, native.SYMBOL_MAX).astype(np.int32)


def _latent(hyper: np.ndarray, symbols: np.ndarray, rows: np.ndarray, means: np.ndarray) -> Latent:
    return Latent(hyper, symbols, rows, symbols.astype(np.int64) * STEPS + means)


def _none(channels: int) -> np.ndarray:
    return np.zeros((0, 0, channels), np.int32)


def _wavefront(height: int, width: int) -> Iterator[np.ndarray]:
    """Rows and columns (2×n) of positions that are coded at once, from above."""
    for step in range(width + _LAG * (height - 1)):
        down = np.arange(max(0, -(-(step - width + 1) // _LAG)), min(height - 1, step // _LAG) + 1)
        if down.size:
            yield np.stack([down, step - _LAG * down])


def synthesis_stages(shape: Shape) -> tuple[Stage, ...]:
    """The hyper-synthesis."""
    width, latent = shape.width, shape.latent
    if shape.architecture.residual:
        middle = width * 3 // 2
        return (
            Stage("h_s.0", width, width),
            Stage("h_s.2.0", width, width, shuffled=True),
            Stage("h_s.4", width, middle),
            Stage("h_s.6.0", middle, middle, shuffled=True),
            Stage("h_s.8", middle, 2 * width),
        )
    if shape.architecture.name == "bmshj2018-hyperprior":
        sizes = (width, width, width, latent)
    else:
        sizes = (width, latent, latent * 3 // 2, 2 * latent)
    return (
        Stage("h_s.0", sizes[0], sizes[1], 5, doubling=True),
        Stage("h_s.2", sizes[1], sizes[2], 5, doubling=True),
        Stage("h_s.4", sizes[2], sizes[3]),
    )


def parameter_stages(shape: Shape) -> tuple[Stage, ...]:
    """The network that makes scales and means of what the hyper-latent and the context say."""
    latent = shape.latent
    sizes = (4 * latent, latent * 10 // 3, latent * 8 // 3, 2 * latent)
    return tuple(
        Stage(f"entropy_parameters.{2 * number}", before, after, 1)
        for number, (before, after) in enumerate(pairwise(sizes))
    )

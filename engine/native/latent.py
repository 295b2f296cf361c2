"""The integer networks of learned codecs and the coder of their latents (csrc/latent_*.c).

Activations are int16 arrays rows×columns×channels, channels innermost; they may be parts of larger arrays. What a
convolution's 3×3 kernel reaches beyond them must be there: :class:`Plane` has a border of zeros around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.native._base import as_bytes, check, const, ffi, lib, mutable
from engine.native.entropy import Tables

CAUSAL = 12  # taps that come before the middle of 5×5
CROSS = 4  # taps of a kernel that looks above, left, right, below, in this order
ACTIVATION_MAX = 2047
MARK_BITS = 31
_SLOPE = 3  # positions of equal x + 3y are coded side by side
_FRONTS = 16  # between two looks at whether to stop
_LENGTH_BITS = 4  # of an escaped value's length (csrc/latent_coder.c)
SYMBOL_MAX = int(lib.RS_LATENT_MAX)
FEATURE_MAX = int(lib.RS_LATENT_FEATURE_MAX)
LARGEST_SHIFT = int(lib.RS_LATENT_SHIFT)
LARGEST_FACTOR = int(lib.RS_LATENT_FACTOR)


def plane(rows: int, columns: int, channels: int, border: int = 1) -> np.ndarray:
    """Zeros, rows×columns×channels i16, inside an array that goes on with zeros for so many positions on every side."""
    whole = np.zeros((rows + 2 * border, columns + 2 * border, channels), np.int16)
    return whole[border:-border, border:-border]


@dataclass(frozen=True)
class Every:
    """Which positions take part: all (step 1), or those whose row + column leaves `phase` modulo 2 (step 2)."""

    step: int = 1
    phase: int = 0

    def columns(self, columns: int) -> int:
        """How many of a row; rows are of even length where only half take part."""
        if columns % self.step:
            raise ValueError("need an even number of columns")
        return columns // self.step

    def rows(self, first: int) -> Every:
        """The same for an array that begins at row `first` of this one."""
        return Every(self.step, (self.phase + first) % 2 if self.step == 2 else 0)


ALL = Every()


class Convolution:
    """Weights (outputs×inputs×taps i8, taps 1, 4, 9, or the first 12 of 5×5), biases (i32) and shifts (u8): an output's
    weights count in 2^-shift, its biases in 2^-(shift+6). Sums must fit in 32 bits for all activations."""

    def __init__(self, weights: np.ndarray, biases: np.ndarray, shifts: np.ndarray) -> None:
        self.outputs, self.inputs, self.taps = weights.shape
        if biases.shape != (self.outputs,) or shifts.shape != (self.outputs,):
            raise ValueError("need a bias and a shift for every output")
        shape = self.outputs, self.inputs, self.taps
        self._packed = np.empty(check(lib.rs_latent_packed(*shape), "packing weights"), np.int16)
        check(lib.rs_latent_pack(const("int8_t", weights), *shape, mutable("int16_t", self._packed)), "packing weights")
        self.biases, self.shifts = biases, shifts
        self._ones = np.full(self.outputs, 256, np.int32)

    def sums(self, values: np.ndarray, out: np.ndarray, every: Every = ALL) -> None:
        """Write sums and biases for the positions chosen to `out`, rows×columns×outputs i32."""
        window, rows, columns = self._window(values, every)
        if out.shape != (rows, columns, self.outputs):
            raise ValueError(f"the sums are {(rows, columns, self.outputs)}, not {out.shape}")
        code = lib.rs_latent_sums(
            window,
            _pointer(values),
            const("int16_t", self._packed),
            const("int32_t", self.biases),
            self.outputs,
            mutable("int32_t", out),
        )
        check(code, "integer convolution")

    def layer(
        self,
        values: np.ndarray,
        out: np.ndarray,
        every: Every = ALL,
        *,
        leaky: bool = True,
        factors: np.ndarray | None = None,
        add: np.ndarray | None = None,
    ) -> None:
        """Write activations for the positions chosen to `out`, rows×columns×outputs.

        leaky: an eighth of what is negative. factors: scales of the outputs in 1/256 (i32). add: activations that are
        added at the end, laid out like `out`.
        """
        window, rows, columns = self._window(values, every)
        if out.shape != (rows, columns, self.outputs) or not out.flags.writeable:
            raise ValueError(f"the result is {(rows, columns, self.outputs)}, not {out.shape}")
        if add is not None and (add.shape != out.shape or add.strides != out.strides):
            raise ValueError("what is added must be laid out like the result")
        row, pixel = _strides(out)
        code = lib.rs_latent_layer(
            window,
            _pointer(values),
            const("int16_t", self._packed),
            const("int32_t", self.biases),
            const("uint8_t", self.shifts),
            const("int32_t", self._ones if factors is None else factors),
            leaky,
            self.outputs,
            ffi.NULL if add is None else _pointer(add),
            row,
            pixel,
            _pointer(out),
        )
        check(code, "integer convolution")

    def weights(self) -> tuple[Any, ...]:
        """As C has them; they point into this."""
        packed, biases = const("int16_t", self._packed), const("int32_t", self.biases)
        return packed, biases, const("uint8_t", self.shifts), self.outputs, self.inputs, self.taps

    def _window(self, values: np.ndarray, every: Every) -> tuple[Any, int, int]:
        rows, columns, inputs = values.shape
        if inputs != self.inputs:
            raise ValueError(f"the convolution takes {self.inputs} channels, not {inputs}")
        row, pixel = _strides(values)
        if self.taps > 1:
            _require_border(values, 2 if self.taps == CAUSAL else 1)
        columns = every.columns(columns)
        window = (row, pixel, inputs, self.taps, every.step, every.phase, rows, columns)
        return ffi.new("rs_latent_window *", window), rows, columns


def features(
    values: np.ndarray,
    mantissas: np.ndarray,
    shifts: np.ndarray,
    thresholds: np.ndarray,
    *,
    out: np.ndarray,
    every: Every = ALL,
) -> None:
    """Features of coefficients (rows×columns×C i32) at the positions chosen, and their magnitudes, into `out` (…×2C):
    how many `thresholds` (i64, rising) are not above |value| · mantissa / 2^shift; mantissas i32, shifts i8."""
    rows, columns, channels = values.shape
    if out.shape[0] != rows or every.columns(out.shape[1]) != columns or out.shape[2] != 2 * channels:
        raise ValueError(f"features of {values.shape} do not fit {out.shape}")
    if mantissas.shape != (channels,) or shifts.shape != (channels,) or not out.flags.writeable:
        raise ValueError("need a mantissa and a shift for every channel")
    code = lib.rs_latent_features(
        const("int32_t", values),
        rows,
        columns,
        channels,
        every.step,
        every.phase,
        const("int32_t", mantissas),
        const("int8_t", shifts),
        const("int64_t", thresholds),
        thresholds.size,
        *_strides(out),
        _pointer(out),
    )
    check(code, "features")


@dataclass(frozen=True)
class Units:
    """How a head's sums become means and rows of tables: shifts (2C u8) of its convolution, mantissas (C i32) and
    mean_shifts (C u8) of the spread, rows_per_nat and offsets (C i64) in 2⁻²⁴, rows: how many there are."""

    shifts: np.ndarray
    mantissas: np.ndarray
    mean_shifts: np.ndarray
    rows_per_nat: int
    offsets: np.ndarray
    rows: int


def predict(sums: np.ndarray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Means in 1/16 of a step (i32) and rows of tables (u16), each …×C, from a head's sums, …×2C i32."""
    channels = sums.shape[-1] // 2
    sizes = {units.mantissas.size, units.mean_shifts.size, units.offsets.size, units.shifts.size // 2}
    if sizes != {channels}:
        raise ValueError("units of another number of channels")
    means = np.empty((*sums.shape[:-1], channels), np.int32)
    index = np.empty(means.shape, np.uint16)
    code = lib.rs_latent_predict(
        const("int32_t", sums),
        means.size // channels,
        channels,
        const("uint8_t", units.shifts),
        const("int32_t", units.mantissas),
        const("uint8_t", units.mean_shifts),
        units.rows_per_nat,
        const("int64_t", units.offsets),
        units.rows,
        mutable("int32_t", means),
        mutable("uint16_t", index),
    )
    check(code, "prediction")
    return means, index


def encode(values: np.ndarray, index: np.ndarray, tables: Tables, mark: int = 0) -> bytes:
    """i32 `values` within ±SYMBOL_MAX, each under the row of `tables` that u16 `index` names.

    mark: a number of MARK_BITS that :meth:`Reader.finish` gives back; it takes no room.
    """
    if values.shape != index.shape:
        raise UsageError(f"{values.shape} values do not go with {index.shape} table indices")
    out = np.empty(check(lib.rs_latent_bound(values.size), "latent coding"), np.uint8)
    sources = const("int32_t", values), const("uint16_t", index), values.size
    size = lib.rs_latent_encode(*sources, *tables.pointers(), mark, mutable("uint8_t", out), out.size)
    return out[: check(size, "latent coding")].tobytes()


def costs(values: np.ndarray, index: np.ndarray, tables: Tables) -> np.ndarray:
    """Bits that :func:`encode` spends on each symbol, f32: -log₂ of its probability; for an escape the value's too."""
    bits, escapes = tables.costs(values, index)
    escaped = values[escapes].astype(np.int64)
    lengths = np.frexp(np.where(escaped < 0, -2 * escaped, 2 * escaped + 1))[1] - 1
    bits[escapes] += _LENGTH_BITS + lengths
    return bits


def state_bytes(data: bytes, mark: int) -> int:
    """Bytes that the coder's state takes beyond the symbols in it: 64 bits, of which it starts from 2³¹ + mark."""
    start, end = (1 << 31) + mark, int.from_bytes(data[:8], "little")
    return round((64 + log2(start) - log2(end)) / 8)


class Reader:
    """Reads what :func:`encode` wrote, in portions; every call may raise `CorruptStream`."""

    def __init__(self, data: bytes) -> None:
        self._data = as_bytes(data)
        self._state = np.zeros(2, np.uint64)
        code = lib.rs_latent_read_start(const("uint8_t", self._data), self._data.size, mutable("uint64_t", self._state))
        check(code, "latent stream")

    def read(self, index: np.ndarray, tables: Tables) -> np.ndarray:
        """The next symbols (i32), as many as rows of tables in `index`, in its shape."""
        values = np.empty(index.shape, np.int32)
        source = const("uint8_t", self._data), self._data.size, const("uint16_t", index), index.size
        state = mutable("uint64_t", self._state)
        check(lib.rs_latent_read(*source, *tables.pointers(), state, mutable("int32_t", values)), "latent stream")
        return values

    def source(self, tables: Tables) -> tuple[Any, ...]:
        """What C reads from: the data, the tables, and the state, which moves on."""
        data = const("uint8_t", self._data), self._data.size
        return (*data, *tables.pointers(), mutable("uint64_t", self._state))

    def finish(self) -> int:
        """Check that everything was read; the encoder's mark."""
        return check(lib.rs_latent_read_end(self._data.size, const("uint64_t", self._state)), "latent stream")


@dataclass(frozen=True)
class RasterOrder:
    """Positions front by front, as csrc/latent_raster.c goes: N rows and N columns, and where each front ends."""

    rows: np.ndarray
    columns: np.ndarray
    ends: np.ndarray

    @staticmethod
    def of(rows: int, columns: int) -> RasterOrder:
        y, x = np.indices((rows, columns)).reshape(2, -1)
        fronts = x + _SLOPE * y
        order = np.lexsort((y, fronts))
        return RasterOrder(y[order], x[order], np.searchsorted(fronts[order], np.arange(fronts.max() + 1), "right"))


@dataclass(frozen=True)
class RasterCoded:
    """In the order of the stream, N×C: coefficients in 1/16 (i32), rows of tables (u16), symbols (i32)."""

    order: RasterOrder
    values: np.ndarray
    index: np.ndarray
    residuals: np.ndarray


class Raster:
    """A slice that is coded position by position, each knowing twelve before it (csrc/latent_raster.c).

    layers: the convolution over these, 2C inputs; a hidden one and the head, of what it gives and what is known beside
    it. units: of the head; mantissas, shifts and thresholds as for :func:`features`. joined: rows×columns×inputs of
    the hidden one, of which all but the outputs of the first are there. own: features of the slice, a part of a plane
    with a border of two. stop: called in between; may raise.
    """

    def __init__(
        self,
        layers: tuple[Convolution, Convolution, Convolution],
        units: tuple[Units, tuple[np.ndarray, np.ndarray, np.ndarray]],
        joined: np.ndarray,
        own: np.ndarray,
        stop: Callable[[], None],
    ) -> None:
        predicted, features = units
        rows, columns, both = own.shape
        if joined.shape != (rows, columns, layers[1].inputs) or not joined.flags.c_contiguous or both % 2:
            raise ValueError(f"what is joined, {joined.shape}, does not go with {own.shape} features")
        _require_border(own, 2)
        self._channels = both // 2
        if predicted.mantissas.size != self._channels or features[0].size != self._channels:
            raise ValueError("units of another number of channels")
        self._stop, self._order = stop, RasterOrder.of(rows, columns)
        self._keep = (layers, units, joined, own)
        self._raster = ffi.new("rs_latent_raster *")
        self._raster[0] = (
            *(rows, columns, self._channels),
            *(layer.weights() for layer in layers),
            *(_pointer(joined), _pointer(own), *_strides(own)),
            const("int32_t", predicted.mantissas),
            const("uint8_t", predicted.mean_shifts),
            const("int64_t", predicted.offsets),
            *(predicted.rows_per_nat, predicted.rows),
            const("int32_t", features[0]),
            const("int8_t", features[1]),
            *(const("int64_t", features[2]), features[2].size),
        )

    def encode(self, steps: np.ndarray) -> RasterCoded:
        """Of rows×columns×C f32 coefficients in quantisation steps."""
        return self._run(lambda *rest: lib.rs_latent_raster_encode(self._raster, const("float", steps), *rest))

    def decode(self, reader: Reader, tables: Tables) -> RasterCoded:
        """The next symbols of a stream; `CorruptStream`."""
        return self._run(lambda *rest: lib.rs_latent_raster_decode(self._raster, *reader.source(tables), *rest))

    def _run(self, call: Callable[..., int]) -> RasterCoded:
        count, channels = self._order.rows.size, self._channels
        values, residuals = (np.empty((count, channels), np.int32) for _ in range(2))
        index = np.empty((count, channels), np.uint16)
        done = 0
        for first in range(0, self._order.ends.size, _FRONTS):
            self._stop()
            last = min(first + _FRONTS, self._order.ends.size)
            to = [mutable("int32_t", values[done:]), mutable("uint16_t", index[done:])]
            done += check(call(first, last, *to, mutable("int32_t", residuals[done:])), "latent stream")
        return RasterCoded(self._order, values, index, residuals)


def _strides(values: np.ndarray) -> tuple[int, int]:
    """Values (not bytes) from row to row and from position to position, channels being side by side."""
    row, pixel, channel = (stride // 2 for stride in values.strides)
    if values.dtype != np.int16 or channel != 1 or min(row, pixel) < 1:
        raise TypeError("need int16 activations, channels innermost")
    return row, pixel


def _pointer(values: np.ndarray) -> Any:
    return ffi.cast("int16_t *", values.ctypes.data)


def _require_border(values: np.ndarray, border: int) -> None:
    """`ValueError` unless the array that `values` is part of goes on for so many positions on every side."""
    row, pixel = _strides(values)
    whole = values
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    first = values.ctypes.data // 2 - border * (row + pixel)
    rows, columns = (side - 1 + border for side in values.shape[:2])
    last = values.ctypes.data // 2 + rows * row + columns * pixel + values.shape[2] - 1
    start = whole.ctypes.data // 2
    if first < start or last >= start + whole.size:
        raise ValueError("there is no border around these activations")

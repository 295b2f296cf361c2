"""The integer networks of learned codecs and the coder of their latents (csrc/latent_*.c).

Activations are int16 arrays rows×columns×channels, channels innermost; they may be parts of larger arrays. What a
convolution's 3×3 kernel reaches beyond them must be there: :class:`Plane` has a border of zeros around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.native._base import as_bytes, check, const, ffi, lib, mutable
from engine.native.entropy import Tables
from engine.native.mixture import Mixed, Mixing

CAUSAL = 12  # taps that come before the middle of 5×5
CROSS = 4  # taps of a kernel that looks above, left, right, below, in this order
ACTIVATION_MAX = 2047
MARK_BITS = 31
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
            pointer(values),
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
        row, pixel = strides(out)
        code = lib.rs_latent_layer(
            window,
            pointer(values),
            const("int16_t", self._packed),
            const("int32_t", self.biases),
            const("uint8_t", self.shifts),
            const("int32_t", self._ones if factors is None else factors),
            leaky,
            self.outputs,
            ffi.NULL if add is None else pointer(add),
            row,
            pixel,
            pointer(out),
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
        row, pixel = strides(values)
        if self.taps > 1:
            require_border(values, 2 if self.taps == CAUSAL else 1)
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
        *strides(out),
        pointer(out),
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


class Writer:
    """Writes symbols in portions, the last ones first; room for `count` of them.

    mark: a number of MARK_BITS that :meth:`Reader.finish` gives back; it takes no room.
    """

    def __init__(self, count: int, mark: int = 0) -> None:
        bound = check(lib.rs_latent_bound(count), "latent coding")
        self._out = np.empty(bound, np.uint8)
        self._state = np.zeros(2, np.uint64)
        check(lib.rs_latent_write_start(self._out.size, mark, mutable("uint64_t", self._state)), "latent coding")

    def write(self, values: np.ndarray, index: np.ndarray, tables: Tables) -> None:
        """i32 `values` within ±SYMBOL_MAX, each under the row of `tables` that u16 `index` names."""
        if values.shape != index.shape:
            raise UsageError(f"{values.shape} values do not go with {index.shape} table indices")
        sources = const("int32_t", values), const("uint16_t", index), values.size
        check(lib.rs_latent_write(*sources, *tables.pointers(), *self._destination()), "latent coding")

    def write_mixed(self, values: np.ndarray, mixed: Mixed, mixing: Mixing) -> None:
        """The same under mixtures of densities, one for each value."""
        mixed.require(values.shape)
        what = const("int32_t", values), values.size, mixing.of(mixed)
        check(lib.rs_latent_write_mixed(*what, *self._destination()), "latent coding")

    def finish(self) -> bytes:
        """The stream."""
        size = check(lib.rs_latent_write_end(*self._destination()), "latent coding")
        return self._out[:size].tobytes()

    def _destination(self) -> tuple[Any, int, Any]:
        return mutable("uint8_t", self._out), self._out.size, mutable("uint64_t", self._state)


def encode(values: np.ndarray, index: np.ndarray, tables: Tables, mark: int = 0) -> bytes:
    """A stream of one portion; see :class:`Writer`."""
    writer = Writer(values.size, mark)
    writer.write(values, index, tables)
    return writer.finish()


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

    def read_mixed(self, mixed: Mixed, mixing: Mixing) -> np.ndarray:
        """The next symbols (i32), one for each mixture, in their shape."""
        values = np.empty(mixed.shape, np.int32)
        source = const("uint8_t", self._data), self._data.size, values.size, mixing.of(mixed)
        state = mutable("uint64_t", self._state)
        check(lib.rs_latent_read_mixed(*source, state, mutable("int32_t", values)), "latent stream")
        return values

    def source(self, tables: Tables) -> tuple[Any, ...]:
        """What C reads from: the data, the tables, and the state, which moves on."""
        data = const("uint8_t", self._data), self._data.size
        return (*data, *tables.pointers(), mutable("uint64_t", self._state))

    def finish(self) -> int:
        """Check that everything was read; the encoder's mark."""
        return check(lib.rs_latent_read_end(self._data.size, const("uint64_t", self._state)), "latent stream")


def strides(values: np.ndarray) -> tuple[int, int]:
    """Values (not bytes) from row to row and from position to position, channels being side by side."""
    row, pixel, channel = (stride // 2 for stride in values.strides)
    if values.dtype != np.int16 or channel != 1 or min(row, pixel) < 1:
        raise TypeError("need int16 activations, channels innermost")
    return row, pixel


def pointer(values: np.ndarray) -> Any:
    """To activations that may be part of a larger array."""
    return ffi.cast("int16_t *", values.ctypes.data)


def require_border(values: np.ndarray, border: int) -> None:
    """`ValueError` unless the array that `values` is part of goes on for so many positions on every side."""
    row, pixel = strides(values)
    whole = values
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    first = values.ctypes.data // 2 - border * (row + pixel)
    rows, columns = (side - 1 + border for side in values.shape[:2])
    last = values.ctypes.data // 2 + rows * row + columns * pixel + values.shape[2] - 1
    start = whole.ctypes.data // 2
    if first < start or last >= start + whole.size:
        raise ValueError("there is no border around these activations")

"""Slices of a latent that are coded position by position (csrc/latent_raster.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.native._base import check, const, ffi, lib, mutable
from engine.native.entropy import Tables
from engine.native.latent import Convolution, Reader, Units, pointer, require_border, strides

_SLOPE = 3  # positions of equal x + 3y are coded side by side
_FRONTS = 16  # between two looks at whether to stop


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
    with a border of two. stop: called in between; may raise. finer: of each position (rows×columns i32), the step that
    symbols count in, in 2⁻⁸ of 1/16, and by how many rows of tables densities are wider; None: 1 and 0.
    """

    def __init__(
        self,
        layers: tuple[Convolution, Convolution, Convolution],
        units: tuple[Units, tuple[np.ndarray, np.ndarray, np.ndarray]],
        joined: np.ndarray,
        own: np.ndarray,
        stop: Callable[[], None],
        *,
        finer: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        predicted, features = units
        rows, columns, both = own.shape
        if joined.shape != (rows, columns, layers[1].inputs) or not joined.flags.c_contiguous or both % 2:
            raise ValueError(f"what is joined, {joined.shape}, does not go with {own.shape} features")
        require_border(own, 2)
        self._channels = both // 2
        if predicted.mantissas.size != self._channels or features[0].size != self._channels:
            raise ValueError("units of another number of channels")
        self._stop, self._order = stop, RasterOrder.of(rows, columns)
        if finer is not None and any(each.shape != (rows, columns) for each in finer):
            raise ValueError("need a step and a row for every position")
        self._keep = (layers, units, joined, own, finer)
        self._raster = ffi.new("rs_latent_raster *")
        self._raster[0] = (
            *(rows, columns, self._channels),
            *(layer.weights() for layer in layers),
            *(pointer(joined), pointer(own), *strides(own)),
            const("int32_t", predicted.mantissas),
            const("uint8_t", predicted.mean_shifts),
            const("int64_t", predicted.offsets),
            *(predicted.rows_per_nat, predicted.rows),
            const("int32_t", features[0]),
            const("int8_t", features[1]),
            *(const("int64_t", features[2]), features[2].size),
            *((ffi.NULL, ffi.NULL) if finer is None else (const("int32_t", each) for each in finer)),
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

"""JPEG levels and tables under adaptive contexts and rANS (csrc/dctr_blocks.c)."""

from __future__ import annotations

from functools import cache
from math import log2
from typing import Any

import numpy as np

from engine.native._base import as_bytes, check, const, ffi, lib, mutable
from engine.native.jpeg import Layout


def encode(levels: np.ndarray, where: Layout, tables: np.ndarray) -> bytes:
    """(blocks, 64) i16 levels and (1 or 2, 64) u8 steps, luma then chroma, as one stream."""
    if levels.shape != (where.blocks, 64) or tables.shape != (min(where.components, 2), 64):
        raise ValueError("levels or tables do not fit the layout")
    out = np.empty(check(lib.rs_dctr_bound(where.blocks), "dct-rans coding"), np.uint8)
    state = _state(where)
    sources = const("int16_t", levels), *_frame(where), const("uint8_t", tables)
    size = lib.rs_dctr_encode(*sources, _pointer(state), state.nbytes, mutable("uint8_t", out), out.size)
    return out[: check(size, "dct-rans coding")].tobytes()


def decode(data: bytes, where: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Levels, 0 in blocks that hold no sample, and tables; `CorruptStream` if `data` is not of this layout."""
    levels = np.empty((where.blocks, 64), np.int16)
    tables = np.empty((min(where.components, 2), 64), np.uint8)
    stream, state = as_bytes(data), _state(where)
    sources = const("uint8_t", stream), stream.size, *_frame(where)
    targets = mutable("int16_t", levels), mutable("uint8_t", tables)
    check(lib.rs_dctr_decode(*sources, _pointer(state), state.nbytes, *targets), "dct-rans stream")
    return levels, tables


def costs(levels: np.ndarray, where: Layout, tables: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Bits that each block of :func:`decode` was coded with, rows×columns f32 a component; and those of the tables."""
    out, state = np.empty(where.blocks, np.float32), _state(where)
    sources = const("int16_t", levels), *_frame(where), const("uint8_t", tables)
    bits = const("float", _decision_bits())
    tables_bits = lib.rs_dctr_costs(*sources, _pointer(state), state.nbytes, bits, mutable("float", out))
    check(tables_bits, "dct-rans costs")
    grids = zip(where.parts(out), where.grids, strict=True)
    return [part.reshape(down, across) for part, (across, down) in grids], tables_bits


def state_bytes(data: bytes) -> int:
    """Bytes that the coder's first state takes beyond the symbols in it: 48 bits, from 2³² on (csrc/rans_binary.h).

    Long streams have more states, one for 2¹⁸ decisions: too few to count.
    """
    return round((48 + 32 - log2(int.from_bytes(data[:6], "little"))) / 8)


@cache
def _decision_bits() -> np.ndarray:
    """-log₂(i / 2¹⁵) as f32; a probability of 0, which does not occur, as the smallest one."""
    return -np.log2(np.maximum(np.arange(1 << 15), 1) / (1 << 15)).astype(np.float32)


def _frame(where: Layout) -> tuple[int, ...]:
    return where.width, where.height, where.components, where.h, where.v


def _state(where: Layout) -> np.ndarray:
    """Scratch of the C side, aligned as it needs it; to be kept until the call is over."""
    return np.empty(check(lib.rs_dctr_state(where.blocks), "dct-rans") // 8 + 1, np.uint64)


def _pointer(state: np.ndarray) -> Any:
    return ffi.cast("void *", ffi.from_buffer(state))

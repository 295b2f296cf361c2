"""Static entropy coders: Huffman and rANS for bytes, rANS with a table a symbol for integers.

None of the streams holds the number of symbols: it belongs to the container, which bounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.native._base import as_bytes, check, const, lib, mutable


def huffman_lengths(frequencies: np.ndarray, limit: int) -> np.ndarray:
    """u8 code lengths of the optimal prefix code of at most `limit` (1…16) bits for up to 288 u32 frequencies."""
    lengths = np.zeros(frequencies.size, np.uint8)
    pointers = const("uint32_t", frequencies), frequencies.size, limit, mutable("uint8_t", lengths)
    check(lib.rs_huffman_lengths(*pointers), "Huffman code")
    return lengths


def huffman_encode(data: bytes) -> bytes:
    """`data` under one Huffman code of at most 12 bits, which is part of the stream."""
    return _encode(lib.rs_huffman_bound, lib.rs_huffman_encode, data, "Huffman coding")


def huffman_decode(stream: bytes, count: int) -> bytes:
    """The `count` bytes that `stream` was made of; `CorruptStream` if it was not made of so many."""
    return _decode(lib.rs_huffman_decode, stream, count, "Huffman stream")


def rans_encode(data: bytes) -> bytes:
    """`data` under one static order-0 model, which is part of the stream."""
    return _encode(lib.rs_rans_bound, lib.rs_rans_encode, data, "rANS coding")


def rans_decode(stream: bytes, count: int) -> bytes:
    """The `count` bytes that `stream` was made of; `CorruptStream` if it was not made of so many."""
    return _decode(lib.rs_rans_decode, stream, count, "rANS stream")


def _encode(bound: Any, encode: Any, data: bytes, doing: str) -> bytes:
    source = as_bytes(data)
    out = np.empty(check(bound(source.size), doing), np.uint8)
    return out[
        : check(encode(const("uint8_t", source), source.size, mutable("uint8_t", out), out.size), doing)
    ].tobytes()


def _decode(decode: Any, stream: bytes, count: int, doing: str) -> bytes:
    _require_count(count)
    source, out = as_bytes(stream), np.empty(count, np.uint8)
    check(decode(const("uint8_t", source), source.size, mutable("uint8_t", out), count), doing)
    return out.tobytes()


def _require_count(count: int) -> None:
    if not 0 <= count <= lib.RS_MAX_SYMBOLS:
        raise UsageError(f"{count} symbols: allowed is 0 to {lib.RS_MAX_SYMBOLS}")


@dataclass(frozen=True)
class Tables:
    """Distributions for :func:`ranx_encode`.

    cdfs: u16, all rows one behind the other; a row holds the starts, out of 65536, of the values
        offset, offset+1, … and last of the escape; it begins with 0 and rises.
    rows: u32, where each row begins, and the end. offsets: i32, the first value of each row.
    """

    cdfs: np.ndarray
    rows: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        if self.rows.size != self.offsets.size + 1 or self.rows.size < 2:
            raise UsageError("coding tables need a first value and a beginning for every row, and the end")
        if self.rows[-1] != self.cdfs.size:
            raise UsageError("coding tables end elsewhere than their rows say")

    def pointers(self) -> tuple[Any, ...]:
        cdfs, rows, offsets = const("uint16_t", self.cdfs), const("uint32_t", self.rows), const("int32_t", self.offsets)
        return cdfs, self.cdfs.size, rows, offsets, self.offsets.size

    @cached_property
    def bits(self) -> np.ndarray:
        """-log₂ of the probability of each entry of `cdfs`, f32."""
        starts = self.cdfs.astype(np.int32)
        ends = np.append(starts[1:], 1 << 16)
        ends[self.rows[1:] - 1] = 1 << 16
        return (16 - np.log2(ends - starts)).astype(np.float32)

    def costs(self, values: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-log₂ of the probability of each of the i32 `values` under its row of `index`: f32; and which are escapes.

        Of an escape it is what the escape itself costs, without the value that follows it.
        """
        first, last = self.rows[:-1].astype(np.int64), np.diff(self.rows.astype(np.int64)) - 1
        symbols = values.astype(np.int64) - self.offsets[index]
        escapes = (symbols < 0) | (symbols >= last[index])
        return self.bits[first[index] + np.where(escapes, last[index], symbols)], escapes


def ranx_encode(values: np.ndarray, index: np.ndarray, tables: Tables) -> bytes:
    """i32 `values`, each under the row of `tables` that u16 `index` names; any i32 can be coded."""
    if values.shape != index.shape:
        raise UsageError(f"{values.shape} values do not go with {index.shape} table indices")
    out = np.empty(check(lib.rs_ranx_bound(values.size), "rANS coding"), np.uint8)
    sources = const("int32_t", values), const("uint16_t", index), values.size
    size = lib.rs_ranx_encode(*sources, *tables.pointers(), mutable("uint8_t", out), out.size)
    return out[: check(size, "rANS coding")].tobytes()


def ranx_decode(stream: bytes, index: np.ndarray, tables: Tables) -> np.ndarray:
    """The i32 values that :func:`ranx_encode` coded, in the shape of `index`."""
    _require_count(index.size)
    values, source = np.empty(index.shape, np.int32), as_bytes(stream)
    where = const("uint16_t", index), index.size
    code = lib.rs_ranx_decode(
        const("uint8_t", source), source.size, *where, *tables.pointers(), mutable("int32_t", values)
    )
    check(code, "rANS stream")
    return values

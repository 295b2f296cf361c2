"""LZW of TIFF (TIFF 6.0, section 13) looked through before it is decoded.

The decoder (of imagecodecs 2026.3.6) believes the code behind a clear code: one that is no byte stands for an entry of
a table that was cleared, and leads it to memory that is not its own. Codes are as wide as the number of those since the
clear code says, so where they lie is known beforehand, and all up to the next one are looked at together.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.errors import CorruptStream

_CLEAR, _END, _FIRST = 256, 257, 258
_TABLE = 5120  # entries, with which the decoder gives up
_BYTES_PER_CLEAR = 1024  # encoders clear a full table, after 4.8 kB or more
_SPARE_CLEARS = 16
_START = 9  # bits of a code


def require_sound(segment: bytes) -> None:
    """`CorruptStream` if a byte does not follow each clear code of a strip or tile."""
    reversed_bits = segment[:1] == b"\0" and bool(segment[1:2]) and segment[1] % 2 == 1  # of before TIFF 6
    codes = _Codes(segment, reversed_bits)
    at = 0
    for _ in range(_SPARE_CLEARS + len(segment) // _BYTES_PER_CLEAR):
        code = codes.one(at)
        at += _START
        if code == _CLEAR:
            continue
        if code == _END:
            return
        if code > _END:
            raise CorruptStream("the LZW codes of the TIFF file are damaged")
        ends, found = codes.many(at)
        marks = np.flatnonzero((found == _CLEAR) | (found == _END))
        if not len(marks) or found[marks[0]] == _END:
            return
        at = int(ends[marks[0]])
    raise CorruptStream("the LZW codes of the TIFF file are damaged")


class _Codes:
    """The codes of a segment by the places of their first bits."""

    def __init__(self, segment: bytes, reversed_bits: bool) -> None:
        self._bytes = np.frombuffer(segment + bytes(3), np.uint8)
        self._bits, self._reversed = 8 * len(segment), reversed_bits

    def one(self, at: int) -> int:
        """The code of 9 bits there; that of the end where there is none."""
        return int(self._read(np.array([at]), np.array([_START]))[0]) if at + _START <= self._bits else _END

    def many(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Those from there on until the table is full: where they end, and what they are."""
        widths = _widths(self._reversed)
        ends = at + np.cumsum(widths)
        ends = ends[: np.searchsorted(ends, self._bits, side="right")]
        return ends, self._read(ends - widths[: len(ends)], widths[: len(ends)])

    def _read(self, starts: np.ndarray, widths: np.ndarray) -> np.ndarray:
        place, skip = starts >> 3, starts & 7
        first, second, third = (self._bytes[place + n].astype(np.int64) for n in range(3))
        if self._reversed:
            return (first | second << 8 | third << 16) >> skip & ((1 << widths) - 1)
        return (first << 16 | second << 8 | third) >> (24 - skip - widths) & ((1 << widths) - 1)


@cache
def _widths(reversed_bits: bool) -> np.ndarray:
    """Bits of each code behind the first one: wider as soon as the table needs it, or one code earlier (TIFF 6.0)."""
    entries = np.arange(_FIRST, _TABLE) + (0 if reversed_bits else 1)
    return _START + (entries >= 512).astype(np.int64) + (entries >= 1024) + (entries >= 2048)

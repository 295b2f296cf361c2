"""Boxes of the ISO base media file format (ISO/IEC 14496-12), as AVIF, JPEG XL and JPEG 2000 files use them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MAX_BOXES = 10_000  # no picture has as many; a hostile file could otherwise keep us walking


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(type, first byte of the content, end of the content) of each box in data[start:end]; stops where they end."""
    end = len(data) if end is None else min(end, len(data))
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head:
            return
        yield kind, start + head, min(start + size, end)
        start += size


def find(data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> tuple[int, int] | None:
    """Content range of the first box at `path` (types from the outside in), or None. `meta` is a full box."""
    for kind, first, last in boxes(data, start, end):
        if kind == path[0]:
            inner = first + (4 if kind == b"meta" else 0)
            return (first, last) if len(path) == 1 else find(data, path[1:], inner, last)
    return None

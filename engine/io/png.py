"""PNG (W3C, third edition): the chunks are ours to read, the pixels are libpng's, so that 16 bits stay 16."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import CorruptStream
from engine.io.exif import orientation
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_ICC = 1 << 22
_WANTED = (b"iCCP", b"cICP", b"sBIT", b"eXIf", b"acTL")
_PALETTE = 3


@dataclass
class _Header:
    width: int
    height: int
    depth: int
    kind: int
    icc: bytes | None = None
    cicp: tuple[int, int] | None = None
    significant: int = 0
    orientation: int = 1
    frames: int = 1


def _read(source: Source) -> Raw:
    import imagecodecs

    header = _header(source.data)
    source.check_size(header.width, header.height)
    pixels = as_planes(imagecodecs.png_decode(source.data))
    if pixels.shape[:2] != (header.height, header.width):
        raise CorruptStream("the size of the pixels is not that of the header")
    raw = Raw(pixels, CHANNELS[pixels.shape[2]], header.depth, header.icc, header.cicp, header.orientation)
    if header.kind == _PALETTE:
        raw.notes.append("palette colours spread to RGB")
    if header.frames > 1:
        raw.notes.append(f"animated: the first of {header.frames} frames")
    _restore_bits(raw, header.significant)
    return raw


def _header(data: bytes) -> _Header:
    chunks = _chunks(data)
    name, start = next(chunks, (b"", b""))
    if name != b"IHDR" or len(start) != 13:
        raise CorruptStream("the PNG header is missing")
    header = _Header(*struct.unpack(">IIBB", start[:10]))
    for name, content in chunks:
        body = bytes(content) if name in _WANTED else b""
        if name == b"iCCP":
            header.icc = _profile(body)
        elif name == b"cICP" and len(body) == 4:
            header.cicp = (body[0], body[1])
        elif name == b"sBIT" and body and len(set(body)) == 1:
            header.significant = body[0]
        elif name == b"eXIf":
            header.orientation = orientation(body)
        elif name == b"acTL" and len(body) == 8:
            header.frames = struct.unpack(">I", body[:4])[0]
    return header


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of every chunk; `CorruptStream` where one is cut off, or a critical one is damaged."""
    view, at = memoryview(data), len(SIGNATURE)
    while at < len(data):
        if at + 12 > len(data):
            raise CorruptStream("the PNG file ends within a chunk")
        length, name = struct.unpack_from(">I4s", data, at)
        body = view[at + 8 : at + 8 + length]
        if len(body) < length or at + 12 + length > len(data):
            raise CorruptStream(f"the PNG file ends within its {_name(name)} chunk")
        if zlib.crc32(view[at + 4 : at + 8 + length]) == struct.unpack_from(">I", data, at + 8 + length)[0]:
            yield name, body
        elif name[:1].isupper():  # a chunk that a picture cannot do without
            raise CorruptStream(f"the checksum of the {_name(name)} chunk is wrong")
        if name == b"IEND":
            return
        at += 12 + length
    raise CorruptStream("the PNG file ends before its IEND chunk")


def _name(name: bytes) -> str:
    return name.decode("ascii") if name.isalpha() else "unnamed"


def _profile(body: bytes) -> bytes | None:
    _, found, packed = body.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], _MAX_ICC)
    except zlib.error:
        return None
    return profile if found and profile else None


def _restore_bits(raw: Raw, significant: int) -> None:
    """Give 16-bit samples that say (sBIT) that fewer bits count their own range, where nothing is lost by it."""
    if not (raw.bits == 16 and 8 < significant < 16):
        return
    small = raw.pixels >> np.uint16(16 - significant)
    peak = 2**significant - 1
    if np.array_equal((small.astype(np.uint32) * 65535 + peak // 2) // peak, raw.pixels):
        raw.pixels, raw.bits = small, significant


READER = Reader("PNG", (".png", ".apng"), lambda data: data.startswith(SIGNATURE), _read)

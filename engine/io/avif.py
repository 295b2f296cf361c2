"""AVIF (AV1 in HEIF): the properties are ours to read, the pixels are libavif's, so that 10 and 12 bits stay."""

from __future__ import annotations

import struct

import numpy as np

from engine.errors import CorruptStream
from engine.io import pillow
from engine.io.boxes import boxes, find
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes

# EXIF orientations of irot (quarter turns counter-clockwise), alone, then followed by imir's axis 0 (top to
# bottom) and 1 (left to right).
_TURNS = {None: (1, 8, 3, 6), 0: (4, 5, 2, 7), 1: (2, 7, 4, 5)}


def _sniff(data: bytes) -> bool:
    if data[4:8] != b"ftyp":
        return False
    (size,) = struct.unpack_from(">I", data, 0)
    brands = data[8 : min(max(size, 16), 256)]
    return any(brands[i : i + 4] in (b"avif", b"avis") for i in range(0, len(brands), 4))


def _read(source: Source) -> Raw:
    if find(source.data, (b"moov",)):  # imagecodecs writes out of bounds when asked for one frame of many
        return pillow.read(source, "AVIF")
    return _still(source)


def _still(source: Source) -> Raw:
    import imagecodecs

    raw = Raw(np.empty((0, 0, 0), np.uint8), "RGB", 8)
    sizes = _properties(source.data, raw)
    if not sizes:
        raise CorruptStream("the AVIF file states no picture size")
    for width, height in sizes:
        source.check_size(width, height)
    pixels = as_planes(imagecodecs.avif_decode(source.data, numthreads=source.threads))
    if pixels.ndim != 3:
        raise CorruptStream("the AVIF file does not hold one picture")
    raw.pixels, raw.channels = pixels, CHANNELS[pixels.shape[2]]
    if pixels.dtype == np.uint8:
        raw.bits = 8
    return raw


def _properties(data: bytes, raw: Raw) -> list[tuple[int, int]]:
    """Colour, depth and orientation into `raw`; every size that the file claims."""
    sizes: list[tuple[int, int]] = []
    container = find(data, (b"meta", b"iprp", b"ipco"))
    turns, mirror = 0, None
    for kind, first, last in boxes(data, *container) if container else ():
        body = data[first:last]
        if kind == b"ispe" and len(body) >= 12:
            sizes.append(struct.unpack_from(">II", body, 4))
        elif kind == b"pixi" and len(body) >= 6:
            raw.bits = max(raw.bits, body[5])
        elif kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            raw.cicp = struct.unpack_from(">HH", body, 4)
        elif kind == b"colr" and body[:4] in (b"prof", b"rICC"):
            raw.icc = body[4:]
        elif kind == b"irot" and body:
            turns = body[0] & 3
        elif kind == b"imir" and body:
            mirror = body[0] & 1
    raw.orientation = _TURNS[mirror][turns]
    return sizes


READER = Reader("AVIF", (".avif",), _sniff, _read)

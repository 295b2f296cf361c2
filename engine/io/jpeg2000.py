"""JPEG 2000 (ITU-T T.800), as JP2 file or bare codestream: header and colour are ours, the pixels are OpenJPEG's."""

from __future__ import annotations

import struct

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.io import pillow
from engine.io.boxes import boxes, find
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes, full_bytes

_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_SYCC, _CMYK = 18, 12


def _sniff(data: bytes) -> bool:
    return data.startswith((_JP2, _CODESTREAM))


def _read(source: Source) -> Raw:
    import imagecodecs

    data = source.data
    start = 0 if data.startswith(_CODESTREAM) else (find(data, (b"jp2c",)) or (0, 0))[0]
    if data[start : start + 4] != _CODESTREAM or start + 42 > len(data):
        raise CorruptStream("the JPEG 2000 codestream is missing or cut off")
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    source.check_size(right - left, bottom - top)
    (count,) = struct.unpack_from(">H", data, start + 40)
    depths = {data[start + 42 + 3 * i] & 0x7F for i in range(min(count, 4)) if start + 42 + 3 * i < len(data)}
    icc, space = _colour(data)
    if count not in CHANNELS:
        raise Unsupported(f"a JPEG 2000 picture of {count} components cannot be read")
    if len(depths) != 1 or max(depths) > 15:
        raise Unsupported("JPEG 2000 components of different depths, or deeper than 16 bits, cannot be read")
    if space == _SYCC:  # Pillow converts it, imagecodecs gives it as it is
        return pillow.read(source, "JPEG2000")
    if icc is not None and not _has_palette(data):  # OpenJPEG would convert to sRGB by the profile, and not say so
        data = data[start:]
    elif icc is not None:
        icc = None
    pixels = as_planes(imagecodecs.jpeg2k_decode(data, numthreads=source.threads))
    return _raw(pixels, max(depths) + 1, icc, space)


def _raw(pixels: np.ndarray, bits: int, icc: bytes | None, space: int) -> Raw:
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Unsupported(f"JPEG 2000 samples of the kind '{pixels.dtype}' cannot be read")
    channels = "CMYK" if space == _CMYK and pixels.shape[2] == 4 else CHANNELS[pixels.shape[2]]
    pixels, bits = full_bytes(pixels, bits)
    return Raw(pixels, channels, bits, icc)


def _has_palette(data: bytes) -> bool:
    return find(data, (b"jp2h", b"pclr")) is not None


def _colour(data: bytes) -> tuple[bytes | None, int]:
    """The ICC profile and the enumerated colour space of a JP2 file (T.800, I.5.3.3)."""
    header = find(data, (b"jp2h",)) if data.startswith(_JP2) else None
    for kind, first, last in boxes(data, *header) if header else ():
        if kind == b"colr" and last - first >= 7:
            if data[first] == 1:
                return None, struct.unpack_from(">I", data, first + 3)[0]
            if data[first] == 2:
                return data[first + 3 : last], 0
    return None, 0


READER = Reader("JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpx"), _sniff, _read)

"""JPEG XL (ISO/IEC 18181): the size is read from the header first, the pixels are libjxl's."""

from __future__ import annotations

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.io.boxes import boxes
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _sniff(data: bytes) -> bool:
    return data.startswith((_CONTAINER, _CODESTREAM))


def _read(source: Source) -> Raw:
    import imagecodecs

    source.check_size(*_size(_codestream(source.data)))
    pixels = as_planes(imagecodecs.jpegxl_decode(source.data, index=0, numthreads=source.threads))
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Unsupported("floating-point JPEG XL cannot be read yet")
    return Raw(pixels, CHANNELS[pixels.shape[2]], pixels.dtype.itemsize * 8)


def _codestream(data: bytes) -> bytes:
    """The first bytes of the codestream, which a container may hold whole (jxlc) or in parts (jxlp)."""
    if data.startswith(_CODESTREAM):
        return data[:64]
    for kind, first, last in boxes(data):
        if kind == b"jxlc":
            return data[first : min(last, first + 64)]
        if kind == b"jxlp":
            return data[first + 4 : min(last, first + 68)]
    raise CorruptStream("the JPEG XL file holds no codestream")


class _Bits:
    """Bits of the codestream, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise CorruptStream("the JPEG XL header is cut off")
        value = self._value & ((1 << count) - 1)
        self._value, self._left = self._value >> count, self._left - count
        return value


def _size(codestream: bytes) -> tuple[int, int]:
    """Width and height (18181-1, SizeHeader)."""
    if not codestream.startswith(_CODESTREAM):
        raise CorruptStream("the JPEG XL codestream is damaged")
    bits = _Bits(codestream[2:])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _side(bits: _Bits, small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


READER = Reader("JPEG XL", (".jxl",), _sniff, _read)

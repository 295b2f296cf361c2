"""JPEG XL (ISO/IEC 18181): the headers are read first (`jxl_header`), the pixels are libjxl's."""

from __future__ import annotations

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.io.boxes import boxes
from engine.io.jxl_header import SIGNATURE, Header, parse
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes, full_bytes

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_HEADER_BYTES = 4096  # of the codestream; names of extra channels make headers long, not longer than this


def _sniff(data: bytes) -> bool:
    return data.startswith((_CONTAINER, SIGNATURE))


def _read(source: Source) -> Raw:
    import imagecodecs

    header = parse(_codestream(source.data))
    source.check_size(header.width, header.height)
    if header.bits > 16 and not header.is_float:
        raise Unsupported("JPEG XL pictures with more than 16 bits a sample cannot be read")
    pixels = as_planes(imagecodecs.jpegxl_decode(source.data, index=0, numthreads=source.threads))
    expected = (np.float16, np.float32) if header.is_float else (np.uint8, np.uint16)
    if pixels.dtype not in expected or pixels.shape[2] not in CHANNELS:
        raise Unsupported(f"JPEG XL samples of the kind '{pixels.dtype} {pixels.shape[2:]}' cannot be read")
    return _raw(pixels, header)


def _raw(pixels: np.ndarray, header: Header) -> Raw:
    channels = CHANNELS[pixels.shape[2]]
    if header.is_float:
        bits = 32
    else:
        pixels, bits = full_bytes(pixels, header.bits)
    raw = Raw(pixels, channels, bits, cicp=header.cicp, premultiplied=header.premultiplied)
    if header.has_profile and not header.xyb:
        raw.notes.append("its packed ICC profile cannot be read: colours taken as sRGB")
    if header.orientation != 1:
        raw.notes.append("turned upright, as the file asks")  # libjxl has done it
    if header.animated:
        raw.notes.append("animated: the first frame")
    return raw


def _codestream(data: bytes) -> bytes:
    """The first bytes of the codestream, which a container may hold whole (jxlc) or in parts (jxlp)."""
    if data.startswith(SIGNATURE):
        return data[:_HEADER_BYTES]
    for kind, first, last in boxes(data):
        if kind == b"jxlc":
            return data[first : min(last, first + _HEADER_BYTES)]
        if kind == b"jxlp":
            return data[first + 4 : min(last, first + 4 + _HEADER_BYTES)]
    raise CorruptStream("the JPEG XL file holds no codestream")


READER = Reader("JPEG XL", (".jxl",), _sniff, _read)

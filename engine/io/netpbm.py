"""Binary Netpbm (PGM P5, PPM P6) with up to 16 bits a sample: what research codecs read and write."""

from __future__ import annotations

import re

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.io.source import CHANNELS, Raw, Reader, Source

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([56])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,5})\s")


def _read(source: Source) -> Raw:
    header = _HEADER.match(source.data[:4096])
    if header is None:
        raise CorruptStream("the Netpbm header is damaged")
    kind, width, height, peak = (int(group) for group in header.groups())
    source.check_size(width, height)
    if not 0 < peak < 65536:
        raise CorruptStream(f"a Netpbm file with {peak} as its largest value")
    channels = 1 if kind == 5 else 3
    sample = np.dtype(">u2" if peak > 255 else "u1")
    count = width * height * channels
    if len(source.data) - header.end() < count * sample.itemsize:
        raise CorruptStream("the Netpbm file ends before its last row")
    values = np.frombuffer(source.data, sample, count, header.end()).reshape(height, width, channels)
    bits = 8 if peak <= 255 else peak.bit_length()
    full = 2**bits - 1
    if peak != full:
        values = (values.astype(np.uint32).clip(0, peak) * full + peak // 2) // peak
    return Raw(values.astype(np.uint16 if bits > 8 else np.uint8), CHANNELS[channels], bits)


def netpbm_bytes(image: Image) -> bytes:
    """`image`, grey or RGB of 8 or 16 bits without alpha, as a binary PGM or PPM file."""
    if image.is_float or image.has_alpha:
        raise Unsupported("Netpbm files carry neither alpha nor floating-point pictures")
    header = f"P{5 if image.is_gray else 6}\n{image.width} {image.height}\n{round(image.peak)}\n".encode()
    return header + image.pixels.astype(">u2" if image.bits > 8 else "u1").tobytes()


READER = Reader("Netpbm", (".ppm", ".pgm", ".pnm"), lambda data: data[:2] in (b"P5", b"P6"), _read)

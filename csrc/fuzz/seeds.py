"""What fuzzing starts from: streams that our encoders (and libjpeg) write, in the form that each target reads."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image as Pillow

from engine.codec import Ctx
from engine.codecs.dct import DctCodec
from engine.image import Image
from engine.native import entropy, wavelet


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _picture(height: int, width: int) -> np.ndarray:
    """H×W×3 u8: a shade, an edge, a coloured disc and noise."""
    y, x = np.mgrid[:height, :width]
    shade = 120 + 90 * np.sin(x / 9 + 1) * np.cos(y / 7)
    disc = 100 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2)
    noise = np.random.default_rng(height * 1000 + width).normal(0, 6, (height, width, 3))
    return (np.stack([shade + disc, shade, 200 - disc], -1) + noise).clip(0, 255).astype(np.uint8)


def _byte_strings() -> Iterator[bytes]:
    rng = np.random.default_rng(1)
    for size in (0, 1, 2, 7, 64, 700):
        yield rng.integers(0, 256, size).astype(np.uint8).tobytes()
        yield (rng.geometric(0.4, size).clip(0, 255)).astype(np.uint8).tobytes()
    yield bytes([9]) * 500
    yield bytes(range(0, 256, 2)) + bytes(100)
    for rate in (0.01, 0.2):  # long enough for many states, and still a small stream
        yield ((rng.random(17_000) < rate) * 77).astype(np.uint8).tobytes()


def rans() -> Iterator[bytes]:
    return (_u16(len(data)) + entropy.rans_encode(data) for data in _byte_strings())


def huffman() -> Iterator[bytes]:
    return (_u16(len(data)) + entropy.huffman_encode(data) for data in _byte_strings())


def ranx() -> Iterator[bytes]:
    rng = np.random.default_rng(2)
    lengths, spread = [2, 5, 9, 3], [0, 2, 4, 1]
    cdfs = np.concatenate([np.linspace(0, 60_000, n).astype(np.uint16) for n in lengths])
    offsets = np.array([-(n // 2) for n in lengths], np.int32)
    tables = entropy.Tables(cdfs, np.cumsum([0, *lengths]).astype(np.uint32), offsets)
    for count, scale in ((0, 1.0), (1, 1.0), (40, 1.0), (300, 9.0), (5000, 0.2), (200, 1e9)):
        pattern = rng.integers(0, 4, 11).astype(np.uint16)
        index = np.resize(pattern, count).astype(np.uint16)
        values = (rng.normal(0, 1, count) * scale * np.array(spread)[index]).clip(-(2**31), 2**31 - 1).astype(np.int32)
        head = _u16(count) + bytes([len(pattern) - 1, 4, len(cdfs)]) + pattern[:count].astype(np.uint8).tobytes()
        model = tables.rows.astype(np.uint8).tobytes() + offsets.tobytes() + cdfs.tobytes()
        yield head + model + entropy.ranx_encode(values, index, tables)


def binary() -> Iterator[bytes]:
    rng = np.random.default_rng(3)
    for count, chance in ((0, 0.5), (1, 0.5), (64, 0.5), (3000, 0.02), (3000, 0.97), (6000, 0.3)):
        pattern = rng.integers(0, 5, 7).astype(np.uint16)
        bits = (rng.random(count) < chance).astype(np.uint8)
        stream = wavelet.binary_encode(bits, np.resize(pattern, count).astype(np.uint16), 5)
        yield _u16(count) + bytes([5, len(pattern) - 1]) + pattern[:count].astype(np.uint8).tobytes() + stream


def _ours(pixels: np.ndarray, **settings: object) -> bytes:
    codec = DctCodec()
    return codec.encode(Image(pixels), codec.info.complete(settings), Ctx()).data


def _libjpeg(pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(pixels).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def _with_wide_tables(data: bytes) -> bytes:
    """The same picture with 16-bit quantisation tables, as an extended sequential file."""
    out, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        marker, body = data[at + 1], data[at + 4 : at + 2 + size]
        if marker == 0xDB:
            tables = [body[i : i + 65] for i in range(0, len(body), 65)]
            body = b"".join(
                bytes([0x10 | t[0]]) + b"".join(value.to_bytes(2, "big") for value in t[1:]) for t in tables
            )
        marker = 0xC1 if marker == 0xC0 else marker
        out += bytes([0xFF, 0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body  # a fill byte before each
        at += 2 + size
    return bytes(out) + data[at:]


def jpeg() -> Iterator[bytes]:
    for size, chroma, scans in itertools.product(
        ((1, 1), (17, 33), (40, 24)), ("4:2:0", "4:2:2", "4:4:4"), ("sequential", "progressive")
    ):
        yield _ours(_picture(*size), chroma=chroma, scans=scans, quality=60.0)
    yield _ours(_picture(24, 24)[..., :1], scans="progressive")
    yield _ours(_picture(24, 24)[..., :1], scans="sequential", quality=100.0)
    for subsampling in (0, 1, 2):
        yield _libjpeg(_picture(33, 40), quality=80, restart_marker_blocks=2, subsampling=subsampling)
        yield _libjpeg(_picture(33, 40), quality=30, progressive=True, subsampling=subsampling)
    yield _libjpeg(_picture(20, 9), mode="L", quality=50, restart_marker_rows=1)
    yield _libjpeg(_picture(20, 9), quality=90, keep_rgb=True, comment=b"hello")
    yield _libjpeg(_picture(9, 9), mode="CMYK")
    yield _with_wide_tables(_libjpeg(_picture(18, 18), quality=70)) + b"behind the end"


_COLOUR, _ALPHA, _LOSSLESS, _WIDE = 1, 2, 4, 8


def _wavelet(height: int, width: int, flags: int, levels: int, divisor: int) -> bytes:
    pixels = _picture(height, width)
    numbers = ([0, 1, 2] if flags & _COLOUR else [0]) + ([3] if flags & _ALPHA else [])
    planes = {n: pixels[..., n % 3].astype(np.int32) // divisor - 128 // divisor for n in numbers}
    encoder = wavelet.BandEncoder(width, len(numbers) * height * width)
    for plane in planes.values():
        wavelet.dwt(plane, levels)
    for level in range(levels + 1, 0, -1):
        for n, plane in planes.items():
            guides = [planes[m] for m in range(n)] if n in (1, 2) else []
            encoder.level(n, plane, guides, levels, level)
    return bytes([width - 1, height - 1, flags, levels, 4]) + encoder.finish()


def wavelet_streams() -> Iterator[bytes]:
    for flags in (0, _COLOUR, _COLOUR | _ALPHA | _LOSSLESS | _WIDE, _ALPHA, _COLOUR | _LOSSLESS):
        for height, width, levels in ((1, 1, 0), (1, 30, 3), (23, 1, 2), (17, 40, 3), (48, 48, 5)):
            yield _wavelet(height, width, flags, levels, 8)
        yield _wavelet(20, 21, flags, 2, 1)
        yield _wavelet(20, 21, flags, 0, 30)


def encoders() -> Iterator[bytes]:
    sizes = {0: (1, 128, 256, 20_000), 1: (1, 128, 257, 20_000), 2: (0, 1, 30_000), 3: (0, 1500, 1501, 1700)}
    kinds, patterns = 6, 6
    for kind, pattern in itertools.product(range(kinds), range(patterns)):
        for size in sizes.get(kind, (0, 40, 901, 1442)):
            for seed in (b"", b"\x02", b"\x05a", b"\x0ebc"):
                yield bytes([kind, pattern]) + _u16(size) + seed
    yield bytes([1, 0]) + _u16(128) + bytes(range(0, 256, 2))  # the longest table of code lengths
    yield bytes([0, 0]) + _u16(128) + bytes(range(0, 256, 2))


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "rans": rans,
    "huffman": huffman,
    "ranx": ranx,
    "binary": binary,
    "jpeg": jpeg,
    "wavelet": wavelet_streams,
    "encoders": encoders,
}

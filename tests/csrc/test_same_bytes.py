"""Every build writes the same bytes and makes the same samples: streams are compared, stored and cached by them.

The sums below are of what this revision of the library makes. One that changes on purpose is replaced by the one that
the failing test prints, and where files change with it, the ENCODER_REVISION of the codecs that write them is raised.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from engine.codec import Ctx
from engine.codecs.dct import DctCodec
from engine.codecs.wavelet import WaveletCodec
from engine.image import Alpha, Image
from engine.native import const, entropy, jpeg, lib, mutable, use_processor
from engine.native import wavelet as native
from engine.native.entropy import Tables
from tests.pictures import whole_number_picture


def checksum(*parts: bytes | np.ndarray) -> str:
    total = 0
    for part in parts:
        data = part if isinstance(part, bytes) else str(part.shape).encode() + np.ascontiguousarray(part).tobytes()
        total = zlib.crc32(data, total)
    return f"{total:08x}"


def scattered(count: int, seed: int = 1) -> np.ndarray:
    """`count` u32 without order, by whole numbers alone (the finaliser of MurmurHash3)."""
    x = np.arange(count, dtype=np.uint64) + np.uint64(seed * 1_000_003)
    x = (x ^ (x >> np.uint64(16))) * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    x = (x ^ (x >> np.uint64(13))) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return (x ^ (x >> np.uint64(16))).astype(np.uint32)


def peaked(count: int, seed: int = 1) -> np.ndarray:
    """Whole numbers around 0: the larger, the rarer, some beyond 1000."""
    x = scattered(count, seed)
    size = np.frexp((x >> 8).astype(np.float64) + 1)[1].astype(np.int64) - 1
    magnitude = (x.astype(np.int64) & 7) >> np.maximum(size - 21, 0)
    magnitude = np.where(size < 16, (x.astype(np.int64) >> 3) % 1024 >> (size - 8).clip(0, 9), magnitude)
    return np.where(x & 8, -magnitude, magnitude).astype(np.int32)


# --- Entropy coders


def symbols(kind: str, count: int) -> bytes:
    x = scattered(count, 3)
    kinds = {
        "any": x,
        "few": x % 3 * (x % 7 == 0),
        "steps": np.minimum(x & 255, x >> 8 & 255) // 2 * (x >> 16 & 1),
        "high": 255 - np.minimum(x & 255, x >> 8 & 255) // 9,
        "rare": np.where(x % 2999 == 0, 9, 200),
        "one": x * 0 + 17,
    }
    return kinds[kind].astype(np.uint8).tobytes()


COUNTS = (1, 2, 37, 700, 16_383, 16_384, 20_001)


def rans(kind: str) -> str:
    return checksum(*(entropy.rans_encode(symbols(kind, count)) for count in COUNTS))


def huffman(kind: str) -> str:
    return checksum(*(entropy.huffman_encode(symbols(kind, count)) for count in COUNTS))


def huffman_lengths(limit: int) -> str:
    x = scattered(288 * 6).reshape(6, 288)
    frequencies = [x[0] % 900, x[1] % 5, x[2] >> (x[2] % 30), x[3] % 2 * (x[3] >> 20), x[4] % 3 == 0, x[5] >> 3]
    lengths = [entropy.huffman_lengths(each[: 1 << limit].astype(np.uint32), limit) for each in frequencies]
    return checksum(*lengths)


TABLES = Tables(
    cdfs=np.array([0, 9, 60_000, 65_000, 0, 65_535, 0, 1, 2, 1_000, 30_000, 40_000, 64_000, 65_500], np.uint16),
    rows=np.array([0, 4, 6, 14], np.uint32),
    offsets=np.array([-1, 0, -3], np.int32),
)


def ranx(count: int) -> str:
    values = peaked(count)
    index = (scattered(count, 5) % 3).astype(np.uint16)
    values[index == 1] *= scattered(count, 6)[index == 1] % 50 == 0
    return checksum(entropy.ranx_encode(values, index, TABLES))


def binary(count: int) -> str:
    contexts = (scattered(count, 7) % 4).astype(np.uint16)
    bits = (scattered(count, 8) % 200 < np.array([1, 20, 100, 198])[contexts]).astype(np.uint8)
    return checksum(native.binary_encode(bits, contexts, 4))


CODERS: dict[str, Callable[[], str]] = {
    **{f"rANS {kind}": partial(rans, kind) for kind in ("any", "few", "steps", "high", "rare", "one")},
    **{f"Huffman {kind}": partial(huffman, kind) for kind in ("any", "few", "steps", "high", "rare", "one")},
    **{f"Huffman lengths {limit}": partial(huffman_lengths, limit) for limit in (4, 9, 12, 16)},
    **{f"indexed rANS {count}": partial(ranx, count) for count in (1, 4_095, 4_096, 20_000)},
    **{f"range coder {count}": partial(binary, count) for count in (0, 1, 3_000, 20_000)},
}

# --- JPEG


def transform() -> str:
    x = scattered(29 * 43 * 3).reshape(3, 29, 43)
    planes = [(x[0] % 4096).astype(np.int16) - 2048, (x[1] % 900).astype(np.int16), (x[2] % 7000).astype(np.int16)]
    out = np.empty((6 * 4, 64), np.int16)
    made = []
    for plane in planes:
        jpeg.forward_dct(np.ascontiguousarray(plane - (plane > 5000) * np.int16(12_000)), (6, 4), out)
        made.append(out.copy())
    return checksum(*made)


def colours() -> str:
    pixels = (scattered(600 * 3) >> 5).astype(np.uint8).reshape(20, 30, 3)
    corners = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3]]], np.uint8)
    return checksum(*(jpeg.planes(each) for each in (pixels, corners, np.ascontiguousarray(pixels[:, :, :1]))))


def halved() -> str:
    planes = [(scattered(h * w) % 4096).astype(np.int16).reshape(h, w) - 2048 for h, w in ((40, 53), (3, 70), (9, 2))]
    return checksum(*(jpeg.halve(plane, h, v) for plane in planes for h, v in ((1, 2), (2, 1), (2, 2), (1, 1))))


def coefficients(blocks: int) -> np.ndarray:
    wide = peaked(blocks * 64, 9).reshape(blocks, 64) * 100 // (1 + np.arange(64))
    wide[:, 0] = scattered(blocks, 10).astype(np.int64) % 30_000 - 15_000
    return wide.clip(-32_768, 32_767).astype(np.int16)


def quantised() -> str:
    coefs, table = coefficients(30), (1 + scattered(64, 11) % 30).astype(np.uint8)
    rounding, bits = np.full(64, 0.375, np.float32), (1 + scattered(256, 12) % 15).astype(np.float32)
    out, grid, size = np.empty_like(coefs), (6, 5), (41, 27)
    made: list[np.ndarray] = []
    jpeg.quantise(coefs, grid, size, table=table, rounding=rounding, out=out)
    made += [out.copy(), jpeg.count_symbols(out, grid, size)]
    for strength in (0.0625, 0.5):
        jpeg.trellis(coefs, grid, size, table=table, bits=bits, strength=strength, out=out)
        made.append(out.copy())
    dc, flat = jpeg.dc_coefficients(coefs // 64 * 8, grid, size)
    for step in (1, 7, 255):
        counts = np.zeros(12, np.uint32)
        pointers = const("int16_t", dc), const("uint8_t", flat), dc.size, step, mutable("uint32_t", counts)
        made += [np.array(lib.rs_jpeg_dc_cost(*pointers)), counts]
    return checksum(dc, flat, *made)


def rendered(sampling: str) -> str:
    """The pixels of levels of every size, some far beyond what pictures hold."""
    h, v = (int(each) for each in sampling.split("×"))
    made: list[bytes | np.ndarray] = []
    for width, height in ((45, 37), (3, 2), (6, 18)):
        where = jpeg.layout(width, height, 3, h, v)
        levels = (coefficients(where.blocks) // 64).clip(-1023, 1023).astype(np.int16)
        levels[::3, 0] *= 5 if abs(levels[::3, 0]).max() < 200 else 1
        tables = (1 + scattered(128, 13) % 40).astype(np.uint8).reshape(2, 64)
        tables[1] = np.minimum(tables[1], 3)
        for mode in ("sequential", "progressive"):
            data = jpeg.write(levels, where, tables, mode, b"\xff\xfe\0\4ab").data
            read = jpeg.read(data, jpeg.probe(data))
            made += [data, read.levels, jpeg.render(read)]
    return checksum(*made)


def dct_files(settings: dict[str, object]) -> str:
    made: list[bytes | np.ndarray] = []
    for height, width, channels in ((70, 93, 3), (16, 8, 3), (1, 1, 1), (3, 19, 3), (64, 200, 1)):
        data = DctCodec().encode(Image(whole_number_picture(height, width, channels)), settings, Ctx()).data
        made += [data, DctCodec().decode(data, Ctx()).pixels]
    return checksum(*made)


JPEG: dict[str, Callable[[], str]] = {
    "forward DCT": transform,
    "colour planes": colours,
    "halved planes": halved,
    "levels": quantised,
    **{f"levels as pixels {s}": partial(rendered, s) for s in ("1×1", "2×1", "1×2", "2×2", "4×1", "1×4", "3×2")},
    "dct": partial(dct_files, {}),
    "dct 30": partial(dct_files, {"quality": 30, "chroma": "4:2:2", "scans": "sequential"}),
    "dct 93": partial(dct_files, {"quality": 93, "chroma": "4:4:4", "tables": "flat", "scans": "progressive"}),
    "dct annex-k": partial(dct_files, {"quality": 51.5, "tables": "annex-k", "trellis": False}),
    "dct 2": partial(dct_files, {"quality": 2, "tables": "flat"}),
    "dct 100": partial(dct_files, {"quality": 100, "scans": "progressive"}),
}

# --- Wavelet


def lifted(dtype: str) -> str:
    made = []
    for height, width, levels in ((1, 1, 2), (1, 9, 3), (70, 1, 6), (2, 2, 1), (37, 131, 4), (64, 64, 6), (5, 66, 30)):
        plane = (scattered(height * width) % 60_000).astype(np.int32).reshape(height, width).astype(dtype) - 30_000
        native.dwt(plane, levels)
        made.append(plane.copy())
        native.dwt(plane, levels, inverse=True)
        made.append(plane)
    return checksum(*made)


def bands(kind: str) -> str:
    """All planes of one stream with guides; integers as they are, or coefficients that the encoder quantises."""
    height, width, levels = 61, 83, 4
    planes = [peaked(height * width, 20 + n).reshape(height, width) for n in range(4)]
    planes[1][:30] = 0
    planes[2] *= scattered(height * width, 30).reshape(height, width) % 40 == 0
    planes[3][:, 20:] = 0
    planes[0][5, 60], planes[0][50, 3], planes[0][2, 2] = 2**24 - 1, -70_000, 3_000_000
    values = [np.ascontiguousarray(p * np.float32(0.71875), dtype=np.float32) for p in planes]
    fast, samples, sizes = kind.startswith("fast"), 4 * height * width, []
    encoder = native.FastBandEncoder(width, height, samples) if fast else native.BandEncoder(width, samples)
    for level in range(levels + 1, 0, -1):
        for n, q in enumerate(planes):
            guides = planes[:n] if n in (1, 2) else []
            given: dict[str, Any] = (
                {} if kind.endswith("exact") else {"coefficients": values[n], "step": 0.875, "trade": 0.125}
            )
            sizes.append(
                encoder.level(n, q, guides, levels, level, skip=kind.endswith("traded") and level == n == 1, **given)
            )
    stream, read = encoder.finish(), [np.full_like(q, 7) for q in planes]
    decoder = native.FastBandDecoder(width, height, stream) if fast else native.BandDecoder(width, stream)
    for level in range(levels + 1, 0, -1):
        for n, q in enumerate(read):
            decoder.level(n, q, read[:n] if n in (1, 2) else [], levels, level)
    decoder.finish()
    assert all(np.array_equal(a, b) for a, b in zip(planes, read, strict=True))
    found = native.centres(planes[0], values[0], levels, 0.875)
    centres = np.array([0.125, -0.0625, 0.03125], np.float32)
    return checksum(stream, np.array(sizes), *found, native.dequantise(planes[0].copy(), levels, 0.875, centres))


def axes() -> str:
    rgb = [(peaked(1_200, n) + n * 999).reshape(30, 40) for n in (1, 2, 3)]
    turn = np.array([[0.5, 0.5, 0.75], [0.75, -0.5, 0.25], [0.25, 0.625, -0.75]], np.float32)
    turned = native.rotate(rgb, turn)
    whole = [native.round_plane(plane) for plane in turned]
    pixels = np.zeros((30, 40, 4), np.uint16)
    native.store_rotated(turned, turn, pixels, 1000, 13)
    made = [native.gradient_products(rgb), *turned, pixels.copy(), *whole]
    native.ycocg(rgb)
    native.store_ycocg(rgb, pixels, 1000, 13)
    return checksum(*made, *rgb, pixels)


def wavelet_files(settings: dict[str, object]) -> str:
    made: list[bytes | np.ndarray] = []
    for height, width, channels, bits in (
        (70, 93, 3, 8),
        (40, 30, 4, 8),
        (1, 1, 1, 8),
        (9, 50, 2, 12),
        (33, 34, 3, 16),
    ):
        pixels = whole_number_picture(height, width, channels, bits)
        alpha = Alpha.STRAIGHT if channels % 2 == 0 else Alpha.NONE
        data = WaveletCodec().encode(Image(pixels, alpha=alpha, bits=bits), settings, Ctx()).data
        made += [data, WaveletCodec().decode(data, Ctx()).pixels]
    return checksum(*made)


WAVELET: dict[str, Callable[[], str]] = {
    "5/3": partial(lifted, "int32"),
    "9/7": partial(lifted, "float32"),
    "bands exact": partial(bands, "exact"),
    "bands traded": partial(bands, "traded"),
    "bands fast exact": partial(bands, "fast exact"),
    "bands fast traded": partial(bands, "fast traded"),
    "axes": axes,
    "wavelet": partial(wavelet_files, {}),
    "wavelet 15": partial(wavelet_files, {"quality": 15}),
    "wavelet 90": partial(wavelet_files, {"quality": 90, "chroma": "4:2:0"}),
    "wavelet lossless": partial(wavelet_files, {"lossless": True}),
    "wavelet fast": partial(wavelet_files, {"effort": "fast"}),
    "wavelet max": partial(wavelet_files, {"effort": "max"}),
    "wavelet max 15": partial(wavelet_files, {"effort": "max", "quality": 15}),
    "wavelet max 90": partial(wavelet_files, {"effort": "max", "quality": 90, "chroma": "4:2:0"}),
    "wavelet max lossless": partial(wavelet_files, {"effort": "max", "lossless": True}),
}

MADE = {**CODERS, **JPEG, **WAVELET}
EXPECTED = {
    "5/3": "83006fc2",
    "9/7": "c89a5564",
    "Huffman any": "d86e81ad",
    "Huffman few": "9678ca81",
    "Huffman high": "80c26f43",
    "Huffman lengths 12": "7dba7791",
    "Huffman lengths 16": "7af21a58",
    "Huffman lengths 4": "29f3841d",
    "Huffman lengths 9": "11d58107",
    "Huffman one": "5d213a3f",
    "Huffman rare": "5ac9d7a3",
    "Huffman steps": "a0c7c9e2",
    "axes": "40c97ec0",
    "bands exact": "017a826e",
    "bands fast exact": "c8cd810e",
    "bands fast traded": "abf59d1e",
    "bands traded": "a489e219",
    "colour planes": "356bbc7d",
    "dct 100": "205ac352",
    "dct 2": "e24d0479",
    "dct 30": "73d16c07",
    "dct 93": "6aa083b5",
    "dct annex-k": "1b75e8ef",
    "dct": "f24c4747",
    "forward DCT": "d50ef95c",
    "halved planes": "3e78efce",
    "indexed rANS 1": "42259c0f",
    "indexed rANS 20000": "4fe5c117",
    "indexed rANS 4095": "a262d605",
    "indexed rANS 4096": "9a49cded",
    "levels as pixels 1×1": "dad79344",
    "levels as pixels 1×2": "24530064",
    "levels as pixels 1×4": "8c91df51",
    "levels as pixels 2×1": "c8a2dd60",
    "levels as pixels 2×2": "8671564a",
    "levels as pixels 3×2": "44c36d37",
    "levels as pixels 4×1": "7c9f013d",
    "levels": "1d50ffb8",
    "rANS any": "4b4ee35d",
    "rANS few": "1d522432",
    "rANS high": "407c3265",
    "rANS one": "cce71584",
    "rANS rare": "4c15455b",
    "rANS steps": "19ac2e3a",
    "range coder 0": "d202ef8d",
    "range coder 1": "3fba6cad",
    "range coder 20000": "8d7778d6",
    "range coder 3000": "e3ab32b8",
    "wavelet 15": "fa275fb7",
    "wavelet 90": "1c8033d4",
    "wavelet fast": "c93f7f45",
    "wavelet lossless": "82bd5857",
    "wavelet max 15": "b2223d01",
    "wavelet max 90": "0257596a",
    "wavelet max lossless": "93ebeaf3",
    "wavelet max": "9e636327",
    "wavelet": "b95d8c7f",
}


@pytest.mark.parametrize("name", sorted(MADE))
def test_what_is_made_has_the_bytes_it_always_had(name: str) -> None:
    assert MADE[name]() == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(JPEG))
def test_a_processor_without_vectors_makes_the_same_pictures(name: str) -> None:
    use_processor(0)
    try:
        assert JPEG[name]() == EXPECTED[name]
    finally:
        use_processor(-1)

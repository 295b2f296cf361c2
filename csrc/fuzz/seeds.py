"""What fuzzing starts from: streams that our encoders (and libjpeg) write, in the form that each target reads, and
streams made by hand that go one too far where a decoder must notice.

Short streams that are sound come first: a replay tries them with every byte changed.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image as Pillow

from engine.codec import Ctx
from engine.codecs import dct
from engine.codecs.dct import DctCodec
from engine.image import Image
from engine.native import dct_rans, entropy, latent, wavelet
from engine.native import jpeg as native_jpeg
from engine.native.mixture import Mixed, Mixing


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
    for data in _byte_strings():
        yield _u16(len(data)) + entropy.rans_encode(data)
    # A table is: absent symbols, present ones less one, their frequencies less one, until these add up to 4096.
    states = (1 << 15).to_bytes(4, "little") * 4
    tables = {
        "257 symbols": b"\x00\x80\x02" + bytes(300),
        "symbol 256": b"\x01\xff\x01" + bytes(300),
        "sum 4097": b"\x00\x00\x80\x20",
        "sum 4097 of two": b"\x00\x01\x00\xff\x1f",
        "number of three bytes": b"\x80\x80\x01",
        "one symbol": b"\x00\x00\xff\x1f",
    }
    for table in tables.values():
        yield _u16(4) + table + states
    yield _u16(4) + tables["one symbol"] + states[4:] + bytes(4)
    yield _u16(4) + tables["one symbol"] + states[4:] + bytes([0, 0, 0, 0x80])


def huffman() -> Iterator[bytes]:
    for data in _byte_strings():
        yield _u16(len(data)) + entropy.huffman_encode(data)
    one_and_zeros = bytes([0x01, 0xFF])  # length 1, then zeros: 1 and 255 of them, one more than there are symbols
    yield _u16(9) + one_and_zeros
    yield _u16(9) + bytes([0x01, 0xFE])
    yield _u16(9) + bytes([0x11, 0xD0, 0x0F]) + bytes(20)  # two codes of one bit; then one of 13
    yield _u16(8) + bytes([0x11, 0xD0, 0x0F])
    codes = bytes([0x11])
    for sizes in ((1, 1, 1), (1, 1, 2), (2, 1, 1), (0, 0, 4), (2**31, 1, 1)):
        yield _u16(32) + codes + bytes([0xD0, 0x0F]) + b"".join(n.to_bytes(4, "little") for n in sizes) + bytes(4)


def _ranx_model(pattern: list[int], rows: list[int], offsets: list[int], cdfs: list[int], count: int) -> bytes:
    head = _u16(count) + bytes([len(pattern) - 1, len(offsets), len(cdfs)]) + bytes(pattern[:count]) + bytes(rows)
    return head + np.array(offsets, np.int32).tobytes() + np.array(cdfs, np.uint16).tobytes()


def ranx() -> Iterator[bytes]:
    rng = np.random.default_rng(2)
    lengths, spread = [2, 5, 9, 3], [0, 2, 4, 1]
    cdfs = np.concatenate([np.linspace(0, 60_000, n).astype(np.uint16) for n in lengths])
    rows, offsets = np.cumsum([0, *lengths]).astype(np.uint32), np.array([-(n // 2) for n in lengths], np.int32)
    tables = entropy.Tables(cdfs, rows, offsets)
    for count, scale in ((4, 1.0), (1, 1.0), (0, 1.0), (40, 1.0), (300, 9.0), (5000, 0.2), (200, 1e9)):
        pattern = rng.integers(0, 4, 11).astype(np.uint16)
        index = np.resize(pattern, count).astype(np.uint16)
        values = (rng.normal(0, 1, count) * scale * np.array(spread)[index]).clip(-(2**31), 2**31 - 1).astype(np.int32)
        model = _ranx_model([int(t) for t in pattern], rows.tolist(), offsets.tolist(), cdfs.tolist(), count)
        yield model + entropy.ranx_encode(values, index, tables)
    sound = entropy.ranx_encode(np.array([0], np.int32), np.array([0], np.uint16), tables)
    for wrong_index, wrong_rows in (
        ([4], rows.tolist()),  # one table too many
        ([0], [0, 2, len(cdfs) + 1, 16, len(cdfs)]),
        ([0], [0, 2, 7, 16, len(cdfs) + 1]),
        ([0], [0, 2, 7, 16, len(cdfs) - 1]),
        ([0], [1, 2, 7, 16, len(cdfs)]),
    ):
        yield _ranx_model(wrong_index, wrong_rows, offsets.tolist(), cdfs.tolist(), 1) + sound
    # A row beyond the end, all of it rising.
    yield _ranx_model([0], [0, 4, 3], [0, 0], [0, 1000, 2000], 1) + sound
    # The dearest values: escapes of probability 1 / 65536 that take five bytes each.
    for count in (1, 3, 4095, 4096, 5999):
        yield _ranx_model([0], [0, 2], [0], [0, 65_535], count) + b"\x80" * 1500
    # Words that end early, with nothing behind them.
    values, index = np.full(9, 4, np.int32), np.full(9, 2, np.uint16)
    stream = entropy.ranx_encode(values, index, tables)
    model = _ranx_model([2], rows.tolist(), offsets.tolist(), cdfs.tolist(), 9)
    for missing in range(1, 5):
        words = int.from_bytes(stream[:4], "little") - missing
        yield model + words.to_bytes(4, "little") + stream[4 : len(stream) - missing]


def latents() -> Iterator[bytes]:
    rng = np.random.default_rng(4)
    cdfs, rows, offsets = [0, 20_000, 40_000, 65_000, 0, 65_530, 0, 300, 64_000, 65_535], [0, 4, 6, 10], [-1, 0, 4]
    parts = np.array(cdfs, np.uint16), np.array(rows, np.uint32), np.array(offsets, np.int32)
    tables = entropy.Tables(*parts)
    for count, wild in ((1, 0.0), (4, 0.3), (0, 0.0), (40, 0.1), (900, 0.01), (5000, 0.0)):
        pattern = rng.integers(0, 3, 13).astype(np.uint16)
        values = rng.integers(-1, 5, count).astype(np.int32)
        far = rng.random(count) < wild
        values[far] = rng.integers(-latent.SYMBOL_MAX, latent.SYMBOL_MAX + 1, far.sum())
        model = _ranx_model(pattern.tolist(), rows, offsets, cdfs, count)
        stream = latent.encode(values, np.resize(pattern, count).astype(np.uint16), tables, mark=count)
        yield model + _u16(count // 3) + stream
    # An escape that stands for what its table holds; a table of values beyond the bounds.
    escape = entropy.Tables(np.array([0, 1], np.uint16), np.array([0, 2], np.uint32), np.array([7], np.int32))
    hidden = latent.encode(np.array([9], np.int32), np.zeros(1, np.uint16), escape)
    yield _ranx_model([0], [0, 2], [9], [0, 1], 1) + _u16(0) + hidden
    plain = latent.encode(np.array([7], np.int32), np.zeros(1, np.uint16), escape)
    yield _ranx_model([0], [0, 2], [40_000], [0, 1], 1) + _u16(0) + plain
    yield _ranx_model([1], [0, 2], [7], [0, 1], 1) + _u16(0) + plain
    yield _ranx_model([0], [0, 3], [7], [0, 1], 1) + _u16(0) + plain


def networks() -> Iterator[bytes]:
    rng = np.random.default_rng(5)
    for taps, step, rows, columns, pairs, outputs in itertools.product(
        (0, 1, 2), (0, 1), (1, 4), (1, 7), (1, 5), (3, 21)
    ):
        head = bytes([taps, step, int(rng.integers(2)), rows, columns, pairs, outputs, int(rng.integers(256))])
        yield head + rng.integers(0, 256, 300).astype(np.uint8).tobytes()


def _mixing() -> Mixing:
    """The tables that csrc/fuzz/mixture_model.c makes."""
    over, wide, rest = 20480 << 12, 29527, 1 << 29
    inverse, reach, logistic = [], [], []
    for _ in range(64):
        inverse.append(over)
        reach.append((wide + 65535) >> 16)
        over, wide = over * 57052 >> 16, wide * 75281 >> 16
    for _ in range(1025):
        logistic.append((1 << 30) - rest)
        rest -= rest >> 6
    return Mixing(*(np.array(each, np.int32) for each in (inverse, reach, logistic, [1 << 15])))


def _mixtures(rng: np.random.Generator, pattern: int, densities: int, widest: int) -> tuple[bytes, Mixed]:
    """A pattern of mixtures as an input has them, and as they are."""
    mixed = Mixed(
        np.zeros((pattern, densities), np.uint8),
        np.zeros((pattern, densities - 1), np.int16),
        np.zeros((pattern, densities), np.uint16),
    )
    out = bytearray()
    for rows, shifts, weights in zip(mixed.rows, mixed.shifts, mixed.weights, strict=True):
        left = 1 << 15
        for k in range(densities - 1, -1, -1):
            rows[k] = rng.integers(widest)
            out.append(rows[k])
            weights[k] = left
            if k:
                shifts[k - 1], part = rng.integers(-90, 91), int(rng.choice([0, 60, 128, 255]))
                out += _u16(int(shifts[k - 1]) & 0xFFFF) + bytes([part])
                weights[k] = left * part // 255
            left -= int(weights[k])
    return bytes(out), mixed


def mixture() -> Iterator[bytes]:
    rng = np.random.default_rng(7)
    mixing = _mixing()
    sound = b""
    for densities, (count, widest) in itertools.product((1, 2, 3, 4), ((1, 20), (0, 20), (7, 64), (40, 30), (190, 12))):
        pattern = int(rng.integers(1, 6))
        written, mixed = _mixtures(rng, pattern, densities, widest)
        mixed = mixed.at(np.arange(count) % pattern)
        values = np.rint(rng.normal(0, 1, count) * 2 ** (mixed.rows[:, 0] / 5) / 10).astype(np.int32)
        values[count // 3 : count // 3 + count // 40] = rng.integers(-latent.SYMBOL_MAX, latent.SYMBOL_MAX + 1)
        writer = latent.Writer(count, mark=count + 5)
        writer.write_mixed(values, mixed, mixing)
        flags = densities - 1 | (8 if count == 40 else 0)
        head = _u16(count) + bytes([flags, pattern - 1, 2, 0])
        sound = head + written + writer.finish()
        yield sound
    for spoilt in range(1, 29):
        yield sound[:5] + bytes([spoilt]) + sound[6:]
    for densities in range(1, 5):  # tables of any numbers
        head = _u16(60) + bytes([densities - 1 | 4, 3, 9, 0])
        any_densities = rng.integers(0, 256, 4 * (4 * densities - 3)).astype(np.uint8).tobytes()
        yield head + any_densities + bytes(7) + b"\x01" + bytes(300)


def raster() -> Iterator[bytes]:
    rng = np.random.default_rng(8)
    sound = b""
    for flags, (rows, columns), channels in itertools.product(range(8), ((0, 0), (1, 4), (5, 3), (3, 9)), (0, 3)):
        networks = bytes([rows, columns, channels, int(rng.choice([2, 7, 17])), 1, int(rng.integers(10))])
        numbers = (rng.normal(0, 1, 35) * 2 ** rng.integers(4, 15, 35)).clip(-(2**15), 2**15 - 1).astype(np.int16)
        model = networks + numbers.tobytes()
        symbols = rng.integers(0, 256, 4 + int(rng.integers(300))).astype(np.uint8).tobytes()
        sound = bytes([flags, 0, 2, len(model)]) + model + bytes(4) + b"\x01" + bytes(3) + symbols
        yield sound
    for spoilt in range(1, 29):
        yield sound[:1] + bytes([spoilt]) + sound[2:]


def binary() -> Iterator[bytes]:
    rng = np.random.default_rng(3)
    yield _u16(3) + bytes([2, 2, 0, 1, 2]) + b"\x80\x00"  # a context too many
    for count, chance in ((64, 0.5), (0, 0.5), (1, 0.5), (3000, 0.02), (3000, 0.97), (6000, 0.3)):
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


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where each marker segment starts, its marker and its payload, up to the first scan's header."""
    at, marker = 2, 0
    while marker != 0xDA:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        yield at, marker, data[at + 4 : at + 2 + size]
        at += 2 + size


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _with_wide_tables(data: bytes) -> bytes:
    """The same picture with 16-bit quantisation tables, as an extended sequential file."""
    out = bytearray(data[:2])
    end = 2
    for at, marker, body in _segments(data):
        tables = [body[i : i + 65] for i in range(0, len(body), 65)] if marker == 0xDB else []
        wide = b"".join(bytes([0x10 | t[0]]) + b"".join(v.to_bytes(2, "big") for v in t[1:]) for t in tables)
        out += b"\xff" + _segment(0xC1 if marker == 0xC0 else marker, wide or body)  # a fill byte before each
        end = at + 4 + len(body)
    return bytes(out) + data[end:]


def _ending_inside_segments(data: bytes) -> Iterator[bytes]:
    """Files that end with a segment whose payload, by its own length, is too short."""
    for at, marker, body in _segments(data):
        for size in range(len(body)):
            if marker != 0xDB or size % 16 == 0 or size == len(body) - 1:
                yield data[:at] + _segment(marker, body[:size])


def jpeg() -> Iterator[bytes]:
    block = (_picture(8, 8)[..., :1] // 2).repeat(3, axis=2)
    adobe = _segment(0xEE, b"Adobe\x00\x64" + bytes(4) + b"\x01")
    one = _libjpeg(block, mode="L", quality=40, optimize=True)
    yield one
    yield _libjpeg(_picture(8, 8)[..., 0].repeat(3).reshape(8, 8, 3), mode="L", quality=40, progressive=True)
    two = _libjpeg(_picture(8, 16), mode="L", quality=20, optimize=True, restart_marker_blocks=1)
    restart = two.index(b"\xff\xd0")
    for fill in range(3):
        yield two[:restart] + b"\xff" * fill + two[restart:]
        yield two[:restart] + b"\xff" * fill
    yield _libjpeg(_picture(2, 9), quality=10, optimize=True, subsampling=2)
    yield from _ending_inside_segments(one[:2] + adobe + one[2:])
    scan = one.index(b"\xff\xda")
    for number in (0x04, 0x14, 0x20):  # tables that there are not
        yield one[:scan] + _segment(0xC4, bytes([number]) + b"\x01" + bytes(15) + b"\x05") + one[scan:]
    for counts in (bytes(15) + b"\xff", bytes(14) + b"\x02\xff", bytes(13) + b"\xff\x02\xff"):  # 255, 257, 512 codes
        yield one[:2] + _segment(0xC4, b"\x13" + counts + bytes(sum(counts))) + one[2:]
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


def _dctr(pixels: np.ndarray, chroma: str, quality: float) -> bytes:
    settings = DctCodec.info.complete({"chroma": chroma, "quality": quality})
    coded = dct.Transformed.of(Image(pixels), settings, Ctx()).quantised(quality, Ctx())
    return _dctr_head(coded.where) + dct_rans.encode(coded.levels, coded.where, coded.tables)


def _dctr_head(where: native_jpeg.Layout) -> bytes:
    return bytes([where.width - 1, where.height - 1, (where.components == 3) | where.h - 1 << 1 | where.v - 1 << 2])


def dctr() -> Iterator[bytes]:
    yield _dctr(_picture(5, 7)[..., :1], "4:4:4", 30.0)
    for height, width, quality in ((1, 1, 75.0), (20, 30, 10.0), (41, 50, 60.0), (24, 24, 100.0)):
        for chroma in ("4:2:0", "4:2:2", "4:4:4"):
            yield _dctr(_picture(height, width), chroma, quality)
        yield _dctr(_picture(height, width)[..., :1], "4:4:4", quality)
    # All levels at an end of their range: dear for the model at first, many decisions in few bytes (two chunks).
    for side, high in ((16, -1023), (80, 1023)):
        where = native_jpeg.layout(side, side, 3, 1, 1)
        levels = np.full((where.blocks, 64), high, np.int16)
        yield _dctr_head(where) + dct_rans.encode(levels, where, np.full((2, 64), 255, np.uint8))
    yield bytes([7, 7, 0]) + bytes.fromhex("c0b925c0520080de049e")  # one block with the DC 1024
    for state in (bytes(6), b"\xff\xff\xff\xff\x00\x00", b"\x00\x00\x00\x00\x01\x00"):  # the first two too small
        yield _dctr_head(where) + state + bytes(60)
    rng = np.random.default_rng(4)
    where = native_jpeg.layout(16, 24, 1, 1, 1)
    levels = rng.integers(-1023, 1024, (where.blocks, 64)).astype(np.int16)
    yield _dctr_head(where) + dct_rans.encode(levels, where, rng.integers(1, 256, (1, 64)).astype(np.uint8))


_COLOUR, _ALPHA, _LOSSLESS, _WIDE = 1, 2, 4, 8


def _wavelet(height: int, width: int, flags: int, levels: int, divisor: int, *, fast: bool = False) -> bytes:
    pixels = _picture(height, width)
    numbers = ([0, 1, 2] if flags & _COLOUR else [0]) + ([3] if flags & _ALPHA else [])
    planes = {n: pixels[..., n % 3].astype(np.int32) // divisor - 128 // divisor for n in numbers}
    for plane in planes.values():
        wavelet.dwt(plane, levels)
    return bytes([width - 1, height - 1, flags, levels, 4]) + _bands(planes, levels, fast)


def _bands(planes: dict[int, np.ndarray], levels: int, fast: bool) -> bytes:
    height, width = planes[0].shape
    samples = len(planes) * height * width
    encoder = wavelet.FastBandEncoder(width, height, samples) if fast else wavelet.BandEncoder(width, samples)
    for level in range(levels + 1, 0, -1):
        for n, plane in planes.items():
            guides = [planes[m] for m in range(n)] if n in (1, 2) else []
            encoder.level(n, plane, guides, levels, level)
    return encoder.finish()


def wavelet_streams() -> Iterator[bytes]:
    yield bytes([1, 0, 0, 0, 4]) + bytes.fromhex("0ffff000000307eb104cb715")  # 2^25 - 2, one bit too many
    for levels, exponent, end in ((70, 251, "b7b715"), (249, 3, "26b715"), (32, 4, "23b715"), (49, 4, "b74c15")):
        yield bytes([1, 0, 0, levels, exponent]) + bytes.fromhex("0ffff000000307eb10" + end)  # near -2^24, halfway
    for levels in (0, 1):
        for most in (1, 2, 3, 4, 5, 6, 8, 60):  # decides for "more" as long as it can, then for less
            yield bytes([0, 0, 0, levels, 4]) + bytes(most) + b"\xff" * 9
    yield from _wavelet_pictures(fast=False)


def _wavelet_pictures(*, fast: bool) -> Iterator[bytes]:
    for flags in (0, _COLOUR, _COLOUR | _ALPHA | _LOSSLESS | _WIDE, _ALPHA, _COLOUR | _LOSSLESS):
        for height, width, levels in ((3, 5, 1), (1, 1, 0), (1, 30, 3), (23, 1, 2), (17, 40, 3), (48, 48, 5)):
            yield _wavelet(height, width, flags, levels, 30 if height == 3 else 8, fast=fast)
        yield _wavelet(20, 21, flags, 2, 1, fast=fast)
        yield _wavelet(20, 21, flags, 0, 30, fast=fast)
        yield _wavelet(20, 21, flags, 12, 30, fast=fast)


def nibble() -> Iterator[bytes]:
    yield from _wavelet_pictures(fast=True)
    rng = np.random.default_rng(6)
    wild = (rng.integers(-(2**24) + 1, 2**24, (13, 14)) >> rng.integers(0, 25, (13, 14))).astype(np.int32)
    for levels in (0, 1):  # escapes, short and wide ones
        yield bytes([13, 12, 0, levels, 0]) + _bands({0: wild}, levels, True)
    # Few values in many places: more symbols than a chunk has.
    planes = {n: np.zeros((256, 256), np.int32) for n in range(4)}
    for plane in planes.values():
        plane[4::8, 4::8] = 1
    yield bytes([255, 255, _COLOUR | _ALPHA, 1, 4]) + _bands(planes, 1, True)


def encoders() -> Iterator[bytes]:
    sizes = {0: (1, 128, 256, 20_000), 1: (1, 128, 257, 20_000), 2: (0, 1, 30_000), 3: (0, 1500, 1501, 1700)}
    kinds, patterns = 6, 6
    for kind, pattern in itertools.product(range(kinds), range(patterns)):
        for size in sizes.get(kind, (0, 40, 901, 1442)):
            for seed in (b"", b"\x02", b"\x05a", b"\x0ebc"):
                yield bytes([kind, pattern]) + _u16(size) + seed
    for count in (0xF000 + 300, 0xF000 + 4000):  # rows that are longer than a strip of columns is high
        yield bytes([4, 1]) + _u16(count) + b"\x02"
    yield bytes([1, 0]) + _u16(128) + bytes(range(0, 256, 2))  # the longest table of code lengths
    yield bytes([0, 0]) + _u16(128) + bytes(range(0, 256, 2))


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "rans": rans,
    "huffman": huffman,
    "ranx": ranx,
    "binary": binary,
    "jpeg": jpeg,
    "wavelet": wavelet_streams,
    "nibble": nibble,
    "dctr": dctr,
    "encoders": encoders,
    "latent": latents,
    "networks": networks,
    "mixture": mixture,
    "raster": raster,
}

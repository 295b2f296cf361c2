"""Files that are wrong on purpose, after those that broke readers elsewhere: claims of size above all.

Among them what OpenEXR's own suite of damaged images and the reports to its maintainers are about: data windows that
are huge, inverted or beyond 32 bits, tables of chunks that point anywhere, sizes below zero, tiles of nothing, channels
of no type, attributes that do not end, and packed data that unpack to much more than they should.
"""

from __future__ import annotations

import functools
import struct
import zlib

import imagecodecs
import numpy as np

from engine.textures import dds, ktx2
from engine.textures.formats import BY_NAME, Texture
from tests.damaged.seeds import H, W, attribute, exr, radiance, texels

MAX, MIN = 0x7FFFFFFF, -0x80000000
HUGE = 0xFFFFFFFFFFFFFFFF


def handmade() -> dict[str, bytes]:
    """By what is wrong with them."""
    return {
        **_exr_headers(),
        **_exr_chunks(),
        **_exr_attributes(),
        **_radiance(),
        **_dds(),
        **_ktx2(),
        **_png(),
        **_tiff(),
    }


# --- OpenEXR --------------------------------------------------------------------------------------------------------


def _window(*corners: int) -> bytes:
    return struct.pack("<4i", *corners)


def _channels(*channels: tuple[str, int, int, int]) -> bytes:
    return b"".join(n.encode() + b"\0" + struct.pack("<i4B2i", kind, 0, 0, 0, 0, x, y) for n, kind, x, y in channels)


RGB = _channels(("B", 1, 1, 1), ("G", 1, 1, 1), ("R", 1, 1, 1)) + b"\0"


def _file(body: bytes = b"", *, version: int = 2, offsets: int = 0, **changed: tuple[str, bytes] | None) -> bytes:
    """A header of usual attributes, some of them changed or left out, so many offsets of zero, and `body`."""
    usual: dict[str, tuple[str, bytes] | None] = {
        "channels": ("chlist", RGB),
        "compression": ("compression", b"\0"),
        "dataWindow": ("box2i", _window(0, 0, 7, 7)),
        "displayWindow": ("box2i", _window(0, 0, 7, 7)),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1)),
        "screenWindowCenter": ("v2f", bytes(8)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
    }
    head = struct.pack("<2I", 0x01312F76, version)
    for name, value in {**usual, **changed}.items():
        head += attribute(name, *value) if value is not None else b""
    return head + b"\0" + bytes(8 * offsets) + body


def _tiles(width: int, height: int, mode: int = 0, *, window: bytes = _window(0, 0, 7, 7), offsets: int = 4) -> bytes:
    tiles = ("tiledesc", struct.pack("<2IB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, mode))
    return _file(version=0x202, offsets=offsets, tiles=tiles, dataWindow=("box2i", window))


def _exr_headers() -> dict[str, bytes]:
    windows = {
        "huge": (0, 0, MAX - 1, MAX - 1),
        "whole range": (MIN, MIN, MAX, MAX),
        "wide": (0, 0, MAX - 1, 0),
        "tall": (0, 0, 0, MAX - 1),
        "inverted": (10, 10, 0, 0),
        "empty": (0, 0, -1, -1),
        "far": (MAX - 8, MAX - 8, MAX, MAX),
        "far below": (MIN, MIN, MIN + 7, MIN + 7),
        "across": (-MAX // 2, -MAX // 2, MAX // 2, MAX // 2),
        "large": (0, 0, 60_000, 60_000),
    }
    made = {}
    for name, corners in windows.items():
        made[f"data window {name}"] = _file(offsets=8, dataWindow=("box2i", _window(*corners)))
        made[f"display window {name}"] = _file(offsets=8, displayWindow=("box2i", _window(*corners)))
        made[f"tiled window {name}"] = _tiles(16, 16, window=_window(*corners))
        for kind in range(1, 14):
            changed = {"compression": ("compression", bytes([kind])), "dataWindow": ("box2i", _window(*corners))}
            made[f"data window {name}, compression {kind}"] = _file(bytes(200), offsets=8, **changed)
    for width, height in ((0, 0), (0, 16), (-1, -1), (1, 1), (MAX, MAX), (MAX, 1), (1 << 16, 1 << 16), (1024, 1024)):
        for mode in (0, 1, 2, 3, 0x11, 0x12, 0xFF):
            made[f"tiles of {width} × {height}, mode {mode}"] = _tiles(width, height, mode)
    made["tiles of 1 × 1 in a large window"] = _tiles(1, 1, window=_window(0, 0, 9999, 9999))
    made["ripmaps of a large window"] = _tiles(16, 16, 2, window=_window(0, 0, 5999, 5999))
    for version in (0, 1, 3, 0xFF, 0x202, 0x402, 0x802, 0x1002, 0x1802, 0x1A02, 0xFFFFFF02):
        made[f"version {version:x}"] = _file(bytes(64), version=version, offsets=8)
    return made


def _exr_attributes() -> dict[str, bytes]:
    made = {
        "no attributes": struct.pack("<2I", 0x01312F76, 2) + b"\0",
        "a name without end": struct.pack("<2I", 0x01312F76, 2) + b"a" * 5000,
        "a type without end": struct.pack("<2I", 0x01312F76, 2) + b"name\0" + b"t" * 5000,
        "an empty type": struct.pack("<2I", 0x01312F76, 2) + b"name\0\0" + bytes(8),
        "the header alone": _file(),
    }
    for name in ("channels", "compression", "dataWindow", "displayWindow", "lineOrder", "pixelAspectRatio"):
        made[f"without {name}"] = _file(bytes(500), offsets=8, **{name: None})
        made[f"{name} of another type"] = _file(bytes(500), offsets=8, **{name: ("string", b"abc")})
        made[f"{name} of nothing"] = _file(bytes(500), offsets=8, **{name: ("string", b"")})
    for size in (-1, MIN, MAX, 1 << 28, 0, 3):
        kinds = ("string", "stringvector", "chlist", "preview", "bytes", "opaque", "iccProfile", "float", "tiledesc")
        for kind in (*kinds, "keycode", "deepImageState", "idmanifest", "timecode", "m44f", "floatvector", "rational"):
            extra = f"extra\0{kind}\0".encode() + struct.pack("<i", size) + b"\1\2\3\4" * 10
            made[f"a {kind} of {size} bytes"] = struct.pack("<2I", 0x01312F76, 2) + extra + _file(offsets=8)[8:]
    for width, height in ((MAX, MAX), (-1, -1), (1 << 16, 1 << 16), (40_000, 40_000)):
        preview = struct.pack("<2I", width & 0xFFFFFFFF, height & 0xFFFFFFFF) + bytes(16)
        made[f"a preview of {width} × {height}"] = _file(offsets=8, preview=("preview", preview))
    made["a string within strings that is longer"] = _file(offsets=8, v=("stringvector", struct.pack("<i", MAX) + b"a"))
    channels = {
        "of type 3": [("R", 3, 1, 1)],
        "of type -1": [("R", -1, 1, 1)],
        "of type 2 billion": [("R", MAX, 1, 1)],
        "sampled by 0": [("Y", 1, 0, 0)],
        "sampled by -1": [("Y", 1, -1, -1)],
        "sampled by 2 billion": [("Y", 1, MAX, MAX), ("R", 1, 1, 1)],
        "sampled by 3 in a window of 8": [("Y", 1, 3, 3)],
        "of one name": [("R", 1, 1, 1)] * 3,
        "of no name": [("", 1, 1, 1)],
        "of a long name": [("R" * 300, 1, 1, 1)],
        "that are many": [(f"c{n:06}", 2, 1, 1) for n in range(120_000)],
        "of layers and dots": [(name, 1, 1, 1) for name in (".", "..", ".R", "R.", "a.b.c.R")],
        "of chroma that differs": [("BY", 1, 2, 2), ("RY", 2, 1, 2), ("Y", 1, 1, 1)],
        "of chroma in whole numbers": [("BY", 0, 2, 2), ("RY", 0, 2, 2), ("Y", 1, 1, 1)],
        "of odd bytes": [("R\xff\xfe", 1, 1, 1)],
    }
    for name, listed in channels.items():
        made[f"channels {name}"] = _file(bytes(2000), offsets=8, channels=("chlist", _channels(*listed) + b"\0"))
        made[f"channels {name}, no end"] = _file(bytes(2000), offsets=8, channels=("chlist", _channels(*listed)))
    part = ("string", b"scanlineimage")
    for kind in (b"deepscanline", b"deeptile", b"tiledimage", b"nonsense", b""):
        made[f"a part of type {kind!r}"] = _file(bytes(500), offsets=8, type=("string", kind))
    for count in (MAX, -1, 0, 1 << 20):
        chunks = ("int", struct.pack("<i", count))
        made[f"a chunk count of {count}"] = _file(bytes(500), offsets=8, chunkCount=chunks)
        several = _file(version=0x1002, offsets=0, chunkCount=chunks, type=part, name=("string", b"a"))
        made[f"parts with a chunk count of {count}"] = several + b"\0" + bytes(500)
    many = b"".join(
        _file(version=0, type=part, chunkCount=("int", b"\1\0\0\0"), name=("string", b"p%d" % n))[8:]
        for n in range(999)
    )
    made["a thousand parts"] = struct.pack("<2I", 0x01312F76, 0x1002) + many + b"\0" + bytes(16_000)
    for white in (float("nan"), 0.0, float("inf"), 1e38):
        made[f"primaries of {white}"] = _changed(exr(), chromaticities=struct.pack("<8f", *[white] * 8))
    return made


def _changed(data: bytes, **values: bytes) -> bytes:
    """A whole file with an attribute more; its offsets are wrong then, unless they are found again."""
    extra = b"".join(attribute(name, name, value) for name, value in values.items())
    count = H if data[8:].find(b"ZIPS") >= 0 else 2
    end = _table_at(data)
    offsets = [offset + len(extra) for offset in struct.unpack_from(f"<{count}Q", data, end)]
    return data[:8] + extra + data[8:end] + struct.pack(f"<{count}Q", *offsets) + data[end + 8 * count :]


@functools.cache
def _table_at(data: bytes) -> int:
    """Where the table of chunks begins, in a file of one part."""
    at = 8
    while data[at]:
        at = data.index(b"\0", data.index(b"\0", at) + 1) + 1
        at += 4 + struct.unpack_from("<I", data, at)[0]
    return at + 1


def _exr_chunks() -> dict[str, bytes]:
    """Whole files whose table of chunks, or a chunk's own claim, was changed."""
    made = {}
    for kind in ("NO", "RLE", "ZIP", "PIZ", "PXR24", "B44", "DWAA", "HTJ2K32", "ZSTD"):
        data = exr(kind)
        table = _table_at(data)
        first = struct.unpack_from("<Q", data, table)[0]
        changes: dict[str, tuple[int, str, int]] = {}
        for offset in (0, 1, table, first + 1, len(data) - 1, len(data), MAX, 1 << 63, HUGE, HUGE - 3):
            changes[f"the first chunk at {offset}"] = (table, "<Q", offset)
        for row in (-1, MIN, MAX, 1, H, 1000):
            changes[f"the first chunk for row {row}"] = (first, "<i", row)
        for size in (-1, MIN, MAX, 0, 1, 3, len(data), 1 << 28):
            changes[f"a first chunk of {size} bytes"] = (first + 4, "<i", size)
        for name, (at, form, value) in changes.items():
            changed = bytearray(data)
            struct.pack_into(form, changed, at, value)
            made[f"{kind}: {name}"] = bytes(changed)
        for fill in (0x00, 0xFF, 0x41):
            made[f"{kind}: chunks of {fill:02x}"] = data[: first + 8] + bytes([fill]) * (len(data) - first - 8)
        made[f"{kind}: without table"] = data[:table]
    bomb = zlib.compress(bytes(1 << 26), 9)
    for kind in (2, 3, 5, 8):  # ZIPS, ZIP, PXR24, DWAA
        chunk = struct.pack("<iI", 0, len(bomb)) + bomb
        head = _file(compression=("compression", bytes([kind])))
        made[f"a bomb of compression {kind}"] = head + struct.pack("<Q", len(head) + 8) + chunk
    return made


# --- The others -----------------------------------------------------------------------------------------------------


def _radiance() -> dict[str, bytes]:
    made = {}
    sizes = (
        "-Y 999999999 +X 999999999",
        "-Y 0 +X 0",
        "-Y -5 +X 5",
        "+X 5 +X 5",
        "-Y 1 +X 32768",
        "-Y 5",
        "",
        "-Y 5 +X",
    )
    for size in (*sizes, "-Y 99999999999 +X 5", "-Y 60000 +X 60000", "-Y 8 +X 8", "-Y 1 +X 7"):
        for body in (b"", b"\2\2\0\x08" * 40, b"\1\1\1\xff" * 40, b"\2\2\x7f\xff" + b"\xff\0" * 90, bytes(400)):
            made[f"{size!r}, {body[:4]!r}"] = radiance(body, size)
    run = bytes([9, 9, 9, 130, 1, 1, 1, 255, 1, 1, 1, 255, 1, 1, 1, 255])
    made["old runs of sixteen million"] = radiance(run, "-Y 4096 +X 4096")
    made["old runs without end"] = radiance(run + bytes([1, 1, 1, 255]) * 30, "-Y 4000 +X 4000")
    for width in (8, 127, 128, 200, 32_767):
        row = struct.pack(">2BH", 2, 2, width)
        for code in (b"\x00", b"\x80\x05", b"\xff\x05", b"\x7f" + bytes(127), b"\x01\x05"):
            made[f"a row of {width} in runs {code[:2]!r}"] = radiance((row + code * 600) * 3, f"-Y 3 +X {width}")
    made["a header without end"] = b"#?RADIANCE\n" + b"A=1\n" * 50_000
    made["a variable without end"] = b"#?RADIANCE\nA=" + b"1" * (1 << 20)
    for value in ("nan", "inf", "1e999", "-1", "0", "x", "1" * 400):
        variables = f"FORMAT=32-bit_rle_rgbe\nEXPOSURE={value}\nPRIMARIES={' '.join([value] * 8)}"
        made[f"variables of {value[:9]}"] = f"#?RADIANCE\n{variables}\n\n-Y 2 +X 2\n".encode() + bytes(16)
    return made


def _with_words(data: bytes, **words: tuple[int, str, int]) -> bytes:
    out = bytearray(data)
    for at, form, value in words.values():
        struct.pack_into(form, out, at, value)
    return bytes(out)


def _claims(data: bytes, fields: dict[str, int], form: str, values: tuple[int, ...]) -> dict[str, bytes]:
    return {
        f"{name} of {value}": _with_words(data, word=(at, form, value))
        for name, at in fields.items()
        for value in values
    }


SIZES = (0, 1, 31, 33, 0xFFFF, 0x10000, MAX, 0x80000000, 0xFFFFFFFF)


def _dds() -> dict[str, bytes]:
    made = {}
    fields = {name: 4 + 4 * n for n, name in enumerate(("size", "flags", "height", "width", "pitch", "depth", "mips"))}
    fields |= {"pixel format": 76, "four letters": 84, "bits": 88, "mask": 92, "caps": 108, "caps 2": 112}
    fields |= {"DXGI format": 128, "dimension": 132, "misc": 136, "pictures": 140, "misc 2": 144}
    for name in ("BC1", "BC6H", "BC7 sRGB", "RGBA16F", "R8"):
        form = BY_NAME[name]
        data = dds.write(Texture(form, W, H, texels(form)))
        made |= {f"DDS {name}: {key}": made_of for key, made_of in _claims(data, fields, "<I", SIZES).items()}
        both = {"h": (12, "<I", 0xFFFF), "w": (16, "<I", 0xFFFF)}
        made[f"DDS {name}: both sides huge"] = _with_words(data, **both)
    return made


def _ktx2() -> dict[str, bytes]:
    made = {}
    names = ("format", "type size", "width", "height", "depth", "layers", "faces", "levels", "scheme")
    fields = {name: 12 + 4 * n for n, name in enumerate(names)}
    fields |= {name: 48 + 4 * n for n, name in enumerate(("DFD at", "DFD size", "keys at", "keys size"))}
    wide = {"globals at": 64, "globals size": 72, "level at": 80, "level size": 88, "level unpacked": 96}
    for name in ("BC1", "ASTC 6×5 HDR", "RGBA32F", "R8"):
        form = BY_NAME[name]
        for packed in (False, True):
            data = ktx2.write(Texture(form, W, H, texels(form)), packed=packed)
            claims = _claims(data, fields, "<I", SIZES) | _claims(data, wide, "<Q", (*SIZES, 1 << 63, HUGE, len(data)))
            made |= {f"KTX2 {name}, {packed}: {key}": made_of for key, made_of in claims.items()}
            both = {"w": (20, "<I", 0xFFFF), "h": (24, "<I", 0xFFFF)}
            made[f"KTX2 {name}, {packed}: both sides huge"] = _with_words(data, **both)
    form = BY_NAME["RGBA8"]
    for scheme, bomb in ((2, imagecodecs.zstd_encode(bytes(1 << 26))), (3, zlib.compress(bytes(1 << 26), 9))):
        data = ktx2.write(Texture(form, W, H, texels(form)), packed=True)
        at = struct.unpack_from("<Q", data, 80)[0]
        words = {"scheme": (44, "<I", scheme), "size": (88, "<Q", len(bomb))}
        for unpacked in (4 * W * H, 1 << 26, 1 << 40, HUGE):
            made[f"a bomb of scheme {scheme}, {unpacked}"] = (
                _with_words(data, **words, unpacked=(96, "<Q", unpacked))[:at] + bomb
            )
    return made


def _png() -> dict[str, bytes]:
    made = {}
    whole = imagecodecs.png_encode(np.zeros((H, W, 3), np.uint16))
    bomb = zlib.compress(bytes(1 << 26), 9)
    for width, height in ((0, 0), (MAX, MAX), (0xFFFFFFFF, 0xFFFFFFFF), (60_000, 60_000), (3000, 3000), (1, MAX)):
        for depth, kind in ((16, 6), (16, 2), (1, 0), (3, 9), (255, 255), (8, 3)):
            head = _chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0))
            body = head + _chunk(b"IDAT", bomb) + _chunk(b"IEND", b"")
            made[f"PNG of {width} × {height}, depth {depth}, kind {kind}"] = whole[:8] + body
    at = whole.index(b"IDAT") - 4
    for name in (b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"cICP", b"sBIT", b"PLTE", b"tRNS"):
        for extra in (b"", b"a\0\0" + bomb, bytes(5000), b"\xff" * 8):
            made[f"PNG with {name!r} of {len(extra)}"] = whole[:at] + _chunk(name, extra) + whole[at:]
    return made


def _tiff() -> dict[str, bytes]:
    """One page of one strip, with each tag's type, count and value changed."""
    usual = {256: W, 257: H, 258: 32, 259: 1, 262: 1, 273: 300, 277: 1, 278: H, 279: 4 * W * H, 339: 3}
    made = {}
    for tag in usual:
        for value in SIZES:
            made[f"TIFF tag {tag} of {value}"] = _page({**{t: (4, 1, v) for t, v in usual.items()}, tag: (4, 1, value)})
        for kind, count in ((2, 5000), (4, MAX), (4, 0xFFFFFFFF), (4, 0), (12, 100), (16, 1 << 28), (99, 1), (5, 1000)):
            changed = {**{t: (4, 1, v) for t, v in usual.items()}, tag: (kind, count, 8)}
            made[f"TIFF tag {tag} of type {kind}, {count} times"] = _page(changed)
    whole = {t: (4, 1, v) for t, v in usual.items()}
    made["TIFF whose next page is itself"] = _page(whole, following=8)
    made["TIFF whose next page is outside"] = _page(whole, following=MAX)
    tiles = {**whole, 322: (4, 1, 0), 323: (4, 1, 0), 324: (4, 1, 300), 325: (4, 1, 64)}
    for side in (0, 1, 16, MAX, 0xFFFFFFFF):
        made[f"TIFF of tiles of {side}"] = _page({**tiles, 322: (4, 1, side), 323: (4, 1, side)})
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (n + 1)) for n in range(100_000))
    made["TIFF of empty pages"] = b"II*\0\x08\0\0\0" + pages
    for kind in (5, 8, 32773, 34925, 50000):
        bomb = zlib.compress(bytes(1 << 26), 9) if kind == 8 else bytes([0x80, 0x7F]) * 40_000
        made[f"TIFF bomb of {kind}"] = _page({**whole, 259: (4, 1, kind), 279: (4, 1, len(bomb))}, body=bomb)
    return made


def _page(tags: dict[int, tuple[int, int, int]], *, following: int = 0, body: bytes = bytes(4 * W * H)) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return head.ljust(300, b"\0") + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

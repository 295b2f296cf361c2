"""Whole small files of every kind that holds light or texels, to be damaged."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import imagecodecs
import numpy as np
import OpenEXR
import tifffile

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.io.radiance import hdr_bytes
from engine.textures import dds, ktx2
from engine.textures.formats import FORMATS, TexelFormat, Texture
from engine.textures.packed import rgbe_codes

H, W = 19, 33
EXR_KINDS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB", "HTJ2K32", "HTJ2K256", "ZSTD")
ORIENTATIONS = ("-Y {h} +X {w}", "+Y {h} +X {w}", "-Y {h} -X {w}", "+X {w} -Y {h}", "-X {w} +Y {h}")


def light(channels: int = 3, height: int = H, width: int = W) -> np.ndarray:
    """Half floats of six decades, smooth on one side and noise on the other."""
    rng = np.random.default_rng(3)
    smooth = np.linspace(-8, 4, height * width * channels).reshape(height, width, channels)
    smooth[:, width // 2 :] += rng.uniform(-4, 4, (height, width - width // 2, channels))
    return np.exp2(smooth).astype(np.float16)


def seeds() -> dict[str, list[bytes]]:
    """By kind of file."""
    return {
        "exr": list(_exr()),
        "radiance": list(_radiance()),
        "dds": list(_dds()),
        "ktx2": list(_ktx2()),
        "tiff": list(_tiff()),
        "png": list(_png()),
        "jxl": [imagecodecs.jpegxl_encode(light().astype(np.float32), lossless=True, effort=1)],
    }


# --- OpenEXR --------------------------------------------------------------------------------------------------------


def attribute(name: str, kind: str, value: bytes) -> bytes:
    return f"{name}\0{kind}\0".encode() + struct.pack("<I", len(value)) + value


def chroma_exr(planes: dict[str, np.ndarray], step: int) -> bytes:
    """An OpenEXR file of Y, RY and BY in half floats, without compression; chroma at every `step`-th texel. OpenEXR's
    Python binding does not write such files."""
    height, width = planes["Y"].shape
    steps = {"BY": step, "RY": step, "Y": 1}
    channels = b"".join(name.encode() + b"\0" + struct.pack("<4I", 1, 0, n, n) for name, n in steps.items()) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = b"\x76\x2f\x31\x01\2\0\0\0" + attribute("channels", "chlist", channels)
    head += attribute("compression", "compression", b"\0")
    head += attribute("dataWindow", "box2i", window) + attribute("displayWindow", "box2i", window)
    head += attribute("lineOrder", "lineOrder", b"\0") + attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    head += attribute("screenWindowCenter", "v2f", bytes(8))
    head += attribute("screenWindowWidth", "float", struct.pack("<f", 1)) + b"\0"
    lines, at, offsets = [], len(head) + 8 * height, b""
    for row in range(height):
        body = b"".join(planes[name][row // n].tobytes() for name, n in steps.items() if row % n == 0)
        lines.append(struct.pack("<iI", row, len(body)) + body)
        offsets += struct.pack("<Q", at)
        at += len(lines[-1])
    return head + offsets + b"".join(lines)


def exr(compression: str = "ZIP", dtype: type = np.float16, **header: object) -> bytes:
    names = {f"{name}": np.ascontiguousarray(light()[:, :, at].astype(dtype)) for at, name in enumerate("RGB")}
    out = io.BytesIO()
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    OpenEXR.File({"type": OpenEXR.scanlineimage, "compression": kind, **header}, names).write(out)
    return out.getvalue()


def _exr() -> Iterator[bytes]:
    tiles = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    for compression in EXR_KINDS:
        for dtype in (np.float16, np.float32, np.uint32):
            for shape in ({}, tiles):
                try:
                    yield exr(compression, dtype, **shape)
                except (RuntimeError, ValueError):  # one that the library only reads, or not of this kind
                    continue
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    one = np.ascontiguousarray(light()[:, :, 0])
    parts = [
        OpenEXR.Part(dict(header), {"depth": one, "id": np.zeros((H, W), np.uint32)}, "passes"),
        OpenEXR.Part(dict(header), dict.fromkeys("RGBA", one), "beauty"),
        OpenEXR.Part(dict(tiles), {"Y": one}, "tiled"),
    ]
    out = io.BytesIO()
    OpenEXR.File(parts).write(out)
    yield out.getvalue()
    even = light()[: H // 2 * 2, : W // 2 * 2, 0]
    for step in (1, 2):
        chroma = np.ascontiguousarray(even[::step, ::step] * np.float16(0.01))
        yield chroma_exr({"Y": even, "RY": chroma, "BY": chroma}, step)


# --- The others -----------------------------------------------------------------------------------------------------


def radiance(pixels: bytes, size: str = ORIENTATIONS[0], *, width: int = W, height: int = H) -> bytes:
    head = "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\nEXPOSURE=1.5\n\n" + size.format(h=height, w=width) + "\n"
    return head.encode() + pixels


def _radiance() -> Iterator[bytes]:
    yield hdr_bytes(Image(np.ascontiguousarray(light().astype(np.float32)), LINEAR_SRGB))
    codes = rgbe_codes(light().astype(np.float32))
    for size in ORIENTATIONS:
        yield radiance(codes.tobytes(), size)
    runs = b"".join(row[0].tobytes() + bytes([1, 1, 1, W - 1]) for row in codes)
    yield radiance(runs)
    modern = hdr_bytes(Image(np.ascontiguousarray(light().astype(np.float32)), LINEAR_SRGB))
    body = modern[modern.index(b"\n", modern.index(b"\n\n") + 2) + 1 :]
    yield from (radiance(body, size) for size in ORIENTATIONS[1:3])


def texels(form: TexelFormat) -> bytes:
    """As many texels as H×W have. ASTC: blocks of one colour each, as others are errors for its decoder."""
    count = form.size(W, H)
    if form.name.startswith("ASTC"):
        kind = 0xFF if form.is_light else 0xFD
        block = bytes([0xFC, kind, *[0xFF] * 6]) + struct.pack("<4H", 0x3800, 0x3A00, 0x3000, 0x3C00)
        return (block * (count // 16))[:count]
    if form.is_light and form.block == (1, 1) and form.name != "RGB9E5":
        kind = np.float16 if "16" in form.name else np.float32
        return light(len(form.channels)).astype(kind).tobytes()[:count]
    return np.random.default_rng(5).integers(0, 256, count, np.uint8).tobytes()


def _dds() -> Iterator[bytes]:
    for form in FORMATS:
        if form.dxgi is not None:
            yield dds.write(Texture(form, W, H, texels(form)))


def _ktx2() -> Iterator[bytes]:
    for form in FORMATS:
        if form.vk is not None:
            yield ktx2.write(Texture(form, W, H, texels(form)))
            yield ktx2.write(Texture(form, W, H, texels(form)), packed=True)


def _tiff() -> Iterator[bytes]:
    whole = (light().astype(np.float32) * 100).clip(0, 65535)
    for dtype in (np.float32, np.float16, np.uint16, np.uint8):
        pixels = (whole if dtype != np.uint8 else whole / 257).astype(dtype)
        for options in ({}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"compression": "lzw"}):
            for more in ({}, {"bigtiff": True}):
                out = io.BytesIO()
                tifffile.imwrite(out, pixels, photometric="rgb", **options, **more)
                yield out.getvalue()


def _png() -> Iterator[bytes]:
    for dtype, scale in ((np.uint16, 100), (np.uint8, 1)):
        for channels in (1, 3, 4):
            pixels = (light(4).astype(np.float32)[:, :, :channels] * scale).clip(0, 255 * scale).astype(dtype)
            yield imagecodecs.png_encode(pixels[:, :, 0] if channels == 1 else pixels)

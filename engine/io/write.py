"""Writing pictures: PNG of 8 or 16 bits, OpenEXR, Radiance and KTX2 for light; each whole or not at all."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from engine import color
from engine.carry import with_bits
from engine.channels import vectors
from engine.color import LINEAR_SRGB, SRGB, ColorSpec
from engine.errors import Unsupported, UsageError
from engine.files import atomic_write
from engine.image import Alpha, Image, Meaning
from engine.io.exr import exr_bytes
from engine.io.png import SIGNATURE
from engine.io.radiance import hdr_bytes
from engine.io.textures import ktx2_bytes
from engine.light import over_black, texels

_LEVEL = 4  # of zlib: twice as fast as the usual 6 for 1 % more bytes on photographs
_IHDR_END = len(SIGNATURE) + 25
WRITABLE = (".png", ".exr", ".hdr", ".ktx2")


def write(path: str | Path, image: Image, *, signed: bool = False) -> tuple[str, ...]:
    """Write `image` in the format that the suffix names; notes say what it could not hold. `UsageError` for others.

    EXR holds light exactly: half floats where they do, 32 bits else. Radiance rounds it to 8 bits of mantissa. PNG
    gets light as 16-bit sRGB code values, what is brighter than white clipped. KTX2 gets texels as they are, light as
    half floats where these hold it, Zstandard packed. Directions and masks are written as their codes; as EXR they are
    0 … 1, directions −1 … 1 where they are `signed`.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if image.data is not None:
        image = _as_stored(image, suffix, signed=signed)
    if suffix not in WRITABLE:
        raise UsageError(f"pictures are written as {', '.join(WRITABLE)}; let the name end in one of them", path=path)
    notes: list[str] = []
    if suffix == ".png":
        data = png_bytes(_as_codes(image, notes) if image.is_float else image)
    elif suffix == ".exr":
        data = exr_bytes(_as_light(image, notes))
    elif suffix == ".ktx2":
        data = ktx2_bytes(_as_texture(image, notes))
    else:
        data = hdr_bytes(_as_radiance(_as_light(image, notes), notes))
    atomic_write(path, data)
    return tuple(f"{path.name}: {note}" for note in notes)


def write_png(path: str | Path, image: Image) -> None:
    """Write `image` to `path` as PNG, whole or not at all; reading it gives the same pixels and colours back."""
    try:
        data = png_bytes(image)
    except Unsupported as error:
        raise error.at(path) from error.__cause__
    atomic_write(path, data)


def exact_bytes(image: Image) -> tuple[bytes, str]:
    """`image` as a file that holds it as it is, and the suffix of that: PNG for code values, OpenEXR for light."""
    return (exr_bytes(image), ".exr") if image.is_float else (png_bytes(image), ".png")


def png_bytes(image: Image) -> bytes:
    """`image` as a PNG file. `Unsupported` for floats and premultiplied alpha, which PNG does not have."""
    import imagecodecs

    if image.is_float:
        raise Unsupported("PNG carries no floating-point pictures")
    if image.alpha is Alpha.PREMULTIPLIED:
        raise Unsupported("PNG carries no premultiplied alpha")
    full = with_bits(image, 8 * image.pixels.dtype.itemsize)
    pixels = full.pixels[:, :, 0] if full.channels == 1 else full.pixels
    data = bytes(imagecodecs.png_encode(pixels, _LEVEL))
    return data[:_IHDR_END] + _about(image) + data[_IHDR_END:]


def _as_stored(image: Image, suffix: str, *, signed: bool) -> Image:
    """A direction map or a shadow mask as codes, for OpenEXR as half floats. `Unsupported` for a format of light."""
    assert image.data is not None
    if suffix == ".hdr":
        raise Unsupported(f"Radiance files hold light, no {image.data.noun}", hint="take .png, .exr or .ktx2")
    if suffix != ".exr":
        return image
    values = image.pixels.astype(np.float32) / np.float32(image.peak)
    if signed and image.data is Meaning.DIRECTION:
        values[:, :, :3] = vectors(image)
    values = values.astype(np.float16).astype(np.float32)  # as engines have them
    return Image(values, LINEAR_SRGB, Alpha.PREMULTIPLIED if image.has_alpha else Alpha.NONE)  # not to be multiplied


def _as_codes(image: Image, notes: list[str]) -> Image:
    """Light as 16-bit code values of sRGB's curve, over black."""
    image = over_black(image)
    beyond = int(((image.pixels > 1) | (image.pixels < 0)).any(axis=2).sum())
    if beyond:
        notes.append(f"light outside of black … white was clipped at {texels(beyond)}: PNG holds no more")
    codes = color.from_linear(np.nan_to_num(image.pixels, nan=0).clip(0, 1), SRGB)
    spec = ColorSpec(image.color.primaries, SRGB.transfer)
    return image.with_pixels(np.rint(codes * 65535).astype(np.uint16), color=spec, bits=16)


def _as_light(image: Image, notes: list[str]) -> Image:
    """Any picture as linear light in floats; straight alpha becomes premultiplied, as EXR has it."""
    if image.is_float:
        return image
    notes.append("code values were converted to linear light")
    light = color.to_linear(image.colour_pixels.astype(np.float32) / np.float32(image.peak), image.color)
    spec = ColorSpec(image.color.primaries, LINEAR_SRGB.transfer)
    if not image.has_alpha:
        return Image(light, spec)
    alpha = image.pixels[:, :, -1:].astype(np.float32) / np.float32(image.peak)
    if image.alpha is Alpha.STRAIGHT:
        light = light * alpha
    return Image(np.concatenate([light, alpha], axis=2), spec, Alpha.PREMULTIPLIED)


def _as_texture(image: Image, notes: list[str]) -> Image:
    """Codes of 8 bits in sRGB, or light with BT.709 primaries, as cards take them: RGB, with alpha or without."""
    if image.data is not None and image.bits > 8:
        notes.append(f"the {image.data.noun} was rounded to 8 bits")
        image = with_bits(image, 8)
    if not image.is_float and (image.icc is not None or image.color != SRGB or image.bits > 8):
        image = _as_light(image, notes)
    if image.is_float and image.color != LINEAR_SRGB:
        if not image.is_gray:
            notes.append(f"{image.color} was converted to BT.709")
        pixels = np.array(image.pixels)
        colours = pixels[:, :, : image.colour_pixels.shape[2]]
        colours[:] = color.convert(colours, image.color, LINEAR_SRGB)
        image = image.with_pixels(pixels, color=LINEAR_SRGB)
    if not image.is_gray:
        return image
    planes = np.dstack([*[image.colour_pixels] * 3, *([image.pixels[:, :, 1:]] if image.has_alpha else [])])
    return image.with_pixels(planes)


def _as_radiance(image: Image, notes: list[str]) -> Image:
    """R, G, B with BT.709 primaries, without alpha, none below 0."""
    if image.has_alpha:
        notes.append("Radiance files carry no alpha: the picture was laid over black")
        image = over_black(image)
    light = color.convert(image.pixels, image.color, LINEAR_SRGB)
    if image.color != LINEAR_SRGB and not image.is_gray:
        notes.append(f"{image.color} was converted to BT.709")
    if (light < 0).any():
        notes.append("Radiance files carry no light below 0: it was raised to 0")
    if image.is_gray:
        light = np.repeat(light, 3, axis=2)
    return Image(light, LINEAR_SRGB)


def _about(image: Image) -> bytes:
    """The chunks that say what the samples mean."""
    meaning = _chunk(b"sBIT", bytes([image.bits] * image.channels)) if image.bits % 8 else b""
    # Grey has no primaries, and PNG allows no RGB profile beside it.
    if image.data is not None:
        return meaning  # its numbers are no colours
    if image.icc is None and (image.color == SRGB or (image.is_gray and image.color.transfer == SRGB.transfer)):
        return meaning + _chunk(b"sRGB", b"\0")
    profile = image.icc or color.profile_bytes(image.color)
    return meaning + _chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile, 9))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

"""Float pictures in codecs that know integers only: through `engine.light.LogTransfer`, in our container.

A JP2, JPEG XL or AVIF file has no way to name the transfer, so it travels as the FILE section of our container, whose
header does: decoding then needs nothing but the bytes. It costs about 25 bytes. docs/format.md describes the form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import container
from engine.codec import CodecInfo
from engine.container import Picture, Section
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.light import LogTransfer, log_codes

SUFFIX = ".rsh"  # of a file of another format within our container
LIGHT_16 = "codes light as log2(x + 2⁻¹⁰) in 16 bits"
LIGHT_12 = "codes light as log2(x + 2⁻¹⁰) in 12 bits, whatever the chroma setting at 4:4:4"


def codes_of(image: Image, bits: int) -> tuple[Image, LogTransfer]:
    """The codes of a float picture; `Unsupported` for one with alpha (`engine.carry.fit` takes it away)."""
    if image.has_alpha or not np.isfinite(image.pixels).all():
        raise Unsupported("floats are coded without alpha, and only where they are finite")
    return log_codes(image, bits)


def light_of(codes: np.ndarray, picture: Picture, bits: int) -> Image:
    """The float picture that `codes` (u16, H×W×C) stand for by the header of their stream."""
    if picture.transfer is None or codes.shape != (picture.height, picture.width, picture.channels):
        raise CorruptStream("the picture in the stream is not the one that its header describes")
    if picture.alpha.value != "none" or codes.max(initial=0) >= 2**bits:
        raise CorruptStream("the codes of light are out of range")
    return Image(picture.transfer.light(codes, bits), picture.color, icc=picture.icc)


def require_lossy(info: CodecInfo, chosen: dict[str, Any]) -> None:
    """`Unsupported` for lossless floats: the logarithm is rounded."""
    if chosen.get("lossless"):
        raise Unsupported(
            f"{info.label} rounds floats to whole numbers of their logarithm, so it has nothing lossless for them",
            hint="JPEG XL keeps floats exactly",
        )


def encode(image: Image, codec_id: str, bits: int, encode_codes: Callable[[Image], bytes]) -> bytes:
    """Our container around the file that `encode_codes` makes of the picture's codes."""
    codes, transfer = codes_of(image, bits)
    return container.write(codec_id, Picture.of(image, transfer), {Section.FILE: encode_codes(codes)})


def decode(data: bytes, codec_id: str, bits: int, decode_file: Callable[[bytes], Image]) -> Image:
    """The inverse of :func:`encode`; `CorruptStream` where file and header disagree."""
    stream = container.read(data)
    if stream.codec != codec_id:
        raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by {codec_id}")
    codes = decode_file(stream.section(Section.FILE))
    if codes.bits != bits or codes.has_alpha:
        raise CorruptStream(f"the file in the stream does not hold codes of {bits} bits")
    return light_of(codes.pixels, stream.picture, bits)

"""Bring two pictures to the reference's terms, so that a metric compares like with like.

Alpha of both is laid over white (in code values, as browsers do); grey against RGB becomes RGB; the candidate
is then taken to the reference's colour space and sample depth. The reference's own code values never change
otherwise, so a score is always in units of the reference.
"""

from __future__ import annotations

import numpy as np

from engine.carry import flatten
from engine.color import convert
from engine.errors import Unsupported, UsageError
from engine.image import Image

# Conversions run over row strips of about this many samples: a float copy of a whole picture is never held.
_STRIP_SAMPLES = 1 << 20


def align(ref: Image, img: Image) -> tuple[Image, Image]:
    """Both pictures with the same size, channels (1 or 3), colour and depth.

    `UsageError` for different sizes, `Unsupported` for floating-point pictures.
    """
    if (ref.width, ref.height) != (img.width, img.height):
        raise UsageError(
            f"the pictures differ in size: {ref.width}×{ref.height} and {img.width}×{img.height}",
            hint="metrics compare pixel by pixel; crop or scale one of them first",
        )
    if ref.is_float or img.is_float:
        raise Unsupported("these metrics compare code values; a floating-point picture has none")
    ref, img = flatten(ref), flatten(img)
    if ref.channels != img.channels:
        ref, img = as_rgb(ref), as_rgb(img)
    return ref, _in_terms_of(ref, img)


def as_rgb(image: Image) -> Image:
    """A grey picture (without alpha) as RGB of three equal channels; RGB as it is."""
    return image.with_pixels(np.repeat(image.pixels, 3, axis=2)) if image.channels == 1 else image


def strips(image: Image) -> list[slice]:
    """Row ranges that cover the picture, each of about a million samples."""
    step = max(1, _STRIP_SAMPLES // (image.width * image.channels))
    return [slice(top, min(top + step, image.height)) for top in range(0, image.height, step)]


def _in_terms_of(ref: Image, img: Image) -> Image:
    if ref.color == img.color and ref.bits == img.bits:
        return img
    out = np.empty(img.pixels.shape, ref.pixels.dtype)
    for rows in strips(img):
        values = convert(img.pixels[rows].astype(np.float64) / img.peak, img.color, ref.color)
        out[rows] = np.rint(np.clip(values, 0, 1) * ref.peak)
    return img.with_pixels(out, color=ref.color, bits=ref.bits)

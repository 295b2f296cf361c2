"""Bring two pictures to the reference's terms, so that a metric compares like with like.

Code values: alpha of both is laid over white (in code values, as browsers do); grey against RGB becomes RGB; the
candidate is then taken to the reference's colour space and sample depth. The reference's own code values never change
otherwise, so a score is always in units of the reference.

Directions and masks keep all channels, and no colour is converted; the candidate is taken to the reference's depth.

Linear light, where the reference is a floating-point picture: the candidate is taken to the reference's primaries as
light; alpha of both is laid over black; light below 0 is 0. Only texels that count are compared: those of the
reference's mask, of some coverage where it has alpha, and finite. Elsewhere both become black. What is not finite in
the candidate alone is its error: NaN counts as no light, infinity as the largest half float.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.carry import flatten, with_bits
from engine.channels import unstacked
from engine.color import LINEAR_SRGB, ColorSpec, convert
from engine.errors import Unsupported, UsageError
from engine.image import Alpha, Image
from engine.light import HALF_MAX

# Conversions run over row strips of about this many samples: a float copy of a whole picture is never held.
_STRIP_SAMPLES = 1 << 20


def align(ref: Image, img: Image, *, gutters: bool = False) -> tuple[Image, Image]:
    """Both pictures with the same size, channels (1 or 3), colour and depth.

    gutters: of light, keep what lies outside of the texels that count; else both are black there.
    `UsageError` for different sizes, `Unsupported` for a floating-point reference of which no texel counts.
    """
    if ref.data is not None:
        img = unstacked(img, ref)
    if (ref.width, ref.height) != (img.width, img.height):
        raise UsageError(
            f"the pictures differ in size: {ref.width}×{ref.height} and {img.width}×{img.height}",
            hint="metrics compare pixel by pixel; crop or scale one of them first",
        )
    if ref.data is not None:
        return ref, _as_data(img, ref)
    if ref.is_float:
        return _as_light(ref, img, gutters)
    ref, img = flatten(ref), flatten(img)
    if ref.channels != img.channels:
        ref, img = as_rgb(ref), as_rgb(img)
    return ref, _in_terms_of(ref, img)


def covered(ref: Image) -> np.ndarray:
    """H×W bool: the texels of a floating-point picture that count."""
    counts = np.isfinite(ref.pixels).all(axis=2)
    if ref.mask is not None:
        counts &= ref.mask
    if ref.alpha_plane is not None:
        counts &= ref.alpha_plane > 0
    return counts


def counted(ref: Image, rows: slice) -> np.ndarray:
    """h×w bool: which texels of these rows of an aligned reference count."""
    return np.ones((ref.height, ref.width), bool)[rows] if ref.mask is None else ref.mask[rows]


def _as_data(image: Image, like: Image) -> Image:
    """A picture of `like`'s size in `like`'s terms: channels, depth, meaning. `Unsupported` for floats.

    A fourth channel that is not there is full, as readers of textures leave it out then.
    """
    assert like.data is not None
    if image.is_float:
        raise Unsupported(f"this {like.data.noun} holds code values; light in floats cannot be compared with it")
    pixels = with_bits(image, like.bits).pixels
    if pixels.shape[2] > like.channels:
        pixels = pixels[:, :, : like.channels]
    elif pixels.shape[2] < like.channels:
        full = np.full((*pixels.shape[:2], 1), like.peak, pixels.dtype)
        colours = pixels if pixels.shape[2] >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
        pixels = np.concatenate([colours, full], axis=2)[:, :, : like.channels]
    return like.with_pixels(np.ascontiguousarray(pixels))


def _as_light(ref: Image, img: Image, gutters: bool) -> tuple[Image, Image]:
    counts = covered(ref)
    if not counts.any():
        raise Unsupported("no texel of this picture counts: each is outside of its mask, or not a number")
    channels = max(ref.colour_pixels.shape[2], img.colour_pixels.shape[2])
    kept = np.ones_like(counts) if gutters else counts
    pair = [Image(_light(each, ref.color, channels, kept), ref.color, mask=counts) for each in (ref, img)]
    return replace(pair[0], importance=ref.importance), pair[1]


def _light(image: Image, color: ColorSpec, channels: int, kept: np.ndarray) -> np.ndarray:
    """H×W×channels f32 of linear light in the primaries of `color`: finite, not negative, 0 where nothing is `kept`."""
    out = np.zeros((image.height, image.width, channels), np.float32)
    linear = ColorSpec(color.primaries, LINEAR_SRGB.transfer)
    for rows in strips(image):
        light = image.colour_pixels[rows].astype(np.float32)
        if not image.is_float:
            light = convert(light / np.float32(image.peak), image.color, linear)
        elif image.color.primaries != color.primaries:
            light = convert(light, image.color, linear)
        if image.alpha is Alpha.STRAIGHT:
            light = light * (image.pixels[rows, :, -1:].astype(np.float32) / np.float32(image.peak))
        light = np.nan_to_num(light, nan=0, posinf=HALF_MAX, neginf=0).clip(0, None)
        out[rows] = light * kept[rows, :, None]
    return out


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
        values = np.nan_to_num(img.pixels[rows].astype(np.float64) / img.peak, nan=0)
        values = convert(values, img.color, ref.color)
        out[rows] = np.rint(np.clip(values, 0, 1) * ref.peak)
    return img.with_pixels(out, color=ref.color, bits=ref.bits)

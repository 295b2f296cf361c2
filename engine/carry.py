"""Making a picture fit what a codec carries, and saying what that cost: nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.channels import stacked
from engine.codec import Capabilities, CodecInfo
from engine.color import SRGB, convert
from engine.errors import Unsupported
from engine.image import Alpha, Image
from engine.light import over_black, repaired, texels


@dataclass(frozen=True)
class Fitted:
    """A picture that the codec carries as it is, and in plain words what had to be changed for that."""

    image: Image
    notes: tuple[str, ...] = ()


_STRIP_PIXELS = 1 << 18  # conversions go through floats, a strip of rows at a time


def fit(image: Image, info: CodecInfo) -> Fitted:
    """`image` as `info` carries it. Changes: alpha over white, fewer bits, grey as RGB; light made finite and positive;
    the channels of directions and masks as planes of a grey picture (`engine.channels`), where it is no texture; no
    map of importance where the codec cannot follow one.

    `Unsupported` for light in floats where the codec carries none (it is never tone-mapped behind anybody's back), for
    code values where it carries light only, and if a side is longer than the format allows.
    """
    can = info.capabilities
    reason = refusal(info, is_light=image.is_float)
    if reason is not None:
        raise Unsupported(reason)
    notes: list[str] = []
    if image.data is not None and planes_in(image, info) > 1:
        notes.append(f"codes the {image.channels} channels of a {image.data.noun} one under the other, as grey")
        image = stacked(image)
    if max(image.width, image.height) > can.max_side:
        size = f"{image.width} × {image.height}"
        raise Unsupported(f"{info.label} carries sides up to {can.max_side} pixels, this picture is {size}")
    for step in _STEPS:
        image, note = step(image, can)
        if note:
            notes.append(note)
    return Fitted(image, tuple(f"{info.label} {note}" for note in notes))


def planes_in(image: Image, info: CodecInfo) -> int:
    """How many planes lie one under the other in this codec's files of `image`, or of what they decode to."""
    return image.channels if image.data is not None and info.family != "texture" else 1


def refusal(info: CodecInfo, *, is_light: bool) -> str | None:
    """Why the codec takes no HDR pictures (light in floats), or none but these; None if it takes the picture."""
    can = info.capabilities
    if not is_light:
        only_light = min(can.depths) > 16
        return f"{info.label} carries floating-point pictures only; this one holds code values" if only_light else None
    if can.hdr:
        return None
    deepest = max(can.depths)
    return (
        f"{info.label} carries {deepest}-bit pictures only; this one holds light as floats (HDR): "
        "take wavelet, JPEG 2000, JPEG XL, AVIF, OpenEXR DWA, or an engine's format"
    )


def flatten(image: Image, over: float = 1.0) -> Image:
    """`image` without alpha, blended over grey `over` (0 black … 1 white) in its own code values, rounded.

    A picture without alpha comes back as it is.
    """
    if not image.has_alpha:
        return image
    colours = image.colour_pixels
    out = np.empty(colours.shape, image.pixels.dtype)
    for rows in _strips(image):
        alpha = image.pixels[rows, :, -1:].astype(np.float32) / np.float32(image.peak)
        front = colours[rows].astype(np.float32)
        if image.alpha is Alpha.STRAIGHT:
            front = front * alpha
        blended = front + np.float32(over * image.peak) * (1 - alpha)
        out[rows] = blended if image.is_float else (blended + 0.5).clip(0, image.peak)
    return image.with_pixels(out, alpha=Alpha.NONE)


def with_bits(image: Image, bits: int) -> Image:
    """Integer samples scaled to `bits` (1…16), black to black and white to white, rounded to nearest."""
    if image.bits == bits:
        return image
    peak, target = 2**image.bits - 1, 2**bits - 1
    out = np.empty(image.pixels.shape, np.uint8 if bits <= 8 else np.uint16)
    for rows in _strips(image):
        out[rows] = (image.pixels[rows].astype(np.uint32) * np.uint32(target) + np.uint32(peak // 2)) // np.uint32(peak)
    return image.with_pixels(out, bits=bits)


def _strips(image: Image) -> Iterator[slice]:
    """Row ranges to convert one at a time: wide copies of a whole picture would be most of the memory."""
    step = max(1, _STRIP_PIXELS // image.width)
    return (slice(top, top + step) for top in range(0, image.height, step))


# --- The steps, in order; each gives the picture and a note, or "" ------------------------------


def _regions(image: Image, can: Capabilities) -> tuple[Image, str]:
    if image.importance is None or can.regions:
        return image, ""
    return replace(image, importance=None), "cannot be told where its bits matter: it codes as if nothing were painted"


def _light(image: Image, can: Capabilities) -> tuple[Image, str]:
    if not image.is_float:
        return image, ""
    notes = [can.light] if can.light else []
    if image.has_alpha:
        image = over_black(image)
        notes.append("floats are coded without alpha, laid over black")
    pixels, wrong = repaired(image.pixels)
    if wrong is not None:
        notes.append(texels(int(wrong.sum()), "that is not finite was replaced", "that are not finite were replaced"))
    negative = int((pixels < 0).any(axis=2).sum())
    if negative:
        pixels = np.maximum(pixels, 0)
        notes.append(texels(negative, "with light below 0 was raised to 0", "with light below 0 were raised to 0"))
    return (image if pixels is image.pixels else image.with_pixels(pixels)), "; ".join(notes)


def _alpha(image: Image, can: Capabilities) -> tuple[Image, str]:
    if not image.has_alpha or can.alpha:
        return image, ""
    return flatten(image), "carries no alpha: the picture was flattened over white"


def _gamut(image: Image, can: Capabilities) -> tuple[Image, str]:
    if can.wide_gamut or image.is_float or image.color == SRGB:
        return image, ""
    if image.is_gray and image.color.transfer == SRGB.transfer:  # grey has no primaries
        return image.with_pixels(image.pixels, color=SRGB), ""
    out = image.pixels.copy()
    colours = out[:, :, : image.colour_pixels.shape[2]]
    for rows in _strips(image):
        codes = colours[rows].astype(np.float32) / np.float32(image.peak)
        colours[rows] = np.rint(convert(codes, image.color, SRGB).clip(0, 1) * np.float32(image.peak))
    converted = image.with_pixels(out, color=SRGB)
    return converted, f"names no colours but sRGB: {image.color} was converted, what lies outside sRGB was clipped"


def _depth(image: Image, can: Capabilities) -> tuple[Image, str]:
    if image.is_float or image.bits in can.depths:
        return image, ""
    whole = [depth for depth in can.depths if depth <= 16]
    enough = [depth for depth in whole if depth >= image.bits]
    bits = min(enough) if enough else max(whole)
    note = "" if enough else f"carries {bits} bits a sample: the {image.bits}-bit picture was rounded"
    return with_bits(image, bits), note


def _gray(image: Image, can: Capabilities) -> tuple[Image, str]:
    if not image.is_gray or can.gray:
        return image, ""
    colours = np.repeat(image.colour_pixels, 3, axis=2)
    if image.has_alpha:
        colours = np.concatenate([colours, image.pixels[:, :, -1:]], axis=2)
    return image.with_pixels(colours), "carries no grey pictures: grey was coded as RGB"


_STEPS: tuple[Callable[[Image, Capabilities], tuple[Image, str]], ...] = (
    _regions,
    _light,
    _alpha,
    _gamut,
    _depth,
    _gray,
)

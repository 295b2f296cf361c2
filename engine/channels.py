"""Pictures whose channels are no colours: directions of light and shadow masks of a bake.

A *direction map* holds, per texel, the vector x, y, z along which most light arrives, each −1 … 1, as code values
0 … peak; its length is how directional that light is, 0 … 1. A fourth channel, where there is one, is 0 … 1: Unity's
factor by which the lit result is divided. A *mask* holds up to four shadow masks, 0 … 1 each. Neither is ever converted
between colour spaces, flattened over white or shown in colours that they do not have.

Codecs of pictures know three channels that are alike and one that is coverage. Neither is true here, so the channels go
to them as one grey picture, one under the other (:func:`stacked`): each is coded by itself, with the same precision, at
full resolution. Textures keep their four channels.
"""

from __future__ import annotations

import numpy as np

from engine.color import SRGB
from engine.errors import CorruptStream, Unsupported
from engine.image import Alpha, Image, Meaning
from engine.light import texels

_BITS = 16  # of what a file holds as floats: steps of 0.00003 of a direction


def vectors(image: Image, rows: slice = slice(None)) -> np.ndarray:
    """h×W×3 f64 of a direction map's rows: −1 … 1 each, not of unit length."""
    return image.pixels[rows, :, :3].astype(np.float64) * (2 / image.peak) - 1


def stacked(image: Image) -> Image:
    """The channels of a map as one grey picture, C·H × W, the first on top; a map of one channel as it is."""
    painted = None if image.importance is None else image.importance.under(image.channels, image.height)
    planes = np.ascontiguousarray(image.pixels.transpose(2, 0, 1))
    return Image(planes.reshape(-1, image.width, 1), bits=image.bits, importance=painted)


def unstacked(image: Image, like: Image) -> Image:
    """What :func:`stacked` made of a map like `like`, back in its channels; any other picture as it is."""
    if (image.width, image.height) != (like.width, like.height * like.channels):
        return image
    return with_channels(image, like.channels)


def with_channels(image: Image, channels: int) -> Image:
    """A grey picture of `channels` planes, one under the other, as one of so many channels. `CorruptStream` if its
    height is no multiple of them."""
    if image.height % channels:
        raise CorruptStream(f"a picture of {image.height} rows does not hold {channels} planes")
    planes = image.pixels[:, :, 0].reshape(channels, image.height // channels, image.width)
    alpha = Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE
    return Image(np.ascontiguousarray(planes.transpose(1, 2, 0)), bits=image.bits, alpha=alpha)


def from_samples(pixels: np.ndarray, bits: int, data: Meaning, notes: list[str]) -> Image:
    """The map that a file's samples are: H×W×C of code values with `bits`, or of floats; `notes` are added to.

    Floats of directions are −1 … 1 where any of x, y, z is below 0, else 0 … 1, as Unity writes them. `Unsupported` for
    a direction of fewer than three channels.
    """
    if data is Meaning.DIRECTION and pixels.shape[2] < 3:
        raise Unsupported("a direction map has three channels or four", hint="--kind colour reads it as a picture")
    if pixels.dtype.kind == "f":
        pixels, bits = _codes(pixels.astype(np.float32), data, notes), _BITS
    counts = None
    if data is Meaning.DIRECTION:
        counts = (pixels != 0).any(axis=2)
        if counts.all() or not counts.any():
            counts = None
        else:
            notes.append(f"{texels(int((~counts).sum()))} of no direction (0 in all channels) do not count in scores")
    alpha = Alpha.STRAIGHT if pixels.shape[2] in (2, 4) else Alpha.NONE
    return Image(np.ascontiguousarray(pixels), SRGB, alpha, bits, mask=counts, data=data)


def is_signed(values: np.ndarray) -> bool:
    """Whether floats of directions (H×W×C) are −1 … 1: any of x, y, z is below 0."""
    return bool((values[:, :, :3] < 0).any())


def _codes(values: np.ndarray, data: Meaning, notes: list[str]) -> np.ndarray:
    """Floats as 16-bit codes."""
    wrong = ~np.isfinite(values).all(axis=2)
    if wrong.any():
        notes.append(f"{texels(int(wrong.sum()))} not finite, taken as 0")
        values = np.where(wrong[:, :, None], 0, values)
    if data is Meaning.DIRECTION and is_signed(values):
        notes.append("signed directions, kept as 16-bit codes of −1 … 1")
        values = np.concatenate([(values[:, :, :3] + 1) / 2, values[:, :, 3:]], axis=2)
        values[wrong] = 0
    else:
        notes.append("floats of 0 … 1, kept as 16-bit codes")
    outside = ((values < 0) | (values > 1)).any(axis=2)
    if outside.any():
        notes.append(f"{texels(int(outside.sum()))} beyond the range of a {data.noun}, clipped")
    return np.rint(values.clip(0, 1) * (2**_BITS - 1)).astype(np.uint16)

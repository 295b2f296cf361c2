"""The planes of a picture as our wavelet coders see them: split, transformed, quantised, coded, and all of it back.

A plane is coded resolution by resolution. All levels have one quantisation step, weighted by the norms of the subbands
(equal weight on every unit of error); or the coarse ones, the light at low resolution, have a finer one of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.bit_map import spread
from engine.codec import Ctx
from engine.codecs import colour_axes
from engine.container import Picture
from engine.image import Image
from engine.importance import CELL, LIMIT, Importance, factors
from engine.native import wavelet as native

MAX_LEVELS = 6
ALPHA_PLANE = 3
# Lambda: squared steps that a bit is worth. Theory for fine steps gives (6 dB a bit) ln 2 / 6 = 0.116.
TRADE = 0.1
CENTRES_SIZE = 3  # bytes of packed centres
_CENTRE_UNIT = 32
_NAMES = {0: "luma", 1: "chroma 1", 2: "chroma 2", ALPHA_PLANE: "alpha"}


@dataclass
class Plane:
    """One plane on its way: its number on the wire, integers, and what the encoder quantises them from."""

    number: int
    q: np.ndarray
    coefficients: np.ndarray | None = None


@dataclass(frozen=True)
class Steps:
    """Quantisation steps: `detail` at the levels 1 … split, `base` at those above and of the lowest band."""

    detail: float
    base: float
    split: int

    @staticmethod
    def alike(step: float) -> Steps:
        return Steps(step, step, 0)

    def at(self, level: int) -> float:
        return self.detail if level <= self.split else self.base

    def dequantise(self, q: np.ndarray, levels: int, centres: np.ndarray) -> np.ndarray:
        """Coefficients (f32) of H×W i32, in its place."""
        if self.split == 0:
            return native.dequantise(q, levels, self.base, centres)
        out = native.dequantise(q, levels, self.detail, centres)
        out[_corner(q.shape, self.split)] *= np.float32(self.base / self.detail)
        return out

    def centres(self, q: np.ndarray, coefficients: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
        """`native.centres` at these steps."""
        if self.split == 0:
            return native.centres(q, coefficients, levels, self.base)
        even = coefficients.copy()
        even[_corner(q.shape, self.split)] *= np.float32(self.detail / self.base)
        return native.centres(q, even, levels, self.detail)


def _corner(shape: tuple[int, ...], level: int) -> tuple[slice, slice]:
    """Where the light at 1/2^level lies among the coefficients."""
    return slice(0, -(-shape[0] >> level)), slice(0, -(-shape[1] >> level))


def weigh(values: np.ndarray, levels: int, importance: Importance, *, inverse: bool = False) -> None:
    """Multiply coefficients (H×W f32) in place by what the map has where they stand, or divide by it.

    So they are quantised by finer or coarser steps. Of the cells that a coefficient and its neighbours stand for, which
    are those that its wave reaches, the most important counts. The lowest band, whose coefficients are told by their
    neighbours and cost little, is left as it is.
    """
    table = factors(inverse=inverse)
    height, width = values.shape
    for level in range(1, levels + 1):
        high, wide = -(-height >> level), -(-width >> level)
        bottom, right = -(-height >> (level - 1)), -(-width >> (level - 1))
        cells = table[_at_level(importance.steps, level, high, wide).astype(np.intp) + LIMIT]
        for band in (values[:high, wide:right], values[high:bottom, :wide], values[high:bottom, wide:right]):
            np.multiply(band, cells[: band.shape[0], : band.shape[1]], out=band)


def _at_level(steps: np.ndarray, level: int, high: int, wide: int) -> np.ndarray:
    """The map at the coefficients of a level, high×wide."""
    grain = 1 << level
    for axis, size in ((0, high), (1, wide)):
        if grain <= CELL:
            steps = steps.repeat(CELL // grain, axis=axis)
        else:
            steps = np.maximum.reduceat(steps, np.arange(0, steps.shape[axis], grain // CELL), axis=axis)
        steps = steps.take(np.arange(size), axis=axis)
        beside = [steps.take(np.arange(size) + way, axis=axis, mode="clip") for way in (-1, 1)]
        steps = np.maximum(steps, np.maximum(*beside))
    return steps


def levels_of(width: int, height: int) -> int:
    """Six, fewer for small pictures: the last LL keeps at least 8 samples along the longer side."""
    return min(MAX_LEVELS, max(0, (max(width, height) - 1).bit_length() - 3))


def step_code(quality: float, bits: int) -> int:
    """Quality to the 16 bits that stand for a step: 5 of exponent, 11 of mantissa, so that it is exact everywhere."""
    log_step = (bits + 1) - quality / 100 * (bits + 2)
    exponent = math.floor(log_step)
    mantissa = round((2.0 ** (log_step - exponent) - 1) * 2048)
    return ((exponent + 8) << 11) + mantissa


def step_of(code: int) -> float:
    """The step that a code stands for."""
    return math.ldexp(2048 + (code & 2047), (code >> 11) - 8 - 11)


def empty(picture: Picture) -> list[Plane]:
    """The planes that a picture has on the wire, with room for what is decoded."""
    numbers = ([0] if picture.is_gray else [0, 1, 2]) + ([ALPHA_PLANE] if picture.channels % 2 == 0 else [])
    return [Plane(number, np.empty((picture.height, picture.width), np.int32)) for number in numbers]


def split(image: Image, *, lossless: bool) -> tuple[list[Plane], bytes]:
    """The picture as planes to be transformed, exact or still to be quantised, and its packed axes."""
    colours = 1 if image.is_gray else 3
    samples = [native.load_plane(image.pixels, c, 1 << (image.bits - 1)) for c in range(colours)]
    axes = b""
    if lossless:
        if colours == 3:
            native.ycocg(samples)
        planes = [Plane(number, plane) for number, plane in enumerate(samples)]
    else:
        floats = [samples[0].astype(np.float32)]
        if colours == 3:
            axes = colour_axes.choose(samples)
            floats = native.rotate(samples, colour_axes.unpack(axes))
        planes = [Plane(number, samples[number], values) for number, values in enumerate(floats)]
    if image.has_alpha:
        planes.append(Plane(ALPHA_PLANE, native.load_plane(image.pixels, image.channels - 1, int(image.peak))))
    return planes, axes


def samples(
    planes: list[Plane],
    levels: int,
    ctx: Ctx,
    *,
    steps: Steps | None,
    centres: tuple[np.ndarray, np.ndarray] | None,
    importance: Importance | None = None,
) -> list[np.ndarray]:
    """Planes of samples, H×W f32 or, where nothing was quantised, i32. What is in the planes is used up."""
    out = []
    for plane in planes:
        ctx.check()
        values = plane.q
        if plane.number != ALPHA_PLANE and steps is not None and centres is not None:
            values = steps.dequantise(values, levels, centres[plane.number > 0])
            if importance is not None:
                weigh(values, levels, importance, inverse=True)
        native.dwt(values, levels, inverse=True)
        out.append(values)
    return out


def pixels_of(values: list[np.ndarray], picture: Picture, axes: np.ndarray | None) -> np.ndarray:
    """The pixels of a picture of integers from planes of samples, its colours turned back."""
    pixels = np.empty((picture.height, picture.width, picture.channels), np.uint8 if picture.bits <= 8 else np.uint16)
    offset = 1 << (picture.bits - 1)
    if picture.channels % 2 == 0:
        native.store_plane(values[-1], pixels, picture.channels - 1, 2**picture.bits - 1, picture.bits)
    if axes is not None:
        native.store_rotated(values[:3], axes, pixels, offset, picture.bits)
    elif not picture.is_gray:
        native.store_ycocg(values[:3], pixels, offset, picture.bits)
    else:
        grey = values[0] if values[0].dtype == np.int32 else native.round_plane(values[0])
        native.store_plane(grey, pixels, 0, offset, picture.bits)
    return pixels


def _guides(planes: list[Plane], plane: Plane) -> list[np.ndarray]:
    """Colour planes are told by those before them; luma and alpha stand alone."""
    return [p.q for p in planes if p.number < plane.number] if plane.number in (1, 2) else []


def encode(
    planes: list[Plane], levels: int, steps: Steps, ctx: Ctx, *, fast: bool, trade: float = TRADE, halved: bool = False
) -> tuple[bytes, dict[str, int]]:
    """Quantise what is not exact, into the planes, and code it; bytes by plane beside.

    fast: by the fast coder. trade: squared steps that a bit is worth. halved: leave out the finest detail of colour.
    """
    height, width = planes[0].q.shape
    samples = sum(p.q.size for p in planes)
    encoder = native.FastBandEncoder(width, height, samples) if fast else native.BandEncoder(width, samples)
    spent: dict[str, int] = dict.fromkeys((_NAMES[p.number] for p in planes), 0)
    before = 0
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            skip = halved and level == 1 <= levels and plane.coefficients is not None
            after = encoder.level(
                plane.number,
                plane.q,
                _guides(planes, plane),
                levels,
                level,
                coefficients=plane.coefficients,
                step=steps.at(level),
                trade=trade,
                skip=skip and plane.number in (1, 2),
            )
            spent[_NAMES[plane.number]] += after - before
            before = after
        ctx.progress(0.2 + 0.75 * 4.0 ** (1 - level))
    return encoder.finish(), spent


def _decoder(planes: list[Plane], fast: bool, stream: bytes) -> native.BandDecoder:
    height, width = planes[0].q.shape
    return native.FastBandDecoder(width, height, stream) if fast else native.BandDecoder(width, stream)


def decode(planes: list[Plane], levels: int, stream: bytes, ctx: Ctx, *, fast: bool) -> None:
    """Fill the planes with what `encode` coded; `CorruptStream`."""
    decoder = _decoder(planes, fast, stream)
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            decoder.level(plane.number, plane.q, _guides(planes, plane), levels, level)
        ctx.progress(0.75 * 4.0 ** (1 - level))
    decoder.finish()


def decode_beginning(planes: list[Plane], levels: int, stream: bytes, ctx: Ctx, *, fast: bool) -> None:
    """The same as far as the stream goes; the rest is zero."""
    for plane in planes:
        plane.q[:] = 0
    if len(stream) < native.LEAST_BEGINNING:
        return
    decoder = _decoder(planes, fast, stream)
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            if not decoder.level_of_beginning(plane.number, plane.q, _guides(planes, plane), levels, level):
                return


def costs(planes: list[Plane], levels: int, stream: bytes, ctx: Ctx, *, fast: bool) -> tuple[np.ndarray, float]:
    """Decode; the bits of all coefficients on the pixels that they stand for (H×W f32), and bits of states besides."""
    decoder, states = _decoder(planes, fast, stream), 0.0
    each = [np.zeros(plane.q.shape, np.float32) for plane in planes]
    for level in range(levels + 1, 0, -1):
        for plane, bits in zip(planes, each, strict=True):
            ctx.check()
            decoder.tell(bits)
            decoder.level(plane.number, plane.q, _guides(planes, plane), levels, level)
            states = decoder.tell(bits)
    decoder.finish()
    return _on_pixels(each, levels), states


def _on_pixels(each: list[np.ndarray], levels: int) -> np.ndarray:
    """The bits of all coefficients, each on a square of 2^level a side: H×W f32."""
    total = np.sum(each, axis=0)
    height, width = total.shape
    high, wide = -(-height >> levels), -(-width >> levels)
    bits = spread(total[:high, :wide], (1 << levels, 1 << levels), (height, width))
    for level in range(levels, 0, -1):
        high, wide = -(-height >> level), -(-width >> level)
        bottom, right = -(-height >> (level - 1)), -(-width >> (level - 1))
        cells = np.zeros((high, wide), np.float32)
        for band in (total[:high, wide:right], total[high:bottom, :wide], total[high:bottom, wide:right]):
            cells[: band.shape[0], : band.shape[1]] += band
        bits += spread(cells, (1 << level, 1 << level), (height, width))
    return bits


def _best_centres(planes: list[Plane], levels: int, steps: Steps) -> list[int]:
    """Where values of |q| = 1, 2 and more lie in their bins, off the middle, in 1/32: what least error asks for."""
    sums = [steps.centres(p.q, p.coefficients, levels) for p in planes if p.coefficients is not None]
    count, excess = (sum(part) for part in zip(*sums, strict=True)) if sums else (np.zeros(3), np.zeros(3))
    return [int(c) for c in np.clip(np.rint(excess / np.maximum(count, 1) * _CENTRE_UNIT), -8, 7)]


def pack_centres(planes: list[Plane], levels: int, steps: Steps) -> bytes:
    """Three centres of luma, three of chroma, four bits each, low half first."""
    codes = _best_centres(planes[:1], levels, steps) + _best_centres(planes[1:3], levels, steps)
    nibbles = [c & 15 for c in codes]
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def unpack_centres(packed: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Centres of luma and of chroma."""
    codes = [(nibble ^ 8) - 8 for byte in packed for nibble in (byte & 15, byte >> 4)]
    centres = np.array(codes, np.float32) / np.float32(_CENTRE_UNIT)
    return centres[:3].copy(), centres[3:].copy()

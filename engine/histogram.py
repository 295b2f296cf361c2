"""How the light of a picture, or its code values, is spread over the texels that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from engine.color import LINEAR_SRGB, rgb_to_xyz
from engine.film import Film
from engine.image import Image
from engine.metrics.error import LUMA
from engine.tone import Tone, tone_table
from engine.workers import TaskCtx

STOPS = 16  # either way of light 1.0; what lies beyond is in the bins at the ends
BINS_PER_STOP = 8
CODE_BINS = 256
BRIGHTNESS, CHANNELS = "brightness", ("red", "green", "blue")
_INFINITE = 0x7C00  # the bits of the half float; those of all light that is there are below, in order
_STRIP_ROWS = 256


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of texels.

    lo, hi: the ends of the bins, in stops from light 1.0, or code values. counts: `BRIGHTNESS` (luminance of light,
        luma of code values) and, unless grey, `CHANNELS`: N bins each. total: texels that count. dark: those of them
        that have no light. peaks: of light, texels by the brightest of their channels as the bits of a half float;
        None of code values.
    """

    lo: float
    hi: float
    counts: Mapping[str, np.ndarray]
    total: int
    dark: int = 0
    peaks: np.ndarray | None = None

    @property
    def is_light(self) -> bool:
        return self.peaks is not None

    def shares(self, tone: Tone) -> tuple[float, float]:
        """Which parts of the texels are shown in this tone as black, and with a clipped channel; 0 … 1 each."""
        if self.peaks is None or not self.total:
            return 0.0, 0.0
        black, white = _limits(tone)
        return self.peaks[:black].sum() / self.total, self.peaks[white:].sum() / self.total


def limits(tone: Tone) -> tuple[float, float]:
    """Stops from light 1.0 up to which light is shown as black, and from which it is clipped; infinite if never."""
    black, white = _limits(tone)
    stops = _stops()
    return float(stops[black - 1]) if black else -np.inf, float(stops[white]) if white < len(stops) else np.inf


def _limits(tone: Tone) -> tuple[int, int]:
    """How many half floats are shown as black, and the first that is clipped: their codes never fall."""
    codes = tone_table(replace(tone, look="picture"))[: _INFINITE + 1]
    return int(np.searchsorted(codes, 1)), int(np.searchsorted(codes, 255))


@cache
def _stops() -> np.ndarray:
    """log2 of light by the bits of its half float, from 0 to infinity."""
    light = np.arange(_INFINITE + 1, dtype=np.uint16).view(np.float16).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.log2(light)


def histogram(image: Image) -> Histogram:
    """Of light in stops, as half floats in linear sRGB, which is what is shown; else of code values."""
    return _of_light(image) if image.is_float else _of_codes(image)


def _counting(image: Image) -> np.ndarray:
    """H×W bool: what the mask lets count and is not wholly transparent."""
    counts = np.ones((image.height, image.width), bool) if image.mask is None else image.mask
    return counts if image.alpha_plane is None or image.data is not None else counts & (image.alpha_plane > 0)


def _of_light(image: Image) -> Histogram:
    film, counting = Film(image), _counting(image)
    weights = np.ones(1, np.float32) if image.is_gray else rgb_to_xyz(LINEAR_SRGB.primaries)[1].astype(np.float32)
    names = (BRIGHTNESS,) if image.is_gray else (BRIGHTNESS, *CHANNELS)
    by_bits = {name: np.zeros(_INFINITE + 1, np.int64) for name in (*names, "peak")}
    for top in range(0, image.height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        halves = film.halves(rows)[counting[rows]]
        with np.errstate(over="ignore", invalid="ignore"):
            luminance = (halves.astype(np.float32) @ weights).astype(np.float16)
        bits = _bits(halves)
        found = {BRIGHTNESS: _bits(luminance), "peak": bits.max(1)}
        found |= dict(zip(CHANNELS, bits.T, strict=True)) if not image.is_gray else {}
        for name, values in found.items():
            by_bits[name] += np.bincount(values, minlength=_INFINITE + 1)
    return Histogram(
        -STOPS,
        STOPS,
        {name: _in_bins(by_bits[name]) for name in names},
        int(counting.sum()),
        int(by_bits[BRIGHTNESS][0]),
        by_bits["peak"],
    )


def _bits(halves: np.ndarray) -> np.ndarray:
    """The bits of half floats; what is below 0 or not a number is no light, as it is shown."""
    bits = np.ascontiguousarray(halves).view(np.uint16)
    return np.where(bits > _INFINITE, np.uint16(0), bits)


def _in_bins(by_bits: np.ndarray) -> np.ndarray:
    """Counts by half float as counts by stops; no light is in no bin."""
    count = 2 * STOPS * BINS_PER_STOP
    places = ((_stops()[1:] + STOPS) * BINS_PER_STOP).clip(0, count - 1).astype(int)
    return np.bincount(places, weights=by_bits[1:], minlength=count).astype(np.int64)


def _of_codes(image: Image) -> Histogram:
    values = image.colour_pixels[_counting(image)]
    planes = {BRIGHTNESS: values[:, 0]}
    if not image.is_gray:
        planes = {BRIGHTNESS: np.rint(values @ LUMA.astype(np.float32)), **dict(zip(CHANNELS, values.T, strict=True))}
    codes = image.peak + 1
    bins = min(CODE_BINS, int(codes))
    counts = {
        name: np.bincount((plane.astype(np.int64) * bins) // int(codes), minlength=bins)
        for name, plane in planes.items()
    }
    return Histogram(0, codes, counts, len(values))


@dataclass(frozen=True)
class HistogramTask:
    """The histogram of a picture."""

    image: Image

    @property
    def what(self) -> str:
        return "the histogram"

    def run(self, _ctx: TaskCtx) -> Histogram:
        return histogram(self.image)

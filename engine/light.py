"""Linear light as floats: what may be wrong with it, and the log transfer that takes it to whole numbers.

Codecs that know integers only get code = (log2(x + 2⁻¹⁰) + 10) / span · (2^bits − 1), rounded: equal steps of code
are equal ratios of light, nearly down to black, which is linear. `span` is a whole number of quarter stops, just
enough for the brightest texel of the picture, and stands in the stream. Light below 0 cannot be coded and becomes 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.image import Alpha, Image

TOE = 2.0**-10  # added before the logarithm: black is code 0, and what lies far below this is coded linearly
HALF_MAX = 65504.0
MAX_QUARTERS = 255
_FLOOR = -10.0  # log2 of the toe
_STRIP_SAMPLES = 1 << 18


@dataclass(frozen=True)
class LogTransfer:
    """The transfer with a range of `quarters` quarter stops above black, 1 … 255."""

    quarters: int

    @staticmethod
    def reaching(brightest: float) -> LogTransfer:
        """The smallest range that holds light up to `brightest`; the largest there is where none does."""
        stops = math.log2(max(brightest, 0.0) + TOE) - _FLOOR
        return LogTransfer(min(max(math.ceil(4 * stops), 1), MAX_QUARTERS))

    @property
    def span(self) -> float:
        """The range in stops."""
        return self.quarters / 4

    @property
    def brightest(self) -> float:
        """The light of the highest code."""
        return float(_light_of_codes(self.quarters, 1)[-1])

    def codes(self, light: np.ndarray, bits: int) -> np.ndarray:
        """Codes of `bits` (9 … 16) as u16; light outside of the range becomes its nearest end. Finite input only."""
        out = np.empty(light.shape, np.uint16)
        scale = (2**bits - 1) / self.span
        for rows in _strips(light):
            stops = np.log2(np.maximum(light[rows].astype(np.float64), 0) + TOE) - _FLOOR
            out[rows] = np.rint(stops * scale).clip(0, 2**bits - 1)
        return out

    def light(self, codes: np.ndarray, bits: int) -> np.ndarray:
        """Light (f32) of codes of `bits`; code 0 is exactly 0."""
        return _light_of_codes(self.quarters, bits)[codes]


@lru_cache(maxsize=8)
def _light_of_codes(quarters: int, bits: int) -> np.ndarray:
    stops = np.arange(2**bits) * (quarters / 4 / (2**bits - 1)) + _FLOOR
    return np.maximum(np.exp2(stops) - TOE, 0).astype(np.float32)


def log_codes(image: Image, bits: int) -> tuple[Image, LogTransfer]:
    """A float picture without alpha as whole numbers of `bits`, and the transfer that takes them back.

    The codes are marked sRGB, which is what codecs expect of numbers without a profile.
    """
    transfer = LogTransfer.reaching(float(image.pixels.max()))
    return Image(transfer.codes(image.pixels, bits), bits=bits), transfer


def repaired(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """`pixels` (H×W×C) with every sample finite, and where they were not (H×W bool; None: they all were).

    NaN and -Inf become 0, Inf the largest finite value of the picture (0 if there is none).
    """
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels, None
    top = pixels.max(initial=0, where=finite)
    return np.nan_to_num(pixels, nan=0.0, posinf=float(top), neginf=0.0), ~finite.all(axis=2)


def over_black(image: Image) -> Image:
    """A float picture without its alpha: premultiplied light is what it is, straight light is multiplied first."""
    if not image.has_alpha:
        return image
    light = image.colour_pixels
    if image.alpha is Alpha.STRAIGHT:
        light = light * image.pixels[:, :, -1:]
    return image.with_pixels(light, alpha=Alpha.NONE)


def texels(count: int, one: str = "", many: str = "") -> str:
    """ "1 texel …", "5 texels …": a number of texels and what is said of them."""
    return f"{count} texel {one}".rstrip() if count == 1 else f"{count} texels {many or one}".rstrip()


def _strips(pixels: np.ndarray) -> list[slice]:
    """Row ranges of about a quarter of a million samples: float64 copies of whole pictures are never held."""
    step = max(1, _STRIP_SAMPLES // max(1, pixels[0].size))
    return [slice(top, top + step) for top in range(0, len(pixels), step)]

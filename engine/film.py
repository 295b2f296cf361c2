"""`Film`: a floating-point picture made ready to be shown in any tone, at the speed of a look-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.color import LINEAR_SRGB, rgb_matrix, rgb_to_xyz, to_linear
from engine.image import Image
from engine.tone import EXPOSURE_LIMIT, Tone, tone_table

MIDDLE_GREY = 0.18
CLIPPED = 0.05  # of the texels with light, at most, are taken beyond white by the automatic exposure
_STRIP_ROWS = 64
_SAMPLE = 1024  # rows and columns, at most, that the automatic exposure is taken from


class Film:
    """Light as half floats in linear sRGB: 11 significant bits, more than eight bits of display can tell.

    What is outside of sRGB, below 0 or not a number is shown as black in that channel.
    """

    def __init__(self, image: Image) -> None:
        self.shape = (image.height, image.width, 3)
        self._halves = np.empty(image.colour_pixels.shape, np.float16)
        matrix = None
        if not image.is_gray and image.color.primaries != LINEAR_SRGB.primaries:
            matrix = rgb_matrix(image.color, LINEAR_SRGB).T.astype(np.float32)
        for top in range(0, image.height, _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            with np.errstate(over="ignore", invalid="ignore"):  # beyond half floats is infinity, as it should be
                light = to_linear(image.colour_pixels[rows], image.color)
                self._halves[rows] = light if matrix is None else light @ matrix
        self.auto_exposure = auto_exposure(image)

    def develop(self, tone: Tone, step: int = 1) -> np.ndarray:
        """H×W×3 u8 sRGB, C-contiguous; of every `step`-th row and column only, for a quick look."""
        return _develop(self._halves[::step, ::step], tone)

    def crop(self, rows: slice, columns: slice, tone: Tone) -> np.ndarray:
        """A part as h×w×3 u8 sRGB, C-contiguous."""
        return _develop(self._halves[rows, columns], tone)


@dataclass(frozen=True, eq=False)
class Print:
    """A film in one tone, whose parts are developed when they are asked for: `print[rows, columns]` is h×w×3 u8."""

    film: Film
    tone: Tone

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.film.shape

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray:
        return self.film.crop(*part, self.tone)


def _develop(halves: np.ndarray, tone: Tone) -> np.ndarray:
    table = tone_table(tone)
    out = np.empty(halves.shape, np.uint8)
    for top in range(0, halves.shape[0], _STRIP_ROWS):
        codes = np.ascontiguousarray(halves[top : top + _STRIP_ROWS]).view(np.uint16)
        # "wrap" is what lets numpy write into `out` without a copy; no index is ever outside
        np.take(table, codes, out=out[top : top + _STRIP_ROWS], mode="wrap")
    return np.repeat(out, 3, axis=2) if halves.shape[2] == 1 else out


def auto_exposure(image: Image) -> float:
    """Stops that bring the log-average of luminance to middle grey (0.18), to a tenth; 0 where there is no light.

    Over texels that count and have light (Reinhard et al. 2002); a sparse sample of a large picture. Where that would
    take more than a twentieth of them beyond white, as in a lightmap with much shadow, so much light only that it
    does not.
    """
    part = (slice(None, None, -(-image.height // _SAMPLE)), slice(None, None, -(-image.width // _SAMPLE)))
    light = to_linear(image.colour_pixels[part], image.color).astype(np.float64)
    weights = np.ones(1) if image.is_gray else rgb_to_xyz(image.color.primaries)[1]
    with np.errstate(invalid="ignore"):
        luminance = light @ weights
        lit = np.isfinite(luminance) & (luminance > 0)
    if image.mask is not None:
        lit &= image.mask[part]
    if image.alpha_plane is not None:
        lit &= image.alpha_plane[part] > 0
    if not lit.any():
        return 0.0
    logs = np.log2(luminance[lit])
    stops = min(np.log2(MIDDLE_GREY) - float(np.mean(logs)), -float(np.quantile(logs, 1 - CLIPPED)))
    return round(float(np.clip(stops, -EXPOSURE_LIMIT, EXPOSURE_LIMIT)), 1)

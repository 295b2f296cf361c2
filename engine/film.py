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
STOPS_SHOWN = 8  # either way of 1.0; what lies outside has the colour of the end, no light is black
# From −8 stops: violet, blue, green, yellow above 1.0, orange, red, pale red; steadily lighter but for the reds.
_STOP_COLOURS = (
    "1b1030 2a1b5e 2f3a8f 2b5fb0 2584b8 23a3a8 35b787 6cc66a a5d24f d8d43c f3c13a f79d3c ef7440 dc4a44 f07f9b ffd9e6"
)
ZEBRA = {  # of later ones, where several are true
    "clipped": (230, 60, 40),
    "below 0": (40, 120, 255),
    "infinite": (0, 220, 220),
    "not a number": (255, 0, 255),
}
_STRIPE = 4  # texels
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

    def halves(self, rows: slice) -> np.ndarray:
        """The light of some rows: h×W×C f16 in linear sRGB, C is 1 where the picture is grey."""
        return self._halves[rows]

    def develop(self, tone: Tone, step: int = 1) -> np.ndarray:
        """H×W×3 u8 sRGB, C-contiguous; of every `step`-th row and column only, for a quick look."""
        return looked(self._halves[::step, ::step], tone, step=step)

    def crop(self, rows: slice, columns: slice, tone: Tone) -> np.ndarray:
        """A part as h×w×3 u8 sRGB, C-contiguous."""
        return looked(self._halves[rows, columns], tone, origin=(rows.start or 0, columns.start or 0))


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


def looked(halves: np.ndarray, tone: Tone, *, origin: tuple[int, int] = (0, 0), step: int = 1) -> np.ndarray:
    """Light (h×w×C half floats, linear sRGB) as h×w×3 u8 sRGB. origin, step: its place in a picture."""
    if tone.look == "stops":
        return _in_stops(halves, tone)
    out = _develop(halves, tone)
    return _striped(out, halves, origin, step) if tone.look == "zebra" else out


def _striped(out: np.ndarray, halves: np.ndarray, origin: tuple[int, int], step: int) -> np.ndarray:
    """`out` with stripes four texels wide, which stay where they are on the picture whatever part is asked for."""
    rows, columns = (first + step * np.arange(size) for first, size in zip(origin, out.shape[:2], strict=True))
    for top in range(0, len(out), _STRIP_ROWS):
        part = slice(top, top + _STRIP_ROWS)
        stripes = ((rows[part, None] + columns) // _STRIPE) % 2 == 0
        light = halves[part]
        with np.errstate(invalid="ignore"):
            kinds = ((out[part] == 255).any(2), (light < 0).any(2), np.isinf(light).any(2), np.isnan(light).any(2))
        for where, colour in zip(kinds, ZEBRA.values(), strict=True):
            out[part][stripes & where] = colour
    return out


def _in_stops(halves: np.ndarray, tone: Tone) -> np.ndarray:
    """Luminance in whole stops from light 1.0, after exposure and offset: one colour each, dark to bright."""
    out = np.empty((*halves.shape[:2], 3), np.uint8)
    table = np.frombuffer(bytes.fromhex(_STOP_COLOURS), np.uint8).reshape(-1, 3)
    weights = np.ones(1, np.float32) if halves.shape[2] == 1 else rgb_to_xyz(1)[1].astype(np.float32)
    for top in range(0, len(halves), _STRIP_ROWS):
        part = slice(top, top + _STRIP_ROWS)
        with np.errstate(divide="ignore", invalid="ignore"):
            luminance = halves[part].astype(np.float32) @ weights * 2.0**tone.exposure + tone.offset
            stops = np.nan_to_num(np.log2(luminance), nan=-np.inf, neginf=-STOPS_SHOWN, posinf=STOPS_SHOWN)
        out[part] = table[(np.floor(stops) + STOPS_SHOWN).clip(0, 2 * STOPS_SHOWN - 1).astype(int)]
        out[part][~(luminance > 0)] = 0
    return out


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

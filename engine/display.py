"""Pictures as a monitor shows them, and error maps as colours: for the eye only, never for a metric."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.channel_film import ChannelFilm
from engine.color import LINEAR_SRGB, SRGB, ColorSpec, from_linear, rgb_matrix, to_linear
from engine.errors import UsageError
from engine.film import Film
from engine.image import Alpha, Image
from engine.tone import NEUTRAL, Tone

CHECKER = (204, 153)  # the two greys behind transparent parts
CHECKER_SIDE = 8  # px
_STRIP_SAMPLES = 1 << 18  # samples worked on at a time: strips that stay in the cache

# Anchors at equal steps; between them OKLab (B. Ottosson, 2020) is followed in straight lines.
_ANCHORS = {
    # Black, violet, red, orange, pale yellow with steadily rising lightness, after matplotlib's inferno (CC0).
    "inferno": "#000004 #1b0c41 #4a0c6b #781c6d #a52c60 #cf4446 #ed6925 #fb9b06 #f7d13d #fcffa4",
    # Black, blue, pale green, for bits: what costs nothing is dark, and no colour is one of an error map's.
    "ice": "#05060d #141c3f #1a3a73 #1d5f9e #2a86b8 #4aaec6 #86d1cf #c6ecd8 #f4ffe9",
    # Both ends equally dark, neutral in the middle: for signed differences, with zero at the centre.
    "diverging": "#123d73 #2f78b7 #8fbbe0 #f2f2f2 #e8a58c #bd4e3f #6b1426",
    "gray": "#000000 #ffffff",
}
COLOUR_TABLES = tuple(_ANCHORS)
Shown = np.ndarray | Film
"""What a view shows: H×W×3 u8 sRGB, or of light, directions and masks a film, which it develops in a tone."""


def to_display(image: Image, *, background: str = "checker", tone: Tone = NEUTRAL) -> np.ndarray:
    """`image` as H×W×3 u8 sRGB, C-contiguous.

    background: what shows through alpha: "checker" or a colour "#rrggbb". tone: of floating-point pictures, whose
    alpha is coverage and not shown; and of directions and masks (`engine.channel_film`). Other primaries go through
    linear light; what lies outside sRGB is clipped.
    """
    if image.data is not None:
        return ChannelFilm(image).develop(tone)
    if image.is_float:
        return Film(image).develop(tone)
    out = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _STRIP_SAMPLES // (image.width * image.channels))
    for top in range(0, image.height, rows):
        part = slice(top, min(top + rows, image.height))
        pixels = image.pixels[part]
        out[part] = _colours(pixels[:, :, :-1] if image.has_alpha else pixels, image)
        if image.has_alpha:
            behind = _background(background, top, out[part].shape)
            out[part] = _over(out[part], pixels[:, :, -1], behind, image)
    return out


def displayable(image: Image) -> Shown:
    """What a view keeps of a picture."""
    if image.data is not None:
        return ChannelFilm(image)
    return Film(image) if image.is_float else to_display(image)


def heat(values: np.ndarray, lo: float, hi: float, name: str = "inferno") -> np.ndarray:
    """H×W floats as H×W×3 u8: `lo` and below is the table's first colour, `hi` and above its last, NaN the first."""
    scaled = (values - np.float32(lo)) * np.float32(255 / (hi - lo) if hi > lo else 0)
    places = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
    return colour_table(name)[(places + 0.5).astype(np.uint8)]


@cache
def colour_table(name: str) -> np.ndarray:
    """256×3 u8 sRGB, read-only. Names are in `COLOUR_TABLES`."""
    if name not in _ANCHORS:
        raise UsageError(f"unknown colour table '{name}'; known are {', '.join(COLOUR_TABLES)}")
    anchors = np.array([rgb_of(text) for text in _ANCHORS[name].split()]) / 255
    lab = to_oklab(to_linear(anchors, SRGB))
    places = np.linspace(0, len(anchors) - 1, 256)
    path = np.stack([np.interp(places, np.arange(len(anchors)), lab[:, axis]) for axis in range(3)], axis=1)
    codes = from_linear(from_oklab(path).clip(0, 1), SRGB)
    table = np.rint(codes * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


# --- Samples to 8-bit sRGB ----------------------------------------------------------------------


def _colours(pixels: np.ndarray, image: Image) -> np.ndarray:
    if image.color != SRGB:
        return _through_linear_light(pixels, image)
    if image.bits == 8 and pixels.dtype == np.uint8:
        return pixels
    return _to_8_bits(image.bits)[pixels]


def _through_linear_light(pixels: np.ndarray, image: Image) -> np.ndarray:
    linear = _linear_of_codes(image.color, image.bits)[pixels]
    if linear.shape[2] == 3 and image.color.primaries != SRGB.primaries:
        linear = linear @ rgb_matrix(image.color, LINEAR_SRGB).T.astype(np.float32)
    return _codes_of_linear()[(linear.clip(0, 1) * 65535 + 0.5).astype(np.uint16)]


@cache
def _to_8_bits(bits: int) -> np.ndarray:
    peak = 2**bits - 1
    codes = np.arange(65536 if bits > 8 else 256).clip(0, peak)
    return ((codes * 255 + peak // 2) // peak).astype(np.uint8)


@cache
def _linear_of_codes(color: ColorSpec, bits: int) -> np.ndarray:
    codes = np.arange(65536 if bits > 8 else 256, dtype=np.float32) / (2**bits - 1)
    return to_linear(codes.clip(0, 1), color)


@cache
def _codes_of_linear() -> np.ndarray:
    """8-bit sRGB by linear light in 65535ths: steps of at most 0.05 code values, even next to black."""
    return np.rint(from_linear(np.arange(65536) / 65535, SRGB) * 255).astype(np.uint8)


# --- Alpha --------------------------------------------------------------------------------------


def _over(colours: np.ndarray, alpha: np.ndarray, behind: np.ndarray, image: Image) -> np.ndarray:
    """Blend in code values, as browsers and editors do."""
    cover = (alpha.astype(np.float32) / np.float32(image.peak)).clip(0, 1)[:, :, None]
    front = colours.astype(np.float32)
    if image.alpha is Alpha.STRAIGHT:
        front = front * cover
    return (front + behind * (1 - cover) + 0.5).clip(0, 255).astype(np.uint8)


def _background(name: str, top: int, shape: tuple[int, ...]) -> np.ndarray:
    if name != "checker":
        return np.array(rgb_of(name), np.float32)
    rows = (np.arange(top, top + shape[0]) // CHECKER_SIDE)[:, None]
    columns = (np.arange(shape[1]) // CHECKER_SIDE)[None, :]
    return np.array(CHECKER, np.float32)[(rows + columns) % 2][:, :, None]


def rgb_of(text: str) -> tuple[int, int, int]:
    """The code values of "#rrggbb"; `UsageError` for anything else."""
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError as error:
        raise UsageError(f"'{text}' is not a colour; write it as #rrggbb") from error
    return red, green, blue


# --- OKLab --------------------------------------------------------------------------------------

_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def to_oklab(linear: np.ndarray) -> np.ndarray:
    """…×3 linear sRGB as OKLab (B. Ottosson, 2020)."""
    return np.cbrt(linear @ _LMS.T) @ _LAB.T


def from_oklab(lab: np.ndarray) -> np.ndarray:
    """The inverse; out-of-gamut colours are outside of 0…1."""
    return (lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T

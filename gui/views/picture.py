"""`Picture`: a displayable picture with its smaller levels, so that any zoom draws few pixels and no aliases.

Everything here is free of widgets and safe on any thread. Minification averages *light*, not code values: a fine
checkerboard of black and white seen from afar is the grey that the eye would mix (sRGB 188), at every zoom.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtGui import QImage

STRIP = 32  # rows handled at once: stays in the cache, and bounds the memory beside a big picture
SMALLEST = 32  # px; no level is made below this


@cache
def _to_light() -> np.ndarray:
    """sRGB code value (u8) to linear light as u16, IEC 61966-2-1."""
    code = np.arange(256) / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return np.round(light * 65535).astype(np.uint16)


@cache
def _to_quarter_light() -> np.ndarray:
    """A quarter of `_to_light`, so that four of them add up within u16."""
    return np.floor_divide(_to_light() + np.uint32(2), 4).clip(0, 16383).astype(np.uint16)


@cache
def _to_code() -> np.ndarray:
    """Linear light as u16 to the nearest sRGB code value (u8)."""
    light = np.arange(65536) / 65535
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(code * 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Picture:
    """levels: H×W×3 u8 sRGB; level n has half the sides (rounded up) of level n-1. images: the same as QImages.

    whole: of a draft, whose one level holds every n-th row and column, the size of what it stands for; else None.
    """

    levels: tuple[np.ndarray, ...]
    images: tuple[QImage, ...]
    whole: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.whole or (self.levels[0].shape[1], self.levels[0].shape[0])

    @property
    def is_draft(self) -> bool:
        return self.whole is not None

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.levels)


def build_picture(rgb: np.ndarray) -> Picture:
    """The pyramid of an H×W×3 u8 sRGB picture. Level 0 shares `rgb`'s memory, which must not change afterwards.

    Raises ValueError for any other shape or type.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise ValueError(f"a picture to show is H×W×3 of u8, not {rgb.dtype} {rgb.shape}")
    levels = [np.ascontiguousarray(rgb)]
    while max(levels[-1].shape[:2]) > SMALLEST:
        levels.append(_halved(levels[-1]))
    return Picture(tuple(levels), tuple(as_qimage(level) for level in levels))


def draft_picture(rgb: np.ndarray, whole: tuple[int, int]) -> Picture:
    """Every n-th row and column of a picture of width and height `whole`, to be drawn in its place for a moment."""
    return Picture((rgb,), (as_qimage(rgb),), whole)


def as_qimage(rgb: np.ndarray) -> QImage:
    """A QImage over the memory of a C-contiguous H×W×3 u8 array, which the caller keeps alive."""
    height, width = rgb.shape[:2]
    return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)


def _halved(level: np.ndarray) -> np.ndarray:
    """Means of 2×2 texels in linear light; an odd last row or column is averaged with itself."""
    height, width = level.shape[:2]
    if width % 2:
        level = np.concatenate([level, level[:, -1:]], axis=1)
    half = np.empty(((height + 1) // 2, level.shape[1] // 2, 3), np.uint8)
    for top in range(0, height, STRIP):
        quarter = np.take(_to_quarter_light(), level[top : top + STRIP], mode="clip")
        if quarter.shape[0] % 2:
            quarter = np.concatenate([quarter, quarter[-1:]])
        rows = quarter[0::2] + quarter[1::2]
        light = rows[:, 0::2] + rows[:, 1::2]
        np.take(_to_code(), light, out=half[top // 2 : (top + STRIP) // 2], mode="clip")
    return half


def level_for(picture: Picture, scale: float) -> int:
    """The smallest level that still has at least one texel per device pixel at `scale`."""
    level = 0
    while level + 1 < len(picture.levels) and 0.5 ** (level + 1) >= scale:
        level += 1
    return level


def blend(rgb: np.ndarray, heat: np.ndarray, opacity: float) -> np.ndarray:
    """`heat` over the greyed `rgb` (both H×W×3 u8): the picture gives the place, the colours belong to the map."""
    if opacity >= 1:
        return heat
    out = np.empty_like(heat)
    for top in range(0, heat.shape[0], STRIP):
        part = rgb[top : top + STRIP].astype(np.float32)
        grey = part @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        mixed = grey[:, :, None] * (1 - opacity) + heat[top : top + STRIP] * np.float32(opacity)
        out[top : top + STRIP] = mixed + 0.5
    return out


def resampled(picture: Picture, drawn: tuple[int, int], box: tuple[int, int, int, int]) -> tuple[np.ndarray, QImage]:
    """Part of `picture` minified by exact area averages in linear light.

    drawn: width and height (device px) of the whole picture at this scale, at most its own size.
    box: left, top, right, bottom of the wanted part, in device px from the picture's corner, inside `drawn`.
    Returns H×W×3 u8 and a QImage over it.
    """
    level = picture.levels[level_for(picture, max(drawn[0] / picture.size[0], drawn[1] / picture.size[1]))]
    left, top, right, bottom = box
    rows, row_weights = _taps(level.shape[0], drawn[1], top, bottom)
    columns, column_weights = _taps(level.shape[1], drawn[0], left, right)
    first, last = columns[0, 0], columns[-1, -1] + 1
    out = np.empty((bottom - top, right - left, 3), np.uint8)
    for start in range(0, bottom - top, STRIP):
        part = slice(start, start + STRIP)
        taps = rows[:, part]
        light = _to_light()[level[taps[0, 0] : taps[-1, -1] + 1, first:last]]
        tall = _weighted(light, taps - taps[0, 0], row_weights[:, part], 0)
        light = _weighted(tall, columns - first, column_weights, 1)
        out[part] = _to_code()[(light + 0.5).astype(np.uint16)]
    return out, as_qimage(out)


def _weighted(light: np.ndarray, taps: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Sum over taps of `light` taken along `axis`, each with its weight."""
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    total = np.take(light, taps[0], axis) * weights[0].reshape(shape)
    for tap, weight in zip(taps[1:], weights[1:], strict=True):
        total += np.take(light, tap, axis) * weight.reshape(shape)
    return total


def _taps(source: int, target: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """For outputs start…stop of `source` samples averaged into `target`: sample indices and weights, taps × outputs."""
    edges = np.arange(start, stop + 1) * (source / target)
    low, high = edges[:-1], edges[1:]
    count = int(np.ceil(source / target)) + 1
    index = np.floor(low).astype(np.int64) + np.arange(count)[:, None]
    cover = np.clip(np.minimum(high, index + 1) - np.maximum(low, index), 0, None)
    weights = (cover / cover.sum(axis=0)).astype(np.float32)
    return np.minimum(index, source - 1), weights

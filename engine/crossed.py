"""Bits against error: two maps of one picture as one, in colours for both, to see whether the bits were well spent.

Each map is averaged over cells of 16 × 16 pixels and what lies around them: no codec's bits are told finer than by
blocks, some codecs pay for two neighbours with the one that they code first, and the error of a single pixel says
nothing of how a region fared. Both scales are logarithmic around a middle, the mean over what is compared: what counts
is whether a region got, or suffered, several times more or less than its share.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.color import SRGB, from_linear, to_linear
from engine.display import from_oklab, rgb_of, to_oklab

CELL = 16  # px
# Scales go from so many times less than their middle to as many times more. Bits spread more than errors do: an encoder
# works at errors that are alike everywhere.
BITS_REACH, ERROR_REACH = 4.0, 2.0
# Blue and orange stay apart for colour-blind eyes; together they are light, as neither they are dark.
FEW_SMALL, MANY_SMALL, FEW_LARGE, MANY_LARGE = "#121317", "#2f7ed8", "#e06c1f", "#fff6e0"
_SIDE = 64


def crossed(bits: np.ndarray, errors: np.ndarray, middle_bits: float, middle_error: float) -> np.ndarray:
    """H×W maps of bits and error as H×W×3 u8 sRGB by `cross_table`, their middles in the middle of the table."""
    across = _places(region_means(bits), middle_bits, BITS_REACH)
    up = _places(region_means(errors), middle_error, ERROR_REACH)
    cells = cross_table()[up, across]
    return cells.repeat(CELL, 0)[: bits.shape[0]].repeat(CELL, 1)[:, : bits.shape[1]]


def cell_means(values: np.ndarray) -> np.ndarray:
    """Means over the cells of an H×W map, those at the borders over what they have of it: f32."""
    height, width = values.shape
    rows, columns = np.arange(0, height, CELL), np.arange(0, width, CELL)
    sums = np.add.reduceat(np.add.reduceat(values, rows, 0, np.float64), columns, 1)
    counts = np.outer(np.minimum(CELL, height - rows), np.minimum(CELL, width - columns))
    return (sums / counts).astype(np.float32)


def region_means(values: np.ndarray) -> np.ndarray:
    """What is drawn of an H×W map, a value for each cell: its mean with a half of each neighbour's."""
    means = cell_means(values)
    for axis in (0, 1):
        padded = np.pad(means, [(1, 1) if each == axis else (0, 0) for each in (0, 1)], "edge")
        before, here, after = (np.take(padded, range(i, i + means.shape[axis]), axis) for i in (0, 1, 2))
        means = before / 4 + here / 2 + after / 4
    return means


def region_mean(values: np.ndarray, x: int, y: int) -> float:
    """What is drawn at pixel (x, y) of an H×W map."""
    row, column = y // CELL, x // CELL
    top, left = max(0, row - 1), max(0, column - 1)
    around = values[CELL * top : CELL * (row + 2), CELL * left : CELL * (column + 2)]
    return float(region_means(around)[row - top, column - left])


@cache
def cross_table() -> np.ndarray:
    """64×64×3 u8 sRGB, read-only: rows from small to large error, columns from few to many bits."""
    corners = [to_oklab(to_linear(np.array(rgb_of(name)) / 255, SRGB)) for name in _CORNERS]
    many = np.linspace(0, 1, _SIDE)[None, :, None]
    large = np.linspace(0, 1, _SIDE)[:, None, None]
    weights = ((1 - many) * (1 - large), many * (1 - large), (1 - many) * large, many * large)
    lab = sum(weight * corner for weight, corner in zip(weights, corners, strict=True))
    table = np.rint(from_linear(from_oklab(np.asarray(lab)).clip(0, 1), SRGB) * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


_CORNERS = (FEW_SMALL, MANY_SMALL, FEW_LARGE, MANY_LARGE)


def _places(values: np.ndarray, middle: float, reach: float) -> np.ndarray:
    """Rows or columns of the table."""
    ratio = np.maximum(values, 0) / middle if middle > 0 else np.zeros_like(values)
    away = np.log(np.maximum(ratio, 1e-9)) / np.log(reach)
    return np.rint((away.clip(-1, 1) + 1) / 2 * (_SIDE - 1)).astype(np.intp)

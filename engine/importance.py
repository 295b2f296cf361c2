"""Importance: what parts of a picture matter more than others, as somebody painted it.

The map has a cell for every 16×16 pixels, which holds a number of quarter octaves: by so many the quantisation step
there is to be finer (above 0) or coarser (below 0) than at neutral places. It travels with the `Image`, so that the
rate search, the store and the batch take two maps of one picture for two pictures. docs/roi.md has the use of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import CorruptStream, EngineError, UsageError

if TYPE_CHECKING:
    from engine.image import Image

CELL = 16  # pixels a side
LIMIT = 8  # quarter octaves: four times finer, or coarser, than neutral
PER_OCTAVE = 4
NEUTRAL = 0.5  # what stands for 0 in a painted mask, of 0 (black) … 1 (white)


def cells(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the map of a picture."""
    return -(-height // CELL), -(-width // CELL)


@dataclass(frozen=True, eq=False)
class Importance:
    """steps: rows×columns i8 of −LIMIT … LIMIT, read-only."""

    steps: np.ndarray

    def __post_init__(self) -> None:
        steps = np.ascontiguousarray(self.steps)
        if steps.ndim != 2 or steps.dtype != np.int8 or not steps.size or np.abs(steps.astype(int)).max() > LIMIT:
            raise EngineError(f"a map of importance is rows×columns of i8 from {-LIMIT} to {LIMIT}")
        if steps is self.steps and steps.flags.writeable:
            steps = steps.copy()
        steps.flags.writeable = False
        object.__setattr__(self, "steps", steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Importance) and np.array_equal(self.steps, other.steps)

    def __hash__(self) -> int:
        return hash((self.steps.shape, self.steps.tobytes()))

    @cached_property
    def region(self) -> np.ndarray:
        """rows×columns bool: the cells that matter. Those above neutral; where none is, those that matter most."""
        most = int(self.steps.max())
        return self.steps > 0 if most > 0 else self.steps == most

    def on_pixels(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """A value of each cell, rows×columns, on all of its pixels: H×W."""
        return values.repeat(CELL, axis=0)[:height].repeat(CELL, axis=1)[:, :width]

    def under(self, copies: int, height: int) -> Importance:
        """The map of a picture whose planes of `height` rows lie one under the other, so many of them."""
        rows = np.arange(cells(height * copies, CELL)[0]) * CELL + CELL // 2
        return Importance(self.steps[rows.clip(max=height * copies - 1) % height // CELL])


def of_mask(mask: np.ndarray) -> Importance | None:
    """The map of a painted mask: H×W of 0 (least important) … 1 (most), 0.5 neutral; the mean of each cell counts.

    None where all of it is neutral.
    """
    height, width = mask.shape
    rows, columns = (np.arange(0, side, CELL) for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(mask.astype(np.float64), rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))
    steps = np.rint((sums / counts - NEUTRAL) / NEUTRAL * LIMIT).astype(np.int8)
    return Importance(steps) if steps.any() else None


def mask_of(image: Image) -> np.ndarray:
    """A picture as a mask, H×W f64 of 0 … 1: the mean of its colours' code values, over neutral where transparent."""
    from engine.carry import flatten

    if image.is_float:
        raise UsageError("a mask is a picture of code values, such as a PNG: white is important, mid-grey neutral")
    return flatten(image, NEUTRAL).pixels.mean(axis=2) / image.peak


def mask_from(importance: Importance, height: int, width: int) -> np.ndarray:
    """H×W u8: the painted mask of a picture of this size that :func:`of_mask` makes the same map of."""
    codes = np.rint((NEUTRAL + importance.steps / LIMIT * NEUTRAL) * 255).astype(np.uint8)
    return importance.on_pixels(codes, height, width)


def painted(image: Image, mask: Image) -> Importance | None:
    """The map that `mask` paints on `image`; `UsageError` if the two differ in size."""
    if (mask.width, mask.height) != (image.width, image.height):
        sizes = f"the mask has {mask.width} × {mask.height} pixels, the picture {image.width} × {image.height}"
        raise UsageError(sizes, hint="paint the mask over the picture itself")
    return of_mask(mask_of(mask))


# --- As factors ----------------------------------------------------------------------------------

_QUARTERS = (1.0, 1.189207115002721, 1.4142135623730951, 1.681792830507429)  # 2^(k/4)


def factors(*, inverse: bool = False) -> np.ndarray:
    """(2·LIMIT + 1) f32: 2^(s/4) of the steps s = −LIMIT … LIMIT, or one over it, the same on every machine."""
    steps = [-step if inverse else step for step in range(-LIMIT, LIMIT + 1)]
    return np.array([math.ldexp(_QUARTERS[s % PER_OCTAVE], s // PER_OCTAVE) for s in steps], np.float32)


# --- As bytes ------------------------------------------------------------------------------------


def pack(found: Importance) -> bytes:
    """The map as few bytes: what is left of each cell after prediction from its neighbours, under one rANS model."""
    from engine.native import entropy

    return entropy.rans_encode(_residuals(found.steps).tobytes())


def unpack(data: bytes, height: int, width: int) -> Importance:
    """The map of a picture of this size that `pack` made; `CorruptStream` for anything else."""
    from engine.native import entropy

    rows, columns = cells(height, width)
    residuals = np.frombuffer(entropy.rans_decode(data, rows * columns), np.uint8).reshape(rows, columns)
    steps = _steps(residuals)
    if np.abs(steps).max() > LIMIT:
        raise CorruptStream("the map of importance leaves its range")
    return Importance(steps.astype(np.int8))


def _residuals(steps: np.ndarray) -> np.ndarray:
    """rows×columns u8: each cell less the one to its left, those less the ones above; folded, small ones first."""
    down = np.diff(steps.astype(np.int16), axis=0, prepend=0)
    both = np.diff(down, axis=1, prepend=0)
    return np.where(both < 0, -2 * both - 1, 2 * both).astype(np.uint8)


def _steps(residuals: np.ndarray) -> np.ndarray:
    """The inverse, as i32 of any size."""
    folded = residuals.astype(np.int32)
    both = np.where(folded & 1, -(folded + 1) // 2, folded // 2)
    return both.cumsum(axis=1).cumsum(axis=0)

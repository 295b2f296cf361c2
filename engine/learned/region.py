"""What a painted region makes of the latent's quantisation steps: finer or coarser ones, position by position.

Networks and means keep the steps of the rate, and so does what the decoder's networks see. Only what is left of a
coefficient after prediction is rounded to multiples of a step of its own, and the density that it is coded under is as
much wider. A position of the latent is a cell of the map. All in integers, since both ends must agree on it.

The networks know no regions, and do worse the farther steps are from the rate's. So these are the steps of a level
between the painted ones, their mean plus their deviation: of a white region in a neutral picture, at 0.3 bits per
pixel and equal bytes, PSNR is 1.5 dB higher in the region than with the rate's steps in neutral places, and 0.15 dB in
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from engine.importance import LIMIT, PER_OCTAVE, Importance
from engine.learned import fixed
from engine.learned.fixed import MEAN_STEPS, ROWS_PER_OCTAVE
from engine.native.mixture import Mixed

STEP_BITS = 8  # of steps below 1/16
SHIFT_MAX = 32767  # of a mixture's densities
LEAST, MOST = -2 * LIMIT, LIMIT  # quarter octaves from the rate's steps
FALL = 4  # quarter octaves from one cell to the next
_WIDER_BITS = 12
_OCTAVES = np.arange(LEAST, MOST + 1) / PER_OCTAVE


def _whole(values: np.ndarray, bits: int) -> np.ndarray:
    """Powers of two by quarters of an octave, none of which is near a half: the same on every machine."""
    return np.rint(values * (1 << bits)).astype(np.int32)


STEPS = _whole(np.exp2(-_OCTAVES) * MEAN_STEPS, STEP_BITS)  # by levels from LEAST on
_WIDER = _whole(np.exp2(_OCTAVES), _WIDER_BITS)
_ROWS = np.floor(_OCTAVES * ROWS_PER_OCTAVE + 0.5).astype(np.int32)


@dataclass(frozen=True)
class Region:
    """levels: of each position of the latent, rows×columns, LEAST … MOST, less LEAST."""

    levels: np.ndarray

    @staticmethod
    def of(importance: Importance, size: tuple[int, int]) -> Region:
        """For a latent of so many rows and columns, of which the last ones may lie beyond the picture."""
        steps = eased(importance.steps)
        wider = [(0, side - known) for side, known in zip(size, steps.shape, strict=True)]
        return Region(np.pad((steps - middle(steps)).clip(LEAST, MOST) - LEAST, wider, mode="edge"))

    @property
    def finer(self) -> np.ndarray:
        """rows×columns×1 f32: into how many steps one of the rate's is divided."""
        return np.exp2(_OCTAVES).astype(np.float32)[self.levels][:, :, None]

    @property
    def steps(self) -> np.ndarray:
        """rows×columns i32: the step of each position, in 2^-STEP_BITS of 1/16 of the rate's."""
        return STEPS[self.levels]

    @property
    def rows(self) -> np.ndarray:
        """rows×columns i32: by how many rows of the coder's tables densities are wider."""
        return _ROWS[self.levels]

    def values(self, residuals: np.ndarray) -> np.ndarray:
        """rows×columns×C symbols as multiples of 1/16 of the rate's step, rounded, i32."""
        exact = residuals.astype(np.int64) * self.steps[:, :, None]
        return fixed.rounded(exact, STEP_BITS).astype(np.int32)

    def densities(self, given: np.ndarray | Mixed) -> np.ndarray | Mixed:
        """Rows of tables (rows×columns×C u16) or mixtures for symbols that count in steps of their own."""
        rows = self.rows[:, :, None]
        if not isinstance(given, Mixed):
            return _moved(given, rows).astype(np.uint16)
        shifts = given.shifts.astype(np.int64) * _WIDER[self.levels][:, :, None, None]
        shifts = fixed.rounded(shifts, _WIDER_BITS).clip(-SHIFT_MAX, SHIFT_MAX)
        return Mixed(_moved(given.rows, rows[..., None]).astype(np.uint8), shifts.astype(np.int16), given.weights)


def eased(steps: np.ndarray) -> np.ndarray:
    """rows×columns i64 of a map in which no cell is more than `FALL` below one beside it, where the map had one higher:
    blocks overlap, and what is wrong beyond the edge of a region is seen in it."""
    around = np.pad(steps.astype(np.int64), 1, mode="edge")
    rows, columns = steps.shape
    beside = [around[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.maximum(around[1:-1, 1:-1], np.maximum.reduce(beside) - FALL)


def middle(steps: np.ndarray) -> int:
    """The level that has the rate's steps: mean plus standard deviation of all cells, to the nearest, in integers."""
    count, total, squares = steps.size, int(steps.sum()), int((steps**2).sum())
    return (2 * (total + isqrt(count * squares - total**2)) + count) // (2 * count)


def _moved(rows: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (rows.astype(np.int32) + by).clip(0, fixed.SCALE_ROWS - 1)

"""What a painted region says to our block coders, whose files have one table of steps for all of a component's blocks.

The steps are nearly those that the most important blocks want. Elsewhere the trellis weighs errors less than bits: a
block whose steps should be r times as coarse counts its squared error 1 / r² times, and so loses what it would have
lost with coarse steps, and levels of many bits. Nothing of it is in the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.importance import CELL, PER_OCTAVE, Importance
from engine.native import jpeg

_BLOCK = 8
# Of the way (in logarithms) from neutral steps to the finest that are wanted. All of it costs the rest of the picture
# 0.5 dB more and gives the region 0.07 dB (astronaut at 0.3 bpp, 15 % white); half of it takes 0.4 dB from the region.
_SHARE = 0.75


@dataclass(frozen=True)
class Weights:
    """finer: by which the steps of neutral places are multiplied. blocks: of each component, f32 in the shape of its
    grid, what squared errors count. mean: of luma's."""

    finer: float
    blocks: tuple[np.ndarray, ...]
    mean: float


def weights(importance: Importance, where: jpeg.Layout) -> Weights:
    """For the blocks of a picture with this layout."""
    coded = _SHARE * float(importance.steps.max())
    blocks = tuple(_on_blocks(importance.steps, where, i, coded) for i in range(where.components))
    return Weights(2.0 ** (-coded / PER_OCTAVE), blocks, float(blocks[0].mean()))


def _on_blocks(steps: np.ndarray, where: jpeg.Layout, component: int, coded: float) -> np.ndarray:
    """A block of reduced chroma may touch several cells, of which the most important counts. coded: the step as whose
    the table was made."""
    across, down = where.grids[component]
    h, v = (where.h, where.v) if component else (1, 1)
    found = steps
    for axis, (count, side) in enumerate(((down, v * _BLOCK), (across, h * _BLOCK))):
        first = np.arange(count) * side // CELL
        last = (np.arange(count) * side + side - 1) // CELL
        found = np.maximum(found.take(first, axis=axis, mode="clip"), found.take(last, axis=axis, mode="clip"))
    return np.exp2((found.astype(np.float32) - coded) * (2 / PER_OCTAVE)).astype(np.float32)

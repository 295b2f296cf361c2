"""Where in the picture the bits of a file went, and how a coder's bits are laid on the pixel grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class BitMap:
    """The bits of one file by place.

    bits: H×W f32, finite and not negative: what each pixel of the decoded picture cost. A symbol's bits are those that
        it was coded with: the length of its code, or -log₂ of the probability that an adaptive coder gave it. They lie
        evenly on the pixels that the symbol stands for.
    apart: bytes of what stands for no place (headers, tables, profiles, states of the coder) under short names that
        people read, in the order of the file.

    `bits.sum() + 8 · sum(apart.values())` is the size of the file in bits within 2 %, or within 2 bytes where that is
    more: arithmetic coders round up at the end.
    """

    bits: np.ndarray
    apart: Mapping[str, int] = field(default_factory=dict)

    @property
    def apart_bytes(self) -> int:
        """What is listed apart, in all."""
        return sum(self.apart.values())


def folded(found: BitMap, planes: int) -> BitMap:
    """The map of a file that holds `planes` planes of a picture one under the other, as one of the picture."""
    height, width = found.bits.shape
    return BitMap(found.bits.reshape(planes, height // planes, width).sum(axis=0), found.apart)


def spread(cells: np.ndarray, cell: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Bits of a grid of cells, each `cell` (rows, columns) pixels, evenly over their pixels: f32 of `size`.

    A cell at the border spends all of its bits on the pixels that it has within the picture. Cells that lie wholly
    outside (padding) are paid by the last ones inside. Pixels behind the last cell get nothing: the finer half of a
    wavelet's subbands has a row or column less at odd sizes.
    """
    inside = cells.astype(np.float64, copy=False)
    spans = []
    for axis in (0, 1):
        inside, covered = _fold(inside, axis, cell[axis], size[axis])
        spans.append(covered)
    dense = (inside / np.maximum(np.outer(*spans), 1)).astype(np.float32)
    wide = dense.repeat(spans[0], 0).repeat(spans[1], 1)
    return np.pad(wide, [(0, side - got) for side, got in zip(size, wide.shape, strict=True)])


def _fold(cells: np.ndarray, axis: int, step: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells that begin within the picture, the others added to the last of them; how many pixels each covers."""
    count = min(cells.shape[axis], -(-side // step))
    if cells.shape[axis] > count:
        starts = np.arange(count)
        cells = np.add.reduceat(cells, starts, axis)
    return cells, np.minimum(step, side - step * np.arange(count))

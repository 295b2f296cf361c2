"""The error of a lit picture: of display values, where the light ended up, not of the light that was coded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.image import Image
from engine.metrics.error import psnr

_TOP_PERCENTILE = 99.8


@dataclass(frozen=True, eq=False)
class LitError:
    """psnr: dB over display values. flip: mean LDR-FLIP, 0 … 1. map: H×W f32 of FLIP. All over what counts.

    top: what but a few thousandths of the map stay below.
    """

    psnr: float
    flip: float
    map: np.ndarray
    top: float


def counted(pixels: np.ndarray, counts: np.ndarray) -> Image:
    """H×W×3 u8 with what does not count (H×W bool) black, as a picture to measure."""
    return Image(np.where(counts[:, :, None], pixels, np.uint8(0)))


def error(ref: Image, img: Image, flip: np.ndarray, counts: np.ndarray) -> LitError:
    """The error of two pictures of `counted`. flip: their FLIP map, H×W f32. NaN where nothing counts."""
    total = int(counts.sum())
    if not total:
        return LitError(math.nan, math.nan, flip, 1.0)
    squares = 0.0
    for top in range(0, ref.height, 256):
        rows = slice(top, top + 256)
        squares += float(np.square(ref.pixels[rows].astype(np.int32) - img.pixels[rows]).sum())
    seen = np.where(counts, flip, np.float32(0))
    highest = float(np.percentile(seen[counts][:: max(1, total >> 18)], _TOP_PERCENTILE))
    return LitError(psnr(squares / (3 * total), ref.peak), float(seen.sum(dtype=np.float64)) / total, seen, highest)

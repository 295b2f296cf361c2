"""Pictures of the benchmarks, made from the bundled samples, so that everyone measures the same."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine import io
from engine.image import Image
from engine.samples import samples

SMALL = (768, 512)
LARGE = (6000, 4000)  # 24 million pixels


@lru_cache(maxsize=1)
def photograph() -> Image:
    """768×512: three of the bundled photographs, cut and set side by side in full resolution."""
    found = {sample.name: sample.path for sample in samples()}
    parts = [io.read(found[name]).image.pixels for name in ("astronaut", "coffee", "rocket")]
    rows, third = SMALL[1], SMALL[0] // 3
    cut = [np.pad(part, ((0, max(0, rows - part.shape[0])), (0, 0), (0, 0)), mode="reflect") for part in parts]
    left = [(part.shape[1] - third) // 2 for part in cut]
    pixels = np.concatenate([part[:rows, x : x + third] for part, x in zip(cut, left, strict=True)], axis=1)
    return Image(np.ascontiguousarray(pixels))


def large_photograph() -> Image:
    """6000×4000: the small one, mirrored onwards."""
    pixels, (width, height) = photograph().pixels, LARGE
    return Image(np.pad(pixels, ((0, height - SMALL[1]), (0, width - SMALL[0]), (0, 0)), mode="symmetric"))

"""How bright a picture of light is, for metrics that look at it under several exposures."""

from __future__ import annotations

import numpy as np

DEEPEST = 2.0**-16  # light below this share of the brightest says nothing of how a picture will be exposed


def brightest_and_median(brightness: np.ndarray, mask: np.ndarray | None) -> tuple[float, float] | None:
    """Of texels that count and have light, out of H×W of brightness; None where there are none.

    The median is at least `DEEPEST` of the brightest. That of all texels would be 0 for an atlas that is half empty.
    """
    lit = brightness[brightness > 0] if mask is None else brightness[mask & (brightness > 0)]
    if lit.size == 0:
        return None
    brightest = float(lit.max())
    return brightest, max(float(np.median(lit)), brightest * DEEPEST)

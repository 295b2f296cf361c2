"""Luminance and chroma of OpenEXR files: Y whole, RY = (R - Y) / Y and BY = (B - Y) / Y at every second texel.

As "Technical Introduction to OpenEXR" describes them; what lies between chroma samples is interpolated linearly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.color import chromaticities as chromaticities_of
from engine.errors import CorruptStream

SAMPLINGS = ((1, 1), (2, 2), (2, 1), (1, 2))


def rgb(luminance: np.ndarray, chroma: Sequence[np.ndarray], primaries: Sequence[float] | None) -> np.ndarray:
    """H×W×3 f32 of Y (H×W) and RY, BY; primaries: x, y of red, green, blue and white, BT.709 where None.

    `CorruptStream` for chroma of a size that does not fit.
    """
    light = luminance.astype(np.float32)
    weights = _luminance_weights(primaries or chromaticities_of(1))
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinite samples are counted and said later
        ry, by = (_whole(plane.astype(np.float32), light.shape) for plane in chroma)
        red, blue = (ry + 1) * light, (by + 1) * light
        green = (light - weights[0] * red - weights[2] * blue) / weights[1]
    return np.stack([red, green, blue], axis=2).astype(np.float32)


def _whole(plane: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A chroma plane with as many samples as luminance has."""
    for axis in (0, 1):
        step = 1 if plane.shape[axis] == shape[axis] else 2
        if plane.shape[axis] != math.ceil(shape[axis] / step):
            raise CorruptStream("the OpenEXR file has chroma that does not fit its luminance")
        if step == 2:
            at = np.minimum(np.arange(shape[axis]) / 2, plane.shape[axis] - 1)
            low = at.astype(int)
            high = np.minimum(low + 1, plane.shape[axis] - 1)
            share = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
            plane = plane.take(low, axis) * (1 - share) + plane.take(high, axis) * share
    return plane


def _luminance_weights(xy: Sequence[float]) -> np.ndarray:
    """How much of each primary at 1 makes Y, with all three making white of luminance 1."""
    points = np.array(xy, float).reshape(4, 2)
    try:
        xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in points])
        weights = np.linalg.solve(xyz[:3].T, xyz[3])
    except (ZeroDivisionError, np.linalg.LinAlgError):
        return _luminance_weights(chromaticities_of(1))
    return (
        weights if np.isfinite(weights).all() and abs(weights[1]) > 0.01 else _luminance_weights(chromaticities_of(1))
    )

"""A direction under the pointer, in words: its components −1 … 1, and the angle between two of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gui.models.units import NBSP, signed


def direction_text(codes: Sequence[float], peak: float) -> str:
    """ "x −0.23 y +0.91 z +0.12 w 0.83" of code values 0 … peak."""
    parts = [f"{name}{NBSP}{signed(value, 2)}" for name, value in zip("xyz", _vector(codes, peak), strict=False)]
    return " ".join([*parts, *(f"w{NBSP}{code / peak:.2f}" for code in codes[3:])])


def angle_text(codes: Sequence[float], peak: float, original: Sequence[float], original_peak: float) -> str:
    """ "1.27°", "" where one of them has no direction."""
    now, was = _vector(codes, peak), _vector(original, original_peak)
    lengths = math.hypot(*now) * math.hypot(*was)
    if len(now) < 3 or lengths == 0:
        return ""
    cosine = sum(a * b for a, b in zip(now, was, strict=True)) / lengths
    return f"{math.degrees(math.acos(min(1.0, max(-1.0, cosine)))):.2f}°"


def _vector(codes: Sequence[float], peak: float) -> list[float]:
    return [2 * code / peak - 1 for code in codes[:3]]

"""Filters for decoded light (csrc/light_filter.c)."""

from __future__ import annotations

import numpy as np

from engine.native._base import check, const, lib, mutable

PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))  # dy, dx of one neighbour; the other lies opposite
WEIGHTS = 2 * len(PAIRS)


def correction(plane: np.ndarray, classes: np.ndarray, weights: np.ndarray, tight: float, loose: float) -> np.ndarray:
    """H×W f32, what is to be added to H×W f32, by H×W u8 classes: the sum over pairs of neighbours of weight ·
    (clip(a - x) + clip(b - x)), clipped at `tight` and at `loose` with a weight each. weights: classes×WEIGHTS f32."""
    height, width = plane.shape
    if classes.shape != plane.shape or weights.ndim != 2 or weights.shape[1] != WEIGHTS:
        raise ValueError("need a class for each sample, and two weights for each pair")
    out = np.empty((height, width), np.float32)
    given = const("float", plane), width, height, const("uint8_t", classes), const("float", weights), len(weights)
    check(lib.rs_light_correct(*given, tight, loose, mutable("float", out)), "light filter")
    return out

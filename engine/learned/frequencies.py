"""Densities as cumulative frequencies for the coder (engine/native/latent.py): made once, and kept with weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import EngineError

CDF_TOTAL = 1 << 16


def coding_tables(densities: Sequence[tuple[np.ndarray, int]]) -> dict[str, np.ndarray]:
    """`cdfs`, `cdf_rows` and `cdf_offsets` of densities, as `engine.native.entropy.Tables` describes them."""
    rows = [frequencies(masses) for masses, _ in densities]
    starts = [np.concatenate([[0], np.cumsum(row)[:-1]]) for row in rows]
    return {
        "cdfs": np.concatenate(starts).astype(np.uint16),
        "cdf_rows": np.cumsum([0, *(len(row) for row in rows)]).astype(np.uint32),
        "cdf_offsets": np.array([first for _, first in densities], np.int32),
    }


def frequencies(masses: np.ndarray) -> np.ndarray:
    """Whole numbers of at least 1 that sum to 2¹⁶ and are near `masses` · 2¹⁶."""
    if not (np.isfinite(masses).all() and (masses >= 0).all() and 1 < len(masses) < CDF_TOTAL // 2):
        raise EngineError("a density cannot be tabulated")
    share = masses / masses.sum() * CDF_TOTAL
    whole = np.maximum(np.floor(share), 1).astype(np.int64)
    while (missing := CDF_TOTAL - int(whole.sum())) != 0:
        order = np.argsort(whole - share, kind="stable") if missing > 0 else np.argsort(-whole, kind="stable")
        for place in order[: abs(missing)]:
            if missing > 0 or whole[place] > 1:
                whole[place] += 1 if missing > 0 else -1
    return whole

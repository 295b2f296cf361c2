"""Pictures for tests, made rather than loaded."""

from __future__ import annotations

import numpy as np


def photo_like(height: int, width: int, seed: int = 7) -> np.ndarray:
    """H×W×3 u8 with what photographs have: smooth shades, edges, texture, saturated colour and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    shade = 120 + 80 * np.sin(x / 37 + 1) * np.cos(y / 29)
    texture = 18 * np.sin(x * 1.3 + y * 0.7) * (x > width / 2)
    disc = (x - width * 0.4) ** 2 + (y - height * 0.5) ** 2 < (0.3 * min(height, width)) ** 2
    red, green, blue = shade + texture + 60 * disc, shade - 20 * disc + texture, 255 - shade - 90 * disc
    noisy = np.stack([red, green, blue], axis=-1) + rng.normal(0, 3, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)

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


def whole_number_picture(height: int, width: int, channels: int, bits: int = 8) -> np.ndarray:
    """H×W×C of `bits`, made by whole numbers alone: the same on every machine. Shades, an edge, texture, noise, a flat
    corner."""
    y, x, c = np.mgrid[:height, :width, :channels].astype(np.int64)
    shade = np.abs((3 * x + 2 * y + 40 * c) % 400 - 200) + 20
    texture = ((x * (c + 2)) ^ y) % 32 * (x > width // 2)
    noise = (x * 7919 + y * 104_729 + c * 1_299_709) * 2_654_435_761 % 65_536
    value = (shade + texture + 90 * (x + 2 * y > width)) * 256 + noise * 4
    value[: height // 3, : width // 3] = 25_000
    top = 2**bits - 1
    return (value * top // 90_000).clip(0, top).astype(np.uint8 if bits <= 8 else np.uint16)

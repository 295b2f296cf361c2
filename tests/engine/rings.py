"""Makes resources/samples/rings.png: our own picture with what photographs seldom have.

16 bits a sample, Display P3 colours outside sRGB, soft alpha, fine rings that beat with the pixel grid, and
a smooth ramp that shows banding. `python tests/engine/rings.py OUT.png` writes it.
"""

from __future__ import annotations

import sys

import numpy as np

from engine.color import DISPLAY_P3
from engine.image import Alpha, Image
from engine.io import write_png

WIDTH, HEIGHT = 480, 320


def rings() -> Image:
    """480×320 RGBA. Sums, products and square roots only, so that every machine makes the same samples."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    across, down = x / (WIDTH - 1), y / (HEIGHT - 1)
    far = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    phase = (far * far / 2400) % 1.0  # a zone plate: finer towards the rim
    wave = 1 - np.abs(2 * phase - 1)
    ramp = 0.15 + 0.5 * across
    red = np.where(far < 120, 0.2 + 0.8 * wave, ramp)
    green = np.where(far < 120, 0.9 - 0.7 * wave * across, ramp * (0.6 + 0.4 * down))
    blue = np.where(far < 120, 0.1 + 0.3 * down, ramp + 0.2 * (1 - down))
    alpha = np.clip((150 - far) / 30, 0, 1) * 0.75 + 0.25 * (across > 0.5)
    samples = np.stack([red, green, blue, alpha], axis=2).clip(0, 1)
    return Image(np.floor(samples * 65535 + 0.5).astype(np.uint16), DISPLAY_P3, Alpha.STRAIGHT)


if __name__ == "__main__":
    write_png(sys.argv[1], rings())

"""LDR-FLIP by NVIDIA's own evaluator: the difference that one sees when two pictures alternate in place.

Andersson et al., "FLIP: A Difference Evaluator for Alternating Images", HPG 2020.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.color import SRGB, convert
from engine.image import Image
from engine.metric import Domain, MetricInfo

# At the evaluator's default of 67 pixels per degree its filters reach 10 pixels. It takes some 120 bytes a pixel,
# so strips bound memory.
_MARGIN = 16
_STRIP_PIXELS = 1 << 20
_PACKAGE = version("flip-evaluator")


class FlipMetric:
    """Mean LDR-FLIP error, 0 (equal) to 1, and its map."""

    info = MetricInfo(
        id="flip",
        label="FLIP",
        unit="",
        higher_is_better=False,
        domain=Domain.PERCEPTUAL,
        version=_PACKAGE,
        library=f"flip-evaluator {_PACKAGE}",
        has_map=True,
        map_label="FLIP",
        map_range=(0.0, 1.0),
        digits=4,
        memory=24.0,
        about="Mean LDR-FLIP error at the evaluator's default of 67 pixels per degree (0.7 m from a 0.7 m wide display "
        "of 3840 pixels); pictures of other colour are converted to sRGB.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        return float(np.mean(self.map(ref, img, ctx), dtype=np.float64))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        from flip_evaluator import evaluate

        out = np.empty((ref.height, ref.width), np.float32)
        step = max(4 * _MARGIN, _STRIP_PIXELS // ref.width)
        for top in range(0, ref.height, step):
            ctx.check()
            bottom = min(top + step, ref.height)
            first, last = max(0, top - _MARGIN), min(ref.height, bottom + _MARGIN)
            errors, _, _ = evaluate(
                _srgb(ref, slice(first, last)),
                _srgb(img, slice(first, last)),
                "LDR",
                inputsRGB=True,
                applyMagma=False,
                computeMeanError=False,
                parameters={},
            )
            out[top:bottom] = errors[top - first : bottom - first, :, 0]
            ctx.progress(bottom / ref.height)
        return out


def _srgb(image: Image, rows: slice) -> np.ndarray:
    """H×W×3 f32 in 0…1."""
    pixels = convert(image.pixels[rows].astype(np.float32) / np.float32(image.peak), image.color, SRGB).clip(0, 1)
    return np.repeat(pixels, 3, axis=2) if image.is_gray else pixels


FLIP = FlipMetric()

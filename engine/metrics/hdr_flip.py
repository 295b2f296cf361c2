"""HDR-FLIP by NVIDIA's own evaluator: the worst LDR-FLIP error over the exposures at which a picture may be looked at.

Andersson, Nilsson, Shirley and Akenine-Möller, "Visualizing Errors in Rendered High Dynamic Range Images",
Eurographics 2021 (short papers). The range of exposures is a function of the reference alone, so that every candidate
is judged under the same light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.color import LINEAR_SRGB, convert, rgb_to_xyz
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.lit import brightest_and_median

_MARGIN = 16  # rows; the evaluator's filters reach 10 pixels at 67 pixels per degree
_STRIP_PIXELS = 1 << 18
_PACKAGE = version("flip-evaluator")

# The ACES fit of K. Narkowicz (2015) with the exposure correction of 0.6, as the evaluator has it: numerator and
# denominator as polynomials. Exposures are such that the brightest, and the median, come out at 0.85.
_NUMERATOR = (0.6 * 0.6 * 2.51, 0.6 * 0.03, 0.0)
_DENOMINATOR = (0.6 * 0.6 * 2.43, 0.6 * 0.59, 0.14)
_SHOWN_AT = 0.85


@dataclass(frozen=True)
class Exposures:
    """start, stop: in stops, start <= stop. count: how many, at equal steps, both ends included."""

    start: float
    stop: float
    count: int


def exposures(ref: Image) -> Exposures:
    """The exposures at which a reference is judged: from that which shows its brightest texel at 0.85 to its median's.

    The median is over texels that count and have light: an atlas that is half empty has a median of 0, for which the
    paper's formula is infinite. `ref` as `engine.metrics.align` leaves it; all black gives one exposure, 0.
    """
    luminance = _linear(ref, slice(None)) @ rgb_to_xyz(1)[1].astype(np.float32)
    found = brightest_and_median(luminance, ref.mask)
    if found is None:
        return Exposures(0.0, 0.0, 2)
    brightest, median = found
    a, b, c = (n - _SHOWN_AT * d for n, d in zip(_NUMERATOR, _DENOMINATOR, strict=True))
    wanted = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
    start, stop = math.log2(wanted / brightest), math.log2(wanted / median)
    return Exposures(start, stop, max(2, math.ceil(stop - start)))


class HdrFlipMetric:
    """Mean HDR-FLIP error over the texels that count, 0 (equal) to 1, and its map."""

    info = MetricInfo(
        id="hdr_flip",
        label="HDR-FLIP",
        unit="",
        higher_is_better=False,
        domain=Domain.PERCEPTUAL,
        version=f"{_PACKAGE}-1",
        library=f"flip-evaluator {_PACKAGE}",
        has_map=True,
        map_label="HDR-FLIP",
        map_range=(0.0, 1.0),
        digits=4,
        of=(Meaning.LIGHT,),
        memory=72.0,
        about="Mean HDR-FLIP of the texels that count at the evaluator's default of 67 pixels per degree, its ACES "
        "tone mapper, and exposures from the reference alone (median over texels that count and have light).",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        errors = self.map(ref, img, ctx)
        return float(np.mean(errors if ref.mask is None else errors[ref.mask], dtype=np.float64))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        from flip_evaluator import evaluate

        seen = exposures(ref)
        parameters = {"startExposure": seen.start, "stopExposure": seen.stop, "numExposures": seen.count}
        out = np.empty((ref.height, ref.width), np.float32)
        step = max(4 * _MARGIN, _STRIP_PIXELS // ref.width)
        for top in range(0, ref.height, step):
            ctx.check()
            bottom = min(top + step, ref.height)
            rows = slice(max(0, top - _MARGIN), min(ref.height, bottom + _MARGIN))
            errors, _, _ = evaluate(
                _linear(ref, rows),
                _linear(img, rows),
                "HDR",
                applyMagma=False,
                computeMeanError=False,
                parameters=parameters,
            )
            out[top:bottom] = errors[top - rows.start : bottom - rows.start, :, 0]
            ctx.progress(bottom / ref.height)
        return out if ref.mask is None else out * ref.mask


def _linear(image: Image, rows: slice) -> np.ndarray:
    """H×W×3 f32 of linear sRGB, not negative."""
    pixels = convert(image.pixels[rows], image.color, LINEAR_SRGB).clip(0, None)
    return np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if image.is_gray else pixels, np.float32)


HDR_FLIP = HdrFlipMetric()

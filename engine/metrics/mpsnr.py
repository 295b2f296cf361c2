"""mPSNR: PSNR of what an 8-bit display shows, over all the exposures at which the picture may be looked at.

J. Munkberg, P. Clarberg, J. Hasselgren and T. Akenine-Möller, "High dynamic range texture compression for graphics
hardware", SIGGRAPH 2006: 10·log10(255² / mean squared error of round(255·(2^c·light)^(1/2.2)), clipped to 0 … 255)
over R, G, B, texels and exposures c. They leave the exposures to the reader; here they are whole stops, and follow
from the original alone: from that which clips nothing (in any channel) to that which clips half of the texels with
light.
"""

from __future__ import annotations

import math

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted, strips
from engine.metrics.error import psnr
from engine.metrics.lit import brightest_and_median

_PEAK = 255.0
_GAMMA = 1 / 2.2


def exposures(ref: Image) -> range:
    """The exposures c, in whole stops, at which a reference (as `engine.metrics.align` leaves it) is compared."""
    found = brightest_and_median(ref.pixels.max(axis=2), ref.mask)
    if found is None:
        return range(1)
    brightest, median = found
    return range(math.floor(-math.log2(brightest)), math.ceil(-math.log2(median)) + 1)


class MultiExposurePsnr:
    """PSNR over exposures; the map is the RMS over exposures and channels, in 8-bit code values."""

    info = MetricInfo(
        id="mpsnr",
        label="mPSNR",
        unit="dB",
        higher_is_better=True,
        domain=Domain.CODE_VALUES,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Error (RMS over exposures and channels)",
        map_unit="8-bit code values",
        digits=2,
        of=(Meaning.LIGHT,),
        memory=12.0,
        about="Multi-exposure PSNR (Munkberg et al. 2006): 8-bit, gamma 2.2, every stop from that which clips nothing "
        "of the original to that which clips half of its texels with light.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        squares, count = 0.0, 0
        seen = exposures(ref)
        for rows in strips(ref):
            counts = counted(ref, rows)
            squares += float(self._squares(ref, img, rows, seen, ctx)[counts].sum(dtype=np.float64))
            count += int(counts.sum())
        return psnr(squares / count, _PEAK)

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        seen = exposures(ref)
        for rows in strips(ref):
            out[rows] = np.sqrt(self._squares(ref, img, rows, seen, ctx)) * counted(ref, rows)
        return out

    def _squares(self, ref: Image, img: Image, rows: slice, seen: range, ctx: Ctx) -> np.ndarray:
        """h×w f32: squared error, mean over exposures and channels."""
        # (2^c·light)^(1/2.2) = 2^(c/2.2)·light^(1/2.2): one power serves all exposures
        powers = [_PEAK * np.power(each.pixels[rows], np.float32(_GAMMA)) for each in (ref, img)]
        total = np.zeros(powers[0].shape[:2], np.float32)
        for c in seen:
            ctx.check()
            shown = [np.rint(power * np.float32(2 ** (c * _GAMMA))).clip(0, _PEAK) for power in powers]
            total += np.square(shown[0] - shown[1]).mean(axis=2)
        return total / len(seen)


MPSNR = MultiExposurePsnr()

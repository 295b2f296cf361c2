"""CIEDE2000: how different two colours look, patch beside patch.

Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 2005, by scikit-image.
The pictures' own primaries lead to CIE XYZ, so colours outside of sRGB are judged as what they are; L*a*b* is relative
to D65, the white of every colour space here.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.color import rgb_to_xyz, to_linear
from engine.image import Image
from engine.metric import Domain, MetricInfo
from engine.metrics.align import strips


class DeltaE2000:
    """Mean CIEDE2000 difference over all pixels, and its map. About 1 is just noticeable on flat patches."""

    info = MetricInfo(
        id="delta_e2000",
        label="ΔE2000",
        unit="",
        higher_is_better=False,
        domain=Domain.PERCEPTUAL,
        version="1",
        library=f"scikit-image {version('scikit-image')}",
        has_map=True,
        map_label="ΔE2000",
        digits=3,
        memory=12.0,
        about="Mean CIEDE2000 difference over all pixels, L*a*b* from the reference's primaries relative to D65.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        return float(np.mean(self.map(ref, img, ctx), dtype=np.float64))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        from skimage.color import deltaE_ciede2000

        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            out[rows] = deltaE_ciede2000(_lab(ref, rows), _lab(img, rows))
            ctx.progress(min(1.0, rows.stop / ref.height))
        return out


def _lab(image: Image, rows: slice) -> np.ndarray:
    """CIE L*a*b* relative to the white of the picture's own primaries, H×W×3 f64."""
    from skimage.color import xyz2lab

    codes = np.repeat(image.pixels[rows], 3, axis=2) if image.is_gray else image.pixels[rows]
    matrix = rgb_to_xyz(image.color.primaries)
    xyz = to_linear(codes / image.peak, image.color) @ matrix.T
    return xyz2lab(xyz / matrix.sum(axis=1) * _D65)


_D65 = np.array([0.95047, 1.0, 1.08883])  # as scikit-image rounds it: white must come out without any hue


DELTA_E2000 = DeltaE2000()

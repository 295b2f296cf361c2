"""SSIM as scikit-image defines it, run over row strips so that memory stays bounded.

Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE T-IP 2004: Gaussian
window σ 1.5 cut at 3.5 σ (11×11), population covariance, K1 = 0.01, K2 = 0.03; the mean over the channels of the
means over the pixels whose window lies inside the picture.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import Domain, MetricInfo

WINDOW = 11
_MARGIN = WINDOW // 2
# scikit-image holds about a dozen f64 arrays of a strip: some 100 bytes a pixel of it. This size suits the cache.
_STRIP_PIXELS = 1 << 18
_SKIMAGE = version("scikit-image")


class SsimMetric:
    """Structural similarity; the map is 1 - SSIM, mean over the channels."""

    info = MetricInfo(
        id="ssim",
        label="SSIM",
        unit="",
        higher_is_better=True,
        domain=Domain.CODE_VALUES,
        version=_SKIMAGE,
        library=f"scikit-image {_SKIMAGE}",
        has_map=True,
        map_label="1 − SSIM",
        map_range=(0.0, 1.0),
        digits=4,
        min_side=WINDOW,
        memory=20.0,
        about="Wang 2004: Gaussian window σ 1.5, 11×11, population covariance, mean over R, G and B.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        inside = slice(_MARGIN, -_MARGIN)
        return float(np.mean(self._similarity(ref, img, ctx)[inside, inside], dtype=np.float64))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        return (1.0 - self._similarity(ref, img, ctx)).astype(np.float32)

    def _similarity(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        """H×W f64 of SSIM. A strip with a margin of half a window gives the very values of the whole picture."""
        from skimage.metrics import structural_similarity

        out = np.empty((ref.height, ref.width))
        step = max(WINDOW, _STRIP_PIXELS // ref.width)
        for top in range(0, ref.height, step):
            ctx.check()
            bottom = min(top + step, ref.height)
            first, last = max(0, min(top, ref.height - WINDOW) - _MARGIN), min(ref.height, bottom + _MARGIN)
            _, similarity = structural_similarity(
                ref.pixels[first:last],
                img.pixels[first:last],
                data_range=ref.peak,
                channel_axis=-1,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                full=True,
            )
            out[top:bottom] = similarity[top - first : bottom - first].mean(axis=-1)
            ctx.progress(bottom / ref.height)
        return out


SSIM = SsimMetric()

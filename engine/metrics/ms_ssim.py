"""Multi-scale SSIM, as the learned-compression literature reports it.

Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment", Asilomar 2003: five
scales with the published weights, Gaussian window σ 1.5 of 11×11 over the positions where it fits. The details
follow the pytorch-msssim package, which CompressAI and most papers use, so that numbers compare: per channel the
product over scales of max(0, mean contrast-structure)^weight (with luminance at the last scale), then the mean
over the channels; scales are halved by 2×2 means, an odd side being padded with a zero at both ends.
"""

from __future__ import annotations

import math
from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import Domain, MetricInfo
from engine.metrics.derived import DerivedMetric

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_MIN_SIDE = (WINDOW - 1) * 2 ** (len(WEIGHTS) - 1) + 1
_STRIP_PIXELS = 1 << 18


class MsSsimMetric:
    """Multi-scale structural similarity; no map, as its scales do not share a grid."""

    info = MetricInfo(
        id="ms_ssim",
        label="MS-SSIM",
        unit="",
        higher_is_better=True,
        domain=Domain.CODE_VALUES,
        version="1",
        library=f"scipy {version('scipy')}",
        digits=5,
        min_side=_MIN_SIDE,
        memory=20.0,
        about="Wang 2003 with the details of pytorch-msssim: five scales, 11×11 Gaussian window σ 1.5 where it fits, "
        f"mean over R, G and B. Not defined below {_MIN_SIDE}×{_MIN_SIDE} pixels.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        channels = []
        for c in range(ref.channels):
            x, y = (p.pixels[:, :, c].astype(np.float32) / np.float32(ref.peak) for p in (ref, img))
            channels.append(self._channel(x, y, ctx))
            ctx.progress((c + 1) / ref.channels)
        return float(np.mean(channels))

    def _channel(self, x: np.ndarray, y: np.ndarray, ctx: Ctx) -> float:
        score = 1.0
        for scale, weight in enumerate(WEIGHTS):
            last = scale == len(WEIGHTS) - 1
            similarity, contrast = _ssim_means(x, y, ctx)
            score *= max(0.0, similarity if last else contrast) ** weight
            if not last:
                x, y = _halved(x), _halved(y)
        return score

    def map(self, ref: Image, img: Image, ctx: Ctx) -> None:
        return None


def _ssim_means(x: np.ndarray, y: np.ndarray, ctx: Ctx) -> tuple[float, float]:
    """Means of SSIM and of its contrast-structure factor over all positions where the window fits, samples in 0…1."""
    rows = x.shape[0] - WINDOW + 1
    step = max(1, _STRIP_PIXELS // x.shape[1])
    total = np.zeros(2)
    for top in range(0, rows, step):
        ctx.check()
        span = slice(top, min(top + step, rows) + WINDOW - 1)
        total += _ssim_sums(x[span].astype(np.float64), y[span].astype(np.float64))
    similarity, contrast = total / (rows * (x.shape[1] - WINDOW + 1))
    return float(similarity), float(contrast)


def _ssim_sums(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_sum = _blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    contrast = (2 * covariance + _K2**2) / (variance_sum + _K2**2)
    luminance = (2 * mean_x * mean_y + _K1**2) / (mean_x**2 + mean_y**2 + _K1**2)
    return np.array([np.sum(luminance * contrast), np.sum(contrast)])


def _blurred(plane: np.ndarray) -> np.ndarray:
    """Gaussian mean at every position where the window fits."""
    from scipy.ndimage import correlate1d

    offsets = np.arange(WINDOW) - WINDOW // 2
    taps = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    taps /= taps.sum()
    inside = slice(WINDOW // 2, -(WINDOW // 2))
    return correlate1d(correlate1d(plane, taps, axis=0)[inside], taps, axis=1)[:, inside]


def _halved(plane: np.ndarray) -> np.ndarray:
    """2×2 means, f32; an odd side is padded with a zero at both ends first, as pytorch-msssim's pooling does."""
    padded = np.pad(plane, [(side % 2, side % 2) for side in plane.shape])
    even = padded[: padded.shape[0] // 2 * 2, : padded.shape[1] // 2 * 2]
    return (even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2]) * np.float32(0.25)


def _to_db(similarity: float) -> float:
    """-10·log10(1 - MS-SSIM), in dB; `inf` for equal pictures."""
    return -10.0 * math.log10(1.0 - similarity) if similarity < 1.0 else math.inf


MS_SSIM = MsSsimMetric()
MS_SSIM_DB = DerivedMetric(
    MetricInfo(
        id="ms_ssim_db",
        label="MS-SSIM (dB)",
        unit="dB",
        higher_is_better=True,
        domain=Domain.CODE_VALUES,
        version=MS_SSIM.info.version,
        library=MS_SSIM.info.library,
        digits=2,
        min_side=_MIN_SIDE,
        memory=20.0,
        about="-10·log10(1 - MS-SSIM): the scale on which papers plot it.",
    ),
    MS_SSIM,
    _to_db,
)

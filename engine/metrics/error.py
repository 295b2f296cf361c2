"""Squared error and the PSNR family, in code values of the reference.

PSNR = 10·log10(peak² / MSE) with peak = 2^bits-1. Luma and chroma are those of JFIF (ITU-T T.871): BT.601
weights, full range, not rounded, at full resolution. PSNR-YUV is the mean of the three planes' PSNR with
weights 6:1:1 (Ohm et al., "Comparison of the coding efficiency of video coding standards", IEEE T-CSVT 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.align import strips

_LIBRARY = f"numpy {np.__version__}"

LUMA = np.array([0.299, 0.587, 0.114])
_CB = (np.array([0.0, 0.0, 1.0]) - LUMA) / 1.772
_CR = (np.array([1.0, 0.0, 0.0]) - LUMA) / 1.402
_RGB = np.eye(3)


@dataclass(frozen=True, eq=False)
class ErrorMetric:
    """MSE or PSNR of planes that are linear in RGB.

    planes: P×3, each row a plane's weights of R, G and B. weights: P, of the planes in the mean.
    in_db: PSNR, as the weighted mean of the planes' PSNR if `apart`, else of their weighted mean MSE.
    """

    info: MetricInfo
    planes: np.ndarray
    weights: tuple[float, ...]
    in_db: bool = True
    apart: bool = False

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        mse = self._plane_mse(ref, img, ctx)
        weights = self._weights(ref)
        if not self.apart:
            pooled = float(np.average(mse, weights=weights))
            return psnr(pooled, ref.peak) if self.in_db else pooled
        # A plane without error has no PSNR to average: an infinite one would hide the error of the others.
        finite = [(psnr(error, ref.peak), weight) for error, weight in zip(mse, weights, strict=True) if error > 0]
        return sum(db * weight for db, weight in finite) / sum(w for _, w in finite) if finite else math.inf

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        """Root of the weighted mean squared error of the planes, in code values."""
        weights = np.array(self._weights(ref))
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            out[rows] = np.sqrt(np.square(self._difference(ref, img, rows)) @ (weights / weights.sum()))
        return out

    def _weights(self, ref: Image) -> tuple[float, ...]:
        if self.planes is _RGB:
            return (1.0,) * ref.channels
        return (1.0,) if ref.is_gray else self.weights

    def _plane_mse(self, ref: Image, img: Image, ctx: Ctx) -> list[float]:
        total = np.zeros(len(self._weights(ref)))
        for rows in strips(ref):
            ctx.check()
            difference = self._difference(ref, img, rows)
            total += np.einsum("ijk,ijk->k", difference, difference)
        count = ref.height * ref.width if ref.mask is None else np.count_nonzero(ref.mask)
        return [float(t) for t in total / max(count, 1)]

    def _difference(self, ref: Image, img: Image, rows: slice) -> np.ndarray:
        difference = ref.pixels[rows].astype(np.float64) - img.pixels[rows]
        if ref.mask is not None:
            difference *= ref.mask[rows, :, None]
        return difference if ref.is_gray or self.planes is _RGB else difference @ self.planes.T


def psnr(mse: float, peak: float) -> float:
    """Peak signal-to-noise ratio in dB; `inf` for no error."""
    return 10.0 * math.log10(peak * peak / mse) if mse > 0 else math.inf


_ALL_CODES = (Meaning.COLOUR, Meaning.DIRECTION, Meaning.MASK)


def _info(metric_id: str, label: str, map_label: str, about: str, unit: str = "dB") -> MetricInfo:
    return MetricInfo(
        id=metric_id,
        label=label,
        unit=unit,
        higher_is_better=unit == "dB",
        domain=Domain.CODE_VALUES,
        version="1",
        library=_LIBRARY,
        has_map=True,
        map_label=map_label,
        map_unit="code values",
        digits=2,
        memory=8.0,
        of=_ALL_CODES if metric_id in ("mse", "psnr") else (Meaning.COLOUR,),
        about=about,
    )


_RGB_MAP = "Error (RMS over the channels)"
MSE = ErrorMetric(
    _info("mse", "MSE", _RGB_MAP, "Mean squared error over all pixels and channels, in code values.", "code values²"),
    _RGB,
    (1.0, 1.0, 1.0),
    in_db=False,
)
PSNR = ErrorMetric(
    _info("psnr", "PSNR", _RGB_MAP, "10·log10(peak²/MSE), the MSE over all pixels and RGB channels."),
    _RGB,
    (1.0, 1.0, 1.0),
)
PSNR_Y = ErrorMetric(
    _info("psnr_y", "PSNR-Y", "Error of luma", "PSNR of BT.601 full-range luma, not rounded."),
    LUMA[None],
    (1.0,),
)
PSNR_YUV = ErrorMetric(
    _info(
        "psnr_yuv",
        "PSNR-YUV",
        "Error (RMS of Y, Cb, Cr, weighted 6:1:1)",
        "(6·PSNR-Y + PSNR-Cb + PSNR-Cr)/8, BT.601 full range at full resolution; planes without error are left out.",
    ),
    np.stack([LUMA, _CB, _CR]),
    (6.0, 1.0, 1.0),
    apart=True,
)

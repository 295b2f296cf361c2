"""Log2-PSNR: what a codec loses of a picture of linear light, measured in stops.

Light is compared as log2(x + 2⁻¹⁰): an error of one stop weighs the same in shadow and in sun, and what lies far below
2⁻¹⁰ of diffuse white hardly counts. The peak is 16 stops, about what a lightmap spans: 20·log10(16 / RMS error in
stops) over R, G and B of the texels that count. Logarithmic light is the usual domain of HDR texture coding (Munkberg,
Clarberg, Hasselgren and Akenine-Möller, "High dynamic range texture compression for graphics hardware", 2006).
"""

from __future__ import annotations

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.light import TOE
from engine.metric import Domain, MetricInfo
from engine.metrics.align import strips
from engine.metrics.error import psnr

PEAK_STOPS = 16.0


class Log2Psnr:
    """PSNR of light in stops; the map is the RMS over the channels of the difference in stops."""

    info = MetricInfo(
        id="log2_psnr",
        label="log2-PSNR",
        unit="dB",
        higher_is_better=True,
        domain=Domain.LINEAR_LIGHT,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Error (RMS over the channels)",
        map_unit="stops",
        digits=2,
        floats=True,
        memory=8.0,
        about="PSNR of log2(light + 2⁻¹⁰) with a peak of 16 stops, over R, G and B of the texels that count.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        total, count = 0.0, 0
        for rows in strips(ref):
            ctx.check()
            error = _stops(ref, rows) - _stops(img, rows)
            counts = _counts(ref, rows)
            total += float(np.einsum("ijk,ijk,ij->", error, error, counts))
            count += int(counts.sum()) * ref.channels
        return psnr(total / count, PEAK_STOPS)

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            error = _stops(ref, rows) - _stops(img, rows)
            out[rows] = np.sqrt(np.mean(np.square(error), axis=2)) * _counts(ref, rows)
        return out


def _stops(image: Image, rows: slice) -> np.ndarray:
    return np.log2(image.pixels[rows].astype(np.float64) + TOE)


def _counts(ref: Image, rows: slice) -> np.ndarray:
    return np.ones((ref.height, ref.width), bool)[rows] if ref.mask is None else ref.mask[rows]


LOG2_PSNR = Log2Psnr()

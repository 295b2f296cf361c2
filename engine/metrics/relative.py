"""Relative error of light, as percentiles over the texels that count.

Of a texel: |difference| / (|light of the original| + 2⁻¹⁰), both the Euclidean norm over the channels, in per cent: 1
% is about what the eye tells apart. The median says how a typical texel fares, the 99th percentile the worst that is
not rare, the maximum whether a single texel went wrong (a spark, a green speck), which no mean tells. The 2⁻¹⁰ is the
toe of log2-PSNR: without it a texel that was black would have an infinite error. Percentiles are interpolated
linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.light import TOE
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted, strips


@dataclass(frozen=True, eq=False)
class RelativeError:
    """The `percentile` (0 … 100) of the texels' relative error; the map is that error, in per cent."""

    info: MetricInfo
    percentile: float

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        errors = self.map(ref, img, ctx)
        return float(np.percentile(errors if ref.mask is None else errors[ref.mask], self.percentile))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            light = ref.pixels[rows].astype(np.float64)
            error = np.linalg.norm(light - img.pixels[rows], axis=2) / (np.linalg.norm(light, axis=2) + TOE)
            out[rows] = 100 * error * counted(ref, rows)
        return out


def _error(metric_id: str, label: str, percentile: float, what: str) -> RelativeError:
    info = MetricInfo(
        id=metric_id,
        label=label,
        unit="%",
        higher_is_better=False,
        domain=Domain.LINEAR_LIGHT,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Relative error",
        map_unit="%",
        digits=2,
        of=(Meaning.LIGHT,),
        memory=20.0,
        about=f"{what} of |difference| / (|light| + 2⁻¹⁰) over the texels that count, in per cent.",
    )
    return RelativeError(info, percentile)


REL_P50 = _error("rel_p50", "Relative p50", 50, "The median")
REL_P99 = _error("rel_p99", "Relative p99", 99, "The 99th percentile")
REL_MAX = _error("rel_max", "Relative max", 100, "The largest")

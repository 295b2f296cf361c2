"""PSNR of light after a coding that makes equal errors equally visible: log2-PSNR and PU21-PSNR.

log2-PSNR: light is compared as log2(x + 2⁻¹⁰): an error of one stop weighs the same in shadow and in sun, and what
lies far below 2⁻¹⁰ of diffuse white hardly counts. The peak is 16 stops, about what a lightmap spans: 20·log10(16 /
RMS error in stops) over R, G and B of the texels that count. Logarithmic light is the usual domain of HDR texture
coding (Munkberg, Clarberg, Hasselgren and Akenine-Möller, "High dynamic range texture compression for graphics
hardware", 2006).

PU21-PSNR: light is compared in the perceptually uniform units of R. K. Mantiuk and M. Azimi, "PU21: A novel
perceptually uniform encoding for adapting existing quality metrics for HDR", PCS 2021, with the parameters
`banding_glare` that they recommend, on R, G and B and with a peak of 256, as their own `pu21_metric` does. It wants
absolute luminance: light of 1.0 is taken as 100 cd/m², which PU21 codes as about 256, and clipped to the 0.005 …
10000 cd/m² that it is defined for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.light import TOE
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted, strips
from engine.metrics.error import psnr

PEAK_STOPS = 16.0
PU21_PEAK = 256.0
WHITE = 100.0  # cd/m² of light 1.0
_DARKEST, _BRIGHTEST = 0.005, 10_000.0  # cd/m²
_PU21 = (0.353487901, 0.3734658629, 8.277049286e-05, 0.9062562627, 0.09150303166, 0.9099517204, 596.3148142)


def stops(light: np.ndarray) -> np.ndarray:
    """log2(light + 2⁻¹⁰), f64."""
    return np.log2(light.astype(np.float64) + TOE)


def pu21(light: np.ndarray) -> np.ndarray:
    """PU21 units (f64) of light whose 1.0 is `WHITE`: 0 at 0.005 cd/m², about 256 at 100, 595 at 10000."""
    p1, p2, p3, p4, p5, p6, p7 = _PU21
    power = np.power((light.astype(np.float64) * WHITE).clip(_DARKEST, _BRIGHTEST), p4)
    return p7 * (np.power((p1 + p2 * power) / (1 + p3 * power), p5) - p6)


@dataclass(frozen=True, eq=False)
class CodedPsnr:
    """PSNR of `coded` light with `peak`; the map is the RMS over the channels of the difference of codes."""

    info: MetricInfo
    coded: Callable[[np.ndarray], np.ndarray]
    peak: float

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        total, count = 0.0, 0
        for rows in strips(ref):
            ctx.check()
            error = self.coded(ref.pixels[rows]) - self.coded(img.pixels[rows])
            counts = counted(ref, rows)
            total += float(np.einsum("ijk,ijk,ij->", error, error, counts))
            count += int(counts.sum()) * ref.channels
        return psnr(total / count, self.peak)

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            error = self.coded(ref.pixels[rows]) - self.coded(img.pixels[rows])
            out[rows] = np.sqrt(np.mean(np.square(error), axis=2)) * counted(ref, rows)
        return out


def _info(metric_id: str, label: str, map_unit: str, domain: Domain, about: str) -> MetricInfo:
    return MetricInfo(
        id=metric_id,
        label=label,
        unit="dB",
        higher_is_better=True,
        domain=domain,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Error (RMS over the channels)",
        map_unit=map_unit,
        digits=2,
        of=(Meaning.LIGHT,),
        memory=12.0,
        about=about,
    )


LOG2_PSNR = CodedPsnr(
    _info(
        "log2_psnr",
        "log2-PSNR",
        "stops",
        Domain.LINEAR_LIGHT,
        "PSNR of log2(light + 2⁻¹⁰) with a peak of 16 stops, over R, G and B of the texels that count.",
    ),
    stops,
    PEAK_STOPS,
)
PU21_PSNR = CodedPsnr(
    _info(
        "pu21_psnr",
        "PU21-PSNR",
        "PU21 units",
        Domain.PERCEPTUAL,
        "PSNR of PU21-coded light (Mantiuk and Azimi 2021, banding_glare) with a peak of 256, over R, G and B of the "
        "texels that count; light 1.0 stands for 100 cd/m².",
    ),
    pu21,
    PU21_PEAK,
)

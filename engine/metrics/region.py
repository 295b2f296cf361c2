"""PSNR inside and outside of the painted region: what its bits bought there, and what they cost elsewhere.

The region is `Importance.region` of the reference: whole cells of 16×16 pixels. Both are the plain metric over those
pixels alone (of light: those of them that count, and infinite where none does).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import MetricInfo
from engine.metrics.coded_psnr import LOG2_PSNR, CodedPsnr
from engine.metrics.error import PSNR, ErrorMetric


@dataclass(frozen=True, eq=False)
class RegionMetric:
    """`base` over the painted region, or over the rest."""

    info: MetricInfo
    base: ErrorMetric | CodedPsnr
    inside: bool

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        counts = self._counts(ref)
        return self.base.score(replace(ref, mask=counts), img, ctx) if counts.any() else math.inf

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray | None:
        return None

    def _counts(self, ref: Image) -> np.ndarray:
        assert ref.importance is not None  # `engine.metrics.refusal` lets no other picture in
        region = ref.importance.on_pixels(ref.importance.region, ref.height, ref.width)
        counts = region if self.inside else ~region
        return counts if ref.mask is None else counts & ref.mask


def _of(base: ErrorMetric | CodedPsnr, *, inside: bool) -> RegionMetric:
    place = "inside" if inside else "outside"
    info = replace(
        base.info,
        id=f"{base.info.id}_{place}",
        label=f"{base.info.label} {place}",
        has_map=False,
        regions=True,
        memory=base.info.memory + 2,
        about=f"{base.info.label} {place} of the painted region, in whole cells of 16×16 pixels.",
    )
    return RegionMetric(info, base, inside)


PSNR_INSIDE, PSNR_OUTSIDE = (_of(PSNR, inside=inside) for inside in (True, False))
LOG2_PSNR_INSIDE, LOG2_PSNR_OUTSIDE = (_of(LOG2_PSNR, inside=inside) for inside in (True, False))

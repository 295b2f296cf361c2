"""Direction maps: how far directions turned, and how much of their directionality was lost.

A texel's vector v (x, y, z in −1 … 1, see `engine.channels`) says where most light comes from, its length how
directional that light is: v is not of unit length on purpose (Unity's `DecodeDirectionalLightmap` uses it as it is). So
two errors are told apart:

- the *angle* between the original's vector and the decoded one, in degrees, over texels that count whose original is
  longer than 1/16: a shorter one has no direction that 8-bit codes could tell. A decoded vector of length 0 is 90° off.
- the *directionality*: the difference of the two lengths, over all texels that count.

Percentiles are interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.channels import vectors
from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted, strips

SHORTEST = 1 / 16


@dataclass(frozen=True, eq=False)
class Angle:
    """Mean of the angles, or their `percentile`; the map is the angle of each texel, 0 where it has none."""

    info: MetricInfo
    percentile: float | None = None

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        found = self._angles(ref, img, ctx)
        angles = found[~np.isnan(found)]
        if angles.size == 0:
            return 0.0
        return float(angles.mean() if self.percentile is None else np.percentile(angles, self.percentile))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        return np.nan_to_num(self._angles(ref, img, ctx)).astype(np.float32)

    def _angles(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        """H×W f64 degrees, NaN where the original has no direction."""
        out = np.empty((ref.height, ref.width))
        for rows in strips(ref):
            ctx.check()
            was, now = vectors(ref, rows), vectors(img, rows)
            across = np.linalg.norm(np.cross(was, now), axis=2)
            along = np.einsum("ijk,ijk->ij", was, now)
            angles = np.degrees(np.arctan2(across, along))  # exact near 0, where an arc cosine is not
            angles[np.linalg.norm(now, axis=2) == 0] = 90
            told = (np.linalg.norm(was, axis=2) >= SHORTEST) & counted(ref, rows)
            out[rows] = np.where(told, angles, np.nan)
        return out


class Directionality:
    """RMS difference of the vectors' lengths; the map is the absolute difference."""

    info = MetricInfo(
        id="directionality",
        label="Directionality",
        unit="",
        higher_is_better=False,
        domain=Domain.CODE_VALUES,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Difference of length",
        digits=4,
        channels=3,
        of=(Meaning.DIRECTION,),
        memory=60.0,
        about="RMS difference of the lengths of the two vectors, which say how directional the light is (0 … 1).",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        errors = self.map(ref, img, ctx)
        return float(np.sqrt(np.mean(np.square(errors[counted(ref, slice(None))], dtype=np.float64))))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            was, now = (np.linalg.norm(vectors(each, rows), axis=2) for each in (ref, img))
            out[rows] = np.abs(was - now) * counted(ref, rows)
        return out


def _angle(metric_id: str, label: str, what: str, percentile: float | None) -> Angle:
    info = MetricInfo(
        id=metric_id,
        label=label,
        unit="°",
        higher_is_better=False,
        domain=Domain.CODE_VALUES,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Angle",
        map_unit="°",
        digits=2,
        channels=3,
        of=(Meaning.DIRECTION,),
        memory=60.0,
        about=f"{what} angle between the directions, over texels that count whose vector is longer than 1/16.",
    )
    return Angle(info, percentile)


ANGLE_MEAN = _angle("angle_mean", "Angle", "The mean", None)
ANGLE_P99 = _angle("angle_p99", "Angle p99", "The 99th percentile of the", 99)
DIRECTIONALITY = Directionality()

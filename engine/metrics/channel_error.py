"""Errors of single channels that are no colours: shadow masks, and the fourth channel of directions.

Each is the RMS difference over the texels that count, in per cent of the full range. The four masks of a map belong to
four lights, so none makes up for another: `mask_worst` is that of the worst channel, not of all together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted, strips


@dataclass(frozen=True, eq=False)
class ChannelError:
    """RMS error of one channel, or of the worst (None); the map is the absolute difference, or the largest of them."""

    info: MetricInfo
    channel: int | None

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        total, count = np.zeros(ref.channels), 0
        for rows in strips(ref):
            ctx.check()
            counts = counted(ref, rows)
            error = ref.pixels[rows].astype(np.float64) - img.pixels[rows]
            total += np.einsum("ijk,ijk,ij->k", error, error, counts)
            count += int(counts.sum())
        rms = 100 * np.sqrt(total / max(count, 1)) / ref.peak
        return float(rms.max() if self.channel is None else rms[self.channel])

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        for rows in strips(ref):
            ctx.check()
            error = np.abs(ref.pixels[rows].astype(np.float32) - img.pixels[rows]) * np.float32(100 / ref.peak)
            found = error.max(axis=2) if self.channel is None else error[:, :, self.channel]
            out[rows] = found * counted(ref, rows)
        return out


def _error(metric_id: str, label: str, channel: int | None, of: Meaning, what: str) -> ChannelError:
    info = MetricInfo(
        id=metric_id,
        label=label,
        unit="%",
        higher_is_better=False,
        domain=Domain.CODE_VALUES,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label=f"Error of {what}",
        map_unit="%",
        digits=2,
        channels=1 if channel is None else channel + 1,
        of=(of,),
        memory=40.0,
        about=f"RMS error of {what}, in per cent of its full range.",
    )
    return ChannelError(info, channel)


MASK_WORST = _error("mask_worst", "Worst mask", None, Meaning.MASK, "the worst channel")
MASK_R, MASK_G, MASK_B, MASK_A = (
    _error(f"mask_{name}", f"Mask {name.upper()}", place, Meaning.MASK, f"channel {name.upper()}")
    for place, name in enumerate("rgba")
)
REBALANCE = _error("rebalance", "Fourth channel", 3, Meaning.DIRECTION, "the fourth channel")

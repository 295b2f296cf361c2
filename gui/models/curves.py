"""What an RD plot draws: points, the line through the best of them, and where the names stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.metric import MetricInfo


@dataclass(frozen=True)
class RdPoint:
    """One trial. bpp: bits per pixel; scores: metric id -> score; note: its settings, for the read-out."""

    bpp: float
    scores: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Reference:
    """A curve from elsewhere, laid under ours: name and points."""

    name: str
    points: tuple[RdPoint, ...]


def drawable(points: Sequence[RdPoint], metric: MetricInfo) -> list[RdPoint]:
    """The points that have a finite score and a positive rate, sorted by rate."""
    return sorted(
        (p for p in points if p.bpp > 0 and math.isfinite(p.scores.get(metric.id, math.nan))), key=lambda p: p.bpp
    )


def frontier(points: Sequence[RdPoint], metric: MetricInfo) -> list[RdPoint]:
    """Those of `points` (sorted by rate) that no other one beats: none is both cheaper and as good."""
    out: list[RdPoint] = []
    sign = 1 if metric.higher_is_better else -1
    for point in points:
        score = sign * point.scores[metric.id]
        if out and out[-1].bpp == point.bpp:
            if sign * out[-1].scores[metric.id] >= score:
                continue
            out.pop()
        if not out or score > sign * out[-1].scores[metric.id]:
            out.append(point)
    return out


@dataclass(frozen=True)
class EndLabel:
    """A name that wants to stand right of (x, y), in pixels; it is `width` wide."""

    key: str
    x: float
    y: float
    width: float


def place_labels(
    labels: Sequence[EndLabel], height: float, bounds: tuple[float, float, float, float]
) -> dict[str, tuple[float, float]]:
    """Left end and middle height of every name, so that none overlap and none leave the bounds.

    height: of one line. bounds: left, top, right, bottom. Names are moved up and down as little as keeps them
    apart (the pool-adjacent-violators method of isotonic regression, on heights less their place in the pile),
    squeezed only where the bounds are too low for all of them.
    """
    if not labels:
        return {}
    left, top, right, bottom = bounds
    order = sorted(labels, key=lambda label: (label.y, label.key))
    step = min(height, (bottom - top) / len(order))
    blocks: list[tuple[float, int]] = []  # sum of wanted offsets, and how many names share them
    for place, item in enumerate(order):
        total, count = item.y - place * step, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    low, high = top + step / 2, bottom - step / 2 - (len(order) - 1) * step
    heights = [min(max(total / count, low), high) for total, count in blocks for _ in range(count)]
    return {
        item.key: (max(left, min(item.x, right - item.width)), offset + place * step)
        for place, (item, offset) in enumerate(zip(order, heights, strict=True))
    }

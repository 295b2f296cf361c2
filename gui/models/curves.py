"""What an RD plot draws: points, the line through the best of them, and where the names stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.metric import MetricInfo


@dataclass(frozen=True)
class RdPoint:
    """One trial. bpp: bits per pixel on disk; scores: metric id -> score; note: its settings, for the read-out.

    vram: bits per pixel in video memory, None where unknown. On an axis of video memory `bpp` holds that, and `disk`
    what it held before.
    """

    bpp: float
    scores: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    note: str = ""
    vram: float | None = None
    disk: float | None = None

    @property
    def on_disk(self) -> float:
        """Bits per pixel on disk, wherever the point is drawn."""
        return self.bpp if self.disk is None else self.disk

    def in_memory(self) -> RdPoint | None:
        """The point where an axis of video memory has it; None where that is not known."""
        return None if self.vram is None else replace(self, bpp=self.vram, disk=self.bpp)


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


Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels


@dataclass(frozen=True)
class EndLabel:
    """A name that wants its left end at x and its middle at y, in pixels; it is `width` wide."""

    key: str
    x: float
    y: float
    width: float


def trace(points: Sequence[tuple[float, float]], step: float = 4.0) -> np.ndarray:
    """A polyline in pixels as N×2 samples about `step` apart, for `freest`."""
    if len(points) < 2:
        return np.asarray(points, float).reshape(-1, 2)
    corners = np.asarray(points, float)
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    at = np.arange(0.0, lengths[-1] + step, step)
    return np.column_stack([np.interp(at, lengths, corners[:, axis]) for axis in (0, 1)])


def freest(end: tuple[float, float], width: float, height: float, taken: np.ndarray, bounds: Box) -> EndLabel:
    """Where a name hides the least of the curves: right of the curve's end, else above it, else below.

    taken: N×2 samples of all curves (`trace`). The result has no key.
    """
    x, y = end
    gap, rise = 10.0, height / 2 + 9
    spots = ((x + gap, y), (x - width / 2, y - rise), (x - width, y - rise), (x - width / 3, y + rise))
    best, least = spots[0], math.inf
    for place, (left, middle) in enumerate(spots):
        left = max(bounds[0], min(left, bounds[2] - width))  # noqa: PLW2901
        inside = (np.abs(taken[:, 1] - middle) < height / 2) & (taken[:, 0] > left - 2) & (taken[:, 0] < left + width)
        outside = middle - height / 2 < bounds[1] or middle + height / 2 > bounds[3]
        cost = 1.5 * place + float(np.count_nonzero(inside)) + (1000 if outside and place else 0)
        if cost < least:
            best, least = (left, middle), cost
    return EndLabel("", *best, width)


def place_labels(labels: Sequence[EndLabel], height: float, bounds: Box) -> dict[str, tuple[float, float]]:
    """Left end and middle height of every name, so that none overlap and none leave the bounds.

    height: of one line. Names that stand over one another are moved up and down, as little as keeps them apart;
    they are squeezed only where the bounds are too low for all of them.
    """
    left, _, right, _ = bounds
    held = [replace(item, x=max(left, min(item.x, right - item.width))) for item in labels]
    spots: dict[str, tuple[float, float]] = {}
    pile: list[EndLabel] = []
    for item in sorted(held, key=lambda item: item.x):
        if pile and item.x > max(other.x + other.width for other in pile):
            spots.update(_stack(pile, height, bounds))
            pile = []
        pile.append(item)
    return {**spots, **_stack(pile, height, bounds)}


def _stack(pile: Sequence[EndLabel], height: float, bounds: Box) -> dict[str, tuple[float, float]]:
    """One pile of names above each other: isotonic regression of the wanted heights, less each one's place in
    the pile, by the pool-adjacent-violators method."""
    if not pile:
        return {}
    order = sorted(pile, key=lambda item: (item.y, item.key))
    step = min(height, (bounds[3] - bounds[1]) / len(order))
    blocks: list[tuple[float, int]] = []  # sum of wanted offsets, and how many names share them
    for place, item in enumerate(order):
        total, count = item.y - place * step, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    low, high = bounds[1] + step / 2, bounds[3] - step / 2 - (len(order) - 1) * step
    offsets = [min(max(total / count, low), high) for total, count in blocks for _ in range(count)]
    return {
        item.key: (item.x, offset + place * step)
        for place, (item, offset) in enumerate(zip(order, offsets, strict=True))
    }

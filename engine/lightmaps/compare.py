"""Curves of one row of the table against another's, map by map, and what comes of them together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.bd import NotComparable, bd_rate, rate_at
from engine.curves import pairs

METRIC = "log2_psnr"
RANGE = (42.0, 58.0)  # dB of log2-PSNR that a verdict is about
AT = 50.0  # dB at which codecs are compared at one rate, and timed
_WHOLE = 0.1  # dB that a curve may lack of the range and still cover the whole of it

Maps = Mapping[str, Sequence[Mapping[str, Any]]]
"""A row of the table: the points (`engine.report.point_of`) of each map."""


@dataclass(frozen=True)
class Against:
    """A row against an anchor.

    ratios: rate over the anchor's at equal quality, by map. whole: of these, the maps on which both curves cover all of
    `RANGE`. refused: the maps that cannot be compared, and why.
    """

    ratios: Mapping[str, float]
    whole: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def percent(self) -> float | None:
        """The geometric mean of the maps' ratios as a difference in percent; None where no map was compared."""
        mean = geometric_mean(self.ratios.values())
        return None if mean is None else 100 * (mean - 1)


def geometric_mean(values: Iterable[float]) -> float | None:
    """Of positive values; None of none."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else None


def against(anchor: Maps, test: Maps, *, one_rate: bool = False) -> Against:
    """BD-rates over `RANGE`; of a codec of `one_rate`, that rate over the anchor's at the same quality."""
    ratios: dict[str, float] = {}
    refused: dict[str, str] = {}
    whole = 0
    for name, points in test.items():
        try:
            ours, theirs = pairs(points, METRIC), pairs(anchor.get(name, ()), METRIC)
            if one_rate:
                rate, quality = ours[0]
                ratios[name] = rate / rate_at(theirs, quality)
                continue
            found = bd_rate(theirs, ours, within=RANGE)
            ratios[name] = 1 + found.value / 100
            whole += found.lo <= RANGE[0] + _WHOLE and found.hi >= RANGE[1] - _WHOLE
        except NotComparable as error:
            refused[name] = error.message
    return Against(ratios, whole, refused)


def better(first: Maps, second: Maps) -> tuple[dict[str, Sequence[Mapping[str, Any]]], dict[str, bool]]:
    """Of two anchors the one of less rate on each map, and whether that is the second."""
    less = against(first, second).ratios
    is_second = {
        name: less.get(name, 1.0 if name in first else 0.0) < 1 for name in (*first, *(set(second) - set(first)))
    }
    return {name: (second if wins else first)[name] for name, wins in is_second.items()}, is_second


def at_one_rate(anchor: Maps, test: Maps, metric: str) -> tuple[float, float, int] | None:
    """The means of a score of both, at the rate where the anchor has `AT` dB, over the maps where both have it there.

    The test's, the anchor's, and the number of maps; None where there is none.
    """
    both: list[tuple[float, float]] = []
    for name, points in test.items():
        try:
            rate = rate_at(pairs(anchor.get(name, ()), METRIC), AT)
        except NotComparable:
            continue
        ours, theirs = _score_at(points, metric, rate), _score_at(anchor[name], metric, rate)
        if ours is not None and theirs is not None:
            both.append((ours, theirs))
    if not both:
        return None
    return sum(ours for ours, _ in both) / len(both), sum(theirs for _, theirs in both) / len(both), len(both)


def _score_at(points: Sequence[Mapping[str, Any]], metric: str, rate: float) -> float | None:
    """The score at a rate, linear in log-rate between the points that have it; None beyond them."""
    known = sorted((point["bpp"], point[metric]) for point in points if point.get(metric) is not None)
    if len(known) < 2 or not known[0][0] <= rate <= known[-1][0]:
        return None
    rates, scores = np.array(known).T
    return float(np.interp(math.log(rate), np.log(rates), scores))


def nearest(points: Sequence[Mapping[str, Any]], quality: float = AT) -> Mapping[str, Any] | None:
    """The point whose log2-PSNR is nearest to `quality`; None where none was measured."""
    measured = [point for point in points if point.get(METRIC) is not None]
    return min(measured, key=lambda point: abs(point[METRIC] - quality), default=None)


def mean_curve(anchor: Maps, test: Maps, qualities: Sequence[float]) -> list[tuple[float, float]]:
    """(bpp, dB) for a chart: the anchor's geometric mean rate over its maps, times the mean ratio of `test` to it.

    So a map that one of them does not reach says nothing, instead of bending the curve. Qualities that fewer than half
    of the maps reach are left out.
    """
    out = []
    for quality in qualities:
        own = _rates(anchor, quality)
        ours = _rates(test, quality)
        shared = [name for name in ours if name in own]
        ratio = geometric_mean(ours[name] / own[name] for name in shared)
        level = geometric_mean(own.values())
        if ratio is not None and level is not None and 2 * len(shared) >= len(anchor):
            out.append((ratio * level, quality))
    return out


def _rates(maps: Maps, quality: float) -> dict[str, float]:
    found = {}
    for name, points in maps.items():
        try:
            found[name] = rate_at(pairs(points, METRIC), quality)
        except NotComparable:
            continue
    return found

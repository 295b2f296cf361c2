"""The Bjøntegaard deltas: how far apart two rate–distortion curves are, as one number.

BD-rate is the mean difference of log-rate over a range of quality, given as a percentage; BD-quality is the
mean difference of quality over a range of log-rate (G. Bjøntegaard, VCEG-M33, 2001). The polynomial of that
paper misleads on wide ranges; here a curve is a piecewise cubic through its points: PCHIP (F. N. Fritsch and
J. Butland, SIAM J. Sci. Stat. Comput. 5, 1984: it never overshoots) or Akima (J. ACM 17, 1970) as an option.
Both are integrated exactly, over the range that both curves cover. Nothing is ever extrapolated.

The points of a curve may come in any order. A point counts only if it is better than every point that costs
no more: duplicates and dominated points (a codec whose knob is not monotone) are dropped and counted, because
nobody who has the whole curve would choose them. So are points with an infinite score (a lossless encode).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.errors import EngineError, UsageError

Point = tuple[float, float]
"""Rate in bits per pixel, quality in the unit of its metric."""

MIN_POINTS = 4


class NotComparable(EngineError):
    """Two curves have no Bjøntegaard delta; the message says why."""


@dataclass(frozen=True)
class BdResult:
    """A Bjøntegaard delta and what it rests on.

    value: percent of the anchor's rate (`bd_rate`; negative is better), or units of the metric (`bd_quality`;
        positive is better, also where the metric is one that falls).
    lo, hi: the range integrated over, in units of the metric (`bd_rate`) or bits per pixel (`bd_quality`).
    anchor_points, test_points: points that counted; dropped: those that did not, on both curves together.
    share: how much of the narrower curve's own range lies within lo … hi, 0 … 1; a small share is a weak verdict.
    """

    value: float
    method: str
    lo: float
    hi: float
    anchor_points: int
    test_points: int
    dropped: int
    share: float


@dataclass(frozen=True)
class BdSet:
    """The delta of a set of pictures: the geometric mean of the pictures' rate ratios.

    value: percent. per_image: name -> its own `BdResult`. refused: name -> why it could not be compared.
    within: the quality range asked for, or None where each picture counts over its whole overlap.
    """

    value: float
    method: str
    per_image: Mapping[str, BdResult]
    refused: Mapping[str, str] = field(default_factory=dict)
    within: tuple[float, float] | None = None

    @property
    def lo(self) -> float:
        """The lowest quality that any picture was compared at."""
        return min(result.lo for result in self.per_image.values())

    @property
    def hi(self) -> float:
        """The highest quality that any picture was compared at."""
        return max(result.hi for result in self.per_image.values())


def frontier(points: Iterable[Point], *, higher_is_better: bool = True) -> list[Point]:
    """The points that count, by rising rate: finite, of positive rate, each better than all that cost no more."""
    sign = 1.0 if higher_is_better else -1.0
    usable = [
        (rate, quality) for rate, quality in points if rate > 0 and math.isfinite(rate) and math.isfinite(quality)
    ]
    kept: list[Point] = []
    for rate, quality in sorted(usable, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * quality > sign * kept[-1][1]:
            kept.append((rate, quality))
    return kept


def bd_rate(
    anchor: Iterable[Point],
    test: Iterable[Point],
    *,
    method: str = "pchip",
    within: tuple[float, float] | None = None,
    higher_is_better: bool = True,
) -> BdResult:
    """How much more rate `test` needs than `anchor` for equal quality, in percent.

    within: count only this range of quality (the part of it that both curves cover).
    Raises `NotComparable` for fewer than four points that count, or curves that share no quality.
    """
    pair = _Pair.of(anchor, test, higher_is_better)
    (rate_a, quality_a), (rate_t, quality_t) = pair.anchor, pair.test
    sign = 1.0 if higher_is_better else -1.0
    # Along x everything rises, so a falling metric is integrated as its negative.
    limits = None if within is None else tuple(sorted((sign * within[0], sign * within[1])))
    x_a, x_t = sign * quality_a, sign * quality_t
    lo, hi = _overlap(x_a, x_t, limits, "quality")
    difference = _mean(x_t, np.log(rate_t), lo, hi, method) - _mean(x_a, np.log(rate_a), lo, hi, method)
    ends = sorted((sign * lo, sign * hi))
    return pair.result(100.0 * math.expm1(difference), method, ends[0], ends[1], _share(x_a, x_t, lo, hi))


def bd_quality(
    anchor: Iterable[Point],
    test: Iterable[Point],
    *,
    method: str = "pchip",
    within: tuple[float, float] | None = None,
    higher_is_better: bool = True,
) -> BdResult:
    """How much better `test` is than `anchor` at equal rate, in units of the metric (BD-PSNR for PSNR).

    within: count only this range of rates in bits per pixel. Raises `NotComparable` as `bd_rate` does.
    """
    pair = _Pair.of(anchor, test, higher_is_better)
    (rate_a, quality_a), (rate_t, quality_t) = pair.anchor, pair.test
    x_a, x_t = np.log(rate_a), np.log(rate_t)
    limits = None if within is None else (math.log(within[0]), math.log(within[1]))
    lo, hi = _overlap(x_a, x_t, limits, "rate")
    difference = _mean(x_t, quality_t, lo, hi, method) - _mean(x_a, quality_a, lo, hi, method)
    value = difference if higher_is_better else -difference
    return pair.result(value, method, math.exp(lo), math.exp(hi), _share(x_a, x_t, lo, hi))


def bd_set(
    pairs: Mapping[str, tuple[Iterable[Point], Iterable[Point]]],
    *,
    method: str = "pchip",
    within: tuple[float, float] | None = None,
    higher_is_better: bool = True,
) -> BdSet:
    """The geometric mean of the pictures' BD-rates; `pairs` holds each picture's (anchor, test) points.

    A picture that cannot be compared is listed in `refused`; `NotComparable` if that is every one.
    """
    done: dict[str, BdResult] = {}
    refused: dict[str, str] = {}
    for name, (anchor, test) in pairs.items():
        try:
            done[name] = bd_rate(anchor, test, method=method, within=within, higher_is_better=higher_is_better)
        except NotComparable as error:
            refused[name] = error.message
    if not done:
        why = next(iter(refused.values()), "there are no pictures")
        raise NotComparable(f"no picture can be compared: {why}")
    log_ratio = np.mean([math.log1p(result.value / 100.0) for result in done.values()])
    return BdSet(100.0 * math.expm1(float(log_ratio)), method, done, refused, within)


def rate_at(points: Iterable[Point], quality: float, *, method: str = "pchip") -> float:
    """The rate in bits per pixel at which the curve through `points` has `quality`, of a metric where higher is better.

    `NotComparable` where the curve does not reach so far, or has fewer than two points that count.
    """
    kept = np.array(frontier(points), np.float64).reshape(-1, 2)
    rates, x = np.log(kept[:, 0]), kept[:, 1]
    if x.size < 2 or not x[0] <= quality <= x[-1]:
        raise NotComparable(f"the curve does not reach {quality:g}")
    if x.size == 2:
        return float(np.exp(np.interp(quality, x, rates)))
    piece = min(int(np.searchsorted(x, quality, side="right")) - 1, x.size - 2)
    slopes, c2, c3 = _cubics(x, rates, method)
    u = quality - x[piece]
    return math.exp(rates[piece] + u * (slopes[piece] + u * (c2[piece] + u * c3[piece])))


@dataclass(frozen=True)
class _Pair:
    """Two curves as (rates, qualities) of the points that count."""

    anchor: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    dropped: int

    @classmethod
    def of(cls, anchor: Iterable[Point], test: Iterable[Point], higher_is_better: bool) -> _Pair:
        given = (list(anchor), list(test))
        kept = [frontier(points, higher_is_better=higher_is_better) for points in given]
        for who, points, left in zip(("the anchor", "the test curve"), given, kept, strict=True):
            if len(left) < MIN_POINTS:
                raise NotComparable(f"{who} has {len(left)} usable points of {len(points)}; {MIN_POINTS} are needed")
        a, t = (np.array(points, np.float64).T for points in kept)
        return cls((a[0], a[1]), (t[0], t[1]), sum(map(len, given)) - sum(map(len, kept)))

    def result(self, value: float, method: str, lo: float, hi: float, share: float) -> BdResult:
        return BdResult(value, method, lo, hi, self.anchor[0].size, self.test[0].size, self.dropped, share)


def _overlap(x_a: np.ndarray, x_t: np.ndarray, limits: tuple[float, ...] | None, what: str) -> tuple[float, float]:
    lo, hi = max(x_a[0], x_t[0]), min(x_a[-1], x_t[-1])
    if hi <= lo:
        raise NotComparable(f"the two curves have no {what} in common; a delta would be an extrapolation")
    if limits is not None:
        lo, hi = max(lo, limits[0]), min(hi, limits[1])
        if hi <= lo:
            raise NotComparable(f"the two curves do not reach the stated range of {what}")
    return float(lo), float(hi)


def _share(x_a: np.ndarray, x_t: np.ndarray, lo: float, hi: float) -> float:
    return (hi - lo) / float(min(x_a[-1] - x_a[0], x_t[-1] - x_t[0]))


def _mean(x: np.ndarray, y: np.ndarray, lo: float, hi: float, method: str) -> float:
    """The mean over lo … hi of the piecewise cubic through (x, y); `x` rises strictly and spans lo … hi."""
    slopes, c2, c3 = _cubics(x, y, method)
    width = np.diff(x)
    u0, u1 = np.clip(lo - x[:-1], 0, width), np.clip(hi - x[:-1], 0, width)

    def area(u: np.ndarray) -> np.ndarray:
        return u * (y[:-1] + u * (slopes[:-1] / 2 + u * (c2 / 3 + u * (c3 / 4))))

    return float(np.sum(area(u1) - area(u0))) / (hi - lo)


def _cubics(x: np.ndarray, y: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes at the points, and c2, c3 of each piece: y = y0 + m0·u + c2·u² + c3·u³ with u = x - x0 (Hermite form)."""
    if method not in SLOPES:
        raise UsageError(f"unknown method '{method}'; known are {', '.join(SLOPES)}")
    slopes = SLOPES[method](x, y)
    width = np.diff(x)
    chord = np.diff(y) / width
    c2 = (3 * chord - 2 * slopes[:-1] - slopes[1:]) / width
    c3 = (slopes[:-1] + slopes[1:] - 2 * chord) / width**2
    return slopes, c2, c3


def _pchip_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fritsch and Butland: the weighted harmonic mean of the two chords, 0 at a turn; three-point ends."""
    width, chord = np.diff(x), np.diff(y) / np.diff(x)
    w1, w2 = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    slopes = np.zeros_like(x)
    same = chord[:-1] * chord[1:] > 0
    slopes[1:-1][same] = ((w1 + w2)[same]) / (w1[same] / chord[:-1][same] + w2[same] / chord[1:][same])
    slopes[0] = _pchip_end(width[0], width[1], chord[0], chord[1])
    slopes[-1] = _pchip_end(width[-1], width[-2], chord[-1], chord[-2])
    return slopes


def _pchip_end(h0: float, h1: float, chord0: float, chord1: float) -> float:
    slope = ((2 * h0 + h1) * chord0 - h0 * chord1) / (h0 + h1)
    if slope * chord0 <= 0:
        return 0.0
    if chord0 * chord1 <= 0 and abs(slope) > 3 * abs(chord0):
        return 3 * chord0
    return slope


def _akima_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Akima: each slope leans towards the side on which the chords change less; two chords added at each end."""
    chord = np.diff(y) / np.diff(x)
    before = [3 * chord[0] - 2 * chord[1], 2 * chord[0] - chord[1]]
    after = [2 * chord[-1] - chord[-2], 3 * chord[-1] - 2 * chord[-2]]
    m = np.concatenate((before, chord, after))
    left, right = np.abs(m[3:] - m[2:-1]), np.abs(m[1:-2] - m[:-3])
    total = left + right
    flat = total <= 1e-9 * np.max(total)
    weight = np.where(flat, 0.5, left / np.where(flat, 1.0, total))
    return weight * m[1:-2] + (1 - weight) * m[2:-1]


SLOPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"pchip": _pchip_slopes, "akima": _akima_slopes}
METHODS = tuple(SLOPES)

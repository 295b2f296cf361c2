"""Hit a target: the setting of a codec's RATE parameter that spends a given rate, or reaches a given quality.

The search keeps a bracket of two settings, one on either side of the target, and guesses the next setting by
monotone piecewise cubic interpolation (Fritsch & Butland 1984) of the knob as a function of log-rate (or dB)
through the nearest points known. When guesses stop halving the bracket, one bisection puts a bound on the
number of steps (the safeguard of Brent 1973). It never ends on the wrong side of the target: the best point
on its right side wins, whatever the curve does, so a curve that is not monotone costs closeness, not truth.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any

from engine.codec import Param
from engine.knob import Knob
from engine.rate.foresight import Foresight
from engine.rate.goal import PSNR_SLOPE, Goal, Point, rate_text
from engine.rate.interpolate import interpolate
from engine.trial import RateResult, Target, Trial

MAX_ENCODES = 14
STEPS_FORESEEN = 2  # of a codec that forecasts; after these its own curve is known well enough around the target
WARM_ENCODES = 2  # where points are known from before: more than these only to come to the target's right side
_OVERSHOOT = 1.3  # of a step towards a target that lies outside all known points
_FLAT_PROBES = 3  # probes in a row that gave nothing new, within ...
_JUMP_WIDTH = 0.02  # ... this part of the knob's range: the curve jumps there
_MISS = 0.05  # of the distance to the nearest known point: by how much a guess is likely to miss
_MISS_OUTSIDE = 0.1  # the same beyond all known points
_MISS_LEAST = 0.3  # of the tolerance: curves are no smoother than that
_SHORT = 0.3  # of the distance: a secant as long as that is trusted as much as the typical curve
_NOISE = 0.02  # of log-rate: points nearer to each other than this tell no slope
_LOPSIDED = 8  # a bracket whose far end is so much farther than the guide says nothing about its near end

Foresee = Callable[[Goal], Foresight | None]


def search(
    param: Param | None,
    start: Any,
    target: Target,
    evaluate: Callable[[Any], Trial],
    *,
    known: Iterable[Trial] = (),
    label: str = "the codec",
    thorough: bool = False,
    foresee: Foresee = lambda _goal: None,
) -> RateResult:
    """The search itself, over any `evaluate(value of the knob) -> Trial`. See :func:`solve_rate`.

    foresee: what can be foretold from the last trial that was made, if anything.
    """
    goal = Goal(target)
    if param is None:
        return _only_point(goal, evaluate, [t for t in known if goal.measure(t) is not None], label)
    found = _Search(param, goal, evaluate, known=known, label=label, foresee=foresee)
    return found.run(start, MAX_ENCODES if thorough else WARM_ENCODES)


def _only_point(goal: Goal, evaluate: Callable[[Any], Trial], known: list[Trial], label: str) -> RateResult:
    trial = known[0] if known else evaluate(None)
    reached = goal.admits(trial)
    message = f"{label} has a single rate: {rate_text(trial, goal)} on this picture"
    return RateResult(trial, (trial,), reached, 0 if known else 1, message)


def best_of(param: Param, goal: Goal, evaluate: Callable[[Any], Trial], known: Iterable[Trial]) -> Trial:
    """A search among forecasts, from those that were made."""
    return _Search(param, goal, evaluate, known=known).run(None, MAX_ENCODES).best


class _Pace:
    """Watches how a bracket shrinks, and says when to bisect and when to stop."""

    def __init__(self) -> None:
        self._before: tuple[Point, Point] | None = None
        self._miss = math.inf
        self._slow = 0
        self._flat = 0

    def is_slow(self, low: Point, high: Point, y: float) -> bool:
        """Has neither the bracket nor the miss of its nearer end halved in two steps, or is the curve flat here?"""
        before, self._before = self._before, (low, high)
        miss, self._miss = self._miss, min(abs(low.y - y), abs(high.y - y))
        if before is None:
            return False
        narrower = high.position - low.position <= (before[1].position - before[0].position) / 2
        flat = (low.position, high.position) != (before[0].position, before[1].position) and (
            (low.y, high.y) == (before[0].y, before[1].y)
        )
        self._flat = self._flat + 1 if flat else 0
        self._slow = 0 if narrower or self._miss <= miss / 2 else self._slow + 1
        if self._slow >= 2 or flat:
            self._slow = 0
            return True
        return False

    def is_hopeless(self, low: Point, high: Point, *, close: bool) -> bool:
        """A jump that repeated probes only pin down: nothing is likely to lie between its two sides."""
        if close:
            return self._flat >= 1
        return self._flat >= _FLAT_PROBES and high.position - low.position < _JUMP_WIDTH


class _Search:
    def __init__(
        self,
        param: Param,
        goal: Goal,
        evaluate: Callable[[Any], Trial],
        *,
        known: Iterable[Trial],
        label: str = "",
        foresee: Foresee = lambda _goal: None,
    ) -> None:
        self._param, self._goal, self._evaluate, self._label = param, goal, evaluate, label
        self._foresee = foresee
        self._steered = 0
        self._knob = Knob(param)
        self._points: list[Point] = []  # by position
        self._recalled = list(known)
        self._made: list[Trial] = []
        self._budget = MAX_ENCODES
        for trial in self._recalled:
            self._add(trial)

    def run(self, start: Any, warm_budget: int) -> RateResult:
        warm = bool(self._points)
        if not warm:
            self._probe(self._knob.position(start))
        if warm:
            self._budget = warm_budget
        self._enclose()
        self._narrow()
        if not warm:
            self._look_around()
        return self._result()

    # --- points

    def _add(self, trial: Trial) -> None:
        y = self._goal.measure(trial)
        if y is None:
            return
        position = self._knob.position(trial.settings[self._param.name])
        if all(point.position != position for point in self._points):
            insort(self._points, Point(position, y, trial))

    def _probe(self, position: float) -> None:
        trial = self._evaluate(self._knob.value(position))
        self._made.append(trial)
        self._add(trial)

    def _best(self) -> Point | None:
        fit = [point for point in self._points if self._goal.admits(point.trial)]
        if not fit:
            return None
        # The largest file that fits; the smallest that is good enough.
        return max(fit, key=lambda p: p.trial.size) if self._goal.is_rate else min(fit, key=lambda p: p.trial.size)

    def _bracket(self) -> tuple[int, int] | None:
        """Indices of two neighbouring points around the target, the highest pair if the curve crosses it often."""
        for high in range(len(self._points) - 1, 0, -1):
            if self._is_below(self._points[high - 1]) and not self._is_below(self._points[high]):
                return high - 1, high
        return None

    def _is_below(self, point: Point) -> bool:
        return self._goal.admits(point.trial) == self._goal.is_rate

    # --- phases

    def _enclose(self) -> None:
        """Go outwards until the target lies between two points, or the knob ends."""
        for attempt in range(MAX_ENCODES):
            if self._bracket() is not None or self._is_near_enough():
                return
            if self._steer():
                continue
            upwards = self._is_below(self._points[-1])
            edge = self._points[-1] if upwards else self._points[0]
            if edge.position == float(upwards):
                return
            slope = self._slope(edge)
            # Log-rate is steeper towards both ends of most knobs: a secant goes far enough by itself.
            stretch = _OVERSHOOT if len(self._points) < 2 or attempt > 1 else 1.0
            aim = self._aim(abs(self._goal.y - edge.y))
            step = stretch * (aim - edge.y) / slope if attempt < 3 else math.copysign(1, upwards - 0.5)
            wish = min(max(edge.position + step, 0.0), 1.0)
            low, high = (edge.position, 1.0) if upwards else (0.0, edge.position)
            inner = self._between(low, high, wish) if 0 < wish < 1 else None
            self._probe(float(upwards) if inner is None else inner)

    def _steer(self) -> bool:
        """Try what the codec's forecast says; False if it has none, or nothing new to say."""
        foresight = self._foresee(self._goal)
        if foresight is None or not self._points or self._steered == STEPS_FORESEEN:
            return False
        self._steered += 1
        nearest = min(self._points, key=lambda point: abs(point.y - self._goal.y))
        value = foresight.value(nearest, best_of)
        position = self._knob.position(value)
        if any(point.position == position for point in self._points):
            return False
        self._probe(position)
        return True

    def _slope(self, edge: Point) -> float:
        """dy per position beyond the outermost point; a typical one where the points tell little."""
        typical = self._knob.log_span * (1.0 if self._goal.is_rate else PSNR_SLOPE)
        distance = abs(self._goal.y - edge.y)
        guide = self._guide(edge, distance, [point for point in self._points if point is not edge])
        if guide is None or abs(guide.y - edge.y) < distance / 20:
            return typical
        slope = (guide.y - edge.y) / (guide.position - edge.position)
        span = abs(guide.y - edge.y)
        trust = span / (span + _SHORT * distance) if self._param.typical_bpp else 1.0
        return typical * min(max(slope / typical, 0.2), 20.0) ** trust

    def _narrow(self) -> None:
        """Shrink the bracket until the best point is near enough or the knob has no value left between."""
        pace = _Pace()
        while len(self._made) < MAX_ENCODES:
            bracket = self._bracket()
            if bracket is None or self._is_near_enough():
                return
            if self._steer():
                continue
            low, high = self._points[bracket[0]], self._points[bracket[1]]
            if self._knob.is_continuous and pace.is_hopeless(low, high, close=self._is_close()):
                return
            middle = (low.position + high.position) / 2
            wish = middle if pace.is_slow(low, high, self._goal.y) else self._guess(bracket)
            position = self._between(low.position, high.position, wish)
            if position is None:
                return
            self._probe(position)

    def _is_near_enough(self) -> bool:
        best = self._best()
        if best is None:
            return False
        shortfall = self._goal.shortfall(best)
        if self._knob.is_continuous and shortfall <= self._goal.tolerance:
            return True
        if not self._knob.is_continuous and shortfall == 0:
            return True
        return len(self._made) >= self._budget

    def _is_close(self) -> bool:
        best = self._best()
        return best is not None and self._goal.shortfall(best) <= self._goal.far

    def _guess(self, bracket: tuple[int, int]) -> float:
        """Where the curve through the points around the bracket should meet the aim."""
        low, high = self._points[bracket[0]], self._points[bracket[1]]
        if not low.y < high.y:
            return (low.position + high.position) / 2
        aim = self._aim(min(self._goal.y - low.y, high.y - self._goal.y))
        aim = min(max(aim, low.y), high.y)
        near, far = (low, high) if aim - low.y < high.y - aim else (high, low)
        guide = self._guide(
            near, abs(aim - near.y), self._points[: bracket[0]] if near is low else self._points[bracket[1] + 1 :]
        )
        points = sorted([low, high, guide] if guide else [low, high])
        if guide is not None and abs(far.y - near.y) > _LOPSIDED * abs(near.y - guide.y):
            secant = near.position + (aim - near.y) * (near.position - guide.position) / (near.y - guide.y)
            if low.position < secant < high.position:
                return secant
        return interpolate([p.y for p in points], [p.position for p in points], aim)

    def _aim(self, distance: float) -> float:
        """Where to aim from the nearest point, at `distance`: a little to the target's right side; with the last
        guess but one that may be spent, by about as much as it may miss."""
        margin = self._goal.tolerance / 2 if self._knob.is_continuous else 0.0
        share = _MISS_OUTSIDE if self._bracket() is None else _MISS
        if self._is_last_guess:
            margin = self._last_margin(share * distance + _MISS_LEAST * self._goal.tolerance)
        elif self._budget - len(self._made) == 2 and self._knob.is_continuous:
            margin = max(margin, share * distance)
        return self._goal.y - margin if self._goal.is_rate else self._goal.y + margin

    def _last_margin(self, miss: float) -> float:
        """The margin of least loss to be expected from a guess that no other mends.

        With misses of mean size b, a margin m costs m, and what the best point so far lacks, S, where the guess misses
        by more, which has a chance of exp(-m/b) / 2. The sum is least at m = b ln(S / 2b).
        """
        best = self._best()
        lack = self._goal.scale if best is None else self._goal.shortfall(best)
        return miss * max(math.log(lack / (2 * miss)), 0.0) if lack > 0 else 0.0

    @property
    def _is_last_guess(self) -> bool:
        return self._budget - len(self._made) == 1

    def _between(self, low: float, high: float, wish: float) -> float | None:
        """The position of a value between two that is nearest to `wish`; for the last guess, one on its right side."""
        position = self._knob.between(low, high, wish)
        side = -1 if self._goal.is_rate else +1
        if position is None or not self._is_last_guess or (position - wish) * side >= 0:
            return position
        other = self._knob.neighbour(position, side)
        return other if other is not None and low < other < high else position

    def _guide(self, end: Point, distance: float, others: list[Point]) -> Point | None:
        """The point beyond `end` that tells its slope best: about as far from it as the aim is, and not in line with
        what a step or noise does to its nearest neighbours."""
        wanted = max(distance, _NOISE if self._goal.is_rate else _NOISE * PSNR_SLOPE)
        rising = [p for p in others if (p.y - end.y) * (p.position - end.position) > 0]
        return min(rising, key=lambda p: abs(math.log(abs(p.y - end.y) / wanted)), default=None)

    def _look_around(self) -> None:
        """On a coarse knob whose step is out of proportion the curve may come back: try the values beside it."""
        bracket = self._bracket()
        best = self._best()
        if bracket is None or best is None or self._knob.is_continuous or self._goal.shortfall(best) <= self._goal.far:
            return
        if not self._is_odd(bracket):
            return
        ends = self._points[bracket[0]].position, self._points[bracket[1]].position
        beyond = self._knob.neighbour(ends[1], +1)
        candidates = [self._knob.neighbour(ends[0], -1), beyond]
        if beyond is not None:
            candidates.append(self._knob.neighbour(beyond, +1))
        for position in candidates:
            if position is not None and all(p.position != position for p in self._points):
                self._probe(position)

    def _is_odd(self, bracket: tuple[int, int]) -> bool:
        """Some step goes the wrong way, or the one across the target is more than twice as steep as around it."""
        steps = [(b.y - a.y) / (b.position - a.position) for a, b in zip(self._points, self._points[1:], strict=False)]
        around = [steps[i] for i in (bracket[0] - 1, bracket[0] + 1) if 0 <= i < len(steps)]
        return min(steps) < 0 or any(steps[bracket[0]] > 2 * step for step in around)

    # --- the answer

    def _result(self) -> RateResult:
        best = self._best()
        probes = (*self._recalled, *self._made)
        if best is None:
            nearest = min(self._points, key=lambda point: abs(point.y - self._goal.y))
            return RateResult(nearest.trial, probes, False, len(self._made), self._unreachable(nearest))
        return RateResult(best.trial, probes, True, len(self._made), self._remark(best))

    def _unreachable(self, nearest: Point) -> str:
        verb = "below" if self._goal.is_rate else "above"
        return f"{self._label} cannot go {verb} {rate_text(nearest.trial, self._goal)} on this picture"

    def _remark(self, best: Point) -> str:
        gap = self._goal.shortfall(best)
        if gap <= self._goal.far:
            return ""
        if self._could_go_on():
            away = f"{100 * (1 - math.exp(-gap)):.1f} % below" if self._goal.is_rate else f"{gap:.2f} dB above"
            return f"{self._label} is {away} the target after {len(self._made)} more encodes; ask again to come closer"
        if self._bracket() is None:
            verb = "spends at most" if self._goal.is_rate else "stays at or above"
            return f"{self._label} {verb} {rate_text(best.trial, self._goal)} on this picture"
        if self._goal.is_rate:
            return f"the steps of {self._label} leave it {100 * (1 - math.exp(-gap)):.1f} % below the target"
        return f"the steps of {self._label} leave it {gap:.2f} dB above the target"

    def _could_go_on(self) -> bool:
        """Did the search end because few encodes were allowed, with values left to try?"""
        if not self._budget <= len(self._made) < MAX_ENCODES:
            return False
        bracket = self._bracket()
        if bracket is None:
            return self._points[-1 if self._is_below(self._points[-1]) else 0].position not in (0.0, 1.0)
        low, high = (self._points[index].position for index in bracket)
        return self._knob.between(low, high, (low + high) / 2) is not None

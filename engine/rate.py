"""Hit a target: the setting of a codec's RATE parameter that spends a given rate, or reaches a given quality.

The search keeps a bracket of two settings, one on either side of the target, and guesses the next setting by
monotone piecewise cubic interpolation (Fritsch & Butland 1984) of the knob as a function of log-rate (or dB)
through the nearest points known. When guesses stop halving the bracket, one bisection puts a bound on the
number of steps (the safeguard of Brent 1973). It never ends on the wrong side of the target: the best point
on its right side wins, whatever the curve does, so a curve that is not monotone costs closeness, not truth.

Of a codec that prepares (`engine.codec.Preparing`) the search tries values without encoding, and encodes the answer.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from engine.codec import Codec, Ctx, Param, Preparing, Settings
from engine.errors import UsageError
from engine.image import Image
from engine.knob import Knob
from engine.trial import RateResult, Run, Runner, Target, TargetKind, Trial, bits_per_pixel, canonical, db_metric

MAX_ENCODES = 14
WARM_ENCODES = 2  # where points are known from before: more than these only to come to the target's right side
RATE_TOLERANCE = 0.005  # of the rate, below the target: near enough to stop
PSNR_TOLERANCE = 0.03  # dB above the target
SHORTFALL = 0.02  # of the rate: from here on people are told; 0.1 dB for quality
_PSNR_SHORTFALL = 0.1
_PSNR_SLOPE = 5.0  # dB for each e-fold of rate: a first guess
_OVERSHOOT = 1.3  # of a step towards a target that lies outside all known points
_FLAT_PROBES = 3  # probes in a row that gave nothing new, within ...
_JUMP_WIDTH = 0.02  # ... this part of the knob's range: the curve jumps there
_MISS = 0.05  # of the distance to the nearest known point: by how much a guess is likely to miss
_MISS_OUTSIDE = 0.1  # the same beyond all known points
_MISS_LEAST = 0.3  # of the tolerance: curves are no smoother than that
_SHORT = 0.3  # of the distance: a secant as long as that is trusted as much as the typical curve
_NOISE = 0.02  # of log-rate: points nearer to each other than this tell no slope
_LOPSIDED = 8  # a bracket whose far end is so much farther than the guide says nothing about its near end


def solve_rate(
    codec: Codec,
    image: Image,
    target: Target,
    ctx: Ctx,
    *,
    settings: Settings | None = None,
    known: Iterable[Trial] = (),
    blob: Callable[[str], bytes | None] = lambda _name: None,
    on_trial: Callable[[Run], None] = lambda _run: None,
) -> RateResult:
    """The setting of `codec` that meets `target` on `image` most closely, never above a rate nor below a quality.

    settings: the other settings; a value of the RATE parameter among them is where the search begins.
    known: trials of before; those of the same picture, codec, version and other settings are used.
    blob: gives the file of a known trial by its hash, if it is kept; else it is encoded again.
    on_trial: called with each new run as it is made.
    `UsageError` for settings that make no sense; whatever the codec raises; `Cancelled`.
    """
    runner = Runner(codec, image)
    return solve(runner, target, ctx, settings=settings, known=known, blob=blob, on_trial=on_trial)


def solve(
    runner: Runner,
    target: Target,
    ctx: Ctx,
    *,
    settings: Settings | None = None,
    known: Iterable[Trial] = (),
    blob: Callable[[str], bytes | None] = lambda _name: None,
    on_trial: Callable[[Run], None] = lambda _run: None,
    want_file: bool = True,
    thorough: bool = False,
) -> RateResult:
    """:func:`solve_rate` with a runner at hand.

    Where points of the curve are known, at most `WARM_ENCODES` new ones are made as soon as one point is on the
    target's right side, however far off, and the result says how far. `thorough`: closeness goes before the number
    of encodes there too, as figures want it, not the hand on a slider. Without `want_file` a known answer may come
    without its file; with it, one that is kept no longer is encoded again.
    """
    info = runner.codec.info
    base = info.complete(settings)
    param = info.rate_param
    files: dict[str, bytes] = {}

    def evaluate(value: Any) -> Trial:
        ctx.check()
        run = runner.encode(base if param is None else {**base, param.name: value}, ctx)
        if target.kind is TargetKind.PSNR:
            run = runner.finish(run, (db_metric(runner.image),), ctx)
        files[run.trial.key.settings] = run.data
        on_trial(run)
        ctx.progress(1 - 0.7 ** len(files))
        return run.trial

    usable = _usable(known, runner, base, param)
    start = _start(param, base, target, runner.image) if param else None
    if param is not None and isinstance(runner.codec, Preparing):
        tries = _Tries(runner, base, target, ctx)
        result = search(param, start, target, tries.trial, known=usable, label=info.label, thorough=True)
        if result.encodes:  # none of them was one
            best = evaluate(result.best.settings[param.name]) if result.best not in usable else result.best
            result = replace(result, best=best, probes=(*usable, best), encodes=len(files))
    else:
        result = search(param, start, target, evaluate, known=usable, label=info.label, thorough=thorough)
    data = files.get(result.best.key.settings)
    if data is None and want_file:
        data = blob(result.best.blob) if result.best.blob else None
        if data is None:  # known from before, but its file is kept no longer
            best = evaluate(result.best.settings[param.name] if param else None)
            data = files[best.key.settings]
            result = replace(result, best=best, encodes=result.encodes + 1)
    return replace(result, data=data or b"", target=target)


class _Tries:
    """Trials of a codec that prepares, from the first that is asked for on: none is an encode, so nobody keeps them."""

    def __init__(self, runner: Runner, base: dict[str, Any], target: Target, ctx: Ctx) -> None:
        self._runner, self._base, self._target, self._ctx = runner, base, target, ctx
        self._quiet = replace(ctx, progress=lambda _fraction: None)
        self._try: Callable[[Any], Run] | None = None
        self._count = 0

    def trial(self, value: Any) -> Trial:
        self._ctx.check()
        self._try = self._try or self._runner.prepare(self._base, self._quiet)
        assert self._try is not None
        run = self._try(value)
        if self._target.kind is TargetKind.PSNR:
            run = self._runner.finish(run, (db_metric(self._runner.image),), self._quiet)
        self._count += 1
        self._ctx.progress(1 - 0.7**self._count)
        return run.trial


def _start(param: Param, base: dict[str, Any], target: Target, image: Image) -> Any:
    """Where to begin: at the value that takes a typical picture to the target, else at the one that is set."""
    guess = None
    if target.kind is not TargetKind.PSNR and 0 < target.value < math.inf:
        size_bpp = bits_per_pixel(target.value, image)
        guess = Knob(param).first_guess(target.value if target.kind is TargetKind.BPP else size_bpp)
    return base[param.name] if guess is None else guess


def _usable(known: Iterable[Trial], runner: Runner, base: dict[str, Any], param: Param | None) -> list[Trial]:
    """Those of `known` that differ from `base` in nothing but the RATE parameter, one for each setting."""

    def others(settings: dict[str, Any]) -> str:
        return canonical({name: value for name, value in settings.items() if param is None or name != param.name})

    key, wanted = runner.key(base), others(base)
    found: dict[str, Trial] = {}
    for trial in known:
        same = (trial.key.image, trial.key.codec, trial.key.version) == (key.image, key.codec, key.version)
        if same and others(trial.settings) == wanted:
            old = found.get(trial.key.settings)
            if old is None or len(trial.scores) >= len(old.scores):
                found[trial.key.settings] = trial
    return list(found.values())


@dataclass(order=True)
class _Point:
    position: float
    y: float  # ln bpp, or dB
    trial: Trial = field(compare=False)


class _Goal:
    """The target on the scale of the search."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.is_rate = target.kind is not TargetKind.PSNR
        if not (math.isfinite(target.value) and (target.value > 0 or not self.is_rate)):
            raise UsageError(f"{target} is no target")
        self.y = math.log(target.value) if self.is_rate else target.value
        self.tolerance = RATE_TOLERANCE if self.is_rate else PSNR_TOLERANCE
        self.scale = 1.0 if self.is_rate else _PSNR_SLOPE  # what is far on this scale

    def measure(self, trial: Trial) -> float | None:
        """The trial's place on the scale, or None if it was not measured."""
        if self.target.kind is TargetKind.BYTES:
            return math.log(trial.size)
        if self.target.kind is TargetKind.BPP:
            return math.log(trial.bpp)
        return None if trial.db is None else min(trial.db, 120.0)  # lossless is infinite; a curve needs a number

    def admits(self, trial: Trial) -> bool:
        if self.target.kind is TargetKind.BYTES:
            return trial.size <= self.target.value
        if self.target.kind is TargetKind.BPP:
            return trial.bpp <= self.target.value
        return trial.db is not None and trial.db >= self.target.value

    def shortfall(self, point: _Point) -> float:
        """How far an admissible point stays from the target, ≥ 0."""
        return abs(self.y - point.y)


def search(
    param: Param | None,
    start: Any,
    target: Target,
    evaluate: Callable[[Any], Trial],
    *,
    known: Iterable[Trial] = (),
    label: str = "the codec",
    thorough: bool = False,
) -> RateResult:
    """The search itself, over any `evaluate(value of the knob) -> Trial`. See :func:`solve_rate`."""
    goal = _Goal(target)
    if param is None:
        return _only_point(goal, evaluate, [t for t in known if goal.measure(t) is not None], label)
    return _Search(param, goal, evaluate, known, label).run(start, MAX_ENCODES if thorough else WARM_ENCODES)


def _only_point(goal: _Goal, evaluate: Callable[[Any], Trial], known: list[Trial], label: str) -> RateResult:
    trial = known[0] if known else evaluate(None)
    reached = goal.admits(trial)
    message = f"{label} has a single rate: {_rate_text(trial, goal)} on this picture"
    return RateResult(trial, (trial,), reached, 0 if known else 1, message)


class _Pace:
    """Watches how a bracket shrinks, and says when to bisect and when to stop."""

    def __init__(self) -> None:
        self._before: tuple[_Point, _Point] | None = None
        self._miss = math.inf
        self._slow = 0
        self._flat = 0

    def is_slow(self, low: _Point, high: _Point, y: float) -> bool:
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

    def is_hopeless(self, low: _Point, high: _Point, *, close: bool) -> bool:
        """A jump that repeated probes only pin down: nothing is likely to lie between its two sides."""
        if close:
            return self._flat >= 1
        return self._flat >= _FLAT_PROBES and high.position - low.position < _JUMP_WIDTH


class _Search:
    def __init__(
        self, param: Param, goal: _Goal, evaluate: Callable[[Any], Trial], known: Iterable[Trial], label: str
    ) -> None:
        self._param, self._goal, self._evaluate, self._label = param, goal, evaluate, label
        self._knob = Knob(param)
        self._points: list[_Point] = []  # by position
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
            insort(self._points, _Point(position, y, trial))

    def _probe(self, position: float) -> None:
        trial = self._evaluate(self._knob.value(position))
        self._made.append(trial)
        self._add(trial)

    def _best(self) -> _Point | None:
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

    def _is_below(self, point: _Point) -> bool:
        return self._goal.admits(point.trial) == self._goal.is_rate

    # --- phases

    def _enclose(self) -> None:
        """Go outwards until the target lies between two points, or the knob ends."""
        for attempt in range(MAX_ENCODES):
            if self._bracket() is not None or self._is_near_enough():
                return
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

    def _slope(self, edge: _Point) -> float:
        """dy per position beyond the outermost point; a typical one where the points tell little."""
        typical = self._knob.log_span * (1.0 if self._goal.is_rate else _PSNR_SLOPE)
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
        return best is not None and self._goal.shortfall(best) <= self._far

    @property
    def _far(self) -> float:
        return SHORTFALL if self._goal.is_rate else _PSNR_SHORTFALL

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

    def _guide(self, end: _Point, distance: float, others: list[_Point]) -> _Point | None:
        """The point beyond `end` that tells its slope best: about as far from it as the aim is, and not in line with
        what a step or noise does to its nearest neighbours."""
        wanted = max(distance, _NOISE if self._goal.is_rate else _NOISE * _PSNR_SLOPE)
        rising = [p for p in others if (p.y - end.y) * (p.position - end.position) > 0]
        return min(rising, key=lambda p: abs(math.log(abs(p.y - end.y) / wanted)), default=None)

    def _look_around(self) -> None:
        """On a coarse knob whose step is out of proportion the curve may come back: try the values beside it."""
        bracket = self._bracket()
        best = self._best()
        if bracket is None or best is None or self._knob.is_continuous or self._goal.shortfall(best) <= self._far:
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

    def _unreachable(self, nearest: _Point) -> str:
        verb = "below" if self._goal.is_rate else "above"
        return f"{self._label} cannot go {verb} {_rate_text(nearest.trial, self._goal)} on this picture"

    def _remark(self, best: _Point) -> str:
        gap = self._goal.shortfall(best)
        if gap <= self._far:
            return ""
        if self._could_go_on():
            away = f"{100 * (1 - math.exp(-gap)):.1f} % below" if self._goal.is_rate else f"{gap:.2f} dB above"
            return f"{self._label} is {away} the target after {len(self._made)} more encodes; ask again to come closer"
        if self._bracket() is None:
            verb = "spends at most" if self._goal.is_rate else "stays at or above"
            return f"{self._label} {verb} {_rate_text(best.trial, self._goal)} on this picture"
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


def _rate_text(trial: Trial, goal: _Goal) -> str:
    if goal.target.kind is TargetKind.BYTES:
        return f"{trial.size} bytes"
    if goal.is_rate:
        return f"{trial.bpp:.3g} bpp"
    return f"{trial.db:.2f} dB"


def interpolate(xs: list[float], ys: list[float], x: float) -> float:
    """Monotone piecewise cubic through 2 to 4 points, at `x` between the two in the middle (or the only two).

    Slopes are weighted harmonic means of the neighbouring secants (Fritsch & Butland 1984); at an end that of the
    parabola through three points, held within 0 and three times the secant. `xs` and `ys` must both increase.
    """
    secants = [(ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) for i in range(len(xs) - 1)]
    i = next(k for k in range(len(xs) - 1) if x <= xs[k + 1] or k == len(xs) - 2)

    def slope(k: int) -> float:
        if len(secants) == 1:
            return secants[0]
        inner = min(max(k, 1), len(secants) - 1)  # the inner point itself, or that next to an end
        left, right = secants[inner - 1], secants[inner]
        h0, h1 = xs[inner] - xs[inner - 1], xs[inner + 1] - xs[inner]
        if k == inner:
            return 3 * (h0 + h1) / ((2 * h1 + h0) / left + (h1 + 2 * h0) / right) if left * right > 0 else 0.0
        near, far, h, other = (left, right, h0, h1) if k < inner else (right, left, h1, h0)
        return min(max(((2 * h + other) * near - h * far) / (h + other), 0.0), 3 * near)

    h = xs[i + 1] - xs[i]
    t = (x - xs[i]) / h
    a, b = slope(i) * h, slope(i + 1) * h
    rise = ys[i + 1] - ys[i]
    return ys[i] + t * (a + t * (3 * rise - 2 * a - b + t * (a + b - 2 * rise)))

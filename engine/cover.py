"""Curves over a range of quality: few encodes, wherever they land, as long as the range is covered without a gap.

A search for a quality spends most of its encodes on the last half decibel. What compares curves needs no point at any
quality in particular, only points on both sides of the range and no wide gap between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from engine.bd import MIN_POINTS
from engine.codec import Param, Settings
from engine.knob import Knob
from engine.rate.goal import PSNR_SLOPE
from engine.tasks import _CodecTask
from engine.trial import Runner, Trial, canonical, db_metric
from engine.workers import TaskCtx

MAX_ENCODES = 14  # of one curve
_BEYOND = 1.0  # dB that are aimed for beyond an end of the range
_LEAST_STEP, _WIDEST_STEP = 0.01, 0.35  # of the knob's range, from an outermost point outwards
_ENDLESS = 150.0  # dB: what a lossless point counts as


@dataclass(frozen=True)
class Cover:
    """lo, hi: dB (what a target in dB means) that a curve is to cover. gap: dB at most between its points there."""

    lo: float
    hi: float
    gap: float


@dataclass(frozen=True)
class CoverTask(_CodecTask):
    """Makes a codec's curve cover a range of quality, as far as its RATE parameter reaches; one point without one.

    Emits and returns scored trials, of `known` all that lie on the curve. Where these cover the range already nothing
    is encoded.
    """

    cover: Cover = Cover(42.0, 58.0, 6.0)

    def run(self, ctx: TaskCtx) -> tuple[Trial, ...]:
        runner, param = Runner(self.codec, self.image), self.codec.info.rate_param
        base = self.codec.info.complete(self.settings)
        known = self._curve(base, param)
        for trial in known:
            ctx.emit(trial)
        if param is None:
            return (known[0] if known else self._trial(runner, base, ctx),)
        knob = Knob(param)
        points = {knob.position(trial.settings[param.name]): trial for trial in known}
        made = 0
        position: float | None = None if points else knob.position(base[param.name])
        while made < MAX_ENCODES and (position is not None or (position := self._next(points, knob)) is not None):
            trial = self._trial(runner, {**base, param.name: knob.value(position)}, ctx)
            points[knob.position(trial.settings[param.name])] = trial
            position, made = None, made + 1
            ctx.progress(1 - 0.8**made)
        return tuple(points[each] for each in sorted(points))

    def _trial(self, runner: Runner, settings: Settings, ctx: TaskCtx) -> Trial:
        """Points outside of the range get no other score than their quality: they only hold the curve's ends."""
        metric = db_metric(self.image)
        run = runner.finish(self.encoded(runner, settings, ctx), (metric,), ctx)
        if self.codec.info.rate_param is None or self._counts(run.trial.scores[metric]):
            run = runner.score(run, self.metrics, ctx)
        self.keep(run, ctx)
        return run.trial

    def _counts(self, db: float) -> bool:
        return self.cover.lo <= db <= self.cover.hi

    def _curve(self, base: Settings, param: Param | None) -> list[Trial]:
        """Those of `known` that differ from `base` in nothing but the RATE parameter, and have the scores they need."""
        metric = db_metric(self.image)

        def others(settings: Settings) -> str:
            return canonical({name: value for name, value in settings.items() if param is None or name != param.name})

        def is_scored(trial: Trial) -> bool:
            needs_all = param is None or self._counts(trial.scores.get(metric, self.cover.lo))
            return set(self.metrics if needs_all else (metric,)) <= set(trial.scores)

        return [trial for trial in self.known if others(trial.settings) == others(base) and is_scored(trial)]

    def _next(self, points: dict[float, Trial], knob: Knob) -> float | None:
        """Where the next point should be; None where the range is covered, or nothing is left to try."""
        metric = db_metric(self.image)
        known = [(each, min(points[each].scores[metric], _ENDLESS)) for each in sorted(points)]
        lo, hi = self.cover.lo, self.cover.hi
        if all(db > lo for _, db in known) and known[0][0] > 0:
            return _outwards(known, knob, lo - _BEYOND)
        if all(db < hi for _, db in known) and known[-1][0] < 1:
            return _outwards(known[::-1], knob, hi + _BEYOND)
        return self._between(known, knob)

    def _between(self, known: list[tuple[float, float]], knob: Knob) -> float | None:
        """Within the widest gap that is too wide, or any while points are few: its middle, or just beyond the range."""
        lo, hi = self.cover.lo, self.cover.hi
        gaps = []
        for (low, db_low), (high, db_high) in pairwise(known):
            is_wide = db_high - db_low > (0 if len(known) < MIN_POINTS else self.cover.gap)
            if is_wide and db_low < hi and db_high > lo:
                aim = min(max((db_low + db_high) / 2, lo - _BEYOND), hi + _BEYOND)
                gaps.append((db_high - db_low, low, high, low + (high - low) * (aim - db_low) / (db_high - db_low)))
        found = (knob.between(low, high, wish) for _, low, high, wish in sorted(gaps, reverse=True))
        return next((position for position in found if position is not None), None)


def _outwards(known: list[tuple[float, float]], knob: Knob, aim: float) -> float:
    """A position beyond the first of `known`, away from the others, where the quality should be `aim`."""
    (edge, db), *others = known
    away = 1.0 if aim > db else -1.0
    slope = knob.log_span * PSNR_SLOPE
    if others and (db - others[0][1]) * away > 0:
        slope = (db - others[0][1]) / (edge - others[0][0])
    step = min(max(abs(aim - db) / slope, _LEAST_STEP), _WIDEST_STEP)
    wish = min(max(edge + away * step, 0.0), 1.0)
    end = 1.0 if away > 0 else 0.0
    low, high = sorted((edge, end))
    inner = knob.between(low, high, wish) if 0 < wish < 1 else None
    return end if inner is None else inner

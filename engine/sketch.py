"""A curve for the eye: one encode near each of a few rates, without searching for any of them exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.knob import Knob
from engine.tasks import _CodecTask, ladder
from engine.trial import Runner, Trial
from engine.workers import TaskCtx

NEAR = 0.12  # in ln of the rate: a point this close stands for a wished-for one


@dataclass(frozen=True)
class SketchTask(_CodecTask):
    """Adds points near `rates` (bpp, in the order in which they are wanted), then scores `known` that lack scores.

    Each rate costs one encode at the knob's position that the points so far suggest; where it lands is where the
    point is. Emits and returns the new or newly scored trials, whose files are kept.
    """

    rates: tuple[float, ...] = ()

    def run(self, ctx: TaskCtx) -> tuple[Trial, ...]:
        runner = Runner(self.codec, self.image)
        param = self.codec.info.rate_param
        pool = list(self.known)
        made: list[Trial] = []
        if param is None:
            return self._scored(runner, pool or [None], ctx)
        knob = Knob(param)
        base = ladder(self.codec, self.settings, 1)[0]
        for index, rate in enumerate(self.rates):
            ctx.check()
            if not any(abs(math.log(trial.bpp / rate)) < NEAR for trial in pool):
                run = self.trial_at(runner, {**base, param.name: self._value(knob, param.name, pool, rate)}, ctx)
                self.keep(run, ctx)
                pool.append(run.trial)
                made.append(run.trial)
            ctx.progress((index + 1) / (len(self.rates) + 1))
        lacking = [trial for trial in self.known if not set(self.metrics) <= set(trial.scores)]
        return (*made, *self._scored(runner, lacking, ctx))

    def _scored(self, runner: Runner, trials: Iterable[Trial | None], ctx: TaskCtx) -> tuple[Trial, ...]:
        done = []
        for trial in trials:
            ctx.check()
            run = self.trial_at(runner, trial.settings if trial else self.settings, ctx)
            self.keep(run, ctx)
            done.append(run.trial)
        return tuple(done)

    @staticmethod
    def _value(knob: Knob, name: str, pool: list[Trial], rate: float) -> Any:
        """The knob's value to try: from the points so far, else where a typical picture takes `rate`."""
        first = None if pool else knob.first_guess(rate)
        points = [(knob.position(trial.settings[name]), trial.bpp) for trial in pool]
        return knob.value(guess(points, rate, knob.log_span)) if first is None else first


def guess(points: Iterable[tuple[float, float]], rate: float, span: float) -> float:
    """The knob's position, 0…1, that should give `rate`, from (position, bpp) points: straight lines over ln bpp.

    span: ln of the largest by the smallest rate over all positions, for want of two points that tell a slope.
    """
    known = sorted({(position, math.log(bpp)) for position, bpp in points})
    wanted = math.log(rate)
    if not known:
        return 0.5
    positions, logs = (np.array(column) for column in zip(*known, strict=True))
    logs = np.maximum.accumulate(logs)
    inside = np.interp(wanted, logs, positions)
    if logs[0] <= wanted <= logs[-1]:
        return float(inside)
    near, far = (0, -1) if wanted < logs[0] else (-1, 0)
    run = positions[near] - positions[far]
    slope = (logs[near] - logs[far]) / run if abs(run) > 1e-6 and logs[near] != logs[far] else span
    return float(np.clip(positions[near] + (wanted - logs[near]) / slope, 0.0, 1.0))

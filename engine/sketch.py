"""A curve for the eye: one encode near each of a few rates, without searching for any of them exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.knob import Knob
from engine.tasks import _CodecTask, ladder
from engine.trial import Runner, Trial
from engine.workers import TaskCtx

NEAR = 0.12  # in ln of the rate: a point this close stands for a wished-for one
_SPAN = 4.0  # ln of the largest by the smallest file over a knob's range: a guess until two points are known


@dataclass(frozen=True)
class SketchTask(_CodecTask):
    """Adds points near `rates` (bpp, in the order in which they are wanted), then scores `known` that lack scores.

    Each rate costs one encode at the knob's position that the points so far suggest; where it lands is where the
    point is. Emits and returns the new or newly scored trials.
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
                value = knob.value(guess([(knob.position(t.settings[param.name]), t.bpp) for t in pool], rate))
                trial = self.trial_at(runner, {**base, param.name: value}, ctx).trial
                pool.append(trial)
                made.append(trial)
                ctx.emit(trial)
            ctx.progress((index + 1) / (len(self.rates) + 1))
        lacking = [trial for trial in self.known if not set(self.metrics) <= set(trial.scores)]
        return (*made, *self._scored(runner, lacking, ctx))

    def _scored(self, runner: Runner, trials: Iterable[Trial | None], ctx: TaskCtx) -> tuple[Trial, ...]:
        done = []
        for trial in trials:
            ctx.check()
            done.append(self.trial_at(runner, trial.settings if trial else self.settings, ctx).trial)
            ctx.emit(done[-1])
        return tuple(done)


def guess(points: Iterable[tuple[float, float]], rate: float) -> float:
    """The knob's position, 0…1, that should give `rate`, from (position, bpp) points: straight lines over ln bpp."""
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
    slope = (logs[near] - logs[far]) / run if abs(run) > 1e-6 and logs[near] != logs[far] else _SPAN
    return float(np.clip(positions[near] + (wanted - logs[near]) / slope, 0.0, 1.0))

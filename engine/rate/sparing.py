"""What spares the search encodes: tries of a picture that was prepared once, and forecasts between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.codec import Ctx, Forecast, Param
from engine.rate.foresight import Foresight
from engine.rate.goal import Goal
from engine.rate.search import best_of
from engine.trial import PreparedRuns, Run, Runner, Target, TargetKind, Trial, db_metric


class Tries:
    """Runs of a codec that prepares, from the first that is asked for on. One of them is the answer, file and all; the
    others are known to nobody."""

    def __init__(self, runner: Runner, base: dict[str, Any], param: Param, target: Target, ctx: Ctx) -> None:
        self._runner, self._base, self._param, self._target, self._ctx = runner, base, param, target, ctx
        self._quiet = replace(ctx, progress=lambda _fraction: None)
        self._ready: PreparedRuns | None = None
        self._forecast: Forecast | None = None
        self._runs: dict[str, Run] = {}

    def trial(self, value: Any) -> Trial:
        """The trial of a value of the RATE parameter, with its dB if those are sought."""
        self._ctx.check()
        run = self._prepared().run(value)
        self._forecast = run.forecast
        run = replace(run, forecast=None)  # it holds much of the picture
        if self._target.kind is TargetKind.PSNR:
            run = replace(self._runner.finish(run, (db_metric(self._runner.image),), self._quiet), decoded=None)
        self._runs[run.trial.key.settings] = run
        self._ctx.progress(1 - 0.7 ** len(self._runs))
        return run.trial

    def run(self, trial: Trial) -> Run | None:
        """What was made of a trial, if it is one of these."""
        return self._runs.get(trial.key.settings)

    def first(self, start: Any) -> Any:
        """Where to begin by the codec's outlook, if it has one; else `start`."""
        goal = Goal(self._target)
        outlook = self._prepared().outlook if goal.is_rate else None
        return start if outlook is None else self._by(outlook, goal).first(start, best_of)

    def foresight(self, goal: Goal) -> Foresight | None:
        """By the forecast of the newest run, which is the nearest to the target as a rule."""
        return self._by(self._forecast, goal) if self._forecast is not None and goal.is_rate else None

    def _by(self, forecast: Forecast, goal: Goal) -> Foresight:
        image = self._runner.image
        return Foresight(forecast, self._param, goal, pixels=image.width * image.height, ctx=self._ctx)

    def _prepared(self) -> PreparedRuns:
        self._ready = self._ready or self._runner.prepare(self._base, self._quiet)
        assert self._ready is not None, "only codecs that prepare are tried"
        return self._ready

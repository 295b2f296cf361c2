"""What spares the search encodes: tries from one transform, and forecasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.codec import Ctx, Forecast, Foreseeing, Param
from engine.rate.foresight import Foresight
from engine.rate.goal import Goal
from engine.rate.search import best_of
from engine.trial import Run, Runner, Target, TargetKind, Trial, db_metric


class Tries:
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


class Oracle:
    """What a codec foretells of one picture at all but the RATE setting of `base`."""

    def __init__(self, runner: Runner, base: dict[str, Any], param: Param | None, ctx: Ctx) -> None:
        self._runner, self._base, self._param, self._ctx = runner, base, param, ctx
        self._pixels = runner.image.width * runner.image.height
        self._foresight: Foresight | None = None
        self._forecast: Forecast | None = None

    def hear(self, run: Run) -> None:
        """An encode was made. What the first one foretells counts: others would say the same."""
        self._forecast = self._forecast or run.forecast

    def first(self, start: Any, goal: Goal) -> Any:
        """Where to begin, by a part of the picture if its codec is a slow one; else `start`."""
        outlook = self._outlook(start) if goal.is_rate else None
        if outlook is None or self._param is None:
            return start
        return Foresight(outlook, self._param, goal, pixels=self._pixels, ctx=self._ctx).first(start, best_of)

    def foresight(self, goal: Goal) -> Foresight | None:
        if self._forecast is None or self._param is None or not goal.is_rate:
            return None
        if self._foresight is None:
            self._foresight = Foresight(
                self._forecast, self._param, goal, pixels=self._pixels, ctx=self._ctx, outlook=self._outlook
            )
        return self._foresight

    def _outlook(self, value: Any) -> Forecast | None:
        codec = self._runner.codec
        if self._param is None or not isinstance(codec, Foreseeing):
            return None
        return codec.outlook(self._runner.fitted, {**self._base, self._param.name: value}, self._ctx)

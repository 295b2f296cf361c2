"""The next setting to try for a rate, by a codec's forecast, put right by what was measured nearest to the target."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from engine.codec import Ctx, Forecast, Param
from engine.rate.goal import Goal, Point
from engine.trial import EncodeKey, Target, TargetKind, Trial, canonical

_TOLERANCE = 0.4  # of the search's own: how close to its aim a forecast is brought
_MARGIN = 0.3  # of the search's tolerance: how far below the target it aims

Find = Callable[[Param, Goal, Callable[[Any], Trial], Iterable[Trial]], Trial]


class Foresight:
    """Answers of a forecast on the scale of a goal, each asked for once.

    pixels: of the picture, which rates are counted by.
    """

    def __init__(self, forecast: Forecast, param: Param, goal: Goal, *, pixels: int, ctx: Ctx) -> None:
        self._forecast, self._param, self._goal, self._pixels, self._ctx = forecast, param, goal, pixels, ctx
        self._answers: dict[Any, float] = {}

    def first(self, start: Any, find: Find) -> Any:
        """The setting that should come closest to the goal where nothing was measured, looked for from `start` on."""
        self._answer(start)
        return self._found(0.0, find)

    def value(self, measured: Point, find: Find) -> Any:
        """The setting that should come closest to the goal, from its right side.

        measured: the nearest point; the forecast's error there is taken off everywhere. find: a search over trials.
        """
        return self._found(measured.y - self._answer(measured.trial.settings[self._param.name]), find)

    def _found(self, miss: float, find: Find) -> Any:
        """The best setting by the answers plus `miss`; some have been asked for."""

        def foretold(value: Any) -> Trial:
            return self._as_trial(value, self._answer(value) + miss)

        known = map(foretold, list(self._answers))
        return find(self._param, self._aim(), foretold, known).settings[self._param.name]

    def _aim(self) -> Goal:
        goal = self._goal
        aim = Goal(Target(goal.target.kind, math.exp(goal.y - _MARGIN * goal.tolerance)))
        aim.tolerance = _TOLERANCE * goal.tolerance
        return aim

    def _answer(self, value: Any) -> float:
        """On the goal's scale."""
        if value not in self._answers:
            self._ctx.check()
            self._answers[value] = self._on_scale(max(self._forecast.size(value, self._ctx), 1.0))
        return self._answers[value]

    def _on_scale(self, size: float) -> float:
        return math.log(size if self._goal.target.kind is TargetKind.BYTES else 8 * size / self._pixels)

    def _as_trial(self, value: Any, y: float) -> Trial:
        key = EncodeKey("", "", "", canonical({self._param.name: value}))
        is_size = self._goal.target.kind is TargetKind.BYTES
        size = math.exp(y) if is_size else math.exp(y) * self._pixels / 8
        return Trial(key, round(size), 8 * size / self._pixels)

"""Error maps in the panes: one scale for all of them, colours made off the GUI thread."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.display import colour_table, heat
from engine.metrics import metric
from gui.desk import Desk
from gui.state import State, View
from gui.views.compare import CompareArea

TABLE = "inferno"
OVERLAY = 0.65
TOP_PERCENTILE = 99.8  # a handful of outliers must not darken the rest


class HeatMaps:
    """Keeps the compare area's heat maps in line with the state; call `refresh` after any change."""

    def __init__(self, state: State, desk: Desk, area: CompareArea) -> None:
        self._state, self._desk, self._area = state, desk, area
        self._drawn: dict[int, Any] = {}
        self._tops: dict[int, tuple[np.ndarray, float]] = {}

    def refresh(self) -> None:
        state = self._state
        if not (state.view in (View.ERROR, View.BITS_ERROR) or state.overlay):
            self._clear()
            return
        maps = self._maps()
        lo, hi = self._scale(maps)
        info = metric(state.map_metric).info
        if maps:
            self._area.set_heat_scale(info.map_label or info.label, info.map_unit, lo, hi, colour_table(TABLE))
        opacity = OVERLAY if state.overlay and state.view is View.PICTURE else 1.0
        for lane_id in [lane.id for lane in state.lanes]:
            self._refresh_lane(lane_id, maps.get(lane_id), lo, hi, opacity)

    def _refresh_lane(self, lane_id: int, values: np.ndarray | None, lo: float, hi: float, opacity: float) -> None:
        if str(lane_id) not in self._area.keys:
            self._drawn.pop(lane_id, None)
            return
        wanted = (id(values), lo, hi, opacity) if values is not None else None
        if self._drawn.get(lane_id) == wanted:
            return
        self._drawn[lane_id] = wanted
        if values is None:
            self._area.set_heat(str(lane_id), None)
            return

        def place(rgb: np.ndarray) -> None:
            if self._drawn.get(lane_id) == wanted and str(lane_id) in self._area.keys:
                self._area.set_heat(str(lane_id), rgb, opacity)

        self._desk.apart(lambda: heat(values, lo, hi, TABLE), place)

    def _clear(self) -> None:
        for lane_id, drawn in self._drawn.items():
            if drawn is not None and str(lane_id) in self._area.keys:
                self._area.set_heat(str(lane_id), None)
        self._drawn.clear()
        self._area.clear_heat_scale()

    def _maps(self) -> dict[int, np.ndarray]:
        found = {}
        for lane in self._state.lanes:
            values = self._state.outcome(lane.id).maps.get(self._state.map_metric)
            if values is not None and values.size:
                found[lane.id] = values
        return found

    def _scale(self, maps: dict[int, np.ndarray]) -> tuple[float, float]:
        """From 0 to a round figure just above nearly the largest error of any lane: one scale for all panes."""
        self._tops = {lane_id: self._top(lane_id, values) for lane_id, values in maps.items()}
        hi = round_up(max((top for _, top in self._tops.values()), default=0.0))
        limit = metric(self._state.map_metric).info.map_range
        return 0.0, min(hi, limit[1]) if limit is not None else hi

    def _top(self, lane_id: int, values: np.ndarray) -> tuple[np.ndarray, float]:
        known = self._tops.get(lane_id)
        if known is not None and known[0] is values:
            return known
        sample = values[:: max(1, values.shape[0] // 512), :: max(1, values.shape[1] // 512)]
        return values, float(np.percentile(sample, TOP_PERCENTILE))


def round_up(value: float) -> float:
    """The next of 1, 2, 3, 5 times a power of ten; 1 for what is not positive."""
    if not (value > 0 and math.isfinite(value)):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 3, 5, 10) if value <= step * power * (1 + 1e-9))

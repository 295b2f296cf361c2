"""Maps in the panes: of error, of bits, or both crossed; one scale for all, colours made off the GUI thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.crossed import crossed
from engine.display import colour_table, heat
from engine.metric import MetricInfo
from engine.metrics import metric
from gui.desk import Desk
from gui.state import Lane, State, View
from gui.views.compare import CompareArea
from gui.widgets.colour_bar import Scale
from gui.widgets.colour_square import CrossScale

ERROR_TABLE, BITS_TABLE = "inferno", "ice"
OVERLAY = 0.65
TOP_PERCENTILE = 99.8  # a handful of outliers must not darken the rest
BITS_UNIT = "bits per pixel"

Maps = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _Drawing:
    """How a lane's maps become colours. scale: what it depends on besides them."""

    draw: Callable[..., np.ndarray]
    scale: tuple[object, ...]
    opacity: float = 1.0


class HeatMaps:
    """Keeps the compare area's maps in line with the state; call `refresh` after any change."""

    def __init__(self, state: State, desk: Desk, area: CompareArea) -> None:
        self._state, self._desk, self._area = state, desk, area
        self._view = View.PICTURE  # what the scale is of
        self._drawn: dict[int, object] = {}
        self._measures: dict[tuple[str, int], tuple[np.ndarray, float]] = {}

    def refresh(self) -> None:
        state = self._state
        if not (state.shows_errors or state.shows_bits):
            self._clear()
            return
        maps = {lane.id: found for lane in state.lanes if (found := self._maps(lane)) is not None}
        if not maps and state.view is not self._view:
            self._area.set_scale(None)
        self._view = state.view
        in_use = {id(values) for each in maps.values() for values in each}
        self._measures = {key: known for key, known in self._measures.items() if id(known[0]) in in_use}
        drawing = self._drawing(maps) if maps else None
        for lane in state.lanes:
            self._refresh_lane(lane.id, maps.get(lane.id), drawing)

    def _maps(self, lane: Lane) -> Maps | None:
        """What the view shows of a lane, None while not all of it is there."""
        state, outcome = self._state, self._state.outcome(lane.id)
        found = []
        if state.shows_bits:
            found.append(outcome.bits.bits if outcome.bits is not None else None)
        if state.shows_errors:
            found.append(outcome.maps.get(state.map_metric))
        whole = tuple(values for values in found if values is not None and values.size)
        return whole if len(whole) == len(found) else None

    def _drawing(self, maps: dict[int, Maps]) -> _Drawing:
        """Sets the scale that all panes share, and says how to draw by it."""
        state, info = self._state, metric(self._state.map_metric).info
        if state.view is View.BITS_ERROR:
            return self._crossed(maps, info)
        if state.view is View.BITS:
            label, unit, table, limit = "Bits", BITS_UNIT, BITS_TABLE, None
        else:
            label, unit, table, limit = info.map_label or info.label, info.map_unit, ERROR_TABLE, info.map_range
        # From 0 to a round figure just above nearly the largest value of any lane.
        hi = round_up(max(self._measured("top", lane_id, values) for lane_id, (values,) in maps.items()))
        hi = min(hi, limit[1]) if limit is not None else hi
        self._area.set_scale(Scale(label, unit, 0.0, hi, colour_table(table)))
        opacity = OVERLAY if state.view is View.PICTURE else 1.0
        return _Drawing(partial(heat, lo=0.0, hi=hi, name=table), (hi, table), opacity)

    def _crossed(self, maps: dict[int, Maps], info: MetricInfo) -> _Drawing:
        def middle(name: str, which: int) -> float:
            return float(np.mean([self._measured(name, lane_id, each[which]) for lane_id, each in maps.items()]))

        bits, error = middle("mean bits", 0), middle("mean error", 1)
        self._area.set_scale(CrossScale(bits, error, info.label, info.map_unit))
        return _Drawing(partial(crossed, middle_bits=bits, middle_error=error), (bits, error))

    def _refresh_lane(self, lane_id: int, maps: Maps | None, drawing: _Drawing | None) -> None:
        if str(lane_id) not in self._area.keys:
            self._drawn.pop(lane_id, None)
            return
        if maps is None or drawing is None:
            if self._drawn.pop(lane_id, None) is not None:
                self._area.set_heat(str(lane_id), None)
            return
        wanted = (*map(id, maps), *drawing.scale, drawing.opacity)
        if self._drawn.get(lane_id) == wanted:
            return
        self._drawn[lane_id] = wanted

        def place(rgb: np.ndarray) -> None:
            if self._drawn.get(lane_id) == wanted and str(lane_id) in self._area.keys:
                self._area.set_heat(str(lane_id), rgb, drawing.opacity)

        self._desk.apart(lambda: drawing.draw(*maps), place)

    def _clear(self) -> None:
        for lane_id in self._drawn:
            if str(lane_id) in self._area.keys:
                self._area.set_heat(str(lane_id), None)
        self._drawn.clear()
        self._measures.clear()
        self._area.set_scale(None)

    def _measured(self, name: str, lane_id: int, values: np.ndarray) -> float:
        """The top or mean of a map, from a sample of it, remembered as long as it is the same."""
        known = self._measures.get((name, lane_id))
        if known is not None and known[0] is values:
            return known[1]
        sample = values[:: max(1, values.shape[0] // 512), :: max(1, values.shape[1] // 512)]
        measure = float(np.percentile(sample, TOP_PERCENTILE)) if name == "top" else float(sample.mean())
        self._measures[name, lane_id] = values, measure
        return measure


def round_up(value: float) -> float:
    """The next of 1, 2, 3, 5 times a power of ten; 1 for what is not positive."""
    if not (value > 0 and math.isfinite(value)):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 3, 5, 10) if value <= step * power * (1 + 1e-9))

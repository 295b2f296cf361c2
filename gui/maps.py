"""The maps that the view needs: of the error, and of where the bits went; asked for when they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import registry
from engine.bit_map import BitMap
from engine.carry import planes_in
from engine.image import Image
from engine.jobs import Event
from engine.jobs import State as Job
from engine.tasks import BitsTask, MapTask, Solved
from gui.desk import FINAL, Desk
from gui.state import Lane, Outcome, State, Topic, tells_bits

MAP_JOBS = ("map", "bits")
_NOTHING = np.zeros((0, 0), np.float32)  # stands for a map that could not be made, so that it is not asked for again


class MapKeeper:
    """Has the maps made that the panes in view show and do not have; `want` after any change of either."""

    def __init__(self, state: State, desk: Desk) -> None:
        self._state, self._desk = state, desk
        state.subscribe(Topic.VIEW, self.want)

    def want(self) -> None:
        """Ask for what is missing."""
        state = self._state
        image = state.current.image if state.current else None
        if image is None or not (state.shows_errors or state.shows_bits):
            return
        for lane in filter(None, map(state.lane, state.shown())):
            outcome = state.outcome(lane.id)
            if outcome.solved is not None:
                self._want_errors(lane, outcome, outcome.solved, image)
                self._want_bits(lane, outcome, outcome.solved)

    def _want_errors(self, lane: Lane, outcome: Outcome, solved: Solved, image: Image) -> None:
        state, metric_id = self._state, self._state.map_metric
        # Where the bits are unknown, there is nothing to cross the error with.
        wanted = state.shows_errors and (not state.shows_bits or tells_bits(lane))
        if wanted and metric_id not in outcome.maps:

            def keep(values: np.ndarray | None) -> None:
                outcome.maps[metric_id] = _NOTHING if values is None else values

            self._start(("map", lane.id), MapTask(image, solved.decoded, metric_id), outcome, keep)

    def _want_bits(self, lane: Lane, outcome: Outcome, solved: Solved) -> None:
        if self._state.shows_bits and tells_bits(lane) and outcome.bits is None:

            def keep(bits: BitMap | None) -> None:
                outcome.bits = bits or BitMap(_NOTHING)

            planes = planes_in(solved.decoded, registry.codec(lane.codec).info)
            task = BitsTask(lane.codec, solved.data, solved.decoded.pixels.size, planes)
            self._start(("bits", lane.id), task, outcome, keep)

    def _start(self, key: tuple[str, int], task: Any, outcome: Outcome, keep: Callable[[Any], None]) -> None:
        """Start a task unless it is under way. keep: gets its result if that is wanted still; None if it failed."""
        solved = outcome.solved

        def on(event: Event) -> None:
            if event.state is Job.DONE and outcome.solved is solved:
                keep(event.value)
                self._state.announce(Topic.OUTCOME)
            elif event.state is Job.FAILED:
                keep(None)
                lane = self._state.lane(key[1])
                self._desk.complain(f"{lane.label}: {event.error}" if lane else event.error)
            if event.state in FINAL:
                self._desk.post(self.want)

        if not self._desk.holds(key):
            self._desk.start(key, task, on, priority=3)

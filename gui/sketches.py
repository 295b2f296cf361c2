"""Curves of the current picture, filled in the background once every lane has its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.jobs import Event
from engine.jobs import State as Job
from engine.sketch import SketchTask
from engine.trial import canonical
from gui.desk import Desk
from gui.judged import wanted_metrics
from gui.state import Lane, Phase, Source, State
from gui.times import Keep

CURVE_RATES = (0.1, 2.0, 0.5, 0.2, 1.0, 0.3, 0.7, 1.5)  # bpp, in the order in which they tell most


class Sketches:
    """Has curves filled; keep: puts trials where those of a lane on a source are kept. blobs: the store's files."""

    def __init__(self, state: State, desk: Desk, blobs: Path, keep: Keep) -> None:
        self._state, self._desk, self._blobs, self._keep = state, desk, blobs, keep
        self._made: set[tuple[int, int, str, tuple[str, ...]]] = set()

    def forget(self, source_id: int | None = None) -> None:
        """Take the curves of a source, or all of them, for not yet filled."""
        self._made = {each for each in self._made if source_id is not None and each[0] != source_id}

    def want(self) -> None:
        """Fill what is not filled, unless a search is still on."""
        source = self._state.current
        if source is None or source.image is None:
            return
        outcomes = {lane.id: self._state.outcome(lane.id) for lane in self._state.lanes}
        if any(o.phase in (Phase.QUEUED, Phase.RUNNING) for o in outcomes.values()):
            return
        for lane in self._state.lanes:
            key = ("curve", lane.id)
            if outcomes[lane.id].phase is not Phase.DONE or self._desk.holds(key):
                continue
            known = tuple(self._state.curve(lane.id))
            metrics = wanted_metrics(source.image, self._state.score_metric, quick=True)
            made = (source.id, lane.id, canonical(lane.settings), metrics)
            if made in self._made:
                continue
            task = SketchTask(source.image, lane.codec, lane.settings, metrics, known, self._blobs, CURVE_RATES)
            self._desk.start(key, task, self._on_curve(source, lane), priority=-1)
            self._made.add(made)

    def _on_curve(self, source: Source, lane: Lane) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            if event.state is Job.PARTIAL:
                self._keep(source, lane, (event.value,))
            elif event.state is Job.DONE:
                self._keep(source, lane, event.value)

        return on

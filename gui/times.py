"""Times of the answers that are shown, taken alone: nothing else runs meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from engine.jobs import Event
from engine.jobs import State as Job
from engine.tasks import MeasureTimesTask
from engine.trial import Trial
from gui.desk import Desk
from gui.state import Lane, Source, State, Topic

Keep = Callable[[Source, Lane, Iterable[Trial]], None]


class Times:
    """Has times measured; keep: puts a trial with new ones where the trials of a lane on a source are kept."""

    def __init__(self, state: State, desk: Desk, keep: Keep) -> None:
        self._state, self._desk, self._keep = state, desk, keep

    def measure(self) -> None:
        """Time every lane's answer alone, one after the other."""
        source = self._state.current
        if source is None or source.image is None:
            return
        for lane in self._state.lanes:
            trial = self._state.outcome(lane.id).trial
            if trial is not None:
                task = MeasureTimesTask(source.image, lane.codec, trial.settings)
                self._desk.start(("times", lane.id), task, partial(self._on_event, source, lane), lane="timing")

    def _on_event(self, source: Source, lane: Lane, event: Event) -> None:
        if event.state is Job.DONE:
            self._place(source, lane, event.value)
        elif event.state is Job.FAILED:
            self._desk.complain(f"{lane.label}: {event.error}")

    def _place(self, source: Source, lane: Lane, timed: Trial) -> None:
        outcome = self._state.outcome(lane.id, source.id)
        if outcome.solved is None or outcome.solved.result.best.key != timed.key:
            return
        result = outcome.solved.result
        best = replace(result.best, encode_s=timed.encode_s, decode_s=timed.decode_s, busy=timed.busy)
        outcome.solved = replace(outcome.solved, result=replace(result, best=best))
        self._keep(source, lane, (best,))
        self._state.announce(Topic.OUTCOME)

"""Decode passports of the answers that are shown: asked for when all is at rest, or when a person wants one.

Learned codecs get theirs unasked, one fresh process at a time, and not before nothing has moved for a moment: while a
rate is dragged none is begun. What the store knows is not done again, but for what was broken.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer

from engine import registry
from engine.errors import EngineError
from engine.jobs import Event
from engine.jobs import State as Job
from engine.passport import Passport, Verdict
from engine.passport.task import PassportTask, coded_symbols
from engine.store import Recorder, RunStore
from engine.tasks import Solved
from engine.trial import Trial
from gui import preferences
from gui.desk import FINAL, Desk
from gui.state import Lane, Phase, State, Topic

PASSPORT = "passport"
REST_MS = 700  # nothing has moved for so long
_FAMILY = "learned"
_BUSY = (Phase.QUEUED, Phase.RUNNING)

Later = Callable[[int, Callable[[], None]], None]


class Passports:
    """Gives the outcomes of the current source their passports.

    tell: says something in the window. later: calls after so many milliseconds, on the GUI thread.
    """

    def __init__(
        self, state: State, desk: Desk, store: RunStore, tell: Callable[[str], None], later: Later = QTimer.singleShot
    ) -> None:
        self._state, self._desk, self._store, self._tell, self._later = state, desk, store, tell, later
        self._recorder = Recorder(store, lambda text: desk.post(lambda: desk.complain(text)))
        self._seen: dict[int, str | None] = {}  # by lane: the file that was looked after, so that none is twice
        state.subscribe(Topic.OUTCOME, self.want)

    def want(self) -> None:
        """Look after one answer of a learned codec that has no passport, once no search is under way."""
        state = self._state
        outcomes = [(lane, state.outcome(lane.id)) for lane in state.lanes]
        for lane, outcome in outcomes:
            if outcome.phase in _BUSY:
                self._seen.pop(lane.id, None)
        under_way = any(key[0] == PASSPORT for key in self._desk.taken())
        if under_way or any(outcome.phase in _BUSY for _, outcome in outcomes):
            return
        for lane, outcome in outcomes:
            trial, wanted = outcome.trial, registry.codec(lane.codec).info.family == _FAMILY
            if not wanted or trial is None or outcome.passport is not None or self._seen.get(lane.id) == trial.blob:
                continue
            self._seen[lane.id] = trial.blob
            stamp = self._desk.reserve((PASSPORT, lane.id))
            self._later(REST_MS, partial(self._look_up, lane, trial, stamp))
            return

    def check(self, lane: Lane | None) -> None:
        """Have the lane's answer decoded now, whatever is known of it, and say what came of it."""
        solved = self._state.outcome(lane.id).solved if lane is not None else None
        if lane is None or solved is None:
            self._tell("There is no file to decode yet: choose a codec's pane once it is done")
            return
        self._seen[lane.id] = solved.result.best.blob
        self._begin(lane, solved, asked=True)

    def _look_up(self, lane: Lane, trial: Trial, stamp: int) -> None:
        if self._desk.holds((PASSPORT, lane.id), stamp):
            self._desk.apart(partial(self._recalled, trial), partial(self._on_recalled, lane, trial, stamp))

    def _recalled(self, trial: Trial) -> Passport | None:
        """What the store knows; one that cannot be read knows nothing."""
        try:
            found = self._store.find(trial.key)
        except EngineError:
            return None
        return found.passport if found is not None and found.blob == trial.blob else None

    def _on_recalled(self, lane: Lane, trial: Trial, stamp: int, known: Passport | None) -> None:
        if not self._desk.holds((PASSPORT, lane.id), stamp):
            return
        solved = self._state.outcome(lane.id).solved
        if solved is None or solved.result.best.blob != trial.blob:
            self._desk.cancel([(PASSPORT, lane.id)])
        elif known is not None and known.verdict is not Verdict.BROKEN:
            self._desk.cancel([(PASSPORT, lane.id)])
            self._place(lane, trial, known)
        elif preferences.checks_learned():
            self._begin(lane, solved)
        else:
            self._desk.cancel([(PASSPORT, lane.id)])

    def _begin(self, lane: Lane, solved: Solved, *, asked: bool = False) -> None:
        trial = solved.result.best
        kept = self._store.blobs.path(trial.blob) if trial.blob else None
        task = PassportTask(lane.codec, solved.data, solved.decoded, coded_symbols(trial.stats), kept)
        on = partial(self._on_event, lane, trial, asked)
        self._desk.start((PASSPORT, lane.id), task, on, priority=2 if asked else 0)

    def _on_event(self, lane: Lane, trial: Trial, asked: bool, event: Event) -> None:
        if event.state is Job.DONE:
            passport: Passport = event.value
            self._place(lane, trial, passport)
            self._desk.apart(lambda: self._recorder.passport(trial, passport), lambda _done: None)
            if passport.verdict is Verdict.BROKEN:
                self._desk.complain(f"{lane.label} · {passport.words}")
            elif asked:
                self._tell(f"{lane.label} · {passport.words}")
        elif event.state is Job.FAILED and asked:
            self._desk.complain(f"{lane.label}: {event.error}")
        if event.state in FINAL:
            self._desk.post(self.want)

    def _place(self, lane: Lane, trial: Trial, passport: Passport) -> None:
        outcome = self._state.outcome(lane.id)
        if outcome.trial is not None and outcome.trial.blob == trial.blob:
            outcome.passport = passport
            self._state.announce(Topic.OUTCOME)

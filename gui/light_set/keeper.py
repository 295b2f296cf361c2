"""What every map of the set becomes with every lane, measured in the background while somebody looks. No Qt in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.jobs import Event
from engine.jobs import State as Job
from engine.light_sets.measured import Measured, Original, SetTask, Total
from engine.trial import canonical
from gui.desk import Desk
from gui.state import Lane, Outcome, Phase, Source, State, Topic

JOB = "set"
Wish = tuple[object, ...]


@dataclass
class MapRow:
    """What is known of one map. lanes: by lane id; what is missing is still to be measured."""

    source: int
    original: Original | None = None
    lanes: dict[int, Measured] = field(default_factory=dict)
    error: str = ""


class SetKeeper:
    """Measures what is missing of the sources that are open, at the target that is set; `changed` hears of news.

    Nothing is done before :meth:`look` says that somebody looks, nor after it says that nobody does.
    """

    def __init__(self, state: State, desk: Desk, changed: Callable[[], None]) -> None:
        self._state, self._desk, self._changed = state, desk, changed
        self._looking = False
        self._rows: dict[int, MapRow] = {}
        self._wishes: dict[tuple[int, int], Wish] = {}  # what a measured cell answers
        self._asked: dict[int, tuple[Wish, ...]] = {}  # of each source, what was asked for last
        for topic in (Topic.SOURCES, Topic.LANES, Topic.TARGET):
            state.subscribe(topic, self._stirred)
        state.subscribe(Topic.OUTCOME, self._solved)

    def look(self, looking: bool) -> None:
        """Whether the set is in view."""
        self._looking = looking
        if looking:
            self._asked.clear()
            self._stirred()
        else:
            self._desk.cancel(key for key in self._desk.taken() if key[0] == JOB)

    def rows(self) -> list[MapRow]:
        """A row for each source, in their order."""
        return [self._rows.get(source.id) or MapRow(source.id) for source in self._state.sources]

    def original_total(self) -> Total:
        """Of the maps that were read."""
        found = (_original(source) for source in self._state.sources)
        return Total.of((each.disk, each.vram) for each in found if each is not None)

    def total(self, lane: int) -> Total:
        """Of the maps that a lane was measured on."""
        trials = (measured.trial for row in self.rows() if (measured := row.lanes.get(lane)) is not None)
        return Total.of((trial.size, trial.stats["vram_bytes"]) for trial in trials if trial is not None)

    def waits(self) -> int:
        """How many maps are still being measured."""
        return sum(key[0] == JOB for key in self._desk.taken())

    # -- what is missing

    def _stirred(self) -> None:
        if not self._looking:
            return
        ids = {source.id for source in self._state.sources}
        self._rows = {each: row for each, row in self._rows.items() if each in ids}
        coded = self._coded()
        for source in self._state.sources:
            if source.error:
                self._rows[source.id] = MapRow(source.id, error=source.error)
                self._asked.pop(source.id, None)
            elif source.phase is not Phase.QUEUED:
                self._want(source, coded)
        self._changed()

    def _solved(self) -> None:
        if self._looking and self._state.current is not None and not self._state.current.error:
            self._want(self._state.current, self._coded())
            self._changed()

    def _coded(self) -> dict[int, Wish]:
        return {lane.id: (lane.codec, canonical(lane.settings), self._state.target) for lane in self._state.lanes}

    def _want(self, source: Source, coded: dict[int, Wish]) -> None:
        row = self._rows.setdefault(source.id, MapRow(source.id))
        row.original = _original(source)
        pixels: Wish = (source.path, source.file, source.fixes, source.read_as)
        wishes = {lane: (*pixels, *rest) for lane, rest in coded.items()}
        row.lanes = {
            each: known for each, known in row.lanes.items() if self._wishes.get((source.id, each)) == wishes.get(each)
        }
        for lane in self._state.lanes:
            self._take_over(source, lane, row, wishes[lane.id])
        missing = tuple(lane for lane in self._state.lanes if lane.id not in row.lanes)
        asked = tuple(wishes[lane.id] for lane in missing)
        key = (JOB, source.id)
        if not missing:
            self._desk.cancel([key])
            self._asked.pop(source.id, None)
        elif not set(asked) <= set(self._asked.get(source.id, ())):
            self._asked[source.id], row.error = asked, ""
            lanes = tuple((lane.id, lane.codec, dict(lane.settings)) for lane in missing)
            task = SetTask(source.path, lanes, self._state.target, source.fixes, source.read_as)
            self._desk.start(key, task, self._on_measured(source, wishes), priority=-3)

    def _take_over(self, source: Source, lane: Lane, row: MapRow, wish: Wish) -> None:
        """What the panes have measured need not be measured again."""
        outcome: Outcome | None = self._state.outcomes.get(source.id, {}).get(lane.id)
        if outcome is None or outcome.phase is not Phase.DONE or outcome.target != self._state.target:
            return
        if outcome.solved is not None and not outcome.early:
            row.lanes[lane.id] = Measured(outcome.solved.result.best, outcome.solved.result.reached)
            self._wishes[source.id, lane.id] = wish

    def _on_measured(self, source: Source, wishes: dict[int, Wish]) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            row = self._rows.get(source.id)
            if row is None:
                return
            if event.state is Job.PARTIAL:
                lane, measured = event.value
                row.lanes[lane] = measured
                self._wishes[source.id, lane] = wishes[lane]
            elif event.state is Job.FAILED:
                row.error = event.error
            if event.state in (Job.PARTIAL, Job.DONE, Job.FAILED):
                self._changed()

        return on


def _original(source: Source) -> Original | None:
    if source.size is None or source.file is None:
        return None
    width, height = source.size
    vram = width * height * (4 if source.bits <= 8 else 8)
    return Original(source.meaning, width, height, source.file.size, vram)

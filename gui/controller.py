"""What people do, turned into state and jobs; what jobs bring back, turned into state. No Qt in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import registry
from engine.display import Shown, displayable
from engine.errors import EngineError
from engine.files import FileMark
from engine.film import Film
from engine.image import Image, Meaning
from engine.importance import Importance
from engine.io import Loaded
from engine.jobs import Event
from engine.jobs import State as Job
from engine.store import Recorder, RunStore
from engine.tasks import Beginning, LoadTask, Solved, SolveTask, Thumbnail, ThumbnailTask
from engine.tone import Tone
from engine.trial import RateResult, Target, Trial
from gui.bakes import whole_bake
from gui.desk import Desk
from gui.folders import pictures_in
from gui.judged import wanted_metrics
from gui.lanes import customised, lane_settings, same_curve
from gui.maps import MAP_JOBS, MapKeeper
from gui.painted import of_plain_picture, with_region
from gui.passports import PASSPORT
from gui.sketches import Sketches
from gui.state import Lane, Outcome, Phase, Source, State, Topic
from gui.times import Times

NOT_FOUND = "not found: double-click to locate it"
Recalled = tuple[tuple[Trial, ...], RateResult | None]
ANSWER_JOBS = (*MAP_JOBS, "curve", PASSPORT)  # what is done with an answer once it is there
LANE_JOBS = ("solve", *ANSWER_JOBS, "times")


class Controller:
    """All that the window can ask for. Public methods are called on the GUI thread and return at once."""

    def __init__(self, state: State, desk: Desk, store: RunStore) -> None:
        self.state, self.desk, self.store = state, desk, store
        self._recorder = Recorder(store, lambda text: desk.post(lambda: desk.complain(text)))
        self._incoming: int | None = None  # the source that is being read to become the current one
        self._maps = MapKeeper(state, desk)
        self.times = Times(state, desk, self._keep)
        self._sketches = Sketches(state, desk, store.blobs.folder, self._keep)

    def close(self) -> None:
        self.desk.close()
        self.store.close()

    # -- sources

    def open_paths(self, paths: Iterable[Path]) -> None:
        """Files with the rest of their bakes, folders searched; the first new one becomes the current."""
        found: list[Path] = []
        for path in paths:
            if path.is_dir():
                inside = pictures_in(path)
                if not inside:
                    self.desk.complain(f"{path}: no pictures in this folder")
                found += (each.absolute() for each in inside)
            else:
                found += whole_bake(path.absolute())
        added = [self.state.add_source(path) for path in found]
        for source in added:
            if source.thumbnail is None and source.phase is not Phase.RUNNING:
                self._want_thumbnail(source)
        if added:
            self.choose_source(added[0].id)

    def _want_thumbnail(self, source: Source) -> None:
        task = ThumbnailTask(source.path, meaning=source.read_as)
        self.desk.start(("thumbnail", source.id), task, self._on_thumbnail(source), priority=-2)

    @property
    def chosen_id(self) -> int | None:
        """The source that is current, or about to be."""
        return self._incoming if self._incoming is not None else self.state.current_id

    def choose_source(self, source_id: int) -> None:
        """Read a source; it becomes the current one once that worked, and until then the old one stays."""
        source = self.state.source(source_id)
        if source is None or source_id == self.chosen_id:
            return
        self._load(source)
        self.state.announce(Topic.SOURCES)

    def _load(self, source: Source) -> None:
        self._incoming, source.phase = source.id, Phase.RUNNING
        task = LoadTask(source.path, source.fixes, source.read_as)
        self.desk.start(("load",), task, self._on_loaded(source), priority=10)

    def bring_back(self, path: Path, file: FileMark | None, missing: bool, read_as: Meaning | None = None) -> Source:
        """A row for a picture that a session knows by `file`; nothing is read of one that is missing."""
        source = self.state.add_source(path)
        source.file, source.missing, source.read_as = file, missing, read_as
        if missing:
            source.phase, source.error = Phase.FAILED, NOT_FOUND
        else:
            self._want_thumbnail(source)
        return source

    def relocate(self, source_id: int, path: Path) -> None:
        """Let a row stand for another file, which a missing picture turned out to be."""
        source = self.state.source(source_id)
        if source is None or not self.state.move_source(source_id, path):
            return
        source.missing, source.error, source.phase = False, "", Phase.QUEUED
        self._want_thumbnail(source)
        if self.chosen_id is None:
            self.choose_source(source_id)

    def clear(self) -> None:
        """Give up all work but the writing of files, and begin with nothing."""
        self.desk.cancel(key for key in self.desk.taken() if key[0] != "write")
        self._incoming = None
        self._sketches.forget()
        self.state.clear()

    def remove_source(self, source_id: int) -> None:
        """Take a source off the list; if it was the current one, its neighbour follows."""
        self.desk.cancel([("thumbnail", source_id)])
        if source_id == self._incoming:
            self._incoming = None
            self.desk.cancel([("load",)])
        was_current = source_id == self.state.current_id
        ids = [source.id for source in self.state.sources]
        at = ids.index(source_id)
        ids.pop(at)
        if was_current:
            self._cancel_lane_jobs()
        self.state.remove_source(source_id)
        if was_current and ids and self._incoming is None:
            self.choose_source(ids[min(at, len(ids) - 1)])

    def reload_current(self) -> None:
        """Read the current picture's file again, or that of the failed one that was wanted."""
        if self.state.current is not None:
            self._read_again(self.state.current)

    def read_anew(self, path: Path) -> bool:
        """A file was written anew: read the picture that is looked at again, of others the row. False if it is none."""
        written = [source for source in self.state.sources if source.path == path]
        for source in written:
            if source.id == self.chosen_id:
                self._read_again(source)
            else:
                source.phase, source.error, source.file = Phase.QUEUED, "", None
                self._want_thumbnail(source)
        return bool(written)

    def mend(self, fixes: tuple[str, ...]) -> None:
        """Look at the current picture with these fixes of the doctor, and no others, from now on."""
        source = self.state.current
        if source is not None and source.fixes != fixes:
            source.fixes = fixes
            self._read_again(source)
            self.state.announce(Topic.SOURCES)

    def read_as(self, source_id: int, meaning: Meaning | None) -> None:
        """Take a picture's channels for something else than its name says from now on; None goes back to that."""
        source = self.state.source(source_id)
        if source is not None and source.read_as is not meaning:
            source.read_as = meaning
            self._want_thumbnail(source)
            if source.id == self.chosen_id:
                self._read_again(source)
            self.state.announce(Topic.SOURCES)

    def paint(self, importance: Importance | None) -> None:
        """Let this be what matters in the current picture, and compress it again; old pixels stay meanwhile."""
        source = self.state.current
        if source is None or source.image is None or source.importance == importance:
            return
        source.importance, source.image = importance, replace(source.image, importance=importance)
        self._cancel_lane_jobs()
        self._sketches.forget(source.id)
        self.state.new_terms(source.id)
        self.solve_all()

    def _read_again(self, source: Source) -> None:
        source.file, source.changed = None, False
        self._load(source)

    def _on_thumbnail(self, source: Source) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            if event.state is Job.DONE:
                self._describe(source, event.value)
            elif event.state is Job.FAILED:
                self._source_failed(source, event.error)

        return on

    def _describe(self, source: Source, facts: Thumbnail) -> None:
        source.thumbnail, source.size, source.bits = facts.pixels, facts.size, facts.bits
        source.colour, source.notes, source.format = facts.colour, facts.notes, facts.format
        source.data = facts.data
        self._recognise(source, facts.file)
        if source.phase in (Phase.QUEUED, Phase.IDLE):
            source.phase = Phase.DONE
        self.state.announce(Topic.SOURCES)

    @staticmethod
    def _recognise(source: Source, file: FileMark) -> None:
        """Compare what was read with what a session knows."""
        source.changed = source.changed or (source.file is not None and source.file != file)
        source.file = file

    def _source_failed(self, source: Source, error: str) -> None:
        told = source.phase is Phase.FAILED
        source.phase, source.error = Phase.FAILED, error
        if not told:
            self.desk.complain(error)
        self.state.announce(Topic.SOURCES, Topic.CURRENT)

    def _on_loaded(self, source: Source) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            if event.state is Job.FAILED:
                self._incoming = None
                self._source_failed(source, event.error)
            elif event.state is Job.CANCELLED:
                self._incoming = None
            elif event.state is Job.DONE:
                loaded: Loaded = event.value
                self.desk.apart(
                    lambda: displayable(loaded.image), lambda shown: self._place_source(source, loaded, shown)
                )

        return on

    def _place_source(self, source: Source, loaded: Loaded, display: Shown) -> None:
        if source.id != self._incoming or self.state.source(source.id) is None:
            return
        self._incoming = None
        self._cancel_lane_jobs()
        image = with_region(source, loaded.image)
        again = source is self.state.current and source.image is not None
        if again and source.image is not None and source.image.digest != image.digest:
            self.state.forget_results(source.id)
        self.state.choose_source(source.id)
        source.image, source.display, source.phase, source.error = image, display, Phase.DONE, ""
        source.notes, source.format, source.bits = loaded.notes, loaded.format, image.bits
        source.findings, source.data = loaded.findings, image.data
        source.size, source.colour = (image.width, image.height), str(image.color)
        if isinstance(display, Film) and source.tone is None:
            source.tone = Tone(exposure=display.auto_exposure)
        self._recognise(source, loaded.file)
        self.state.announce(Topic.CURRENT, Topic.SOURCES)
        self.solve_all()

    # -- lanes and target

    def add_codec(self, codec_id: str, settings: dict[str, Any] | None = None) -> Lane | None:
        try:
            codec = registry.codec(codec_id)
            reason = codec.available()
            if reason:
                raise EngineError(f"{codec.info.label} cannot run: {reason}")
            codec.info.complete(settings)
        except EngineError as error:
            self.desk.complain(str(error))
            return None
        lane = self.state.add_lane(codec_id, codec.info.label, lane_settings(codec.info, settings))
        self.solve(lane)
        return lane

    def duplicate_lane(self, lane_id: int) -> None:
        lane = self.state.lane(lane_id)
        if lane:
            self.add_codec(lane.codec, lane.settings)

    def stop_lane(self, lane_id: int) -> None:
        """Give up what a lane is doing; its former answer, if any, stays."""
        self.desk.cancel((kind, lane_id) for kind in LANE_JOBS)
        self._rest(self.state.outcome(lane_id))
        self.state.announce(Topic.OUTCOME)

    def remove_lane(self, lane_id: int) -> None:
        self.desk.cancel((kind, lane_id) for kind in LANE_JOBS)
        self.state.remove_lane(lane_id)

    def set_lane_settings(self, lane_id: int, settings: dict[str, Any]) -> None:
        lane = self.state.lane(lane_id)
        if lane and self.state.set_lane_settings(lane_id, *customised(lane, settings)):
            self.desk.cancel([("curve", lane_id)])
            self.solve(lane)

    def set_target(self, target: Target) -> None:
        if self.state.set_target(target):
            self.solve_all()

    def set_score_metric(self, metric_id: str) -> None:
        """Judge by another metric; what has no score of it yet is scored in the background."""
        self.state.set_view(score_metric=metric_id)
        self._sketches.want()

    def write(self, task: Any, then: Callable[[], None]) -> None:
        """Run a task that writes a file; `then` once it is there."""

        def on(event: Event) -> None:
            if event.state is Job.DONE:
                then()
            elif event.state is Job.FAILED:
                self.desk.complain(event.error)

        self.desk.start(("write", task.path), task, on, priority=6)

    def retry(self, lane_id: int) -> None:
        lane = self.state.lane(lane_id)
        if lane:
            self.solve(lane)

    def solve_all(self) -> None:
        shown = self.state.shown()
        for lane in sorted(self.state.lanes, key=lambda lane: lane.id not in shown):
            self.solve(lane)

    def solve(self, lane: Lane) -> None:
        """Begin the search for the target on the current source; what the store knows comes first."""
        source = self.state.current
        if source is None or source.image is None:
            return
        outcome = self.state.outcome(lane.id)
        if outcome.phase is Phase.DONE and outcome.target == self.state.target and self._fits(outcome, lane):
            return
        outcome.phase, outcome.progress, outcome.error, outcome.early = Phase.QUEUED, None, "", False
        outcome.beginning = None
        self.state.announce(Topic.OUTCOME)
        self.desk.cancel((kind, lane.id) for kind in ANSWER_JOBS)
        reason = registry.codec(lane.codec).available()
        if reason:  # the lane of a session that was written where the codec could run
            outcome.phase, outcome.error = Phase.FAILED, f"{lane.label} cannot run: {reason}"
            return
        stamp = self.desk.reserve(("solve", lane.id))
        image, target = source.image, self.state.target
        fresh = outcome.solved is None  # what is on the screen may be bettered, what comes back shall be what it was
        self.desk.apart(
            lambda: self._recalled(image, lane, target if fresh else None),
            lambda known: self._begin_solve(stamp, source, lane, *known),
        )

    def _fits(self, outcome: Outcome, lane: Lane) -> bool:
        trial = outcome.trial
        return trial is not None and trial.key.codec == lane.codec and same_curve(trial, lane)

    def _recalled(self, image: Image, lane: Lane, target: Target | None) -> Recalled:
        """What the store knows; a store that cannot be read is said, and the work is done anew."""
        try:
            return self._recall(image, lane, target)
        except EngineError as error:
            message = str(error)
            self.desk.post(lambda: self.desk.complain(message))
            return (), None

    def _recall(self, image: Image, lane: Lane, target: Target | None) -> Recalled:
        named = (image.digest, lane.codec, registry.codec(lane.codec).version())
        known = (*self.store.trials(*named), *of_plain_picture(self.store, image, *named[1:]))
        known = tuple(trial for trial in known if same_curve(trial, lane))
        return known, self.store.answer(*named, lane.settings, target) if target is not None else None

    def _begin_solve(
        self, stamp: int, source: Source, lane: Lane, known: tuple[Trial, ...], answer: RateResult | None
    ) -> None:
        key = ("solve", lane.id)
        if not self.desk.holds(key, stamp) or source is not self.state.current or source.image is None:
            return
        self.state.add_trials(source.id, lane.id, known)
        metrics = wanted_metrics(source.image, self.state.score_metric)
        if answer is not None and answer.target != self.state.target:
            answer = None
        blobs, target = self.store.blobs.folder, self.state.target
        task = SolveTask(source.image, lane.codec, lane.settings, metrics, known, blobs, target, answer)
        shown = lane.id in self.state.shown()
        self.desk.start(key, task, self._on_solve(source, lane, self.state.target), priority=5 if shown else 4)

    def _on_solve(self, source: Source, lane: Lane, target: Target) -> Callable[[Event], None]:
        def on(event: Event) -> None:
            outcome = self.state.outcome(lane.id, source.id)
            if event.state is Job.RUNNING:
                outcome.phase = Phase.RUNNING
            elif event.state is Job.PROGRESS:
                outcome.progress = event.value
            elif event.state is Job.PARTIAL and isinstance(event.value, Solved):
                self._show_solved(source, lane, target, event.value, early=True)
            elif event.state is Job.PARTIAL and isinstance(event.value, Beginning):
                self._show_beginning(source, lane, target, event.value)
            elif event.state is Job.PARTIAL:
                self._keep(source, lane, (event.value,))
            elif event.state is Job.FAILED:
                outcome.beginning = None
                outcome.phase, outcome.error, outcome.progress = Phase.FAILED, event.error, None
                self._sketches.want()
            elif event.state is Job.CANCELLED:
                self._rest(outcome)
            elif event.state is Job.DONE:
                self._show_solved(source, lane, target, event.value)
            self.state.announce(Topic.OUTCOME)

        return on

    def _show_beginning(self, source: Source, lane: Lane, target: Target, beginning: Beginning) -> None:
        """Show the coarser picture, unless the whole was quicker."""

        def place(display: Shown) -> None:
            outcome = self.state.outcome(lane.id, source.id)
            wanted = self.state.lane(lane.id) is lane and source is self.state.current and target == self.state.target
            if wanted and outcome.phase is Phase.RUNNING and not outcome.early:
                outcome.beginning = display
                self.state.announce(Topic.OUTCOME)

        self.desk.apart(lambda: displayable(beginning.decoded), place)

    def _show_solved(self, source: Source, lane: Lane, target: Target, solved: Solved, *, early: bool = False) -> None:
        """Make the answer ready for display, then place it; `early`: its scores are still to come."""

        def place(display: Shown) -> None:
            wanted = self.state.lane(lane.id) is lane and source is self.state.current and target == self.state.target
            if wanted and early:
                outcome = self.state.outcome(lane.id, source.id)
                outcome.solved, outcome.display, outcome.target, outcome.early = solved, display, target, True
                outcome.beginning = None
                outcome.forget_maps()
                self.state.announce(Topic.OUTCOME)
            elif wanted:
                self._place_solved(source, lane, target, solved, display)

        self.desk.apart(lambda: displayable(solved.decoded), place)

    def _place_solved(self, source: Source, lane: Lane, target: Target, solved: Solved, display: Shown) -> None:
        outcome = self.state.outcome(lane.id, source.id)
        outcome.phase, outcome.progress, outcome.error, outcome.early = Phase.DONE, None, "", False
        if outcome.solved is None or outcome.solved.data != solved.data:
            outcome.forget_maps()
        outcome.solved, outcome.display, outcome.target, outcome.beginning = solved, display, target, None
        self._keep(source, lane, (solved.result.best,))
        settings = dict(lane.settings)
        self.desk.apart(lambda: self._recorder.answer(settings, solved.result), lambda _done: None)
        self.state.announce(Topic.OUTCOME)
        self._maps.want()
        self._sketches.want()

    @staticmethod
    def _rest(outcome: Outcome) -> None:
        """Back to the former answer, if there was one."""
        outcome.beginning = None
        if outcome.phase is not Phase.FAILED:
            outcome.phase, outcome.progress = (Phase.DONE if outcome.solved else Phase.IDLE), None

    def _keep(self, source: Source, lane: Lane, trials: Iterable[Trial]) -> None:
        """Put trials on the lane's curve, if it is still the same curve, and into the store."""
        kept = tuple(trial for trial in trials if self.state.lane(lane.id) is lane and same_curve(trial, lane))
        self.state.add_trials(source.id, lane.id, kept)
        self.desk.apart(lambda: self._record(kept), lambda _done: None)

    def _record(self, trials: Iterable[Trial]) -> None:
        for trial in trials:
            self._recorder(trial)

    # -- jobs

    def cancel_all(self) -> None:
        """Give up everything that runs or waits."""
        self.desk.cancel(self.desk.taken())
        for lane in self.state.lanes:
            self._rest(self.state.outcome(lane.id))
        for source in self.state.sources:
            if source.phase in (Phase.QUEUED, Phase.RUNNING):
                source.phase = Phase.IDLE
        self.state.announce(Topic.OUTCOME, Topic.SOURCES)

    def _cancel_lane_jobs(self) -> None:
        self.desk.cancel(key for key in self.desk.taken() if key[0] in ("load", *LANE_JOBS))

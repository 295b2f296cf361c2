"""What the window shows, without Qt: sources, lanes, the target, the view, and what came out.

A *lane* is a codec with settings at a place in the comparison. A *rendition* is one thing a pane can show:
the original or a lane. Every change goes through a method here and is announced under a topic, on the
thread that made it (the GUI thread); nobody else writes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine import registry
from engine.bit_map import BitMap
from engine.carry import refusal
from engine.codec import Mapped
from engine.display import Shown
from engine.doctor import Finding
from engine.files import FileMark
from engine.image import Image, Meaning
from engine.importance import Importance
from engine.metrics import metric
from engine.passport import Passport
from engine.tasks import Solved
from engine.tone import NEUTRAL, Tone
from engine.trial import Target, TargetKind, Trial
from gui.models.lit import LitView
from gui.views.layouts import Layout, visible_keys

ORIGINAL = 0  # the rendition that is not a lane; lane ids begin at 1
KEPT_OUTCOMES = 6  # sources whose decoded pictures stay in memory
_JUDGED_BY = {
    Meaning.COLOUR: "flip",
    Meaning.LIGHT: "log2_psnr",
    Meaning.DIRECTION: "angle_mean",
    Meaning.MASK: "mask_worst",
}
SECOND_ANCHOR = "jpeg2000"  # the codec that BD-rates are taken against where the anchor carries no such picture


class Topic(enum.StrEnum):
    SOURCES = "sources"
    CURRENT = "current"
    LANES = "lanes"
    TARGET = "target"
    VIEW = "view"
    OUTCOME = "outcome"
    CURVES = "curves"
    TONE = "tone"
    JOBS = "jobs"


class View(enum.StrEnum):
    PICTURE = "picture"
    ERROR = "error"
    BITS = "bits"
    BITS_ERROR = "bits_error"
    LIT = "lit"
    SCENE = "scene"


ERROR_VIEWS = (View.ERROR, View.BITS_ERROR)
BITS_VIEWS = (View.BITS, View.BITS_ERROR)
LIT_VIEWS = (View.LIT, View.SCENE)


class Phase(enum.StrEnum):
    IDLE = "idle"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass
class Source:
    """A picture that was dropped in. `image` and `display` are there while it is the current one.

    tone: how light is shown, None until a floating-point picture was first looked at.
    file: what its bytes are known by, as a session or the last reading says. missing: a session knows it, but
    there is no such file. changed: its bytes are others than the session knows.
    findings: what the doctor found in it as its file holds it. fixes: those that are applied, by name.
    hides_findings: the doctor's bar was closed for it.
    data: DIRECTION or MASK where its channels are no colours. read_as: what a person said that they are.
    importance: what somebody painted on it, which `image` has too.
    """

    id: int
    path: Path
    name: str
    phase: Phase = Phase.QUEUED
    error: str = ""
    notes: tuple[str, ...] = ()
    format: str = ""
    size: tuple[int, int] | None = None  # width, height
    bits: int = 8
    colour: str = ""
    thumbnail: np.ndarray | None = None
    image: Image | None = None
    display: Shown | None = None
    tone: Tone | None = None
    file: FileMark | None = None
    missing: bool = False
    changed: bool = False
    findings: tuple[Finding, ...] = ()
    fixes: tuple[str, ...] = ()
    hides_findings: bool = False
    data: Meaning | None = None
    read_as: Meaning | None = None
    importance: Importance | None = None

    @property
    def is_float(self) -> bool:
        return self.bits == 32

    @property
    def meaning(self) -> Meaning:
        """What its channels stand for."""
        return self.data or (Meaning.LIGHT if self.is_float else Meaning.COLOUR)


@dataclass
class Lane:
    """A codec in the comparison. `settings` holds every knob but the rate; `place` gives its colour."""

    id: int
    codec: str
    label: str
    settings: dict[str, Any]
    place: int
    visible: bool = True


@dataclass
class Outcome:
    """What a lane made of a source. While a new search runs, `solved` still holds the previous answer."""

    phase: Phase = Phase.IDLE
    progress: float | None = None
    target: Target | None = None  # what `solved` answers
    solved: Solved | None = None
    display: Shown | None = None
    beginning: Shown | None = None  # a coarser picture of the new answer, shown until that is decoded
    early: bool = False  # `solved` is the new answer already, only scores are still to come
    error: str = ""
    maps: dict[str, np.ndarray] = field(default_factory=dict)  # of the error, by metric; empty where there is none
    bits: BitMap | None = None  # of nothing where the file does not tell
    passport: Passport | None = None  # what a fresh process made of the file

    def forget_maps(self) -> None:
        """They belonged to another file, and so did its passport."""
        self.maps, self.bits, self.passport = {}, None, None

    @property
    def stale(self) -> bool:
        return self.solved is not None and not self.early and self.phase in (Phase.QUEUED, Phase.RUNNING)

    @property
    def trial(self) -> Trial | None:
        return self.solved.result.best if self.solved else None


class State:
    """The observable whole. Read its attributes freely; change them through its methods."""

    def __init__(self, target: Target | None = None) -> None:
        self.sources: list[Source] = []
        self.lanes: list[Lane] = []
        self.current_id: int | None = None
        self.target = target or Target(TargetKind.BPP, 0.5)
        self.layout = Layout.GRID
        self.view = View.PICTURE
        self.score_metrics = {**_JUDGED_BY, Meaning.COLOUR: "psnr"}  # by what a picture's channels stand for
        self.map_metrics = dict(_JUDGED_BY)
        self.tone_moves = False  # a control of the tone is being dragged
        self.overlay = False
        self.painting = False
        self.lit = LitView()
        self.active = ORIGINAL
        self.codec = ORIGINAL  # the lane that was active last
        self.anchor: int | None = None
        self.outcomes: dict[int, dict[int, Outcome]] = {}
        self.curves: dict[int, dict[int, dict[str, Trial]]] = {}
        self.running: dict[Any, float | None] = {}
        self._next_id = 1
        self._by_path: dict[Path, Source] = {}
        self._listeners: dict[Topic, list[Callable[[], None]]] = {topic: [] for topic in Topic}

    # -- observing

    def subscribe(self, topic: Topic, listener: Callable[[], None]) -> None:
        self._listeners[topic].append(listener)

    def announce(self, *topics: Topic) -> None:
        for topic in topics:
            for listener in list(self._listeners[topic]):
                listener()

    # -- sources

    @property
    def current(self) -> Source | None:
        return self.source(self.current_id) if self.current_id is not None else None

    def source(self, source_id: int) -> Source | None:
        return next((s for s in self.sources if s.id == source_id), None)

    def add_source(self, path: Path) -> Source:
        """A new row, or the one that is there already for this file."""
        if path in self._by_path:
            return self._by_path[path]
        source = Source(self._new_id(), path, path.stem or path.name)
        self.sources.append(source)
        self._by_path[path] = source
        self.announce(Topic.SOURCES)
        return source

    def move_source(self, source_id: int, path: Path) -> bool:
        """Let a row stand for another file; False where that file has a row already."""
        source = self.source(source_id)
        if source is None or path in self._by_path:
            return False
        del self._by_path[source.path]
        self._by_path[path] = source
        source.path, source.name = path, path.stem or path.name
        self.announce(Topic.SOURCES)
        return True

    def remove_source(self, source_id: int) -> None:
        index = next((i for i, s in enumerate(self.sources) if s.id == source_id), None)
        if index is None:
            return
        del self._by_path[self.sources.pop(index).path]
        self.outcomes.pop(source_id, None)
        self.curves.pop(source_id, None)
        self.announce(Topic.SOURCES)
        if self.current_id == source_id:
            self.choose_source(None)

    def choose_source(self, source_id: int | None) -> None:
        if source_id == self.current_id:
            return
        if self.current is not None:
            self.current.image = self.current.display = None
        self.current_id = source_id
        if source_id is not None:
            self._forget_old_outcomes(source_id)
        self.announce(Topic.CURRENT, Topic.SOURCES, Topic.CURVES)

    def clear(self) -> None:
        """Back to an empty comparison; target and view stay."""
        self.sources, self.lanes, self.outcomes, self.curves = [], [], {}, {}
        self._by_path.clear()
        self.current_id = self.anchor = None
        self.active = self.codec = ORIGINAL
        self.announce(*(topic for topic in Topic if topic is not Topic.TARGET))

    def forget_results(self, source_id: int) -> None:
        """Drop what belonged to other pixels than a source has now."""
        self.outcomes.pop(source_id, None)
        self.curves.pop(source_id, None)
        self.announce(Topic.OUTCOME, Topic.CURVES)

    def new_terms(self, source_id: int) -> None:
        """The pixels are the same, what is asked of them is not: what came out stands until it is bettered."""
        for outcome in self.outcomes.get(source_id, {}).values():
            outcome.target = None
        self.curves.pop(source_id, None)
        self.announce(Topic.CURRENT, Topic.OUTCOME, Topic.CURVES)

    def _forget_old_outcomes(self, newest: int) -> None:
        self.outcomes[newest] = self.outcomes.pop(newest, {})  # a dict keeps order: newest last
        for source_id in list(self.outcomes)[:-KEPT_OUTCOMES]:
            del self.outcomes[source_id]

    # -- lanes

    def lane(self, lane_id: int) -> Lane | None:
        return next((lane for lane in self.lanes if lane.id == lane_id), None)

    def add_lane(self, codec: str, label: str, settings: dict[str, Any], place: int | None = None) -> Lane:
        """place: the one that is wished for; the first that is free where it is taken, or none is wished for."""
        taken = {lane.place for lane in self.lanes}
        if place is None or place in taken:
            place = next(i for i in range(len(taken) + 1) if i not in taken)
        lane = Lane(self._new_id(), codec, label, settings, place)
        self.lanes.append(lane)
        if self.anchor is None:
            self.anchor = lane.id
        self.announce(Topic.LANES, Topic.CURVES)
        return lane

    def remove_lane(self, lane_id: int) -> None:
        self.lanes = [lane for lane in self.lanes if lane.id != lane_id]
        for outcomes in self.outcomes.values():
            outcomes.pop(lane_id, None)
        for curves in self.curves.values():
            curves.pop(lane_id, None)
        if self.active == lane_id:
            self.active = ORIGINAL
        if self.anchor == lane_id:
            self.anchor = self.lanes[0].id if self.lanes else None
        self.announce(Topic.LANES, Topic.CURVES)

    def reorder_lanes(self, order: list[int]) -> None:
        rank = {lane_id: i for i, lane_id in enumerate(order)}
        self.lanes.sort(key=lambda lane: rank.get(lane.id, len(rank)))
        self.announce(Topic.LANES)

    def set_lane_visible(self, lane_id: int, visible: bool) -> None:
        lane = self.lane(lane_id)
        if lane and lane.visible != visible:
            lane.visible = visible
            self.announce(Topic.LANES, Topic.CURVES)

    def set_lane_settings(self, lane_id: int, settings: dict[str, Any], codec: str = "", label: str = "") -> bool:
        """Replace a lane's settings; False if they were the same. Its curve belonged to the old ones.

        codec, label: of the codec that they are for, where it is another than before.
        """
        lane = self.lane(lane_id)
        if lane is None or (lane.settings == settings and codec in ("", lane.codec)):
            return False
        lane.settings, lane.codec, lane.label = settings, codec or lane.codec, label or lane.label
        for per_lane in self.curves.values():
            per_lane.pop(lane_id, None)
        for source_id, per_source in self.outcomes.items():
            if source_id != self.current_id:
                per_source.pop(lane_id, None)
        self.announce(Topic.LANES, Topic.CURVES)
        return True

    # -- target and view

    def set_target(self, target: Target) -> bool:
        if target == self.target:
            return False
        self.target = target
        self.announce(Topic.TARGET)
        return True

    def set_view(self, **changes: Any) -> None:
        """Change any of layout, view, map_metric, score_metric, overlay, anchor, lit, painting."""
        topics = [Topic.VIEW]
        for name, value in changes.items():
            if name not in ("layout", "view", "map_metric", "score_metric", "overlay", "anchor", "lit", "painting"):
                raise AttributeError(name)
            setattr(self, name, value)
            if name in ("score_metric", "anchor"):
                topics.append(Topic.CURVES)
        self.announce(*topics)

    @property
    def is_float(self) -> bool:
        """Whether the current source holds light: it has metrics of its own, and a tone."""
        return self.current is not None and self.current.is_float

    @property
    def has_region(self) -> bool:
        """Whether something is painted on the current source."""
        return self.current is not None and self.current.importance is not None

    @property
    def meaning(self) -> Meaning:
        """What the current source's channels stand for."""
        return self.current.meaning if self.current is not None else Meaning.COLOUR

    @property
    def score_metric(self) -> str:
        """What the current source is judged by; setting it is remembered for all pictures of its kind."""
        return self.score_metrics[self.meaning]

    @score_metric.setter
    def score_metric(self, metric_id: str) -> None:
        self.score_metrics[self._judged(metric_id)] = metric_id

    @property
    def map_metric(self) -> str:
        """The metric of the error maps, likewise."""
        return self.map_metrics[self.meaning]

    @map_metric.setter
    def map_metric(self, metric_id: str) -> None:
        self.map_metrics[self._judged(metric_id)] = metric_id

    def _judged(self, metric_id: str) -> Meaning:
        """The kind of pictures that this metric is chosen for: the current one's, if it compares these."""
        of = metric(metric_id).info.of
        return self.meaning if self.meaning in of else of[0]

    @property
    def tone(self) -> Tone:
        """How the current source's light is shown, and what is decoded from it."""
        return (self.current.tone if self.current else None) or NEUTRAL

    def hide_findings(self) -> None:
        """Close the doctor's bar for the current picture."""
        if self.current is not None:
            self.current.hides_findings = True
            self.announce(Topic.SOURCES)

    def set_tone(self, tone: Tone, *, moving: bool = False) -> None:
        """Show light in another tone; `moving` while the control is still being dragged."""
        if self.current is not None:
            self.current.tone, self.tone_moves = tone, moving
            self.announce(Topic.TONE)

    # -- renditions: 1 is the original, 2… the lanes that have a pane

    def renditions(self) -> list[int]:
        return [ORIGINAL, *(lane.id for lane in self.lanes if self._has_pane(lane))]

    def _has_pane(self, lane: Lane) -> bool:
        return lane.visible and self.carries(lane)

    def carries(self, lane: Lane) -> bool:
        """Whether the lane's codec carries pictures like the current one; its card says where it does not."""
        return refusal(registry.codec(lane.codec).info, is_light=self.is_float) is None

    @property
    def shows_errors(self) -> bool:
        """Whether the panes show error maps: alone, over the picture, or crossed with bits."""
        return self.view in ERROR_VIEWS or (self.overlay and self.view is View.PICTURE)

    @property
    def shows_bits(self) -> bool:
        return self.view in BITS_VIEWS

    def shows_lit(self, view: View) -> bool:
        """Whether light is shown as a game would, in this of `LIT_VIEWS`."""
        return self.view is view and self.meaning is Meaning.LIGHT

    @property
    def anchor_here(self) -> int | None:
        """The lane that BD-rates of the current source are taken against: `anchor`, the one that was chosen, if it
        carries the picture; else JPEG 2000 if it is there, else the first lane that does."""
        able = sorted((lane for lane in self.lanes if self.carries(lane)), key=lambda x: x.codec != SECOND_ANCHOR)
        return self.anchor if any(lane.id == self.anchor for lane in able) else able[0].id if able else None

    @property
    def active_lane(self) -> Lane | None:
        """The lane that was made active last and is still visible: what saving and the wipe mean."""
        visible = [lane for lane in self.lanes if self._has_pane(lane)]
        return next((lane for lane in visible if lane.id == self.codec), visible[0] if visible else None)

    def shown(self) -> list[int]:
        """What the panes of the present layout hold, in order; a blink needs both of its turns."""
        renditions = self.renditions()
        active = self.active if self.active in renditions else ORIGINAL
        codec = self.active_lane.id if self.active_lane else ORIGINAL
        if self.layout is Layout.BLINK:
            return renditions
        keys = [str(r) for r in renditions]
        return [int(key) for key in visible_keys(self.layout, keys, str(active), str(codec) if codec else "")]

    def activate(self, rendition: int) -> None:
        """Make a rendition the active one."""
        if rendition != self.active and rendition in self.renditions():
            self.active = rendition
            if rendition != ORIGINAL:
                self.codec = rendition
            self.announce(Topic.VIEW)

    # -- what came out

    def outcome(self, lane_id: int, source_id: int | None = None) -> Outcome:
        """The outcome of a lane on a source (default: the current one), made when first asked for."""
        key = self.current_id if source_id is None else source_id
        if key is None:
            return Outcome()
        return self.outcomes.setdefault(key, {}).setdefault(lane_id, Outcome())

    def add_trials(self, source_id: int, lane_id: int, trials: Iterator[Trial] | tuple[Trial, ...]) -> None:
        """Put trials on a lane's curve; a later one with more scores replaces its former self."""
        curve = self.curves.setdefault(source_id, {}).setdefault(lane_id, {})
        for trial in trials:
            former = curve.get(trial.key.settings)
            if former is None or len(trial.scores) >= len(former.scores):
                curve[trial.key.settings] = trial
        self.announce(Topic.CURVES)

    def curve(self, lane_id: int) -> list[Trial]:
        """The trials of a lane on the current source, by rising rate."""
        if self.current_id is None:
            return []
        return sorted(self.curves.get(self.current_id, {}).get(lane_id, {}).values(), key=lambda t: t.bpp)

    def set_running(self, key: Any, progress: float | None, *, done: bool = False) -> None:
        if done:
            self.running.pop(key, None)
        else:
            self.running[key] = progress
        self.announce(Topic.JOBS)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def tells_bits(lane: Lane) -> bool:
    """Whether the lane's codec can tell where its bits went."""
    return isinstance(registry.codec(lane.codec), Mapped)

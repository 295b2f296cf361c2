"""Brings the parts of the window in line with the state: who shows what when which topic changed."""

from __future__ import annotations

import numpy as np

from engine.channel_film import ChannelFilm
from engine.display import Shown
from engine.film import Film, Print
from engine.image import Meaning
from engine.metrics import metric, metric_ids
from engine.trial import DB_METRICS, TargetKind
from gui import presenters
from gui.bakes import Bakes
from gui.frame import Frame
from gui.heat import HeatMaps
from gui.histograms import Histograms
from gui.lit_panes import LitPanes, Sources
from gui.lit_scene import LitScene
from gui.models.lane import LaneTag
from gui.panels import doctor_bar
from gui.panels.status import PixelReadOut
from gui.panels.verdict import BdNote
from gui.state import ORIGINAL, Topic
from gui.views.model import PaneModel
from gui.widgets.loupe import LoupeSource

_WORK = {
    "load": "reading the picture",
    "thumbnail": "reading thumbnails",
    "solve": "{}",
    "curve": "{}: curve",
    "map": "{}: error map",
    "bits": "{}: map of bits",
    "lit": "{}: error of the lit picture",
    "lit_scene": "error of the lit picture",
    "times": "{}: times",
    "passport": "{}: decode passport",
    "histogram": "histogram",
    "budget": "measuring for a budget",
    "carry": "writing files",
    "write": "writing a file",
    "between": "what lies between two pictures",
    "set": "measuring the set",
}


class Refresher:
    """One `refresh(topics)` for the whole window; each part is touched only by the topics that concern it."""

    def __init__(self, window: Frame) -> None:
        self._window = window
        self._state = window.state
        self._heat = HeatMaps(window.state, window.controller.desk, window.compare)
        self._bakes = Bakes()
        self._histograms = Histograms(window.state, window.controller.desk, window.histogram)
        lights = Sources(window.state, window.controller.desk)
        redraw = window.state.set_view
        self._lit = LitPanes(window.state, window.controller.desk, window.compare, lights, redraw)
        self._scene = LitScene(window, lights)
        self._tags: dict[int, LaneTag] = {}
        self._pictures: dict[str, object] = {}
        self._thumbnails: dict[int, object] = {}
        self._curves: dict[int, object] = {}
        self._against: tuple[list[LaneTag], int | None] | None = None  # the lanes of the table, and its anchor
        self._looked_at: int | None = None
        self._offered: tuple[Meaning, bool] | None = None  # what the metrics on offer are for: kind, with a region

    def refresh(self, topics: set[Topic]) -> None:
        if topics & {Topic.LANES, Topic.CURRENT}:
            self._bits()
        if topics & {Topic.LANES}:
            self._lanes()
        if topics & {Topic.LANES, Topic.CURRENT}:
            self._cards()
        if topics & {Topic.SOURCES, Topic.CURRENT}:
            self._kinds()
            self._sources()
            self._doctor()
        if topics & {Topic.LANES, Topic.CURRENT, Topic.OUTCOME, Topic.VIEW}:
            self._panes()
            self._outcomes()
            self._histograms.show()
        if topics & {Topic.TARGET, Topic.CURRENT, Topic.OUTCOME}:
            self._target()
        if topics & {Topic.LANES, Topic.CURRENT, Topic.CURVES, Topic.OUTCOME, Topic.VIEW}:
            self._plot()
        if topics & {Topic.VIEW}:
            self._view()
        if topics & {Topic.LANES, Topic.CURRENT, Topic.OUTCOME, Topic.VIEW, Topic.TONE}:
            self._lit_views()
        if topics & {Topic.CURRENT, Topic.TONE}:
            self._tone()
        if topics & {Topic.JOBS}:
            self._jobs()

    # -- lists

    def _lanes(self) -> None:
        state, window = self._state, self._window
        self._tags = presenters.tags(state)
        tags = [self._tags[lane.id] for lane in state.lanes]
        window.rate_lock.set_lanes(tags)
        window.plot.set_lanes(tags)
        window.right.set_marks(tags)
        self._curves.clear()

    def _bits(self) -> None:
        reason = presenters.no_bits(self._state)
        self._window.top_bar.set_bits_available(not reason, reason)

    def _cards(self) -> None:
        state, light = self._state, self._state.is_float
        items = [presenters.lane_item(lane, self._tags[lane.id], light=light) for lane in state.lanes]
        self._window.codecs.set_lanes(items)

    def _kinds(self) -> None:
        """Offer the metrics that are for pictures like the current one."""
        state, window = self._state, self._window
        if self._offered == (state.meaning, state.has_region):
            return
        self._offered = state.meaning, state.has_region
        infos = [info for info in (metric(m).info for m in metric_ids()) if state.meaning in info.of]
        infos = [info for info in infos if state.has_region or not info.regions]
        maps = [(info.id, f"{info.label} map") for info in infos if info.has_map]
        window.top_bar.set_map_metrics(maps, state.map_metric)
        window.plot.set_metrics(infos, state.score_metric)
        window.rate_lock.set_quality(metric(DB_METRICS[state.is_float]).info.label, *_DB_RANGES[state.meaning])

    def _sources(self) -> None:
        state, panel = self._state, self._window.sources
        panel.set_items(self._bakes.items(state.sources, self._window.controller.chosen_id))
        for source in state.sources:
            if source.thumbnail is not None and self._thumbnails.get(source.id) is not source.thumbnail:
                self._thumbnails[source.id] = source.thumbnail
                panel.set_thumbnail(str(source.id), source.thumbnail)
        chosen = self._window.controller.chosen_id
        panel.set_current(str(chosen) if chosen is not None else None)
        self._window.codecs.set_light(state.is_float)
        if state.current is not None and state.current.size and self._looked_at != state.current_id:
            self._looked_at = state.current_id
            self._window.loupe.look_at(state.current.size[0] // 2, state.current.size[1] // 2)

    def _doctor(self) -> None:
        source, bar = self._state.current, self._window.doctor_bar
        found = doctor_bar.rows(source.findings, source.fixes) if source is not None else []
        bar.set_rows(found)
        bar.setVisible(bool(found) and source is not None and not source.hides_findings)

    # -- panes

    def _panes(self) -> None:
        state, area = self._state, self._window.compare
        area.set_renditions(self._models())
        if area.layout_mode is not state.layout:
            area.set_layout(state.layout)
        if state.active_lane is not None:
            area.set_codec(str(state.active_lane.id))
        if str(state.active) in area.keys:
            area.set_active(str(state.active))
        if state.current is not None:
            image = state.current.image
            shown = self._lit.shown(ORIGINAL, image, state.current.display)
            self._picture(str(ORIGINAL), shown, image.pixels if image is not None else None)
            for lane_id in state.renditions()[1:]:
                outcome = state.outcome(lane_id)
                if outcome.beginning is not None:
                    self._picture(str(lane_id), outcome.beginning, None)
                else:
                    decoded = outcome.solved.decoded if outcome.solved else None
                    shown = self._lit.shown(lane_id, decoded, outcome.display)
                    values = decoded.pixels if decoded is not None else None
                    self._picture(str(lane_id), shown, values)
        self._pictures = {key: shown for key, shown in self._pictures.items() if key in area.keys}
        self._lit.refresh()
        if not self._lit.on:
            self._heat.refresh()
        self._loupe()

    def _models(self) -> dict[str, PaneModel]:
        state = self._state
        if state.current is None:
            return {}
        info = metric(state.score_metric).info
        models = {str(ORIGINAL): presenters.original_pane(state.current)}
        for number, lane_id in enumerate(state.renditions()[1:], 2):
            lane = state.lane(lane_id)
            assert lane is not None
            shown = presenters.bits_shown(state, lane)
            models[str(lane_id)] = presenters.lane_pane(
                number, self._tags[lane_id], state.outcome(lane_id), info, shown
            )
        return self._lit.judged(models)

    def _tone(self) -> None:
        """The tone of the panes, the loupe and the strips: that of light, or that of directions and masks."""
        state, strip, channels = self._state, self._window.tone_strip, self._window.channel_strip
        film = state.current.display if state.current is not None else None
        image = state.current.image if state.current is not None else None
        channels.setVisible(isinstance(film, ChannelFilm))
        strip.setVisible(isinstance(film, Film) and channels.isHidden())
        if isinstance(film, ChannelFilm) and image is not None:
            channels.set_map(image.meaning, image.channels)
            channels.set_channel(state.tone.channel)
        elif isinstance(film, Film):
            strip.set_auto(film.auto_exposure)
            strip.set_tone(state.tone)
        self._window.histogram.set_tone(state.tone)
        self._window.compare.set_tone(state.tone, moving=state.tone_moves)
        self._loupe()

    def _lit_views(self) -> None:
        """The strip of the lit views, the panes' errors where they are lit, and the mesh in the panes' place."""
        state, window = self._state, self._window
        on = self._lit.on or self._scene.on
        window.top_bar.set_lit_available(state.meaning is Meaning.LIGHT)
        window.lit_strip.setVisible(on)
        window.lit_strip.set_scene(self._scene.on)
        window.lit_strip.set_look(state.lit.look, state.lit.picture.name if state.lit.picture is not None else "")
        window.lit_strip.set_errors(state.lit.errors)
        if window.scene_pane.isHidden() is self._scene.on:  # hiding one hands its focus to anybody
            window.compare.setVisible(not self._scene.on)
            window.scene_pane.setVisible(self._scene.on)
            (window.scene if self._scene.on else window.compare).setFocus()
        self._scene.refresh(self._models())
        if self._lit.on:
            self._lit.refresh()
            window.compare.set_renditions(self._models())

    def _picture(self, key: str, display: Shown | None, values: np.ndarray | None) -> None:
        """Hand a picture over when it is another one than before; the pane keeps the old one meanwhile."""
        if self._pictures.get(key) is display:
            return
        self._pictures[key] = display
        self._window.compare.set_picture(key, display)
        self._window.compare.set_values(key, values)

    def _loupe(self) -> None:
        state = self._state
        sources = []
        for key, model in self._models().items():
            display = state.current.display if key == str(ORIGINAL) and state.current else None
            if key != str(ORIGINAL):
                display = state.outcome(int(key)).display
            display = self._lit.film(int(key)) or display
            pixels = Print(display, state.tone) if isinstance(display, Film) else display
            sources.append(LoupeSource(model.label, model.colour, model.marker, pixels))
        shown = {str(rendition) for rendition in state.shown()}
        keys = list(self._models())
        self._window.loupe.set_sources([s for key, s in zip(keys, sources, strict=True) if key in shown][:4])

    def _outcomes(self) -> None:
        state, window = self._state, self._window
        for lane in state.lanes:
            outcome = state.outcome(lane.id)
            window.codecs.set_state(str(lane.id), presenters.lane_state(outcome, lane, state.current))
            window.codecs.set_rate_value(str(lane.id), presenters.rate_value(lane, outcome.trial))

    # -- rate

    def _target(self) -> None:
        state, lock = self._state, self._window.rate_lock
        kind = state.target.kind
        lock.set_target(kind, state.target.value)
        source = state.current
        pixels = source.size[0] * source.size[1] if source and source.size else None
        if pixels:
            lock.set_range(TargetKind.BYTES, max(64.0, 0.02 * pixels / 8), pixels)
        lock.set_equivalents(self._equivalents(pixels))
        for lane in state.lanes:
            lock.set_achieved(str(lane.id), presenters.achieved(state.outcome(lane.id), kind))
        lock.set_unreachable(self._unreachable(kind))
        self._window.plot.set_target(kind, state.target.value, pixels)

    def _equivalents(self, pixels: int | None) -> dict[TargetKind, float]:
        """The operating point in every unit: sizes from the target, quality from the lane that is looked at."""
        state = self._state
        found = {state.target.kind: state.target.value}
        lane = state.active_lane
        trial = state.outcome(lane.id).trial if lane else None
        if trial is not None:
            for kind in TargetKind:
                value = presenters.in_kind(trial, kind)
                if value is not None:
                    found.setdefault(kind, value)
        if pixels and state.target.kind is TargetKind.BPP:
            found[TargetKind.BYTES] = state.target.value * pixels / 8
        if pixels and state.target.kind is TargetKind.BYTES:
            found[TargetKind.BPP] = state.target.value * 8 / pixels
        return found

    def _unreachable(self, kind: TargetKind) -> list[tuple[str, float, float]]:
        """Below (or for quality above) what a lane managed at best, where it said that it cannot do better."""
        stretches = []
        for lane in self._state.lanes:
            outcome = self._state.outcome(lane.id)
            if outcome.solved is None or outcome.solved.result.reached or outcome.trial is None:
                continue
            value = presenters.in_kind(outcome.trial, kind)
            if value is not None:
                up = kind is TargetKind.PSNR
                stretches.append((str(lane.id), value, float("inf")) if up else (str(lane.id), 0.0, value))
        return stretches

    # -- plot and table

    def _plot(self) -> None:
        state, plot, verdict = self._state, self._window.plot, self._window.verdict
        info = metric(state.score_metric).info
        plot.set_metric(state.score_metric)
        for lane in state.lanes:
            curve = state.curve(lane.id)
            signature = (state.current_id, tuple((t.key.settings, len(t.scores)) for t in curve))
            if self._curves.get(lane.id) != signature:
                self._curves[lane.id] = signature
                plot.set_curve(str(lane.id), [presenters.point(trial) for trial in curve])
            trial = state.outcome(lane.id).trial
            plot.set_operating_point(str(lane.id), presenters.point(trial) if trial is not None else None)
        able = [self._tags[lane.id] for lane in state.lanes if state.carries(lane)]
        if self._against != (able, state.anchor_here):
            self._against = able, state.anchor_here
            verdict.set_lanes(able, str(state.anchor_here or ""))
        rows, results = presenters.verdicts(state, self._tags, info)
        judges = (*_JUDGES, *_OF_REGIONS) if state.has_region else _JUDGES
        verdict.set_metrics([metric(m).info for m in metric_ids() if m in judges or m == info.id], info.id)
        verdict.set_rows(rows)
        if results:
            note = BdNote("PCHIP", info, max(r.lo for r in results), min(r.hi for r in results))
            verdict.set_bd_note(note if note.lo is not None and note.hi is not None and note.lo < note.hi else BdNote())

    # -- view, jobs, pointer

    def _view(self) -> None:
        state, bar = self._state, self._window.top_bar
        bar.set_layout(state.layout)
        bar.set_view(state.view)
        self.zoom()

    def zoom(self) -> None:
        linked = self._window.compare.linked
        self._window.top_bar.set_zoom(None if linked.fits else linked.scale)

    def _jobs(self) -> None:
        running = self._state.running
        begun = [key for key, progress in running.items() if progress is not None]
        key = begun[0] if begun else next(iter(running), None)
        name = ""
        if key is not None:
            tag = self._tags.get(key[1]) if len(key) > 1 else None
            name = _WORK[key[0]].format(tag.label if tag else "")
        self._window.status.set_jobs(len(begun), len(running) - len(begun), name, running.get(key))

    def hovered(self, x: int, y: int) -> None:
        self._window.loupe.look_at(x, y)
        x, y = self._lit.texel(x, y)
        values = self._window.compare.values_at(x, y)
        original = values.pop(str(ORIGINAL), None)
        if original is None:
            return
        lane = self._state.active_lane
        over = values.get(str(lane.id)) if lane else None
        decoded = (self._tags[lane.id].label, over) if lane is not None and over is not None else None
        maps = presenters.read_out_of_maps(self._state, self._state.outcome(lane.id), x, y) if lane is not None else ""
        self._window.status.set_pixel(PixelReadOut(x, y, original, decoded, maps, presenters.peaks(self._state, lane)))

    def hovered_on_mesh(self, u: float, v: float) -> None:
        """The mouse points at this place of the map, 0 … 1 across and down."""
        image = self._state.current.image if self._state.current is not None else None
        if image is not None and 0 <= u < 1 and 0 <= v < 1:
            self.hovered(int(u * image.width), int(v * image.height))

    def unhovered(self) -> None:
        self._window.status.set_pixel(None)


_JUDGES = (
    *("psnr", "ms_ssim", "flip", "ssimulacra2", "patch_frechet"),
    *("log2_psnr", "hdr_flip", "angle_mean", "angle_p99", "mask_worst"),
)
_OF_REGIONS = tuple(f"{whole}_{place}" for whole in DB_METRICS.values() for place in ("inside", "outside"))
_DB_RANGES = {meaning: (20.0, 50.0 if meaning is Meaning.COLOUR else 70.0) for meaning in Meaning}

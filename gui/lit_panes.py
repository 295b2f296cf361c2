"""The view *Lit* of the panes: maps as the game will show them, and the error of what is seen, measured at rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from engine.display import Shown, colour_table, heat
from engine.image import Image
from engine.io import read
from engine.jobs import Event
from engine.jobs import State as Job
from engine.lit.albedo import Albedo, albedo_of
from engine.lit.flat import LightSource, LitFilm
from engine.lit.measure import LitError, counted, error
from engine.metrics import metric
from engine.tasks import MapTask
from engine.tone import Tone
from gui.desk import FINAL, Desk
from gui.heat import ERROR_TABLE, round_up
from gui.models.units import score_text
from gui.state import ORIGINAL, State, View
from gui.views.compare import CompareArea
from gui.views.model import PaneModel
from gui.widgets.colour_bar import Scale

SHOWN_METRIC = "flip"

Developed = tuple[LitFilm, Tone, Image]


class Sources:
    """The light of pictures as textures, one a picture for as long as that lives; and the albedo."""

    def __init__(self, state: State, desk: Desk) -> None:
        self._state, self._desk = state, desk
        self._sources: WeakKeyDictionary[Image, LightSource] = WeakKeyDictionary()
        self._albedo: tuple[object, Albedo] = (None, Albedo())

    def light(self, image: Image) -> LightSource:
        return self._sources.setdefault(image, LightSource(image))

    def albedo(self) -> Albedo:
        """What the surface reflects now; a picture that is still being read is announced when it is there."""
        lit = self._state.lit
        key = (lit.look.albedo, lit.picture if lit.look.albedo == "image" else None)
        if self._albedo[0] != key:
            self._albedo = key, albedo_of(lit.look)
            if key[1] is not None:
                self._read(key, key[1])
        return self._albedo[1]

    def _read(self, key: object, path: Path) -> None:
        look = self._state.lit.look

        def have(albedo: Albedo) -> None:
            if self._albedo[0] == key:
                self._albedo = key, albedo
                self._state.set_view()

        self._desk.apart(lambda: albedo_of(look, read(path).image), have)


def with_error(model: PaneModel, found: LitError | None) -> PaneModel:
    """A pane's model that says the error of what is seen, in place of its score and times; "…" until it is measured."""
    if found is None or math.isnan(found.flip):
        return replace(model, score_text="lit …" if found is None else "", times_text="")
    if math.isinf(found.psnr):
        return replace(model, score_text="lit identical", times_text="")
    flip, psnr = metric("flip").info, metric("psnr").info
    return replace(
        model,
        score_text=f"lit {flip.label} {score_text(found.flip, flip)}",
        times_text=f"lit {psnr.label} {score_text(found.psnr, psnr)}",
    )


def lit_scale(hi: float) -> Scale:
    """The legend of a map of lit errors from 0 to `hi`."""
    return Scale(f"Lit {metric(SHOWN_METRIC).info.map_label}", "", 0.0, hi, colour_table(ERROR_TABLE))


def shown_range(errors: Iterable[LitError]) -> float:
    """Where the scale of these maps ends: a round figure above nearly all that counts."""
    return min(1.0, round_up(max((each.top for each in errors), default=1.0)))


class PairErrors:
    """Errors of lit pictures by key, made one after the other beside the GUI thread; `have` when one is there."""

    def __init__(self, desk: Desk, have: Callable[[], None]) -> None:
        self._desk, self._have = desk, have
        self._known: dict[tuple[str, int], tuple[object, LitError]] = {}
        self._wanted: dict[tuple[str, int], object] = {}

    def get(self, key: tuple[str, int], of: object) -> LitError | None:
        """The error of `key`, if it is that of these pictures."""
        known = self._known.get(key)
        return known[1] if known is not None and known[0] == of else None

    def want(self, key: tuple[str, int], of: object, pair: Callable[[], tuple[Image, Image, np.ndarray]]) -> None:
        """Have the error made of the two pictures and what counts that `pair` gives, unless it is known or under way.

        of: what they depend on. pair: called off the GUI thread.
        """
        if self.get(key, of) is not None or self._wanted.get(key) == of:
            return
        self._wanted[key] = of
        self._desk.apart(pair, lambda made: self._measure(key, of, *made))

    def forget(self) -> None:
        self._known.clear()
        self._wanted.clear()

    def _measure(self, key: tuple[str, int], of: object, ref: Image, img: Image, counts: np.ndarray) -> None:
        if self._wanted.get(key) != of:
            return

        def on(event: Event) -> None:
            if event.state is Job.DONE:
                flip = event.value
                self._desk.apart(lambda: error(ref, img, flip, counts), lambda found: self._keep(key, of, found))
            elif event.state is Job.FAILED:
                self._desk.complain(event.error)
            if event.state in FINAL and event.state is not Job.DONE and self._wanted.get(key) == of:
                del self._wanted[key]

        self._desk.start(key, MapTask(ref, img, SHOWN_METRIC), on, priority=3)

    def _keep(self, key: tuple[str, int], of: object, found: LitError) -> None:
        if self._wanted.get(key) == of:
            del self._wanted[key]
            self._known[key] = (of, found)
            self._have()


class LitPanes:
    """Keeps the compare area's pictures and maps in line with the state while the view is *Lit*."""

    def __init__(
        self, state: State, desk: Desk, area: CompareArea, sources: Sources, redraw: Callable[[], None]
    ) -> None:
        self._state, self._desk, self._area, self._sources = state, desk, area, sources
        self._films: dict[int, LitFilm] = {}
        self._errors = PairErrors(desk, redraw)
        self._heats: dict[int, tuple[LitError, float]] = {}  # the maps in the panes, and where their scale ends
        self._original: Developed | None = None

    @property
    def on(self) -> bool:
        return self._state.shows_lit(View.LIT)

    def shown(self, rendition: int, image: Image | None, display: Shown | None) -> Shown | None:
        """What a pane shows of a picture: the lit map if that is the view, else `display`."""
        if not self.on or image is None or not image.is_float or rendition not in self._state.shown():
            return display
        source, look, albedo = self._sources.light(image), self._state.lit.look, self._sources.albedo()
        film = self._films.get(rendition)
        if film is None or (film.source, film.look, film.albedo) != (source, look, albedo):
            film = self._films[rendition] = LitFilm(source, look, albedo)
        return film

    def refresh(self) -> None:
        """Ask for the errors of the panes in view, and show them or none."""
        if not self.on:
            self._leave()
            return
        lanes = [lane_id for lane_id in self._state.shown() if lane_id != ORIGINAL]
        self._want(lanes)
        errors = {lane_id: found for lane_id in lanes if (found := self.error(lane_id)) is not None}
        wanted = errors if self._state.lit.errors else {}
        hi = shown_range(wanted.values())
        self._area.set_scale(lit_scale(hi) if wanted else None)
        for lane_id in [each for each in self._heats if each not in wanted]:
            self._take_off(lane_id)
        for lane_id, found in wanted.items():
            if self._heats.get(lane_id) != (found, hi):
                self._heats[lane_id] = (found, hi)
                self._draw(lane_id, found, hi)

    def _draw(self, lane_id: int, found: LitError, hi: float) -> None:
        def place(rgb: np.ndarray) -> None:
            fits = self._films.get(lane_id) is not None and self._films[lane_id].shape == rgb.shape
            if self._heats.get(lane_id) == (found, hi) and str(lane_id) in self._area.keys and fits:
                self._area.set_heat(str(lane_id), rgb)

        self._desk.apart(lambda: heat(found.map, 0.0, hi, ERROR_TABLE), place)

    def error(self, lane_id: int) -> LitError | None:
        """The error of a lane as it is shown now, if it is measured."""
        return self._errors.get(("lit", lane_id), self._dependence(lane_id))

    def judged(self, models: dict[str, PaneModel]) -> dict[str, PaneModel]:
        """`models` with the errors of what is seen as their scores, if the view is lit."""
        if not self.on:
            return models
        return {
            key: with_error(model, self.error(int(key))) if int(key) != ORIGINAL else model
            for key, model in models.items()
        }

    def film(self, rendition: int) -> LitFilm | None:
        """What a pane shows, if it is a lit map."""
        return self._films.get(rendition)

    def texel(self, x: int, y: int) -> tuple[int, int]:
        """The texel of the map at a pixel of the lit picture."""
        film = self._films.get(ORIGINAL)
        if not self.on or film is None:
            return x, y
        (across, down), image = film.drawn, film.source.image
        return x * image.width // across, y * image.height // down

    def _dependence(self, lane_id: int) -> object:
        return self._films.get(ORIGINAL), self._films.get(lane_id), self._state.tone

    def _want(self, lanes: list[int]) -> None:
        ref, tone = self._films.get(ORIGINAL), self._state.tone
        if ref is None or self._state.tone_moves:
            return
        for lane_id in lanes:
            film = self._films.get(lane_id)
            if film is not None and film.shape == ref.shape and not self._state.outcome(lane_id).stale:
                pair = self._pair(ref, film, tone)
                self._errors.want(("lit", lane_id), self._dependence(lane_id), pair)

    def _pair(self, ref: LitFilm, film: LitFilm, tone: Tone) -> Callable[[], tuple[Image, Image, np.ndarray]]:
        def make() -> tuple[Image, Image, np.ndarray]:
            counts = ref.counts()
            known = self._original
            if known is None or known[0] is not ref or known[1] != tone:
                known = self._original = (ref, tone, counted(ref.develop(tone), counts))
            return known[2], counted(film.develop(tone), counts), counts

        return make

    def _take_off(self, lane_id: int) -> None:
        del self._heats[lane_id]
        if str(lane_id) in self._area.keys:
            self._area.set_heat(str(lane_id), None)

    def _leave(self) -> None:
        for lane_id in list(self._heats):
            self._take_off(lane_id)
        self._films.clear()
        self._errors.forget()
        self._original = None

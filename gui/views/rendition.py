"""`Rendition`: one picture of the comparison (the original or a codec's) with all that a pane can show of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.display import Shown
from engine.film import Film
from engine.tone import NEUTRAL, Tone
from gui.views.model import PaneModel
from gui.views.picture import Picture, blend, build_picture, draft_picture
from gui.views.refine import Refined, Refiner


def _build(shown: Shown, tone: Tone) -> Picture:
    return build_picture(shown.develop(tone) if isinstance(shown, Film) else shown)


def _draft(film: Film, tone: Tone, step: int) -> Picture:
    return draft_picture(film.develop(tone, step), (film.shape[1], film.shape[0]))


def _heat_over(shown: Shown | None, tone: Tone, heat: np.ndarray, opacity: float) -> Picture:
    if shown is None or opacity >= 1:
        return build_picture(heat)
    rgb = shown.develop(tone) if isinstance(shown, Film) else shown
    return build_picture(blend(rgb, heat, opacity))


def _made(make: Callable[[], Picture], refiner: Refiner) -> tuple[Picture, Refined | None]:
    """A picture with its refined part for the present view: so that new pixels appear at their best at once."""
    picture = make()
    return picture, None if picture.is_draft else refiner.for_present_view(picture)


class Rendition(QObject):
    """Model, picture, heat map and pixel values under one key. Old pixels stay until the new ones are ready.

    Signals: `model_changed` (header), `pixels_changed` (what a canvas draws), `problem(text)` (could not be shown).
    """

    model_changed = Signal()
    pixels_changed = Signal()
    problem = Signal(str)

    def __init__(self, key: str, refiner: Refiner, model: PaneModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.model = model
        self.picture: Picture | None = None
        self.values: np.ndarray | None = None
        self._refiner = refiner
        self._worker = refiner.worker
        self._source: Shown | None = None
        self._tone = NEUTRAL
        self._step = 0  # of a draft in this tone; 0: the whole picture is wanted
        self._developing: tuple[Tone, int] | None = None
        self._heat: tuple[np.ndarray, float] | None = None
        self._heat_picture: Picture | None = None

    @property
    def shown(self) -> Picture | None:
        """What a canvas draws: the heat map where there is one, else the picture."""
        return self._heat_picture or self.picture

    @property
    def has_heat(self) -> bool:
        return self._heat_picture is not None

    def set_model(self, model: PaneModel) -> None:
        if model != self.model:
            self.model = model
            self.model_changed.emit()

    def set_picture(self, shown: Shown | None) -> None:
        """Show H×W×3 u8 sRGB pixels, or a film in the tone of `set_tone` (kept, not copied); None clears at once."""
        if shown is self._source:
            return
        self._source = shown
        self._developing = None
        if shown is None:
            self._worker.cancel((self, "picture"))
            self._have_picture(None)
            return
        self._develop(0)
        if self._heat is not None:
            fits = self._heat[0].shape == shown.shape
            self.set_heat(*self._heat) if fits else self.set_heat(None)

    def set_tone(self, tone: Tone, step: int = 0) -> None:
        """How films are shown. step: a quick draft of every so-many-th row and column, while a control is moving.

        One development is under way at a time and the last tone is what comes after it: a drag shows what the threads
        can keep up with, and never nothing.
        """
        changed = (tone, step) != (self._tone, self._step)
        self._tone, self._step = tone, step
        if changed and isinstance(self._source, Film) and self._developing is None:
            self._develop(step)

    def _develop(self, step: int) -> None:
        shown, tone = self._source, self._tone
        assert shown is not None
        self._developing = (tone, step)

        def have(picture: Picture | None) -> None:
            self._developing = None
            self._have_picture(picture)
            if isinstance(shown, Film) and (self._tone, self._step) != (tone, step):
                self._develop(self._step)
            elif isinstance(shown, Film) and self._heat is not None and self._heat[1] < 1 and not step:
                self.set_heat(*self._heat)

        quick = partial(_draft, shown, tone, step) if step and isinstance(shown, Film) else None
        self._make("picture", quick or partial(_build, shown, tone), have)

    def set_heat(self, heat: np.ndarray | None, opacity: float = 1.0) -> None:
        """Show an H×W×3 u8 map instead of the picture, or over its grey at opacity < 1; None shows the picture again.

        Raises ValueError if the map and the picture differ in size.
        """
        if heat is None:
            self._heat = None
            self._worker.cancel((self, "heat"))
            if self._heat_picture is not None:
                self._have_heat(None)
            return
        if self._source is not None and heat.shape != self._source.shape:
            raise ValueError(f"a map of {heat.shape} does not fit a picture of {self._source.shape}")
        self._heat = (heat, opacity)
        self._make("heat", partial(_heat_over, self._source, self._tone, heat, opacity), self._have_heat)

    def set_values(self, values: np.ndarray | None) -> None:
        """The H×W×C code values (u8, u16 or f32) for read-outs; C as in engine.image."""
        self.values = values
        self.pixels_changed.emit()

    def close(self) -> None:
        """Ask for nothing more."""
        self._worker.cancel((self, "picture"))
        self._worker.cancel((self, "heat"))

    def _make(self, what: str, make: Callable[[], Picture], have: Callable[[Picture | None], None]) -> None:
        def arrived(made: tuple[Picture, Refined | None]) -> None:
            self._refiner.keep(*made)
            have(made[0])

        self._worker.submit((self, what), partial(_made, make, self._refiner), arrived, self._fail)

    def _fail(self, reason: str) -> None:
        self._developing = None
        self.problem.emit(reason)

    def _have_picture(self, picture: Picture | None) -> None:
        self.picture = picture
        self.pixels_changed.emit()

    def _have_heat(self, picture: Picture | None) -> None:
        self._heat_picture = picture
        self.pixels_changed.emit()

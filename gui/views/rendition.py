"""`Rendition`: one picture of the comparison (the original or a codec's) with all that a pane can show of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.views.model import PaneModel
from gui.views.picture import Picture, blend, build_picture
from gui.views.refine import Refined, Refiner


def _heat_over(rgb: np.ndarray | None, heat: np.ndarray, opacity: float) -> Picture:
    return build_picture(heat if rgb is None else blend(rgb, heat, opacity))


def _made(make: Callable[[], Picture], refiner: Refiner) -> tuple[Picture, Refined | None]:
    """A picture with its refined part for the present view: so that new pixels appear at their best at once."""
    picture = make()
    return picture, refiner.for_present_view(picture)


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
        self._rgb: np.ndarray | None = None
        self._heat: tuple[np.ndarray, float] | None = None
        self._heat_picture: Picture | None = None

    @property
    def shown(self) -> Picture | None:
        """What a canvas draws: the heat map where there is one, else the picture."""
        return self._heat_picture or self.picture

    @property
    def has_heat(self) -> bool:
        return self._heat_picture is not None

    @property
    def pixels(self) -> np.ndarray | None:
        """The newest H×W×3 u8 pixels, or None."""
        return self._rgb

    def set_model(self, model: PaneModel) -> None:
        if model != self.model:
            self.model = model
            self.model_changed.emit()

    def set_picture(self, rgb: np.ndarray | None) -> None:
        """Show H×W×3 u8 sRGB pixels (kept, not copied); None clears at once."""
        if rgb is self._rgb:
            return
        self._rgb = rgb
        if rgb is None:
            self._worker.cancel((self, "picture"))
            self._have_picture(None)
            return
        self._make("picture", partial(build_picture, rgb), self._have_picture)
        if self._heat is not None:
            fits = self._heat[0].shape == rgb.shape
            self.set_heat(*self._heat) if fits else self.set_heat(None)

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
        if self._rgb is not None and heat.shape != self._rgb.shape:
            raise ValueError(f"a map of {heat.shape} does not fit a picture of {self._rgb.shape}")
        self._heat = (heat, opacity)
        self._make("heat", partial(_heat_over, self._rgb, heat, opacity), self._have_heat)

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

        self._worker.submit((self, what), partial(_made, make, self._refiner), arrived, self.problem.emit)

    def _have_picture(self, picture: Picture | None) -> None:
        self.picture = picture
        self.pixels_changed.emit()

    def _have_heat(self, picture: Picture | None) -> None:
        self._heat_picture = picture
        self.pixels_changed.emit()

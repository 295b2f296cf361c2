"""The strip over the panes with which one looks at light: exposure, offset, gamma and tone curve. The view only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from engine.tone import CURVES, EXPOSURE_LIMIT, GAMMA_RANGE, LOOKS, NEUTRAL, OFFSET_LIMIT, Tone
from gui import style
from gui.models.units import MINUS, signed
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.keys import keep_keys
from gui.widgets.rate_slider import RateSlider
from gui.widgets.themed import IconButton, Themed, label

SETTLE_MS = 150
SLIDER_STOPS = 8.0
STEP, MUCH = 0.1, 1.0  # stops
_NAMES = {"clip": "sRGB", "reinhard": "Reinhard", "aces": "ACES fit", "filmic": "Filmic"}
_LOOK_NAMES = {"picture": "Picture", "zebra": "Zebra", "stops": "Stops"}
_HELP = {
    "look": "Zebra: stripes where light is clipped (red), below 0 (blue), infinite (cyan) or not a number (magenta).\n"
    "Stops: luminance in whole stops from 1.0, violet −8 to pale red +8, green just below 1.0, yellow-green above.",
    "exposure": "Exposure in stops, of the view only: no score and no file depends on it.\nDouble click: 0",
    "offset": "Light added after the exposure: lifts what is nearly black.\nDouble click: 0",
    "gamma": "More than 1 opens the shadows, 1 is plain sRGB.\nDouble click: 1",
}


class _Figure(QDoubleSpinBox):
    """A typed figure; a double click on its name brings it back to `neutral`."""

    def __init__(self, name: str, help_text: str, bounds: tuple[float, float], step: float, neutral: float) -> None:
        super().__init__()
        self._neutral = neutral
        self.setRange(*bounds)
        self.setDecimals(2)
        self.setSingleStep(step)
        self.setValue(neutral)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(58)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.setToolTip(help_text)
        self.name = label(name, "dim")
        self.name.setToolTip(help_text)
        self.name.installEventFilter(self)

    def textFromValue(self, value: float) -> str:
        return signed(value, 2) if self._neutral == 0 and value else super().textFromValue(value)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(MINUS, "-"))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        state = super().validate(text.replace(MINUS, "-"), position)[0]
        return state, text, position

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.setValue(self._neutral)
            return True
        return super().eventFilter(watched, event)


class _ExposureSlider(RateSlider):
    """Filled from 0; a double click brings it back there. Its range widens for what lies outside."""

    def __init__(self) -> None:
        super().__init__()
        self._reach(SLIDER_STOPS)
        self.set_value(0.0)
        self.setAccessibleName("Exposure")

    def show_stops(self, stops: float) -> None:
        self._reach(SLIDER_STOPS if abs(stops) <= SLIDER_STOPS else EXPOSURE_LIMIT)
        self.set_value(stops)

    def _reach(self, stops: float) -> None:
        self.set_scale(-stops, stops, log=False, fine=STEP, coarse=MUCH, unit="stops", origin=0.0)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.set_value(0.0)
            self.value_changed.emit(0.0)


class ToneStrip(Themed):
    """Signal tone_changed(Tone, moving), from the user only: at once while a control moves (moving), and once more when
    it rests. `set_auto` gives the exposure that the Auto button sets.
    """

    tone_changed = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName("Exposure and tone")
        self._tone = NEUTRAL
        self._auto = 0.0
        self.slider = _ExposureSlider()
        self.slider.setToolTip(_HELP["exposure"])
        self.slider.value_changed.connect(self.move_to)
        self.slider.released.connect(self.rest)
        limits = (-EXPOSURE_LIMIT, EXPOSURE_LIMIT)
        self.exposure = _Figure("Exposure", _HELP["exposure"], limits, STEP, 0.0)
        self.offset = _Figure("Offset", _HELP["offset"], (-OFFSET_LIMIT, OFFSET_LIMIT), 0.01, 0.0)
        self.gamma = _Figure("Gamma", _HELP["gamma"], GAMMA_RANGE, 0.05, 1.0)
        self.exposure.valueChanged.connect(lambda value: self._set(exposure=value))
        self.offset.valueChanged.connect(lambda value: self._set(offset=value))
        self.gamma.valueChanged.connect(lambda value: self._set(gamma=value))
        self.auto = QPushButton("Auto")
        self.auto.setCheckable(True)
        self.auto.setProperty("kind", "quiet")
        self.auto.clicked.connect(self.choose_auto)
        self.curve = Combo("Tone curve")
        self.curve.set_choices([(name, _NAMES[name]) for name in CURVES])
        self.curve.setFixedWidth(96)
        self.curve.currentIndexChanged.connect(lambda: self._set(curve=self.curve.key()))
        self.look = Combo("Look")
        self.look.set_choices([(name, _LOOK_NAMES[name]) for name in LOOKS])
        self.look.setFixedWidth(88)
        self.look.setToolTip(_HELP["look"])
        self.look.currentIndexChanged.connect(lambda: self._set(look=self.look.key()))
        self.reset = IconButton("reset", "Back to exposure 0, sRGB (0)")
        self.reset.clicked.connect(self.choose_neutral)
        self._settle = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self.rest)
        for figure in (self.exposure, self.offset, self.gamma):
            keep_keys(figure, Qt.Key.Key_Up, Qt.Key.Key_Down)
        self._build()
        self.set_auto(0.0)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID, 0, 2 * GRID, 0)
        row.setSpacing(2 * GRID)
        self.exposure.name.setFont(style.text_font(bold=True))
        self.exposure.name.setProperty("tone", "")
        row.addWidget(self.exposure.name)
        row.addWidget(self.slider, 1)
        row.addWidget(self.exposure)
        row.addWidget(self.auto)
        for figure in (self.offset, self.gamma):
            row.addSpacing(2 * GRID)
            row.addWidget(figure.name)
            row.addWidget(figure)
        row.addSpacing(2 * GRID)
        row.addWidget(self.curve)
        row.addWidget(self.look)
        row.addWidget(self.reset)
        self.setFixedHeight(40)

    # ------------------------------------------------------------ data

    @property
    def tone(self) -> Tone:
        return self._tone

    def set_tone(self, tone: Tone) -> None:
        """Show a tone, without a signal."""
        self._tone = tone
        widgets = (self.exposure, self.offset, self.gamma)
        for widget, value in zip(widgets, (tone.exposure, tone.offset, tone.gamma), strict=True):
            widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(False)
        if not self.slider.isSliderDown():
            self.slider.show_stops(tone.exposure)
        self.curve.set_key(tone.curve)
        self.look.set_key(tone.look)
        self.auto.setChecked(abs(tone.exposure - self._auto) < 0.005)

    def set_auto(self, stops: float) -> None:
        """The exposure that brings the original's log-average to middle grey."""
        self._auto = stops
        self.auto.setToolTip(f"{signed(stops, 1)} stops: the original's log-average becomes middle grey (A)")
        self.set_tone(self._tone)

    # ------------------------------------------------------------ the user

    def step(self, count: int, *, coarse: bool = False) -> None:
        """Move the exposure by tenths of a stop, or by stops (for shortcuts of the window)."""
        self.move_to(self._tone.exposure + count * (MUCH if coarse else STEP))

    def choose_auto(self) -> None:
        self._set(exposure=self._auto)

    def choose_zero(self) -> None:
        self._set(exposure=0.0)

    def choose_neutral(self) -> None:
        self._set(exposure=0.0, offset=0.0, gamma=1.0, curve="clip", look="picture")

    def next_curve(self) -> None:
        names = list(CURVES)
        self._set(curve=names[(names.index(self._tone.curve) + 1) % len(names)])

    def move_to(self, stops: float) -> None:
        """Set the exposure while something is dragged; `rest`, or a moment of quiet, ends that."""
        self._take(replace(self._tone, exposure=round(stops, 2)), moving=True)
        self._settle.start()

    def _set(self, **changes: Any) -> None:
        self._settle.stop()
        self._take(replace(self._tone, **changes), moving=False)

    def rest(self) -> None:
        """What was dragged has come to rest."""
        self._settle.stop()
        self._take(self._tone, moving=False)

    def _take(self, tone: Tone, *, moving: bool) -> None:
        stops = min(EXPOSURE_LIMIT, max(-EXPOSURE_LIMIT, tone.exposure))
        self.set_tone(replace(tone, exposure=stops))
        self.tone_changed.emit(self._tone, moving)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.slider.hasFocus() is False:
            self.slider.setFocus()
        else:
            super().keyPressEvent(event)

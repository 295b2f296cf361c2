"""A settings form made from a codec's `Param` rows: one editor per kind, no knowledge of any codec."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from engine.codec import CodecInfo, Kind, Param, Role
from gui import style
from gui.theme import GRID
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.switch import Switch
from gui.widgets.themed import label

DEBOUNCE_MS = 150
_SLIDER_STEPS = 1000
_LOCKED_HELP = "Set by the rate lock: every codec is brought to the one target."


def _title(param: Param) -> str:
    name = param.label or param.name.replace("_", " ")
    return name[:1].upper() + name[1:]


def _help(param: Param) -> str:
    return "\n".join(line for line in (param.help, f"Allowed: {param.allowed()}. Default: {param.default}.") if line)


class _Slider(QSlider):
    """A slider that leaves the wheel to the form around it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _Editor(QWidget):
    """One editor; `value`/`set_value` in the parameter's own type, `edited` after a change by the user."""

    edited = Signal()

    def value(self) -> Any:
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        raise NotImplementedError


class _Choice(_Editor):
    def __init__(self, param: Param) -> None:
        super().__init__()
        self._combo = Combo(_title(param))
        self._combo.set_choices([(choice, choice) for choice in param.choices])
        self._combo.currentIndexChanged.connect(self.edited)
        _fill(self, self._combo)

    def value(self) -> str:
        return self._combo.key()

    def set_value(self, value: Any) -> None:
        self._combo.set_key(str(value))


class _Bool(_Editor):
    def __init__(self, param: Param) -> None:
        super().__init__()
        self._switch = Switch(_title(param))
        self._switch.toggled.connect(self.edited)
        row = _fill(self)
        row.addStretch(1)
        row.addWidget(self._switch)

    def value(self) -> bool:
        return self._switch.isChecked()

    def set_value(self, value: Any) -> None:
        self._switch.blockSignals(True)
        self._switch.setChecked(bool(value))
        self._switch.blockSignals(False)


class _Number(_Editor):
    """A spin box, with a slider before it where the range is known; the slider moves in ratios for a `log` knob."""

    def __init__(self, param: Param) -> None:
        super().__init__()
        self._param = param
        self._spin: QSpinBox | QDoubleSpinBox = QSpinBox() if param.kind is Kind.INT else _decimal_spin(param)
        lo, hi = (-(10**6) if param.lo is None else param.lo), (10**6 if param.hi is None else param.hi)
        if isinstance(self._spin, QSpinBox):
            self._spin.setRange(math.ceil(lo), math.floor(hi))
        else:
            self._spin.setRange(lo, hi)
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setAccessibleName(_title(param))
        self._spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._spin.setKeyboardTracking(False)
        self._spin.setFixedWidth(56)
        self._spin.valueChanged.connect(self._spun)
        row = _fill(self)
        self._slider: QSlider | None = None
        if param.lo is not None and param.hi is not None:
            self._slider = _Slider(Qt.Orientation.Horizontal)
            whole = param.kind is Kind.INT and not param.log
            self._slider.setRange(0, round(hi - lo) if whole else _SLIDER_STEPS)
            self._slider.setAccessibleName(_title(param))
            self._slider.valueChanged.connect(self._slid)
            row.addWidget(self._slider, 1)
        else:
            row.addStretch(1)
        row.addWidget(self._spin)

    def value(self) -> float | int:
        return self._spin.value()

    def set_value(self, value: Any) -> None:
        self._spin.blockSignals(True)
        self._spin.setValue(value)
        self._spin.blockSignals(False)
        self._show_on_slider()

    def _is_log(self) -> bool:
        return self._param.log and bool(self._param.lo) and (self._param.lo or 0) > 0

    def _show_on_slider(self) -> None:
        if self._slider is None:
            return
        lo, hi, value = float(self._param.lo or 0), float(self._param.hi or 0), float(self._spin.value())
        share = math.log(value / lo) / math.log(hi / lo) if self._is_log() else (value - lo) / (hi - lo)
        self._slider.blockSignals(True)
        self._slider.setValue(round(share * self._slider.maximum()))
        self._slider.blockSignals(False)

    def _slid(self, position: int) -> None:
        lo, hi = float(self._param.lo or 0), float(self._param.hi or 0)
        share = position / max(1, self._slider.maximum() if self._slider else 1)
        value = lo * (hi / lo) ** share if self._is_log() else lo + (hi - lo) * share
        self._spin.blockSignals(True)
        if isinstance(self._spin, QSpinBox):
            self._spin.setValue(round(value))
        else:
            self._spin.setValue(value)
        self._spin.blockSignals(False)
        self.edited.emit()

    def _spun(self) -> None:
        self._show_on_slider()
        self.edited.emit()


def _decimal_spin(param: Param) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    span = (param.hi - param.lo) if param.hi is not None and param.lo is not None else 100.0
    digits = 3 if span <= 2 else 2 if span <= 20 else 1
    if param.log and param.lo and param.lo > 0:
        digits = max(digits, 2 - math.floor(math.log10(param.lo)))  # ratios need figures at the small end
    spin.setDecimals(digits)
    spin.setSingleStep(span / 100)
    return spin


def _fill(editor: QWidget, *widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(editor)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2 * GRID)
    for widget in widgets:
        row.addWidget(widget)
    return row


_EDITORS: dict[Kind, Callable[[Param], _Editor]] = {
    Kind.CHOICE: _Choice,
    Kind.BOOL: _Bool,
    Kind.INT: _Number,
    Kind.FLOAT: _Number,
}


class ParamForm(QWidget):
    """Editors for every parameter of a codec but the RATE one, which is shown and left to the rate lock.

    Signal changed(dict): the complete settings without the RATE parameter, ~150 ms after the last edit.
    """

    changed = Signal(dict)

    def __init__(self, info: CodecInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editors: dict[str, _Editor] = {}
        self._rate: ElidedLabel | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(lambda: self.changed.emit(self.settings()))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, GRID, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        for row, param in enumerate(info.params):
            grid.addWidget(self._name(param), row, 0)
            if param.role is Role.RATE:
                self._rate = ElidedLabel("set by the rate lock")
                self._rate.setProperty("tone", "small")
                self._rate.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self._rate.set_tip(_LOCKED_HELP)
                grid.addWidget(self._rate, row, 1)
                continue
            editor = _EDITORS[param.kind](param)
            editor.setToolTip(_help(param))
            editor.set_value(param.default)
            editor.edited.connect(self._timer.start)
            self._editors[param.name] = editor
            grid.addWidget(editor, row, 1)

    @staticmethod
    def _name(param: Param) -> QLabel:
        name = label(_title(param), "small")
        name.setToolTip(_help(param))
        name.setMinimumHeight(26)
        name.setFont(style.text_font(style.SMALL_PX))
        return name

    def settings(self) -> dict[str, Any]:
        """What the editors say now, in parameter order."""
        return {name: editor.value() for name, editor in self._editors.items()}

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Show these settings (unknown and RATE ones are ignored), without a signal."""
        self._timer.stop()
        for name, editor in self._editors.items():
            if name in settings:
                editor.set_value(settings[name])

    def set_rate_value(self, value: Any | None) -> None:
        """Show what the rate lock chose for the RATE parameter; None while nothing is known."""
        if self._rate is not None:
            shown = "" if value is None else f"{value:.4g} · " if isinstance(value, float) else f"{value} · "
            self._rate.setText(f"{shown}set by the rate lock")

"""A slider over a logarithmic (or linear) range, with 1-2-5 ticks and hatched stretches nobody can reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from gui import style
from gui.models.lane import LaneTag
from gui.models.ticks import linear_ticks, log_ticks
from gui.models.units import MINUS
from gui.theme import Theme, lane_colour

_STEPS = 100_000  # QAbstractSlider counts in whole numbers; fine enough that rounding never shows
_MARGIN = 9
_TRACK_Y = 13


@dataclass(frozen=True)
class Stretch:
    """A stretch of the range that a lane cannot reach; ends may be infinite."""

    lane: LaneTag
    lo: float
    hi: float


class RateSlider(QAbstractSlider):
    """`value_changed(float)` while the user moves it; `set_value` is silent.

    The arrow keys and the wheel step by `fine`, with Shift by `coarse`: ratios on a logarithmic range,
    differences on a linear one.
    """

    value_changed = Signal(float)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lo, self._hi, self._log = 0.02, 8.0, True
        self._fine, self._coarse = 1.02, 1.25
        self._value = 0.5
        self._unit = ""
        self._scale = 1.0
        self._origin: float | None = None
        self._stretches: list[Stretch] = []
        self._hover = False
        self.setRange(0, _STEPS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Rate lock target")

    # ------------------------------------------------------------ data

    def set_scale(
        self,
        lo: float,
        hi: float,
        *,
        log: bool,
        fine: float,
        coarse: float,
        unit: str,
        scale: float = 1.0,
        origin: float | None = None,
    ) -> None:
        """The range, the steps, for the ticks the unit and what a value is divided by (1024 for KB).

        origin: the value from which the track is filled, by default the left end.
        """
        self._origin = origin
        self._lo, self._hi, self._log, self._fine, self._coarse = lo, hi, log, fine, coarse
        self._unit, self._scale = unit, scale
        self._stretches = []
        self.set_value(self._value)

    def value_now(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value (kept within the range), without a signal."""
        self._value = min(self._hi, max(self._lo, value))
        self.blockSignals(True)
        self.setValue(round(self.share(self._value) * _STEPS))
        self.blockSignals(False)
        self.setAccessibleDescription(f"{self._value / self._scale:.4g} {self._unit}")
        self.update()

    def set_stretches(self, stretches: Sequence[Stretch]) -> None:
        """What cannot be reached, by lane."""
        self._stretches = list(stretches)
        self.update()

    def step(self, count: int, *, coarse: bool = False) -> None:
        """Move by `count` steps, as the arrow keys do."""
        size = self._coarse if coarse else self._fine
        self._user(self._value * size**count if self._log else self._value + size * count)

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the left end, 1 at the right; clipped."""
        value = min(self._hi, max(self._lo, value))
        if self._log:
            return math.log(value / self._lo) / math.log(self._hi / self._lo)
        return (value - self._lo) / (self._hi - self._lo)

    def at(self, share: float) -> float:
        """The value at a share of the length."""
        share = min(1.0, max(0.0, share))
        return self._lo * (self._hi / self._lo) ** share if self._log else self._lo + (self._hi - self._lo) * share

    def stretches_at(self, value: float) -> list[Stretch]:
        """Whose unreachable stretches hold `value`."""
        return [s for s in self._stretches if s.lo <= value <= s.hi]

    def _user(self, value: float) -> None:
        before = self._value
        self.set_value(value)
        if self._value != before:
            self.value_changed.emit(self._value)

    # ------------------------------------------------------------ mouse and keys

    def _x(self, value: float) -> float:
        return _MARGIN + self.share(value) * (self.width() - 2 * _MARGIN)

    def _value_at(self, x: float) -> float:
        return self.at((x - _MARGIN) / max(1, self.width() - 2 * _MARGIN))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._user(self._value_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._user(self._value_at(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderDown(False)
            self.released.emit()
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()  # Shift turns the wheel sideways on some systems
        if turned:
            self.step(1 if turned > 0 else -1, coarse=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        coarse = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        steps: dict[int, tuple[int, bool]] = {
            Qt.Key.Key_Left: (-1, coarse),
            Qt.Key.Key_Down: (-1, coarse),
            Qt.Key.Key_Right: (1, coarse),
            Qt.Key.Key_Up: (1, coarse),
            Qt.Key.Key_PageDown: (-1, True),
            Qt.Key.Key_PageUp: (1, True),
        }
        key = event.key()
        if key in steps:
            self.step(steps[key][0], coarse=steps[key][1])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._user(self._lo if key == Qt.Key.Key_Home else self._hi)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._explain(event)
            return True
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self._hover = event.type() == QEvent.Type.Enter
            self.update()
        return super().event(event)

    def _explain(self, event: QHelpEvent) -> None:
        value = self._value_at(event.pos().x())
        lines = [f"{value / self._scale:.3g} {self._unit}"]
        lines += [f"{s.lane.label} cannot reach this" for s in self.stretches_at(value)]
        QToolTip.showText(event.globalPos(), "\n".join(lines), self)

    # ------------------------------------------------------------ looks

    def sizeHint(self) -> QSize:
        return QSize(360, 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 40)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, right, knob = float(_MARGIN), float(self.width() - _MARGIN), self._x(self._value)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.hairline))
        painter.drawRoundedRect(QRectF(left, _TRACK_Y - 2, right - left, 4), 2, 2)
        painter.setBrush(QColor(theme.accent))
        start = left if self._origin is None else self._x(self._origin)
        painter.drawRoundedRect(QRectF(min(start, knob), _TRACK_Y - 2, abs(knob - start), 4), 2, 2)
        self._paint_stretches(painter, theme)
        self._paint_ticks(painter, theme)
        if self.hasFocus() or self._hover:
            halo = QColor(theme.accent)
            halo.setAlphaF(0.35 if self.hasFocus() else 0.18)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(QPointF(knob, _TRACK_Y), 9, 9)
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.panel), 1.5))
        painter.setBrush(QColor(theme.text))
        painter.drawEllipse(QPointF(knob, _TRACK_Y), 6.5, 6.5)

    def _paint_stretches(self, painter: QPainter, theme: Theme) -> None:
        lanes = list(dict.fromkeys(stretch.lane.id for stretch in self._stretches))
        height = min(4.0, (_TRACK_Y - 3) / max(1, len(lanes)))  # a row for each lane over the track
        for stretch in self._stretches:
            row = lanes.index(stretch.lane.id)
            start, end = self._x(max(stretch.lo, self._lo)), self._x(min(stretch.hi, self._hi))
            if end - start < 1:
                continue
            band = QRectF(start, _TRACK_Y - 3 - height * (row + 1), end - start, height * 0.75)
            painter.save()
            painter.setClipRect(band)
            painter.setPen(QPen(QColor(lane_colour(stretch.lane.look.colour, theme)), 1.2))
            x = band.left() - 4
            while x < band.right():
                painter.drawLine(QPointF(x, band.bottom()), QPointF(x + 3, band.top()))
                x += 4
            painter.restore()

    def _paint_ticks(self, painter: QPainter, theme: Theme) -> None:
        font = style.text_font(10)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        lo, hi, length = self._lo / self._scale, self._hi / self._scale, self.width() - 2 * _MARGIN
        width = metrics.horizontalAdvance("0.005") + 10
        major, minor = (log_ticks if self._log else linear_ticks)(lo, hi, length, width)
        painter.setPen(QPen(QColor(theme.hairline)))
        for value in minor:
            x = self._x(value * self._scale)
            painter.drawLine(QPointF(x, _TRACK_Y + 8), QPointF(x, _TRACK_Y + 10))
        painter.setPen(QPen(QColor(theme.dim)))
        for value, text in major:
            x = self._x(value * self._scale)
            painter.drawLine(QPointF(x, _TRACK_Y + 8), QPointF(x, _TRACK_Y + 12))
            half = metrics.horizontalAdvance(text) / 2
            start = min(max(0.0, x - half), self.width() - 2 * half)
            painter.drawText(QPointF(start, _TRACK_Y + 24), text.replace("-", MINUS))

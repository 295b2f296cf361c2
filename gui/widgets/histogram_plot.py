"""`HistogramPlot`: bins of light over stops, with what the tone makes of them; or of code values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.histogram import BRIGHTNESS, CHANNELS, Histogram, limits
from engine.palette import Look
from engine.tone import NEUTRAL, Tone
from gui import style
from gui.models.ticks import linear_ticks
from gui.models.units import MINUS
from gui.theme import Theme, lane_colour

_HEIGHT, _AXIS, _TOP, _SIDE = 132, 16, 9, 2
_LEAST_SPAN = 8.0  # stops that are shown at least
_RARE = 2e-4  # of the texels: what is rarer at either end does not widen the axis
_HUES = {"red": "#e5534b", "green": "#3fa34d", "blue": "#4a86e8"}


@dataclass(frozen=True, eq=False)
class Sketch:
    """One picture's bins, drawn in a colour: the first as a ground, the others as lines."""

    histogram: Histogram
    look: Look | None = None


class HistogramPlot(QWidget):
    """Counts over stops from light 1.0, or over code values.

    What is clipped at the tone lies right of the mark, what is shown as black left of the shaded end. A press or a drag
    makes the light under the pointer the first that is white (exposure = −stops).

    Signals, from the user only: exposure_moved(stops), released() after a drag, reset() by a double click,
    pointed(x in stops or code values, or None).
    """

    exposure_moved = Signal(float)
    released = Signal()
    reset = Signal()
    pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sketches: list[Sketch] = []
        self._tone = NEUTRAL
        self._colours, self._log = False, False
        self._range = (-8.0, 4.0)
        self._at: float | None = None  # where the pointer is
        self._drags = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram")

    # ------------------------------------------------------------ data

    def set_sketches(self, sketches: Sequence[Sketch]) -> None:
        """Show these; the first, the original's, says which stops there are."""
        self._sketches = list(sketches)
        if sketches:
            self._range = _shown_range(sketches[0].histogram)
        light = bool(sketches) and sketches[0].histogram.is_light
        self.setCursor(Qt.CursorShape.SizeHorCursor if light else Qt.CursorShape.CrossCursor)
        self.update()

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.update()

    def set_ways(self, *, colours: bool, log: bool) -> None:
        """colours: red, green and blue in place of the brightness. log: counts through their logarithm."""
        self._colours, self._log = colours, log
        self.update()

    @property
    def range(self) -> tuple[float, float]:
        """The ends of the axis, in stops or code values."""
        return self._range

    def x_of(self, value: float) -> float:
        lo, hi = self._range
        return _SIDE + (min(max(value, lo), hi) - lo) / (hi - lo) * (self.width() - 2 * _SIDE)

    def value_at(self, x: float) -> float:
        lo, hi = self._range
        return lo + (hi - lo) * min(1.0, max(0.0, (x - _SIDE) / max(1, self.width() - 2 * _SIDE)))

    @property
    def _is_light(self) -> bool:
        return bool(self._sketches) and self._sketches[0].histogram.is_light

    # ------------------------------------------------------------ the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._is_light:
            self._drags = True
            self._point(None)
            self.exposure_moved.emit(-self.value_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self.value_at(event.position().x())
        self._point(at if self._sketches and not self._drags else None)
        if self._drags:
            self.exposure_moved.emit(-at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drags and event.button() == Qt.MouseButton.LeftButton:
            self._drags = False
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._is_light:
            self._drags = False
            self.reset.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def _point(self, value: float | None) -> None:
        self._at = value
        self.pointed.emit(value)
        self.update()

    # ------------------------------------------------------------ looks

    def sizeHint(self) -> QSize:
        return QSize(240, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    @property
    def area(self) -> QRectF:
        """Where the bins are."""
        return QRectF(_SIDE, _TOP, self.width() - 2 * _SIDE, self.height() - _TOP - _AXIS)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.field))
        painter.drawRoundedRect(self.area, 3, 3)
        if not self._sketches:
            self._paint_nothing(painter, theme)
            return
        self._paint_ticks(painter, theme)
        painter.save()
        painter.setClipRect(self.area)
        names = CHANNELS if self._colours and CHANNELS[0] in self._sketches[0].histogram.counts else (BRIGHTNESS,)
        most = max(self._height_of(self._bins(self._sketches[0], name)).max() for name in names)
        for place, sketch in enumerate(self._sketches):
            for name in names:
                self._paint_bins(painter, theme, sketch, name, most, is_ground=place == 0)
        painter.restore()
        if self._is_light:
            self._paint_tone(painter, theme)
        if self._at is not None:
            painter.setPen(QPen(QColor(theme.text), 1))
            x = round(self.x_of(self._at)) + 0.5
            painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))

    def _paint_nothing(self, painter: QPainter, theme: Theme) -> None:
        painter.setPen(QColor(theme.dim))
        painter.setFont(style.text_font(style.SMALL_PX))
        painter.drawText(self.area, Qt.AlignmentFlag.AlignCenter, "how the light of a picture is spread")

    def _bins(self, sketch: Sketch, name: str) -> np.ndarray:
        """Counts; of a grey picture beside one of colours, what it has."""
        counts = sketch.histogram.counts
        return counts[name if name in counts else BRIGHTNESS]

    def _height_of(self, counts: np.ndarray) -> np.ndarray:
        return np.log1p(counts) if self._log else counts.astype(float)

    def _paint_bins(
        self, painter: QPainter, theme: Theme, sketch: Sketch, name: str, most: float, *, is_ground: bool
    ) -> None:
        path = self._outline(sketch.histogram, self._bins(sketch, name), most, closed=is_ground)
        hue = QColor(_HUES.get(name, theme.dim))
        if is_ground:
            hue.setAlphaF(0.4)
            painter.fillPath(path, hue)
            return
        line = hue if name in _HUES else QColor(lane_colour(sketch.look.colour, theme) if sketch.look else theme.text)
        painter.strokePath(path, QPen(line, 1.2))

    def _outline(self, histogram: Histogram, counts: np.ndarray, most: float, *, closed: bool) -> QPainterPath:
        """The bins as stairs, from the ground up."""
        lo, hi = self._range
        width = (histogram.hi - histogram.lo) / len(counts)
        first = max(0, math.floor((lo - histogram.lo) / width))
        last = min(len(counts), math.ceil((hi - histogram.lo) / width))
        heights = self._height_of(counts[first:last]) / max(most, 1e-9)
        room, ground = self.area.height() - 4, self.area.bottom()
        scale = (self.width() - 2 * _SIDE) / (hi - lo)
        left = _SIDE + (histogram.lo + first * width - lo) * scale
        path = QPainterPath(QPointF(left, ground))
        for number, height in enumerate(heights):
            y = ground - room * min(1.0, float(height))
            path.lineTo(left + number * width * scale, y)
            path.lineTo(left + (number + 1) * width * scale, y)
        path.lineTo(left + len(heights) * width * scale, ground)
        if closed:
            path.closeSubpath()
        return path

    def _paint_tone(self, painter: QPainter, theme: Theme) -> None:
        """Veils over what is black and what is clipped, and the mark of light that becomes 1.0."""
        black, white = limits(self._tone)
        area, veil = self.area, QColor(theme.text)
        veil.setAlphaF(0.10)
        clipped = QColor(theme.error)
        clipped.setAlphaF(0.16)
        if black > self._range[0]:
            painter.fillRect(QRectF(QPointF(area.left(), area.top()), QPointF(self.x_of(black), area.bottom())), veil)
        if white < self._range[1]:
            painter.fillRect(
                QRectF(QPointF(self.x_of(white), area.top()), QPointF(area.right(), area.bottom())), clipped
            )
        x = self.x_of(-self._tone.exposure)
        accent = QColor(theme.accent)
        painter.setPen(QPen(accent, 1.5))
        painter.drawLine(QPointF(x, area.top() - 3), QPointF(x, area.bottom()))
        handle = QPainterPath(QPointF(x - 5, 1))
        for dx, y in ((5, 1), (5, 4), (0, 9), (-5, 4)):
            handle.lineTo(x + dx, y)
        handle.closeSubpath()
        painter.fillPath(handle, accent)

    def _paint_ticks(self, painter: QPainter, theme: Theme) -> None:
        painter.setFont(style.text_font(10))
        metrics = painter.fontMetrics()
        lo, hi = self._range
        step_room = metrics.horizontalAdvance("−00") + 12
        major, _ = linear_ticks(lo, hi, self.width() - 2 * _SIDE, step_room)
        for value, text in major:
            x = round(self.x_of(value)) + 0.5
            painter.setPen(QPen(QColor(theme.grid_line)))
            painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))
            painter.setPen(QColor(theme.dim))
            shown = text.replace("-", MINUS)
            half = metrics.horizontalAdvance(shown) / 2
            start = min(max(0.0, x - half), self.width() - 2 * half)
            painter.drawText(QPointF(start, self.height() - 3), shown)


def _shown_range(histogram: Histogram) -> tuple[float, float]:
    """Whole stops that hold nearly all light and 1.0, with a stop to either side; of code values all."""
    if not histogram.is_light:
        return histogram.lo, histogram.hi
    counts = sum(histogram.counts.values(), np.zeros_like(histogram.counts[BRIGHTNESS]))
    places = np.flatnonzero(counts > _RARE * counts.sum())
    if not len(places):
        return -_LEAST_SPAN, 2.0
    width = (histogram.hi - histogram.lo) / len(counts)
    lo = min(math.floor(histogram.lo + places[0] * width), -1) - 1
    hi = max(math.ceil(histogram.lo + (places[-1] + 1) * width), 0) + 1
    lo = min(lo, hi - _LEAST_SPAN)
    return max(histogram.lo, lo), min(histogram.hi, hi)

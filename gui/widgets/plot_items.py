"""Pieces of the RD plot that pyqtgraph lacks: a rate axis with 1-2-5 ticks, and marks kept in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.palette import Look
from gui import style
from gui.models.curves import EndLabel, freest, place_labels, trace
from gui.models.ticks import linear_ticks, log_ticks
from gui.theme import RADIUS, lane_colour, lane_ink, mix

_LABEL_GAP = 10
_LATE = 0.75  # of the furthest end's place: curves that end beyond share a column of names


class TickAxis(pg.AxisItem):
    """An axis whose coordinates are values, or their decimal logarithms while `log` is set."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.log = False
        self._texts: dict[float, str] = {}
        self.enableAutoSIPrefix(False)  # it would write "(x0.001)" beside a short axis
        self.setStyle(tickLength=-4, tickTextOffset=6, tickFont=style.text_font(11))

    def tickValues(self, lo: float, hi: float, length: float) -> list[tuple[float, list[float]]]:
        """Tick positions in axis coordinates, labelled ones first (pyqtgraph's form)."""
        room = QFontMetricsF(style.text_font(11)).horizontalAdvance("0.005") + 14
        if self.orientation in ("left", "right"):
            room = 34.0
        if self.log:
            if hi > 300 or lo < -300:
                return []
            major, minor = log_ticks(10**lo, 10**hi, length, room)
            major, minor = [(math.log10(v), text) for v, text in major], [math.log10(v) for v in minor]
        else:
            major, minor = linear_ticks(lo, hi, length, room)
        self._texts = dict(major)
        labelled = set(self._texts)
        return [(1.0, list(self._texts)), (0.5, [v for v in minor if v not in labelled])]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [self._texts.get(value, "") for value in values]


@dataclass(frozen=True)
class CurveEnd:
    """A curve that is to be named. look: None for references. points: its line, in view coordinates."""

    key: str
    name: str
    look: Look | None
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Ring:
    """The operating point of a lane, in view coordinates."""

    look: Look
    x: float
    y: float


@dataclass(frozen=True)
class ReadOut:
    """What the pointer is on, in view coordinates, and the lines to say."""

    look: Look
    x: float
    y: float
    lines: tuple[str, ...]


class Overlay(pg.GraphicsObject):
    """Names at the curves' ends, rings and the read-out: placed by data, sized and kept apart in pixels."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self._box = box
        self.ends: list[CurveEnd] = []
        self._placed_for: object = None
        self._placed: dict[str, QRectF] = {}
        self._last_seen: dict[str, tuple[float, float]] = {}  # where each curve ends or leaves the view, in pixels
        self.rings: list[Ring] = []
        self.read_out: ReadOut | None = None
        self.focused = False
        self.font = style.text_font(style.SMALL_PX)
        self.setZValue(50)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        rect: QRectF = self._box.rect()
        return rect

    def right_for_names(self, left: float, right: float) -> float:
        """The least right end of the x range from `left` that shows `right` and leaves the names their room.

        Curves that end a little beyond `right` are shown whole; those that go on are named where they leave.
        """
        metrics, width = QFontMetricsF(self.font), max(1.0, self._box.rect().width())
        late = [end for end in self.ends if end.points[-1][0] > right - 0.5 * (right - left)]
        widest = max((metrics.horizontalAdvance(end.name) for end in late), default=0.0)
        share = width / max(0.4 * width, width - widest - _LABEL_GAP - 8)
        furthest = max((x for end in self.ends if (x := end.points[-1][0]) <= right), default=right)
        while True:
            edge = left + (furthest - left) * share
            within = [x for end in self.ends if furthest < (x := end.points[-1][0]) <= edge]
            if not within:
                return max(right, edge)
            furthest = max(within)

    def to_pixels(self, x: float, y: float) -> QPointF:
        """View coordinates as pixels of the plot area."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        rect = self._box.rect()
        return QPointF((x - x0) / (x1 - x0) * rect.width(), (y1 - y) / (y1 - y0) * rect.height())

    def placed(self) -> dict[str, QRectF]:
        """Where each name stands, in pixels of the plot area; names of curves out of sight are left out."""
        state = (self._box.viewRange(), self._box.rect(), self.ends)
        if state != self._placed_for:
            self._placed_for, self._placed = state, self._place()
        return self._placed

    def _place(self) -> dict[str, QRectF]:
        metrics, area = QFontMetricsF(self.font), self._box.rect()
        height = metrics.height()
        bounds = (0.0, 2.0, area.width() - 4, area.height() - 2)
        traces = {end.key: trace([self.to_pixels(x, y).toTuple() for x, y in end.points]) for end in self.ends}
        self._last_seen = {
            key: (float(seen[-1][0]), float(seen[-1][1]))
            for key, line in traces.items()
            if len(seen := line[np.all((line >= -1) & (line <= (area.width() + 1, area.height() + 1)), axis=1)])
        }
        taken = np.concatenate([np.empty((0, 2)), *traces.values()])
        widths = {end.key: metrics.horizontalAdvance(end.name) + 2 for end in self.ends}
        furthest = max((x for x, _ in self._last_seen.values()), default=0.0)
        column = min(furthest + _LABEL_GAP, area.width() - 4 - max(widths.values(), default=0.0))
        wanted = []
        for key, seen_at in sorted(self._last_seen.items(), key=lambda pair: -pair[1][0]):
            if seen_at[0] >= _LATE * furthest:  # names of curves that end together stand in one column
                spot = EndLabel(key, column, seen_at[1], widths[key])
            else:
                spot = replace(freest(seen_at, widths[key], height, taken, bounds), key=key)
            wanted.append(spot)
            taken = np.concatenate([taken, trace([(spot.x, spot.y), (spot.x + spot.width, spot.y)])])
        spots = place_labels(wanted, height + 1, bounds)
        return {key: QRectF(x, y - height / 2, widths[key], height) for key, (x, y) in spots.items()}

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self._box.rect())
        if self.focused:
            painter.setPen(QPen(QColor(style.current().accent)))
            painter.drawRect(self._box.rect().adjusted(0.5, 0.5, -0.5, -0.5))
        self._paint_rings(painter)
        self._paint_names(painter)
        if self.read_out is not None:
            self._paint_read_out(painter, self.read_out)

    def _paint_rings(self, painter: QPainter) -> None:
        theme = style.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ring in self.rings:
            painter.setPen(QPen(QColor(lane_colour(ring.look.colour, theme)), 1.8))
            painter.drawEllipse(self.to_pixels(ring.x, ring.y), 8, 8)

    def _paint_names(self, painter: QPainter) -> None:
        theme = style.current()
        painter.setFont(self.font)
        places = self.placed()
        ground = QColor(theme.panel)
        ground.setAlphaF(0.78)
        for named in self.ends:
            if named.key not in places:
                continue
            rect, end = places[named.key], QPointF(*self._last_seen[named.key])
            away = QPointF(rect.left(), rect.center().y()) - end
            if away.x() > 0 and (abs(away.y()) > 5 or away.x() > 2 * _LABEL_GAP):
                thin = QColor(lane_colour(named.look.colour, theme) if named.look else theme.dim)
                thin.setAlphaF(0.55)
                painter.setPen(QPen(thin, 1))
                painter.drawLine(QPointF(end.x() + 5, end.y()), QPointF(rect.left() - 2, rect.center().y()))
            painter.fillRect(rect.adjusted(-2, 1, 0, -1), ground)
        for named in self.ends:
            if named.key in places:
                painter.setPen(QColor(lane_ink(named.look.colour, theme) if named.look else theme.dim))
                painter.drawText(places[named.key], int(Qt.AlignmentFlag.AlignVCenter), named.name)

    def _paint_read_out(self, painter: QPainter, read_out: ReadOut) -> None:
        theme, at, area = style.current(), self.to_pixels(read_out.x, read_out.y), self._box.rect()
        colour = QColor(lane_colour(read_out.look.colour, theme))
        painter.setPen(QPen(colour, 2))
        painter.setBrush(QColor(theme.panel))
        painter.drawEllipse(at, 5, 5)
        bold, plain = style.text_font(style.SMALL_PX, bold=True), style.text_font(style.SMALL_PX)
        fonts = [bold, *[plain] * (len(read_out.lines) - 1)]
        metrics = [QFontMetricsF(font) for font in fonts]
        width = max(m.horizontalAdvance(line) for m, line in zip(metrics, read_out.lines, strict=True)) + 18
        height = sum(m.height() for m in metrics) + 10
        x = at.x() + 14 if at.x() + 14 + width < area.width() else at.x() - 14 - width
        x = max(4.0, min(x, area.width() - width - 4))
        y = max(4.0, min(at.y() - height - 10, area.height() - height - 4))
        painter.setPen(QPen(QColor(mix(theme.hairline, theme.text, 0.12))))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(QRectF(x, y, width, height), RADIUS, RADIUS)
        top = y + 5
        for place, (font, m, line) in enumerate(zip(fonts, metrics, read_out.lines, strict=True)):
            painter.setFont(font)
            painter.setPen(QColor(lane_ink(read_out.look.colour, theme) if place == 0 else theme.text))
            painter.drawText(QPointF(x + 9, top + m.ascent()), line)
            top += m.height()

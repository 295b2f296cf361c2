"""Pieces of the RD plot that pyqtgraph lacks: a rate axis with 1-2-5 ticks, and marks kept in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.palette import Look
from gui import style
from gui.models.curves import EndLabel, place_labels
from gui.models.ticks import linear_ticks, log_ticks
from gui.theme import RADIUS, lane_colour, lane_ink, mix

_LABEL_GAP = 10


class TickAxis(pg.AxisItem):
    """An axis whose coordinates are values, or their decimal logarithms while `log` is set."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.log = False
        self._texts: dict[float, str] = {}
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
        self.ends: list[tuple[str, str, Look | None, float, float]] = []  # key, name, look, x, y
        self.rings: list[Ring] = []
        self.read_out: ReadOut | None = None
        self.font = style.text_font(style.SMALL_PX)
        self.setZValue(50)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        rect: QRectF = self._box.rect()
        return rect

    def right_for_names(self, left: float) -> float:
        """The least right end of the x range, for the given left end, that leaves every name its room."""
        metrics, width = QFontMetricsF(self.font), max(1.0, self._box.rect().width())
        needs = ((x, metrics.horizontalAdvance(name) + _LABEL_GAP + 8) for _, name, _, x, _ in self.ends)
        return max((left + (x - left) * width / max(0.4 * width, width - need) for x, need in needs), default=left)

    def to_pixels(self, x: float, y: float) -> QPointF:
        """View coordinates as pixels of the plot area."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        rect = self._box.rect()
        return QPointF((x - x0) / (x1 - x0) * rect.width(), (y1 - y) / (y1 - y0) * rect.height())

    def placed(self) -> dict[str, QRectF]:
        """Where each name stands, in pixels of the plot area; names of curves out of sight are left out."""
        metrics, rect = QFontMetricsF(self.font), self._box.rect()
        wanted = []
        for key, name, _, x, y in self.ends:
            at = self.to_pixels(x, y)
            if -1 <= at.y() <= rect.height() + 1 and at.x() >= 0:
                at.setX(min(at.x(), rect.width()))
                wanted.append(EndLabel(key, at.x() + _LABEL_GAP, at.y(), metrics.horizontalAdvance(name) + 2))
        bounds = (0.0, 2.0, rect.width() - 4, rect.height() - 2)
        spots = place_labels(wanted, metrics.height() + 1, bounds)
        widths = {label.key: label.width for label in wanted}
        height = metrics.height()
        return {key: QRectF(x, y - height / 2, widths[key], height) for key, (x, y) in spots.items()}

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self._box.rect())
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
        for key, _name, look, x, y in self.ends:
            if key not in places:
                continue
            rect, end = places[key], self.to_pixels(x, y)
            colour = QColor(lane_colour(look.colour, theme) if look else theme.dim)
            if abs(rect.center().y() - end.y()) > 5 and rect.left() > end.x():
                thin = QColor(colour)
                thin.setAlphaF(0.55)
                painter.setPen(QPen(thin, 1))
                painter.drawLine(QPointF(end.x() + 5, end.y()), QPointF(rect.left() - 2, rect.center().y()))
            painter.fillRect(rect.adjusted(-2, 1, 0, -1), ground)
        for key, name, look, *_ in self.ends:
            if key in places:
                painter.setPen(QColor(lane_ink(look.colour, theme) if look else theme.dim))
                painter.drawText(places[key], int(Qt.AlignmentFlag.AlignVCenter), name)

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

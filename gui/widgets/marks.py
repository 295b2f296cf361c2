"""The mark of a codec: its colour and, for those who see colours differently, its shape."""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPixmap, QPolygonF, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.palette import Look
from gui import style
from gui.theme import Theme, lane_colour


def _polygon(points: list[tuple[float, float]]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    path.closeSubpath()
    return path


def _cross(arm: float, turn: float) -> QPainterPath:
    path = QPainterPath()
    path.addRect(QRectF(-0.5, -arm, 1, 2 * arm))
    upright = QPainterPath()
    upright.addRect(QRectF(-arm, -0.5, 2 * arm, 1))
    return QTransform().rotate(turn).map(path.united(upright))


@cache
def marker_path(marker: str) -> QPainterPath:
    """The outline of a matplotlib marker code (o s ^ D v P X) around the origin, about 1 wide, y downwards.

    The shapes have equal visual weight rather than equal width.
    """
    if marker == "s":
        side = 0.44
        return _polygon([(-side, -side), (side, -side), (side, side), (-side, side)])
    if marker in "^v":
        sign = 1 if marker == "^" else -1
        corners = [(0.6 * sin(turn), sign * (0.07 - 0.6 * cos(turn))) for turn in (0, 2 * pi / 3, 4 * pi / 3)]
        return _polygon(corners)
    if marker == "D":
        return _polygon([(0, -0.6), (0.6, 0), (0, 0.6), (-0.6, 0)])
    if marker in "PX":
        return _cross(0.2, 45 if marker == "X" else 0)
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), 0.5, 0.5)
    return path


def paint_mark(painter: QPainter, centre: QPointF, look: Look, theme: Theme, size: float = 9.0) -> None:
    """Draw the mark, `size` pixels wide, around `centre`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(centre)
    painter.scale(size, size)
    painter.fillPath(marker_path(look.marker), QColor(lane_colour(look.colour, theme)))
    painter.restore()


def mark_pixmap(look: Look, theme: Theme, side: int = 16, scale: float = 2.0) -> QPixmap:
    """The mark in a transparent square of `side` device-independent pixels (for menus and combos)."""
    image = QPixmap(round(side * scale), round(side * scale))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    paint_mark(painter, QPointF(side / 2, side / 2), look, theme)
    painter.end()
    return image


class Mark(QWidget):
    """A codec's mark as a widget."""

    def __init__(self, look: Look, size: float = 9.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._size = look, size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(16, 16)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mark(painter, QPointF(self.width() / 2, self.height() / 2), self._look, style.current(), self._size)

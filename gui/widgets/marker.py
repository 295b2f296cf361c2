"""A codec's dot: its colour, and a shape that says the same to those who cannot tell the colours apart."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

_POLYGONS = {
    "s": ((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)),
    "^": ((0, -1.05), (1.1, 0.85), (-1.1, 0.85)),
    "v": ((0, 1.05), (1.1, -0.85), (-1.1, -0.85)),
    "D": ((0, -1.15), (1.15, 0), (0, 1.15), (-1.15, 0)),
    "P": (
        *((-0.38, -1.05), (0.38, -1.05), (0.38, -0.38), (1.05, -0.38), (1.05, 0.38), (0.38, 0.38)),
        *((0.38, 1.05), (-0.38, 1.05), (-0.38, 0.38), (-1.05, 0.38), (-1.05, -0.38), (-0.38, -0.38)),
    ),
    "X": (
        *((0, -0.5), (0.5, -1), (1, -0.5), (0.5, 0), (1, 0.5), (0.5, 1)),
        *((0, 0.5), (-0.5, 1), (-1, 0.5), (-0.5, 0), (-1, -0.5), (-0.5, -1)),
    ),
}


def draw_marker(painter: QPainter, centre: QPointF, marker: str, colour: str, radius: float = 4.5) -> None:
    """Fill a marker (matplotlib's codes o s ^ D v P X; any other is drawn as o) of `colour` (#rrggbb)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    if marker in _POLYGONS:
        painter.drawPolygon(
            QPolygonF([QPointF(centre.x() + radius * x, centre.y() + radius * y) for x, y in _POLYGONS[marker]])
        )
    else:
        painter.drawEllipse(centre, radius, radius)
    painter.restore()

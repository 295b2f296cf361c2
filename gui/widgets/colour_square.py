"""`ColourSquare`: what the colours of two maps at once mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.crossed import BITS_REACH, CELL, ERROR_REACH, FEW_LARGE, FEW_SMALL, MANY_LARGE, MANY_SMALL, cross_table
from gui.style import SMALL_PX, text_font
from gui.widgets.legend import Legend

EDGE = 12
SQUARE = 80
TITLE = 26  # px above the square
TICKS = 18  # px below it
SWATCH, ROW = 10, 20
MEANINGS = (
    (FEW_LARGE, "few bits, large error"),
    (MANY_LARGE, "many bits, large error"),
    (MANY_SMALL, "many bits, small error"),
    (FEW_SMALL, "few bits, small error"),
)


@dataclass(frozen=True)
class CrossScale:
    """bits, error: the middles of both scales, per pixel. label, unit: of the error; the unit may be empty."""

    bits: float
    error: float
    label: str
    unit: str


def three(middle: float, reach: float) -> list[str]:
    """The ends and the middle of a scale, in figures that tell them apart."""
    return [f"{middle / reach:.{1 if reach > 2 else 2}g}", f"{middle:.2g}", f"{middle * reach:.2g}"]


class ColourSquare(Legend):
    """A small card: the colours by bits (across) and error (up) with their figures, and the corners in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = CrossScale(1.0, 1.0, "", "")
        table = np.ascontiguousarray(cross_table()[::-1])
        side = table.shape[0]
        self._colours = QImage(table.data, side, side, 3 * side, QImage.Format.Format_RGB888).copy()

    def set_scale(self, scale: CrossScale) -> None:
        self._scale = scale
        metrics = QFontMetrics(text_font(SMALL_PX))
        words = max(metrics.horizontalAdvance(text) for _, text in MEANINGS)
        self._left = EDGE + max(metrics.horizontalAdvance(text) for text in three(scale.error, ERROR_REACH)) + 6
        self._words = self._left + SQUARE + 28
        self.setFixedSize(self._words + SWATCH + 6 + words + EDGE, TITLE + SQUARE + TICKS + 6)
        across, up = three(scale.bits, BITS_REACH), three(scale.error, ERROR_REACH)
        self.setAccessibleName(
            f"Bits and error: bits per pixel from {across[0]} to {across[2]}, "
            f"{self._error_name()} from {up[0]} to {up[2]}, means over {CELL} × {CELL} pixels"
        )
        self.update()

    @property
    def square(self) -> QRectF:
        """Where the colours are."""
        return QRectF(self._left, TITLE, SQUARE, SQUARE)

    def _error_name(self) -> str:
        return f"{self._scale.label} {self._scale.unit}".strip()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        self.paint_card(painter)
        title = QRectF(EDGE, 4, self.width() - 2 * EDGE, 18)
        self.write(painter, title, "Bits × error", bold=True)
        self.write(painter, title, f"bpp × {self._error_name()}", Qt.AlignmentFlag.AlignRight, dim=True)
        painter.drawImage(self.square, self._colours)
        self._paint_figures(painter)
        self._paint_meanings(painter)

    def _paint_figures(self, painter: QPainter) -> None:
        area = self.square
        painter.setPen(QPen(QColor(self._theme.dim), 1))
        painter.drawLine(QPointF(area.center().x(), area.bottom()), QPointF(area.center().x(), area.bottom() + 3))
        painter.drawLine(QPointF(area.left() - 3, area.center().y()), QPointF(area.left(), area.center().y()))
        for text, x in zip(
            three(self._scale.bits, BITS_REACH), (area.left(), area.center().x(), area.right()), strict=True
        ):
            below = QRectF(x - SQUARE / 4, area.bottom() + 3, SQUARE / 2, TICKS - 2)
            self.write(painter, below, text, Qt.AlignmentFlag.AlignHCenter)
        heights = (area.bottom() - 8, area.center().y(), area.top() + 8)
        for text, y in zip(three(self._scale.error, ERROR_REACH), heights, strict=True):
            self.write(painter, QRectF(0, y - 9, area.left() - 5, 18), text, Qt.AlignmentFlag.AlignRight)

    def _paint_meanings(self, painter: QPainter) -> None:
        for row, (colour, text) in enumerate(MEANINGS):
            y = TITLE + row * ROW
            painter.setPen(QPen(QColor(self._theme.hairline), 1))
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(self._words, y + (ROW - SWATCH) / 2, SWATCH, SWATCH), 2, 2)
            self.write(painter, QRectF(self._words + SWATCH + 6, y, self.width(), ROW), text)

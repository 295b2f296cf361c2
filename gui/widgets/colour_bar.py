"""`ColourBar`: what the colours of a map mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui.style import SMALL_PX, text_font
from gui.widgets.legend import Legend

WIDTH, HEIGHT = 232, 56
EDGE = 12
BAR_TOP, BAR_HEIGHT = 24, 8
MOST_TICKS = 5


def ticks(lo: float, hi: float) -> list[float]:
    """Round values between lo and hi, at most five, steps of 1, 2 or 5 times a power of ten; lo and hi if none fits."""
    if not hi > lo:
        return [lo]
    raw = (hi - lo) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first = math.ceil(lo / step - 1e-9)
    found = [n * step for n in range(first, math.floor(hi / step + 1e-9) + 1)]
    return found if len(found) > 1 else [lo, hi]


@dataclass(frozen=True)
class Scale:
    """label: what the map is of. unit: may be empty. lo, hi: values of the first and last colour. table: N×3 u8."""

    label: str
    unit: str
    lo: float
    hi: float
    table: np.ndarray = field(repr=False, compare=False)


class ColourBar(Legend):
    """A small card: name and unit of the map, its colours, and round values below them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._unit = "", ""
        self._range = (0.0, 1.0)
        self._strip = QImage()
        self.setFixedSize(WIDTH, HEIGHT)

    def set_scale(self, scale: Scale) -> None:
        label, unit, lo, hi = scale.label, scale.unit, scale.lo, scale.hi
        self._label, self._unit, self._range = label, unit, (lo, hi)
        row = np.ascontiguousarray(scale.table, np.uint8)
        count = row.shape[0]
        self._strip = QImage(row.data, count, 1, 3 * count, QImage.Format.Format_RGB888).copy()
        texts = QFontMetrics(text_font(SMALL_PX, bold=True)).horizontalAdvance(label)
        texts += QFontMetrics(text_font(SMALL_PX)).horizontalAdvance(unit)
        self.setFixedWidth(max(WIDTH, texts + 3 * EDGE))
        self.setAccessibleName(f"{label}, colours from {lo:g} to {hi:g} {unit}".strip())
        self.update()

    @property
    def strip_rect(self) -> QRectF:
        """Where the colours are."""
        return QRectF(EDGE, BAR_TOP, self.width() - 2 * EDGE, BAR_HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        self.paint_card(painter)
        title = QRectF(EDGE, 4, self.width() - 2 * EDGE, 18)
        self.write(painter, title, self._label, bold=True)
        self.write(painter, title, self._unit, Qt.AlignmentFlag.AlignRight, dim=True)
        if not self._strip.isNull():
            painter.drawImage(self.strip_rect, self._strip)
        self._paint_ticks(painter)

    def _paint_ticks(self, painter: QPainter) -> None:
        (lo, hi), bar = self._range, self.strip_rect
        metrics = QFontMetrics(text_font(SMALL_PX))
        for value in ticks(lo, hi):
            part = (value - lo) / (hi - lo) if hi > lo else 0.0
            x = bar.left() + part * bar.width()
            painter.setPen(QPen(QColor(self._theme.dim), 1))
            painter.drawLine(round(x), round(bar.bottom()), round(x), round(bar.bottom()) + 3)
            text = f"{value:.6g}"
            width = metrics.horizontalAdvance(text)
            left = min(max(x - width / 2, bar.left()), bar.right() - width)
            painter.setPen(QColor(self._theme.text))
            painter.drawText(QRectF(left, bar.bottom() + 4, width + 2, 16), Qt.AlignmentFlag.AlignLeft, text)

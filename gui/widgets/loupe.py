"""`Loupe`: the few texels under the cursor, of the original and of each codec, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.film import Print
from engine.palette import Look
from gui.style import SMALL_PX, current, text_font
from gui.theme import Theme
from gui.widgets.marks import paint_mark

TEXELS = (12, 8)  # across, down
COLUMNS = 2
GAP = 8
LABEL_HEIGHT = 20


@dataclass(frozen=True, eq=False)
class LoupeSource:
    """label, colour (#rrggbb) and marker as in the pane; pixels: H×W×3 u8 as shown, or None while there are none."""

    label: str
    colour: str
    marker: str
    pixels: np.ndarray | Print | None


class Loupe(QWidget):
    """Crops of 12×8 texels in two columns, each with its label; the texel under the cursor is outlined.

    Until the mouse has been over a picture, they show its middle.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = current()
        self._sources: tuple[LoupeSource, ...] = ()
        self._texel: tuple[int, int] | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Under the cursor")

    def set_sources(self, sources: Sequence[LoupeSource]) -> None:
        """What to magnify, in order; pixels are kept, not copied."""
        grown = len(sources) != len(self._sources)
        self._sources = tuple(sources)
        if grown:
            self.updateGeometry()
        self.update()

    def look_at(self, x: int, y: int) -> None:
        """Put texel (x, y) in the middle. The last place stays when the mouse leaves: it can be studied."""
        if (x, y) != self._texel:
            self._texel = (x, y)
            self.update()

    def clear(self) -> None:
        """Look at the middle of the pictures, as before the mouse was over any."""
        self._texel = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.set_theme(current())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self._sources) // COLUMNS)
        return rows * (self._crop(width).height() + LABEL_HEIGHT) + max(0, rows - 1) * (GAP // 2)

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(120))

    def _crop(self, width: int) -> QSize:
        across = (width - (COLUMNS - 1) * GAP) // COLUMNS
        return QSize(across, across * TEXELS[1] // TEXELS[0])

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        crop = self._crop(self.width())
        for place, source in enumerate(self._sources):
            left = (place % COLUMNS) * (crop.width() + GAP)
            top = (place // COLUMNS) * (crop.height() + LABEL_HEIGHT + GAP // 2)
            self._paint_crop(painter, source, QRect(left, top, crop.width(), crop.height()))
            self._paint_label(painter, source, QRect(left, top + crop.height(), crop.width(), LABEL_HEIGHT))

    def _paint_crop(self, painter: QPainter, source: LoupeSource, area: QRect) -> None:
        painter.fillRect(area, QColor(self._theme.surround))
        pixels = source.pixels
        if pixels is None:
            return
        x, y = self._texel or (pixels.shape[1] // 2, pixels.shape[0] // 2)
        x0, y0 = x - TEXELS[0] // 2, y - TEXELS[1] // 2
        left, top = max(0, x0), max(0, y0)
        part = np.ascontiguousarray(pixels[top : max(0, y0 + TEXELS[1]), left : max(0, x0 + TEXELS[0])])
        height, width = part.shape[:2]
        size_x, size_y = area.width() / TEXELS[0], area.height() / TEXELS[1]
        if height and width:
            image = QImage(part.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            place = QPointF(area.left() + (left - x0) * size_x, area.top() + (top - y0) * size_y)
            painter.drawImage(QRectF(place.x(), place.y(), width * size_x, height * size_y), image)
        if self._texel is None:
            return
        middle = QRectF(area.left() + TEXELS[0] // 2 * size_x, area.top() + TEXELS[1] // 2 * size_y, size_x, size_y)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, thickness in ((QColor(0, 0, 0, 140), 3), (QColor(255, 255, 255, 230), 1)):
            painter.setPen(QPen(colour, thickness))
            painter.drawRect(middle)

    def _paint_label(self, painter: QPainter, source: LoupeSource, area: QRect) -> None:
        look = Look(source.colour, source.marker)
        paint_mark(painter, QPointF(area.left() + 5, area.center().y() + 1), look, self._theme, 8)
        font = text_font(SMALL_PX)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.text))
        room = area.adjusted(14, 0, 0, 0)
        text = QFontMetrics(font).elidedText(source.label, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

"""`Legend`: the small card over a picture that says what the colours of a map mean."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gui.style import SMALL_PX, text_font
from gui.theme import DARK, RADIUS, Theme


class Legend(QWidget):
    """The card and its writing; what is drawn on it is each legend's own. The pointer reaches the picture below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paint_card(self, painter: QPainter) -> None:
        ground = QColor(self._theme.panel)
        ground.setAlpha(240)
        painter.setPen(QPen(QColor(self._theme.hairline), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def write(
        self,
        painter: QPainter,
        area: QRectF,
        text: str,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        *,
        bold: bool = False,
        dim: bool = False,
    ) -> None:
        painter.setFont(text_font(SMALL_PX, bold=bold))
        painter.setPen(QColor(self._theme.dim if dim else self._theme.text))
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)

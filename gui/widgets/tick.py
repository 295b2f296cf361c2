"""A check box drawn from the tokens: a square with a hairline, filled and ticked when it is on."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from gui import style
from gui.theme import mix

_SIDE, _GAP = 14, 8


class Tick(QCheckBox):
    """On or off, with its text beside it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(_SIDE + _GAP + self.fontMetrics().horizontalAdvance(self.text()) + 4, 22)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, on = style.current(), self.isChecked()
        strength = 1.0 if self.isEnabled() else 0.45
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = QRectF(1.5, (self.height() - _SIDE) / 2 + 0.5, _SIDE - 1, _SIDE - 1)
        edge = theme.accent if on or self.hasFocus() else mix(theme.hairline, theme.dim, 0.5)
        painter.setPen(QPen(QColor(mix(theme.panel, edge, strength))))
        painter.setBrush(QColor(mix(theme.panel, theme.accent, strength) if on else theme.field))
        painter.drawRoundedRect(square, 3, 3)
        if on:
            style.paint_icon(painter, "check", square.adjusted(1, 1, -1, -1), theme.on_accent)
        painter.setPen(QColor(mix(theme.panel, theme.text, 1.0 if self.isEnabled() else 0.6)))
        room = self.rect().adjusted(_SIDE + _GAP, 0, 0, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.text())

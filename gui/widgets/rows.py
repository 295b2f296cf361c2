"""What the rows of our tables have in common."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from gui import style
from gui.theme import mix


def paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> QRect:
    """Paint what lies under the content of a cell, lit when its row is selected; the cell's rectangle."""
    theme, rect = style.current(), QRect(option.rect)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if option.state & QStyle.StateFlag.State_Selected:
        painter.fillRect(rect.adjusted(0, 1, 0, -1), QColor(mix(theme.panel, theme.text, 0.06)))
    painter.setPen(QPen(QColor(mix(theme.panel, theme.hairline, 0.6))))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())
    return rect

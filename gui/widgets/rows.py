"""What the rows of our tables have in common."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QTableView

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


def paint_text(
    painter: QPainter, index: QModelIndex | QPersistentModelIndex, room: QRect, colour: str, dots: Qt.TextElideMode
) -> None:
    """Paint a cell's text in its room, with dots where it is too long."""
    painter.setPen(QColor(colour))
    text = painter.fontMetrics().elidedText(str(index.data() or ""), dots, room.width())
    painter.drawText(room, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), text)


def dress_table(view: QTableView, name: str, row_height: int) -> None:
    """A plain list of rows: no grid, one row chosen at a time, columns that are not clicked."""
    view.setAccessibleName(name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
    view.setTabKeyNavigation(False)
    view.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(row_height)
    columns = view.horizontalHeader()
    columns.setHighlightSections(False)
    columns.setSectionsClickable(False)
    columns.setMinimumSectionSize(40)

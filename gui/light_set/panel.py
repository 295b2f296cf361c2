"""The panel of the set: what all maps take in all, with every codec, and a table of them, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from engine.light_sets.measured import Total
from gui import style
from gui.light_set.model import QUALITY, SetModel, SetRow
from gui.models.lane import LaneTag
from gui.models.units import percent_text, size_text
from gui.theme import GRID, lane_ink
from gui.widgets.elided import ElidedLabel
from gui.widgets.marks import paint_mark
from gui.widgets.rows import paint_ground
from gui.widgets.themed import IconButton, Panel

_ROW = 22
_GAP = 18


@dataclass(frozen=True)
class LaneTotal:
    """What a lane makes of the set. waiting: maps that are still to be measured."""

    tag: LaneTag
    total: Total
    waiting: int


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        width = QFontMetrics(style.text_font(style.SMALL_PX)).horizontalAdvance(str(index.data()))
        return QSize(width + _GAP, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, row = style.current(), index.data(SetModel.RowRole)
        painter.save()
        rect = paint_ground(painter, option)
        painter.setFont(style.text_font(style.SMALL_PX, bold=row.current and index.column() == 0))
        text = str(index.data())
        quiet = text in ("—", "…", "n/a") or (index.column() in (1, 2))
        failed = row.error and index.column() == QUALITY
        painter.setPen(QColor(theme.error if failed else theme.dim if quiet else theme.text))
        inner = rect.adjusted(GRID, 0, -GRID, 0)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, inner.width())
        painter.drawText(inner, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), shown)
        painter.restore()


class _LaneButton(QPushButton):
    """A codec's totals; checked while the table is of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setProperty("kind", "quiet")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._tag: LaneTag | None = None

    def show_total(self, lane: LaneTotal, original: Total) -> None:
        self._tag = lane.tag
        total = lane.total
        words = f"{size_text(total.disk)} · VRAM {size_text(total.vram)}" if total.maps else "…"
        left = f" · {lane.waiting} to come" if lane.waiting else ""
        if not left and 0 < total.maps < original.maps:
            left = f" · {total.maps} of {original.maps} maps"
        self.setText(f"      {lane.tag.label}  {words}{left}")
        saved = ""
        if original.disk and total.maps == original.maps:
            disk = percent_text(100 * (total.disk / original.disk - 1))
            vram = percent_text(100 * (total.vram / original.vram - 1))
            saved = f"\n{disk} on disk, {vram} in video memory against the originals"
        self.setToolTip(f"{lane.tag.label}: {total.maps} of {original.maps} maps{saved}\nClick: the table is of it")
        self.setAccessibleName(f"{lane.tag.label}, {words}")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._tag is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            theme = style.current()
            paint_mark(painter, QPointF(14, self.height() / 2), self._tag.look, theme, 9)
            if self.isChecked():
                painter.setPen(QColor(lane_ink(self._tag.look.colour, theme)))
                painter.drawLine(4, self.height() - 2, self.width() - 4, self.height() - 2)


class SetPanel(Panel):
    """Signals, from the user only: opened(source id), lane_chosen(lane id), write_back_asked(), closed()."""

    opened = Signal(int)
    lane_chosen = Signal(int)
    write_back_asked = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Set of maps", parent)
        self.model = SetModel()
        self.model.setParent(self)
        self.summary = ElidedLabel("")
        self.write_back = QPushButton("Write back…")
        self.write_back.setToolTip("Store what a codec makes of the maps under their own names in another folder")
        self.write_back.clicked.connect(self.write_back_asked)
        self.close_button = IconButton("close", "Back to plot and table (F10)")
        self.close_button.clicked.connect(self.closed)
        self.head.insertWidget(1, self.summary, 20)
        self.head.addWidget(self.write_back)
        self.head.addWidget(self.close_button)
        self._totals = QHBoxLayout()
        self._totals.setSpacing(GRID)
        self._totals.addStretch(1)
        self.lane_buttons: dict[str, _LaneButton] = {}
        self.body.addLayout(self._totals)
        self.table = self._make_table()
        self.body.addWidget(self.table, 1)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setItemDelegate(_Delegate(table))
        table.setAccessibleName("Maps of the set")
        table.setShowGrid(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        table.setFont(style.text_font(style.SMALL_PX))
        rows = table.verticalHeader()
        rows.hide()
        rows.setDefaultSectionSize(_ROW)
        columns = table.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        columns.setMinimumSectionSize(44)
        table.setSortingEnabled(True)
        table.sortByColumn(QUALITY, Qt.SortOrder.AscendingOrder)
        table.clicked.connect(self._open)
        table.activated.connect(self._open)
        return table

    def set_rows(self, rows: Sequence[SetRow]) -> None:
        """The maps, in any order."""
        self.model.set_rows(rows)
        for column in range(self.model.columnCount()):
            self.table.setColumnHidden(column, not self.model.shown(column))

    def set_totals(self, original: Total, maps: int, lanes: Sequence[LaneTotal], chosen: str) -> None:
        """What the originals and each lane take in all. maps: that are open. chosen: the lane that the table is of."""
        sizes = f"{size_text(original.disk)} on disk · {size_text(original.vram)} in video memory uncompressed"
        self.summary.setText(f"{maps} maps · {sizes}" if original.maps else f"{maps} maps")
        wanted = [lane.tag.id for lane in lanes]
        if wanted != list(self.lane_buttons):
            for button in self.lane_buttons.values():
                self._totals.removeWidget(button)
                button.deleteLater()
            self.lane_buttons = {lane.tag.id: _LaneButton() for lane in lanes}
            for place, (key, button) in enumerate(self.lane_buttons.items()):
                button.clicked.connect(lambda _on=False, key=key: self.lane_chosen.emit(int(key)))
                self._totals.insertWidget(place, button)
        for lane in lanes:
            self.lane_buttons[lane.tag.id].show_total(lane, original)
            self.lane_buttons[lane.tag.id].setChecked(lane.tag.id == chosen)

    def _open(self, index: QModelIndex) -> None:
        row = self.model.rows[index.row()]
        if not row.error:
            self.opened.emit(row.source)

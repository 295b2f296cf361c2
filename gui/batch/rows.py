"""The rows of a batch as they come, newest first."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPointF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from engine.batch.work import FAILED, UNREACHABLE
from engine.metric import MetricInfo
from gui import style
from gui.models.lane import LaneTag
from gui.models.units import rate_text, score_text, size_text
from gui.theme import lane_ink
from gui.widgets.marks import paint_mark
from gui.widgets.rows import dress_table, paint_ground, paint_text

Index = QModelIndex | QPersistentModelIndex
_ROW = 22
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class Column(enum.IntEnum):
    PICTURE = 0
    CODEC = 1
    TARGET = 2
    RATE = 3
    SIZE = 4
    SCORE = 5
    REMARK = 6


class RowsModel(QAbstractTableModel):
    """Rows of a batch by `Column`, newest first, or those with errors alone."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Mapping[str, Any]] = []  # oldest first
        self._shown: list[Mapping[str, Any]] = []
        self._tags: dict[str, LaneTag] = {}
        self._metric: MetricInfo | None = None
        self._only_errors = False

    def begin(self, tags: Mapping[str, LaneTag], metric: MetricInfo) -> None:
        """Forget all rows. tags: by codec id. metric: the score that is shown."""
        self.beginResetModel()
        self._all, self._shown = [], []
        self._tags, self._metric = dict(tags), metric
        self.endResetModel()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._all += rows
        fresh = [row for row in rows if self._is_shown(row)]
        if fresh:
            self.beginInsertRows(QModelIndex(), 0, len(fresh) - 1)
            self._shown += fresh
            self.endInsertRows()

    def show_only_errors(self, only: bool) -> None:
        self.beginResetModel()
        self._only_errors = only
        self._shown = [row for row in self._all if self._is_shown(row)]
        self.endResetModel()

    def _is_shown(self, row: Mapping[str, Any]) -> bool:
        return not self._only_errors or bool(row["error"])

    def row(self, place: int) -> Mapping[str, Any]:
        """The row at `place` from above."""
        return self._shown[-1 - place]

    def tag(self, codec: str) -> LaneTag | None:
        return self._tags.get(codec)

    # -- the model, as Qt asks for it

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        score = self._metric.label if self._metric else "score"
        return ("picture", "codec", "target", "rate", "size", score, "")[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row())
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        text = self._text(row, Column(index.column()))
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (Column.PICTURE, Column.REMARK):
            return text
        return None

    def _text(self, row: Mapping[str, Any], column: Column) -> str:
        if column is Column.PICTURE:
            return str(row["image"])
        if column is Column.CODEC:
            tag = self.tag(row["codec"])
            return tag.label if tag else str(row["codec"])
        if column is Column.TARGET:
            return str(row["goal"])
        if column is Column.REMARK:
            return str(row["error"] or "; ".join(filter(None, (row.get("passport"), *row.get("notes", ())))))
        if "bpp" not in row:
            return ""
        if column is Column.RATE:
            return f"{rate_text(row['bpp'])} bpp"
        if column is Column.SIZE:
            return size_text(row["bytes"])
        return score_text(row.get(self._metric.id), self._metric) if self._metric else ""


def _alignment(column: int) -> int:
    return _LEFT if column in (Column.PICTURE, Column.CODEC, Column.REMARK) else _RIGHT


class _Delegate(QStyledItemDelegate):
    """Paints a cell: codecs with mark and colour, hairlines between rows. An error takes the room of the figures."""

    def __init__(self, view: QTableView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(40, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = style.current()
        row = index.data(RowsModel.RowRole)
        painter.save()
        rect = paint_ground(painter, option)
        painter.setFont(style.text_font(style.SMALL_PX))
        room = rect.adjusted(6, 0, -6, 0)
        colour, dots = theme.text, Qt.TextElideMode.ElideRight
        model = index.model()
        tag = model.tag(row["codec"]) if isinstance(model, RowsModel) else None
        if index.column() == Column.CODEC and tag is not None:
            paint_mark(painter, QPointF(rect.left() + 10, rect.center().y() + 1), tag.look, theme)
            colour, room = lane_ink(tag.look.colour, theme), rect.adjusted(22, 0, -4, 0)
        elif index.column() == Column.PICTURE:
            dots = Qt.TextElideMode.ElideMiddle
        elif index.column() == Column.REMARK:
            colour = {FAILED: theme.error, UNREACHABLE: theme.warn}.get(row["status"], theme.dim)
            if row["error"]:
                room.setLeft(self._view.columnViewportPosition(Column.RATE) + 24)
        elif index.column() == Column.TARGET:
            colour = theme.dim
        paint_text(painter, index, room, colour, dots)
        painter.restore()


class RowsView(QTableView):
    """The table of a batch's rows."""

    def __init__(self, model: RowsModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        dress_table(self, "Rows of the batch", _ROW)
        columns = self.horizontalHeader()
        for column, width in ((Column.PICTURE, 168), (Column.CODEC, 96), (Column.TARGET, 80), (Column.RATE, 84)):
            self.setColumnWidth(column, width)
        self.setColumnWidth(Column.SIZE, 68)
        self.setColumnWidth(Column.SCORE, 76)
        columns.setSectionResizeMode(Column.REMARK, QHeaderView.ResizeMode.Stretch)

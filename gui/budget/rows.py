"""The maps of a plan, worst first: what each of them is, and what it becomes."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from engine import registry
from engine.budget.choose import Option
from engine.budget.measure import Facts
from engine.budget.plan import cost_of
from gui import style
from gui.budget.form import SCALES
from gui.models.lane import LaneTag, setting_text
from gui.models.units import size_text
from gui.theme import lane_ink
from gui.widgets.marks import paint_mark
from gui.widgets.rows import dress_table, paint_ground, paint_text

Index = QModelIndex | QPersistentModelIndex
_ROW = 24
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_HEADS = ("map", "as it is", "", "becomes", "sides", "bytes", "quality", "of the error")


class Column(enum.IntEnum):
    MAP = 0
    WAS = 1
    WAS_BYTES = 2
    FORMAT = 3
    SIDES = 4
    BYTES = 5
    QUALITY = 6
    SHARE = 7


@dataclass(frozen=True)
class Row:
    """One map: its name, what it is, what it becomes. share: of all the error, 0 … 1. bytes are of what is counted."""

    name: str
    facts: Facts
    option: Option
    was: int
    becomes: int
    share: float


def rows(facts: Mapping[str, Facts], options: Mapping[str, Option], count: str) -> list[Row]:
    """Worst first."""
    cost = cost_of(count)
    error = sum(option.error for option in options.values())
    made = [
        Row(
            name,
            facts[name],
            option,
            facts[name].disk if count == "disk" else facts[name].vram,
            cost(option),
            option.error / error if error else 0.0,
        )
        for name, option in options.items()
    ]
    return sorted(made, key=lambda row: row.option.db)


def format_text(option: Option) -> str:
    """Codec and what its settings differ from the defaults by, its rate first."""
    info = registry.codec(option.codec).info
    settings = json.loads(option.settings)
    rate = info.rate_param
    said = [setting_text(rate, _short(settings[rate.name]))] if rate is not None and rate.name in settings else []
    said += [
        setting_text(param, settings[param.name])
        for param in info.params
        if param is not rate and param.name in settings and settings[param.name] != param.default
    ]
    return " · ".join([info.label, *said])


def _short(value: Any) -> Any:
    """Three figures of what is no whole number."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


class PlanModel(QAbstractTableModel):
    """Rows of a plan by `Column`."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._tags: Mapping[str, LaneTag] = {}

    def show(self, rows: Sequence[Row], tags: Mapping[str, LaneTag]) -> None:
        """tags: of the codecs that are lanes of the comparison, by codec."""
        self.beginResetModel()
        self.rows, self._tags = list(rows), tags
        self.endResetModel()

    def tag(self, codec: str) -> LaneTag | None:
        return self._tags.get(codec)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return _HEADS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        text = _text(row, Column(index.column()))
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (Column.MAP, Column.FORMAT):
            return text
        return None


def _text(row: Row, column: Column) -> str:
    facts, option = row.facts, row.option
    return {
        Column.MAP: row.name,
        Column.WAS: f"{facts.width} × {facts.height}",
        Column.WAS_BYTES: size_text(row.was),
        Column.FORMAT: format_text(option),
        Column.SIDES: SCALES.get(option.scale, f"1/{option.scale}").lower(),
        Column.BYTES: size_text(row.becomes),
        Column.QUALITY: f"{option.db:.1f} dB",
        Column.SHARE: f"{100 * row.share:.0f} %",
    }[column]


def _alignment(column: int) -> int:
    return _LEFT if column in (Column.MAP, Column.FORMAT) else _RIGHT


class _Delegate(QStyledItemDelegate):
    """Paints a cell: codecs with mark and colour where they are lanes, the share of the error as a bar too."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(40, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = style.current()
        row: Row = index.data(PlanModel.RowRole)
        painter.save()
        rect = paint_ground(painter, option)
        painter.setFont(style.text_font(style.SMALL_PX))
        room, colour, dots = rect.adjusted(6, 0, -6, 0), theme.text, Qt.TextElideMode.ElideRight
        model = index.model()
        tag = model.tag(row.option.codec) if isinstance(model, PlanModel) else None
        if index.column() == Column.FORMAT and tag is not None:
            paint_mark(painter, QPointF(rect.left() + 12, rect.center().y() + 1), tag.look, theme)
            colour, room = lane_ink(tag.look.colour, theme), rect.adjusted(24, 0, -4, 0)
        elif index.column() == Column.MAP:
            dots = Qt.TextElideMode.ElideMiddle
        elif index.column() in (Column.WAS, Column.WAS_BYTES):
            colour = theme.dim
        elif index.column() == Column.SHARE:
            bar = QRectF(rect.left() + 8, rect.center().y() - 1, max(0, rect.width() - 56), 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hairline))
            painter.drawRoundedRect(bar, 2, 2)
            bar.setWidth(bar.width() * row.share)
            painter.setBrush(QColor(theme.accent))
            painter.drawRoundedRect(bar, 2, 2)
        paint_text(painter, index, room, colour, dots)
        painter.restore()


class PlanView(QTableView):
    """The table of a plan."""

    def __init__(self, model: PlanModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        dress_table(self, "Maps of the plan", _ROW)
        columns = self.horizontalHeader()
        widths = {Column.WAS: 100, Column.WAS_BYTES: 68, Column.FORMAT: 200, Column.SIDES: 52, Column.BYTES: 72}
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(Column.QUALITY, 72)
        self.setColumnWidth(Column.SHARE, 124)
        columns.setSectionResizeMode(Column.MAP, QHeaderView.ResizeMode.Stretch)

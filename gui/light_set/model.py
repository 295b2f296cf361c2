"""The table of a set: a row for each map, sorted by any column; what has no value comes last."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from engine.light_sets.measured import Measured, Original
from engine.metrics import metric
from gui.models.units import NONE, score_text, size_text

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class SetRow:
    """One map as the table shows it. measured: with the lane that is looked at; None while it is being measured."""

    source: int
    name: str
    kind: str
    original: Original | None = None
    measured: Measured | None = None
    error: str = ""
    current: bool = False

    def score(self, metric_id: str) -> float | None:
        trial = self.measured.trial if self.measured is not None else None
        return trial.scores.get(metric_id) if trial is not None else None

    @property
    def db(self) -> float | None:
        trial = self.measured.trial if self.measured is not None else None
        return trial.db if trial is not None else None


@dataclass(frozen=True)
class Column:
    """title, tip: of the head. value: what the rows are sorted by, None for none. text: what a cell shows.

    worst_high: a larger value is worse. optional: only there if any map has a value.
    """

    title: str
    tip: str
    value: Callable[[SetRow], float | str | None]
    text: Callable[[SetRow], str]
    worst_high: bool = True
    optional: bool = False
    left: bool = False


def _vram(row: SetRow) -> float | None:
    trial = row.measured.trial if row.measured is not None else None
    return None if trial is None else float(trial.stats["vram_bytes"])


def _disk(row: SetRow) -> float | None:
    trial = row.measured.trial if row.measured is not None else None
    return None if trial is None else float(trial.size)


def _bytes(value: float | None) -> str:
    return "" if value is None else size_text(value)


def _state(row: SetRow, text: str) -> str:
    """What stands in the first cell of a lane: its figure, or why there is none."""
    if row.error:
        return "not read"
    if row.measured is None:
        return "…"
    return "n/a" if row.measured.trial is None else text


def _scored(title: str, metric_id: str) -> Column:
    info = metric(metric_id).info

    def text(row: SetRow) -> str:
        value = row.score(metric_id)
        return "" if value is None else score_text(value, info)

    return Column(
        title, info.about, lambda row: row.score(metric_id), text, worst_high=not info.higher_is_better, optional=True
    )


def _size(row: SetRow) -> str:
    return f"{row.original.width} × {row.original.height}" if row.original is not None else ""


def _texels(row: SetRow) -> float | None:
    return float(row.original.width * row.original.height) if row.original is not None else None


def _db_text(row: SetRow) -> str:
    value = row.db
    return _state(row, "" if value is None else "identical" if math.isinf(value) else f"{value:.2f}")


QUALITY = 5
COLUMNS: tuple[Column, ...] = (
    Column("map", "The map; a click opens it", lambda row: row.name.casefold(), lambda row: row.name, False, left=True),
    Column("kind", "What its channels stand for", lambda row: row.kind, lambda row: row.kind, False, left=True),
    Column("texels", "Width and height", _texels, _size),
    Column(
        "file",
        "Bytes of the original's file",
        lambda row: float(row.original.disk) if row.original is not None else None,
        lambda row: _bytes(float(row.original.disk)) if row.original is not None else "",
    ),
    Column(
        "raw VRAM",
        "Bytes in video memory without a texture format: RGBA8, or RGBA16F beyond 8 bits",
        lambda row: float(row.original.vram) if row.original is not None else None,
        lambda row: _bytes(float(row.original.vram)) if row.original is not None else "",
    ),
    Column("dB", "log2-PSNR of light, PSNR of all else", lambda row: row.db, _db_text, worst_high=False),
    _scored("angle", "angle_mean"),
    _scored("angle p99", "angle_p99"),
    _scored("worst mask", "mask_worst"),
    Column("on disk", "Bytes of the codec's file", _disk, lambda row: _bytes(_disk(row))),
    Column("VRAM", "Bytes that it takes in video memory", _vram, lambda row: _bytes(_vram(row))),
)


class SetModel(QAbstractTableModel):
    """Rows in the order that was asked for; `RowRole` gives the `SetRow`."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self._given: list[SetRow] = []
        self.rows: list[SetRow] = []
        self.by, self.worst_first = QUALITY, True

    def set_rows(self, rows: Sequence[SetRow]) -> None:
        """Show these; while the maps stay the same and in the same order, selection and scrolling do too."""
        self._given = list(rows)
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column: ascending is the worst (or the first) at the top."""
        self.by, self.worst_first = column, order is Qt.SortOrder.AscendingOrder
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    def shown(self, column: int) -> bool:
        """Whether any map has something to say there."""
        return not COLUMNS[column].optional or any(COLUMNS[column].value(row) is not None for row in self.rows)

    def _arrange(self) -> None:
        column = COLUMNS[self.by]
        told = [row for row in self._given if column.value(row) is not None]
        rest = [row for row in self._given if column.value(row) is None]
        down = self.worst_first == column.worst_high
        ordered = [*sorted(told, key=lambda row: column.value(row) or 0, reverse=down), *rest]
        same = [row.source for row in ordered] == [row.source for row in self.rows]
        if not same:
            self.beginResetModel()
        self.rows = ordered
        if not same:
            self.endResetModel()
        elif ordered:
            self.dataChanged.emit(self.index(0, 0), self.index(len(ordered) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title if section != self.by else f"{column.title} {'▾' if self.worst_first else '▴'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.tip}. Click to sort."
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row) or NONE
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.error or (row.measured.error if row.measured is not None else "") or row.name
        return None


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column.left else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)

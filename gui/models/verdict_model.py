"""The verdict: rows, their order, where two metrics disagree, and the table that a view shows."""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from engine.metric import MetricInfo
from gui.models.lane import LaneTag
from gui.models.units import NONE, percent_text, score_text, size_text, time_text

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class VerdictRow:
    """What is known of one lane at the present rate; None is "not known (yet)".

    bd_rate: percent against the anchor; bd_reason: why there is none ("" while it is still being worked out).
    scores: metric id -> score. size: bytes. equal_size: bytes that the anchor's quality would take (read off the
    curve). encode_s, decode_s: seconds, busy when other jobs ran meanwhile. note: anything to say of the row,
    such as why the target was missed.
    """

    lane: LaneTag
    bd_rate: float | None = None
    bd_reason: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    equal_size: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    busy: bool = False
    note: str = ""


class Order(enum.StrEnum):
    BEST = "best"  # at this size
    SMALLEST = "smallest"  # at this quality


class Column(enum.IntEnum):
    CODEC = 0
    BD_RATE = 1
    SCORE = 2
    SIZE = 3
    ENCODE = 4
    DECODE = 5


@dataclass(frozen=True)
class Disagreement:
    """Two metrics that rank two lanes in opposite order: `first` prefers `a` to `b`, `second` the reverse."""

    first: MetricInfo
    second: MetricInfo
    a: LaneTag
    b: LaneTag

    def sentence(self) -> str:
        return f"{self.first.label} prefers {self.a.label} to {self.b.label}, {self.second.label} the reverse"


def _lead(metric: MetricInfo, a: VerdictRow, b: VerdictRow) -> float:
    """By how many of its true digits `metric` prefers `a` to `b`; 0 where it cannot tell."""
    x, y = a.scores.get(metric.id, math.nan), b.scores.get(metric.id, math.nan)
    if not (math.isfinite(x) and math.isfinite(y)):
        return 0.0
    lead = (x - y) * 10**metric.digits * (1 if metric.higher_is_better else -1)
    return lead if abs(lead) >= 1 else 0.0


def disagreements(rows: Sequence[VerdictRow], metrics: Sequence[MetricInfo]) -> list[Disagreement]:
    """Every pair of lanes that two metrics rank in opposite order, the most decided first.

    A difference below a metric's last true digit is a tie, which agrees with everything. How decided a
    disagreement is, is the lesser of both leads, each as a share of the metric's spread over all rows.
    """
    spreads = {}
    for metric in metrics:
        known = [s for row in rows if math.isfinite(s := row.scores.get(metric.id, math.nan))]
        spreads[metric.id] = (max(known) - min(known)) * 10**metric.digits if known else 0.0
    found: list[tuple[float, Disagreement]] = []
    for (first, second), (a, b) in itertools.product(
        itertools.combinations(metrics, 2), itertools.combinations(rows, 2)
    ):
        one, two = _lead(first, a, b), _lead(second, a, b)
        if one * two < 0:
            weight = min(abs(one) / spreads[first.id], abs(two) / spreads[second.id])
            winner, loser = (a, b) if one > 0 else (b, a)
            found.append((weight, Disagreement(first, second, winner.lane, loser.lane)))
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def ordered(rows: Sequence[VerdictRow], order: Order, metric: MetricInfo | None) -> list[VerdictRow]:
    """Rows from the best to the worst; those without the figure last, in the order given."""

    def key(row: VerdictRow) -> tuple[bool, float]:
        if order is Order.SMALLEST:
            return row.equal_size is None, float(row.equal_size or 0)
        score = row.scores.get(metric.id, math.nan) if metric is not None else math.nan
        worth = -score if metric is not None and metric.higher_is_better else score
        return math.isnan(score), 0.0 if math.isnan(score) else worth

    return sorted(rows, key=key)


class VerdictModel(QAbstractTableModel):
    """Ordered rows as a table; `RowRole` gives the `VerdictRow`."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[VerdictRow] = []
        self.metric: MetricInfo | None = None
        self.order = Order.BEST
        self.anchor = ""
        self.brief = False  # headings are short, for want of room

    def set_all(self, rows: Sequence[VerdictRow], metric: MetricInfo | None, order: Order, anchor: str) -> None:
        """Show these rows; the same number of them keeps the view's selection and scrolling."""
        arranged = ordered(rows, order, metric)
        same = len(arranged) == len(self.rows)
        if not same:
            self.beginResetModel()
        self.rows, self.metric, self.order, self.anchor = arranged, metric, order, anchor
        if not same:
            self.endResetModel()
        elif arranged:
            self.dataChanged.emit(self.index(0, 0), self.index(len(arranged) - 1, len(Column) - 1))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def text(self, row: VerdictRow, column: Column) -> str:
        """A cell as people read it."""
        if column is Column.CODEC:
            return row.lane.label
        if column is Column.BD_RATE:
            if row.lane.id == self.anchor:
                return NONE
            return percent_text(row.bd_rate) if row.bd_rate is not None else "n/a" if row.bd_reason else "…"
        if column is Column.SCORE:
            score = row.scores.get(self.metric.id) if self.metric is not None else None
            return score_text(score, replace(self.metric, unit="")) if self.metric is not None else NONE
        if column is Column.SIZE:
            size = row.equal_size if self.order is Order.SMALLEST else row.size
            return size_text(size) if size is not None else NONE
        return time_text(row.encode_s if column is Column.ENCODE else row.decode_s, busy=row.busy)

    def _tip(self, row: VerdictRow, column: Column) -> str:
        if column is Column.BD_RATE:
            return "the anchor" if row.lane.id == self.anchor else row.bd_reason or row.note
        if column is Column.CODEC:
            return "\n".join(line for line in (row.lane.label, row.note) if line)
        if column in (Column.ENCODE, Column.DECODE) and row.busy:
            return "Other jobs ran at the same time: a rough figure"
        return row.note

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], Column(index.column())
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column is Column.CODEC else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def set_brief(self, brief: bool) -> None:
        """Shorten the headings, or spell them out."""
        if brief != self.brief:
            self.brief = brief
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def titles(self, brief: bool = False) -> list[str]:
        """Column headings."""
        metric = self.metric
        if brief:
            size = "same quality" if self.order is Order.SMALLEST else "size"
            return ["codec", "BD-rate", metric.label if metric else "score", size, "enc", "dec"]
        score = f"{metric.label}, {metric.unit}" if metric and metric.unit else metric.label if metric else "score"
        size = "size, same quality" if self.order is Order.SMALLEST else "size"
        return ["codec", "BD-rate", score, size, "encode", "decode"]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles(self.brief)[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return self.titles()[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if section == Column.CODEC else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def lines(self) -> list[list[str]]:
        """The whole table as text, headings first, with plain spaces."""
        cells = [[self.text(row, column) for column in Column] for row in self.rows]
        return [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in line] for line in [self.titles(), *cells]]


def as_tsv(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as tab-separated text, for spreadsheets."""
    return "\n".join("\t".join(line) for line in lines) + "\n"


def as_markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as a Markdown table, figures aligned right."""
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *body]) + "\n"

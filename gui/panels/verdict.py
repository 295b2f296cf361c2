"""The verdict: every codec against one anchor, at this rate and over the whole curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from engine.metric import MetricInfo
from gui import style
from gui.models.lane import LaneTag
from gui.models.units import score_text
from gui.models.verdict_model import (
    Column,
    Disagreement,
    Order,
    VerdictModel,
    VerdictRow,
    as_markdown,
    as_tsv,
    disagreements,
)
from gui.theme import GRID, RADIUS, lane_ink
from gui.widgets.combo import Combo
from gui.widgets.elided import ElidedLabel
from gui.widgets.marks import paint_mark
from gui.widgets.rows import paint_ground
from gui.widgets.themed import IconButton, Panel, Themed, label

__all__ = ["BdNote", "Disagreement", "Order", "VerdictPanel", "VerdictRow", "disagreements"]

_ROW = 20
_MARK, _GAP = 30, 14  # beside the text of a name, of a figure
# What gives way, in this order, so that the names of the codecs have their room.
_STEPS: tuple[tuple[bool, tuple[Column, ...]], ...] = (
    (False, ()),
    (True, ()),
    (True, (Column.DECODE,)),
    (True, (Column.DECODE, Column.ENCODE)),
)


def _font(column: int) -> QFont:
    return style.text_font(style.TEXT_PX if column == Column.CODEC else style.SMALL_PX)


def _width(text: str, column: Column) -> int:
    """Pixels that a cell takes."""
    return QFontMetrics(_font(column)).horizontalAdvance(text) + (_MARK if column is Column.CODEC else _GAP)


@dataclass(frozen=True)
class BdNote:
    """How the BD-rates were made. method: "PCHIP" or "Akima". lo, hi: the quality range that all rows cover.

    Without a range (None) the heading says only the method: rows then differ in their overlap.
    """

    method: str = "PCHIP"
    metric: MetricInfo | None = None
    lo: float | None = None
    hi: float | None = None

    def text(self) -> str:
        if self.metric is None or self.lo is None or self.hi is None:
            return f"BD-rate, {self.method}"
        low = f"{self.lo:.1f}" if self.metric.unit == "dB" else score_text(self.lo, self.metric)
        high = f"{self.hi:.1f} dB" if self.metric.unit == "dB" else score_text(self.hi, self.metric)
        return f"BD-rate, {self.method}, overlap {low}–{high}"


class _Delegate(QStyledItemDelegate):
    """Paints a cell: the codec with its mark and colour, figures right-aligned, hairlines between rows."""

    def sizeHint(self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_width(str(index.data() or ""), Column(index.column())), _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = style.current()
        row: VerdictRow = index.data(VerdictModel.RowRole)
        painter.save()
        rect = paint_ground(painter, option)
        painter.setFont(_font(index.column()))
        text = str(index.data() or "")
        if index.column() == Column.CODEC:
            paint_mark(painter, QPointF(rect.left() + 10, rect.center().y() + 1), row.lane.look, theme)
            painter.setPen(QColor(lane_ink(row.lane.look.colour, theme)))
            rect = rect.adjusted(22, 0, -4, 0)
        else:
            painter.setPen(QColor(theme.dim if text in ("—", "…", "n/a") else theme.text))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), shown)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(theme.accent)))
            painter.drawRoundedRect(QRect(option.rect).adjusted(0, 1, -1, -2), RADIUS, RADIUS)
        painter.restore()


class _Table(QTableView):
    """The table; Ctrl+C copies it, and so does the context menu. Signal copy_asked(): by the key."""

    copy_asked = Signal()

    def __init__(self, model: VerdictModel) -> None:
        super().__init__()
        self._verdicts = model
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("Verdict")
        self.setShowGrid(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(20)
        rows.setDefaultSectionSize(_ROW)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setMinimumSectionSize(40)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(Column.CODEC, QHeaderView.ResizeMode.Stretch)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def fit(self) -> None:
        """Give the names their room: shorten the headings first, then leave out the times."""
        model = self._verdicts
        bold = QFont(self.horizontalHeader().font())
        bold.setBold(True)  # as Qt measures headings
        headings = QFontMetrics(bold)
        cells = {c: max([40, *(_width(model.text(row, c), c) for row in model.rows)]) for c in Column}
        for brief, hidden in _STEPS:
            titles = model.titles(brief)
            wanted = sum(max(cells[c], headings.horizontalAdvance(titles[c]) + _GAP) for c in Column if c not in hidden)
            if wanted <= self.viewport().width():
                break
        model.set_brief(brief)
        for column in (Column.ENCODE, Column.DECODE):
            self.setColumnHidden(column, column in hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def event(self, event: QEvent) -> bool:
        """Keep Ctrl+C, which copies a picture elsewhere in the window."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_copy(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_copy(event):
            self.copy_asked.emit()
        else:
            super().keyPressEvent(event)


def _is_copy(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.Copy)


class VerdictPanel(Panel):
    """Every lane against the anchor, and a card where two metrics disagree.

    Signals, from the user only: anchor_changed(lane_id), order_changed("best" or "smallest"), chosen(lane_id),
    disagreement_chosen(Disagreement): "show where" was clicked.
    """

    anchor_changed = Signal(str)
    order_changed = Signal(str)
    chosen = Signal(str)
    disagreement_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Against", parent)
        self._rows: list[VerdictRow] = []
        self._metrics: list[MetricInfo] = []
        self._metric: MetricInfo | None = None
        self._disagreement: Disagreement | None = None
        self.anchor_combo = Combo("The anchor of the BD-rates", quiet=True)
        self.anchor_combo.setFont(style.text_font(bold=True))
        self.anchor_combo.currentIndexChanged.connect(self._anchor_chosen)
        self.order_combo = Combo("Order of the rows", quiet=True)
        self.order_combo.set_choices([(Order.BEST, "best at this size"), (Order.SMALLEST, "smallest at this quality")])
        self.order_combo.currentIndexChanged.connect(self._order_chosen)
        self.copy_button = IconButton("copy", "Copy the table")
        self.copy_button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self.head.insertWidget(1, self.anchor_combo)
        self.head.addWidget(self.order_combo)
        self.head.addWidget(self.copy_button)
        self.bd_note = ElidedLabel(BdNote().text())
        self.bd_note.setProperty("tone", "small")
        self.model = VerdictModel()
        self.model.setParent(self)
        self.table = _Table(self.model)
        self.table.clicked.connect(lambda index: self.chosen.emit(self.model.rows[index.row()].lane.id))
        self.table.copy_asked.connect(lambda: self._copy(as_tsv(self.model.lines())))
        self.table.activated.connect(lambda index: self.chosen.emit(self.model.rows[index.row()].lane.id))
        self._empty = label("Every codec that takes the picture gets a row here, against an anchor you choose.", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self.body.addWidget(self.bd_note)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self._empty, 1)
        self.body.addWidget(self._make_card())
        self._make_copy()
        self._show_rows()

    def _make_card(self) -> QWidget:
        self.card = Themed("card")
        self.card.setAccessibleName("Metrics disagree")
        self._sentence = ElidedLabel()
        self._sentence.setProperty("tone", "warn")
        show = QPushButton("Show where")
        show.setProperty("kind", "quiet")
        show.clicked.connect(lambda: self.disagreement_chosen.emit(self._disagreement))
        row = QHBoxLayout(self.card)
        row.setContentsMargins(2 * GRID, 1, 1, 1)
        row.setSpacing(GRID)
        row.addWidget(self._sentence, 1)
        row.addWidget(show)
        return self.card

    def _make_copy(self) -> None:
        menu = QMenu(self.copy_button)
        for text, form, keys in (
            ("Copy as tab-separated text", as_tsv, QKeySequence(QKeySequence.StandardKey.Copy)),
            ("Copy as Markdown", as_markdown, None),
        ):
            action = QAction(text, self.table)
            if keys is not None:
                action.setShortcut(keys)
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda _on=False, form=form: self._copy(form(self.model.lines())))
            self.table.addAction(action)
            menu.addAction(action)
        self.copy_button.setMenu(menu)

    @staticmethod
    def _copy(text: str) -> None:
        QGuiApplication.clipboard().setText(text)

    # ------------------------------------------------------------ data

    def set_lanes(self, lanes: Sequence[LaneTag], anchor: str) -> None:
        """The lanes to choose the anchor from, and the id of the chosen one, without a signal."""
        self.anchor_combo.set_choices([(lane.id, lane.label) for lane in lanes])
        self.anchor_combo.set_key(anchor)
        self._show_rows()

    def set_rows(self, rows: Sequence[VerdictRow]) -> None:
        """One row per lane, in any order."""
        self._rows = list(rows)
        self._show_rows()

    def set_metrics(self, metrics: Sequence[MetricInfo], chosen: str) -> None:
        """The metrics that may disagree with one another, and the id of the one that the table shows."""
        self._metrics = list(metrics)
        self._metric = next((metric for metric in metrics if metric.id == chosen), None)
        self._show_rows()

    def set_bd_note(self, note: BdNote) -> None:
        """How the BD-rates were made, said under the heading."""
        self.bd_note.setText(note.text())

    def set_order(self, order: Order | str) -> None:
        """ "best" at this size or "smallest" at this quality, without a signal."""
        self.order_combo.set_key(str(order))
        self._show_rows()

    def order(self) -> str:
        """ "best" or "smallest"."""
        return self.order_combo.key()

    def anchor(self) -> str:
        """The id of the anchor lane, "" when there is no lane."""
        return self.anchor_combo.key()

    def _show_rows(self) -> None:
        order = Order(self.order())
        self.model.set_all(self._rows, self._metric, order, self.anchor())
        self.table.fit()
        for widget in (self.anchor_combo, self.order_combo, self.copy_button, self.bd_note, self.table):
            widget.setVisible(bool(self._rows))
        self._empty.setVisible(not self._rows)
        self.heading.setText("Against" if self._rows else "Verdict")
        found = disagreements(self._rows, self._metrics)
        involving = [item for item in found if self._metric in (item.first, item.second)]
        self._disagreement = next(iter([*involving, *found]), None)
        self.card.setVisible(self._disagreement is not None)
        if self._disagreement is not None:
            self._sentence.setText(self._disagreement.sentence())
            self._sentence.set_tip("Metrics disagree at this rate: look before you trust either")

    def _anchor_chosen(self) -> None:
        self._show_rows()
        self.anchor_changed.emit(self.anchor())

    def _order_chosen(self) -> None:
        self._show_rows()
        self.order_changed.emit(self.order())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "table"):
            self.table.viewport().update()

"""Ctrl+K: find any action by a few of its letters."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFocusEvent, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gui import style
from gui.theme import GRID, mix
from gui.widgets.keys import keep_keys
from gui.widgets.themed import Themed

Key = Qt.Key
_WIDTH, _ROW, _ROWS = 520, 30, 11
_ACTION = Qt.ItemDataRole.UserRole
_HITS = Qt.ItemDataRole.UserRole + 1


def fuzzy(query: str, text: str) -> tuple[float, tuple[int, ...]] | None:
    """How well `text` holds the letters of `query` in order, and where; None when it does not.

    Higher is better. Letters that begin a word count most, runs of letters next, gaps cost a little;
    spaces and case of the query mean nothing.
    """
    wanted = [c for c in query.lower() if not c.isspace()]
    low = text.lower()
    starts = [c.isalnum() and (i == 0 or not low[i - 1].isalnum()) for i, c in enumerate(low)]
    best: dict[int, tuple[float, tuple[int, ...]]] = {-1: (0.0, ())}  # last hit -> best score so far
    for letter in wanted:
        here: dict[int, tuple[float, tuple[int, ...]]] = {}
        for place in (i for i, c in enumerate(low) if c == letter):
            options = []
            for last, (score, hits) in best.items():
                if last < place:
                    run = last == place - 1 and last >= 0
                    gain = 3.0 if starts[place] else 2.0 if run else 0.5
                    options.append((score + gain - 0.02 * (place - last - 1), (*hits, place)))
            if options:
                here[place] = max(options)
        if not here:
            return None
        best = here
    score, hits = max(best.values())
    return score - 0.005 * len(text), hits


def _title(action: QAction) -> str:
    return action.text().replace("&", "").rstrip("…")


class _Delegate(QStyledItemDelegate):
    """Paints a row: the action, its hit letters bright, the shortcut at the right."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: object) -> QSize:
        return QSize(_WIDTH - 20, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        theme = style.current()
        action: QAction = index.data(_ACTION)  # type: ignore[attr-defined]
        hits: tuple[int, ...] = index.data(_HITS)  # type: ignore[attr-defined]
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mix(theme.raised, theme.accent, 0.2)))
            painter.drawRoundedRect(rect.adjusted(2, 1, -2, -1), 4, 4)
        on = action.isEnabled()
        x = rect.left() + 12
        for place, letter in enumerate(_title(action)):
            hit = place in hits and on
            painter.setFont(style.text_font(bold=hit))
            painter.setPen(QColor(theme.accent if hit else theme.text if on else mix(theme.raised, theme.dim, 0.6)))
            painter.drawText(x, rect.top(), 40, rect.height(), int(Qt.AlignmentFlag.AlignVCenter), letter)
            x += painter.fontMetrics().horizontalAdvance(letter)
        if action.isCheckable() and action.isChecked():
            style.paint_icon(painter, "check", QRect(x + 8, rect.center().y() - 6, 13, 13).toRectF(), theme.dim)
        painter.setFont(style.text_font(style.SMALL_PX))
        painter.setPen(QColor(theme.dim))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(rect.adjusted(0, 0, -12, 0), flags, keys)
        painter.restore()


class CommandPalette(Themed):
    """A field and a list over the top of its parent window.

    `open_with(actions)` shows it; Enter or a click triggers the chosen action, Escape or a click elsewhere closes.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__("popup", parent)
        self._window = parent
        self._actions: list[QAction] = []
        self._before: QWidget | None = None
        self.setAccessibleName("Search actions")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search actions")
        self.field.setAccessibleName("Search actions")
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        keep_keys(self.field, Key.Key_Escape, Key.Key_Up, Key.Key_Down, Key.Key_PageUp, Key.Key_PageDown)
        self.list = QListWidget()
        self.list.setItemDelegate(_Delegate(self))
        self.list.setAccessibleName("Actions")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._run)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(self.field)
        column.addWidget(self.list)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 8)
        shadow.setColor(QColor(0, 0, 0, 110))
        self.setGraphicsEffect(shadow)
        self.hide()

    def open_with(self, actions: Sequence[QAction]) -> None:
        """Show the actions that have a text, and take the keyboard."""
        self._actions = [action for action in actions if action.text() and not action.isSeparator()]
        self._before = self.window().focusWidget()
        self.field.clear()
        self._filter("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def titles(self) -> list[str]:
        """What the list shows, best first."""
        return [_title(self.list.item(row).data(_ACTION)) for row in range(self.list.count())]

    def _filter(self, query: str) -> None:
        found = [(match, action) for action in self._actions if (match := fuzzy(query, _title(action))) is not None]
        if query.strip():
            found.sort(key=lambda pair: -pair[0][0])
        self.list.clear()
        for (_, hits), action in found:
            item = QListWidgetItem(self.list)
            item.setData(_ACTION, action)
            item.setData(_HITS, hits)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _title(action))
            if not action.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setToolTip(action.toolTip())
        rows = min(_ROWS, max(1, self.list.count()))
        width = min(_WIDTH, self._window.width() - 40)
        self.setGeometry((self._window.width() - width) // 2, 56, width, rows * _ROW + 54)
        self._select(0, 1)

    def _select(self, row: int, step: int) -> None:
        """Choose the first enabled row from `row` on, in the direction of `step`."""
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self.list.setCurrentRow(row)
                return
            row += step

    def _run(self, item: QListWidgetItem | None) -> None:
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        action: QAction = item.data(_ACTION)
        self.dismiss()
        action.trigger()

    def dismiss(self) -> None:
        """Close, and give the keyboard back."""
        if self.isVisible():
            self.hide()
            alive = self._before is not None and isValid(self._before)
            (self._before if self._before and alive else self._window).setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut:
            if event.reason() != Qt.FocusReason.PopupFocusReason:
                self.hide()
            return False
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        moves: dict[int, int] = {
            Key.Key_Down: 1,
            Key.Key_Up: -1,
            Key.Key_PageDown: _ROWS,
            Key.Key_PageUp: -_ROWS,
        }
        key = event.key()
        if key in moves:
            target = min(self.list.count() - 1, max(0, self.list.currentRow() + moves[key]))
            self._select(target, 1 if moves[key] > 0 else -1)
        elif key in (Key.Key_Return, Key.Key_Enter):
            self._run(self.list.currentItem())
        elif key == Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True

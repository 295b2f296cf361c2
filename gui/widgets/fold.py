"""Side panels that fold to a strip of icons when the window is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.models.lane import LaneTag
from gui.theme import GRID
from gui.widgets.marks import Mark
from gui.widgets.themed import IconButton, Themed

FOLD_AT = 1280  # px: windows up to this width start with folded sides
STRIP = 40


@dataclass(frozen=True)
class _Entry:
    button: IconButton
    panel: QWidget


class FoldingSide(QWidget):
    """A column of panels that can fold to icons.

    Folded, an icon opens its panel as a sheet over the pictures, which keep their size; the icon again, or
    Escape, closes it. `fold_for(width)` folds or unfolds only when the window crosses `FOLD_AT`, so that a
    choice made by hand stays.

    Signal folded_changed(folded).
    """

    folded_changed = Signal(bool)

    def __init__(self, edge: Qt.Edge, name: str, width: int, parent: QWidget | None = None) -> None:
        """edge: LeftEdge or RightEdge of the window. width: of the open column, in pixels."""
        super().__init__(parent)
        self._edge, self._open_width = edge, width
        self._narrow: bool | None = None
        self._folded = False
        self._entries: list[_Entry] = []
        self._sheet: _Entry | None = None
        self._marks: list[Mark] = []
        self.setAccessibleName(name)
        self._strip = Themed("panel")
        self._strip.setFixedWidth(STRIP)
        self._strip_column = QVBoxLayout(self._strip)
        self._strip_column.setContentsMargins(0, GRID, 0, GRID)
        self._strip_column.setSpacing(GRID)
        self._strip_column.addStretch(1)
        self._column_widget = QWidget()
        self._column = QVBoxLayout(self._column_widget)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID + 2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._strip)
        row.addWidget(self._column_widget)
        self._strip.hide()
        self.setMaximumWidth(width)
        self._column_widget.setMinimumWidth(width)

    def add(self, icon: str, name: str, panel: QWidget, stretch: int = 0) -> None:
        """Add a panel below the others, and its icon to the strip."""
        button = IconButton(icon, name, checkable=True)
        button.setFixedSize(32, 32)
        entry = _Entry(button, panel)
        self._entries.append(entry)
        self._strip_column.insertWidget(len(self._entries) - 1, button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(panel, stretch)
        panel.setProperty("foldStretch", stretch)
        panel.installEventFilter(self)
        button.clicked.connect(lambda: self._toggle_sheet(entry))

    def set_marks(self, lanes: Sequence[LaneTag]) -> None:
        """Show the codecs' marks in the folded strip, so that their colours stay named."""
        for mark in self._marks:
            self._strip_column.removeWidget(mark)
            mark.deleteLater()
        self._marks = []
        for lane in lanes:
            mark = Mark(lane.look)
            mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)
            mark.setToolTip(lane.label)
            self._strip_column.insertWidget(
                len(self._entries) + len(self._marks), mark, 0, Qt.AlignmentFlag.AlignHCenter
            )
            self._marks.append(mark)

    def folded(self) -> bool:
        return self._folded

    def set_folded(self, folded: bool) -> None:
        """Fold to icons, or open as a column beside the pictures."""
        if folded == self._folded:
            return
        self._close_sheet()
        self._folded = folded
        self._strip.setVisible(folded)
        self._column_widget.setVisible(not folded)
        self.setMaximumWidth(STRIP if folded else self._open_width)
        self.folded_changed.emit(folded)

    def chosen_fold(self) -> bool | None:
        """Folded or not where that was a choice; None in a window so narrow that it was not."""
        return None if self._narrow else self._folded

    def choose_fold(self, folded: bool) -> None:
        """Fold or open, unless the window is too narrow for it."""
        if not self._narrow:
            self.set_folded(folded)

    def fold_for(self, window_width: int) -> None:
        """Follow the window's width where it crosses `FOLD_AT`."""
        narrow = window_width <= FOLD_AT
        if narrow != self._narrow:
            self._narrow = narrow
            self.set_folded(narrow)

    # ------------------------------------------------------------ the sheet

    def _toggle_sheet(self, entry: _Entry) -> None:
        closing = self._sheet is entry
        self._close_sheet()
        if not closing:
            self._open_sheet(entry)

    def _open_sheet(self, entry: _Entry) -> None:
        window = self.window()
        self._sheet = entry
        entry.button.setChecked(True)
        self._column.removeWidget(entry.panel)
        entry.panel.setParent(window)
        at = self.mapTo(window, self.rect().topLeft())
        left = at.x() + STRIP + GRID if self._edge == Qt.Edge.LeftEdge else at.x() - self._open_width - GRID
        whole = entry.panel.property("foldStretch") > 0  # others keep their height, and the pictures below in sight
        height = self.height() if whole else min(self.height(), entry.panel.sizeHint().height())
        entry.panel.setGeometry(left, at.y(), self._open_width, height)
        entry.panel.show()
        entry.panel.raise_()
        entry.panel.setFocus(Qt.FocusReason.PopupFocusReason)

    def _close_sheet(self) -> None:
        if self._sheet is None:
            return
        entry, self._sheet = self._sheet, None
        entry.button.setChecked(False)
        self._column.insertWidget(self._entries.index(entry), entry.panel, entry.panel.property("foldStretch"))
        entry.panel.show()

    def sheet_open(self) -> bool:
        """Whether a panel lies over the pictures."""
        return self._sheet is not None

    def close_sheet(self) -> None:
        """Put an open sheet away (for Escape and for clicks into the pictures)."""
        self._close_sheet()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if not escape or self._sheet is None or watched is not self._sheet.panel:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:  # else the window's own Escape would come first
            event.accept()
        elif event.type() == QEvent.Type.KeyPress:
            self._close_sheet()
        return True

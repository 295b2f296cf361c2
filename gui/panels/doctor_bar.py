"""The doctor's bar over the panes: what is wrong with the light that is looked at, and one click each to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from engine.doctor import FIXES, Finding, ordered
from gui import style
from gui.theme import GRID, Theme
from gui.widgets.elided import ElidedLabel
from gui.widgets.themed import IconButton, Themed, label

_ICON = 14


@dataclass(frozen=True)
class Row:
    """One fix, offered or made. what: the findings that it answers; words: what follows from them."""

    fix: str
    what: str
    words: str
    made: bool


def rows(findings: Sequence[Finding], fixes: Sequence[str]) -> list[Row]:
    """The rows for what was found, and for fixes that are made; what no fix helps has none."""
    out = []
    for name, fix in FIXES.items():
        found = [each for each in findings if each.fix == name]
        if found or name in fixes:
            what = ", ".join(each.title for each in found) or fix.label
            made = name in fixes
            out.append(Row(name, what, fix.done if made else found[0].words, made))
    return out


class DoctorBar(Themed):
    """Signals, from the user only: fixes_changed(tuple of all fixes that shall be made), dismissed()."""

    fixes_changed = Signal(object)
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName("Input doctor")
        self._rows: list[Row] = []
        self._marks: list[tuple[QLabel, bool]] = []
        self.buttons: dict[str, QPushButton] = {}  # by fix
        self.close_button = IconButton("close", "Hide what was found in this picture")
        self.close_button.clicked.connect(self.dismissed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(3 * GRID, GRID, GRID, GRID)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._grid.setColumnStretch(2, 1)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, without a signal."""
        if list(rows) == self._rows:
            return
        self._rows = list(rows)
        self._grid.removeWidget(self.close_button)
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._marks, self.buttons = [], {}
        for number, row in enumerate(self._rows):
            self._add(number, row)
        self._grid.addWidget(self.close_button, 0, 4, Qt.AlignmentFlag.AlignTop)
        self.retheme(style.current())

    def _add(self, number: int, row: Row) -> None:
        mark = QLabel()
        self._marks.append((mark, row.made))
        words = ElidedLabel(row.words)
        words.setProperty("tone", "dim")
        words.set_tip(row.words)
        button = QPushButton("Undo" if row.made else FIXES[row.fix].label)
        button.setAccessibleName(f"{button.text()}: {row.what}")
        if row.made:
            button.setProperty("kind", "quiet")
        button.clicked.connect(lambda _checked=False, fix=row.fix: self._toggle(fix))
        self.buttons[row.fix] = button
        for column, widget in enumerate((mark, label(row.what), words, button)):
            self._grid.addWidget(widget, number, column)

    def _toggle(self, fix: str) -> None:
        made = {row.fix for row in self._rows if row.made}
        self.fixes_changed.emit(ordered(made ^ {fix}))

    def retheme(self, theme: Theme) -> None:
        for mark, made in self._marks:
            name, colour = ("check", theme.dim) if made else ("warning", theme.warn)
            mark.setPixmap(style.icon(name, theme, colour).pixmap(_ICON, _ICON))

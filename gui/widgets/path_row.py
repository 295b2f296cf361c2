"""`PathRow`: a path to type or to choose."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from gui.theme import GRID


class PathRow(QWidget):
    """A path to type, to choose or to drop. Signal changed()."""

    changed = Signal()

    def __init__(self, name: str, hint: str, choose: Callable[[], str]) -> None:
        super().__init__()
        self._choose = choose
        self.edit = QLineEdit()
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(hint)
        self.edit.textChanged.connect(self.changed)
        self.button = QPushButton("Choose…")
        self.button.setAccessibleName(f"Choose {name.lower()}")
        self.button.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button)

    def _ask(self) -> None:
        name = self._choose()
        if name:
            self.edit.setText(name)

"""Asks which curves of a file to lay under the plot, when there are more than a plot can bear."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from engine.curves import Curve


class CurvePicker(QDialog):
    """A list to tick. Signal picked(list of Curve) when it is accepted with at least one."""

    picked = Signal(list)

    def __init__(
        self, curves: Sequence[Curve], title: str, ticked: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Lay curves under the plot")
        self.setMinimumSize(420, 480)
        self._curves = list(curves)
        self.list = QListWidget()
        for curve in self._curves:
            item = QListWidgetItem(curve.name, self.list)
            item.setToolTip(curve.source)
            chosen = curve.name in ticked
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
        self.list.itemActivated.connect(self._toggle)
        heading = QLabel(title)
        heading.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(heading)
        column.addWidget(self.list, 1)
        column.addWidget(buttons)

    def chosen(self) -> list[Curve]:
        """The curves that are ticked, in the order of the file."""
        ticked = (self.list.item(row).checkState() is Qt.CheckState.Checked for row in range(self.list.count()))
        return [curve for curve, on in zip(self._curves, ticked, strict=True) if on]

    def accept(self) -> None:
        if self.chosen():
            self.picked.emit(self.chosen())
        super().accept()

    @staticmethod
    def _toggle(item: QListWidgetItem) -> None:
        ticked = item.checkState() is Qt.CheckState.Checked
        item.setCheckState(Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked)

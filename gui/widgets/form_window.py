"""What windows with a form have in common."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.theme import GRID


def lay_out_beside_form(
    window: QWidget, form: QWidget, panel: QWidget, said: QWidget, buttons: Sequence[QWidget]
) -> None:
    """The form at the left; beside it the panel, and under that what is said and the buttons."""
    foot = QHBoxLayout()
    foot.setSpacing(2 * GRID)
    foot.addWidget(said, 1)
    for button in buttons:
        foot.addWidget(button)
    right = QVBoxLayout()
    right.setSpacing(2 * GRID)
    right.addWidget(panel, 1)
    right.addLayout(foot)
    whole = QHBoxLayout(window)
    whole.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
    whole.setSpacing(GRID + 2)
    whole.addWidget(form)
    whole.addLayout(right, 1)

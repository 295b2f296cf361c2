"""Type: tabular figures, and text cut to a width."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics


def tabular(font: QFont, pixels: int | None = None, bold: bool = False) -> QFont:
    """A copy of `font` whose digits are all of one width, at `pixels` height."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    if pixels is not None:
        font.setPixelSize(pixels)
    font.setBold(bold)
    return font


def elided(text: str, font: QFont, width: int) -> str:
    """`text` cut at the right to `width` px, with an ellipsis."""
    return QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)

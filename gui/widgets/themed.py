"""The bricks of every panel: a widget that hears when the theme changes, a titled panel, icon buttons, headings."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import style
from gui.theme import GRID, Theme


class Themed(QWidget):
    """A widget with a ground of its own (`kind` of the style sheet) that can redo what the sheet cannot."""

    def __init__(self, kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dressed_for = style.current()
        if kind:
            self.setProperty("kind", kind)
            self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def retheme(self, theme: Theme) -> None:
        """Called after a change of theme; widgets that hold colours or icons renew them here."""

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        theme = style.current()
        if event.type() == QEvent.Type.StyleChange and theme is not self._dressed_for:  # Qt sends several for one
            self._dressed_for = theme
            self.retheme(theme)


class IconButton(QToolButton):
    """A small flat button with an icon; `name` is what screen readers and the tooltip say."""

    def __init__(self, icon: str, name: str, parent: QWidget | None = None, *, checkable: bool = False) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setCheckable(checkable)
        self.setIconSize(style.ICON_SIZE)
        self.setFixedSize(24, 24)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_name(name)
        self.set_icon(icon)

    def set_name(self, name: str) -> None:
        self.setAccessibleName(name)
        self.setToolTip(name)

    def set_icon(self, icon: str) -> None:
        self._icon, self._dressed_for = icon, style.current()
        self.setIcon(style.icon(icon, self._dressed_for))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        theme = style.current()
        if event.type() == QEvent.Type.StyleChange and theme is not self._dressed_for:
            self.set_icon(self._icon)


class Heading(QLabel):
    """A panel's heading: small capitals in the dim tone."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("tone", "dim")
        self.setFont(style.heading_font())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(26)  # as high as the buttons that may stand beside it: headings line up


def label(text: str = "", tone: str = "") -> QLabel:
    """A plain-text label; tone is one of dim, small, error, warn."""
    out = QLabel(text)
    out.setTextFormat(Qt.TextFormat.PlainText)
    if tone:
        out.setProperty("tone", tone)
    return out


def set_tone(widget: QWidget, tone: str) -> None:
    """Change the tone that the style sheet sees, and have it drawn anew if that is a change."""
    if (widget.property("tone") or "") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Panel(Themed):
    """A panel with a heading row; subclasses add to `head` (to its right end) and to `body`."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__("panel", parent)
        self.setAccessibleName(title)
        self.heading = Heading(title)
        self.head = QHBoxLayout()
        self.head.setSpacing(GRID)
        self.head.addWidget(self.heading)
        self.head.addStretch(1)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.body.setSpacing(GRID)
        self.body.addLayout(self.head)

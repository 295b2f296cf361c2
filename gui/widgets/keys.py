"""Keys that a widget needs for itself, although the window has a shortcut on them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget


class _Keeper(QObject):
    """Accepts Qt's question "is this key a shortcut?" (`ShortcutOverride`), so that it comes as a key press."""

    def __init__(self, widget: QWidget, keys: frozenset[int]) -> None:
        super().__init__(widget)
        self._keys = keys

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in self._keys:
            event.accept()
            return True
        return False


def keep_keys(widget: QWidget, *keys: Qt.Key) -> None:
    """Give `keys` to `widget` (and what is in it) while it has the focus, before any shortcut of the window."""
    widget.installEventFilter(_Keeper(widget, frozenset(keys)))

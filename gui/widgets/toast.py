"""Messages that do not interrupt: they stack in a corner, and go by themselves unless something is wrong."""

from __future__ import annotations

import enum
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import style
from gui.theme import GRID, Theme
from gui.widgets.themed import IconButton, Themed, label

WIDTH = 360
TIMEOUT_MS = 6000
_MOST = 4


class Level(enum.StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Toast(Themed):
    """One message. Errors stay until they are closed; `details` unfold on request and can be copied.

    Signals: resized() when it needs another height, closed() when it goes.
    """

    resized = Signal()
    closed = Signal()

    def __init__(self, text: str, level: Level, details: str, action: tuple[str, Callable[[], object]] | None) -> None:
        super().__init__("popup")
        self.level, self.text = level, text
        self.setAccessibleName(f"{level}: {text}")
        self._icon = QLabel()
        self._icon.setFixedSize(18, 18)
        message = label(text)
        message.setWordWrap(True)
        message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.close_button = IconButton("close", "Close the message")
        self.close_button.clicked.connect(self.dismiss)
        head = QHBoxLayout()
        head.setSpacing(2 * GRID)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(message, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addLayout(head)
        self.details = label(details, "small")
        self.details.setWordWrap(True)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        column.addWidget(self.details)
        foot = QHBoxLayout()
        foot.addStretch(1)
        buttons: list[tuple[str, Callable[[], object]]] = [action] if action else []
        if details:
            buttons += [("Details", self._unfold), ("Copy", self._copy)]
        for name, act in buttons:
            foot.addWidget(self._button(name, act))
        if buttons:
            column.addLayout(foot)
        self.setFixedWidth(WIDTH)
        self.retheme(style.current())

    @staticmethod
    def _button(name: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(name)
        button.setProperty("kind", "quiet")
        button.clicked.connect(lambda _on=False: act())
        return button

    def retheme(self, theme: Theme) -> None:
        colour = {Level.INFO: theme.accent, Level.WARNING: theme.warn, Level.ERROR: theme.error}[self.level]
        icon = "info" if self.level is Level.INFO else "warning"
        self._icon.setPixmap(QPixmap(style.pixmap(icon, colour, 18, 2.0)))

    def dismiss(self) -> None:
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def _unfold(self) -> None:
        self.details.setVisible(self.details.isHidden())
        self.resized.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text}\n\n{self.details.text()}")


class Toasts(QObject):
    """The stack in the lower right corner of `window`, above `margin` pixels (the status bar)."""

    def __init__(self, window: QWidget, margin: int = 34) -> None:
        super().__init__(window)
        self._window, self._margin = window, margin
        self._toasts: list[Toast] = []
        window.installEventFilter(self)

    def show(
        self,
        text: str,
        level: Level = Level.INFO,
        details: str = "",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> Toast:
        """Show a message; `action` adds a button (text, callback). The same text is not stacked twice."""
        for same in [toast for toast in self._toasts if (toast.text, toast.level) == (text, level)]:
            same.dismiss()
        toast = Toast(text, level, details, action)
        toast.setParent(self._window)
        toast.closed.connect(lambda: self._forget(toast))
        toast.resized.connect(self._arrange)
        self._toasts.append(toast)
        while len(self._toasts) > _MOST:
            oldest = next((t for t in self._toasts if t.level is not Level.ERROR), self._toasts[0])
            oldest.dismiss()
        if level is not Level.ERROR:
            QTimer.singleShot(TIMEOUT_MS, toast, toast.dismiss)
        toast.show()
        self._arrange()
        return toast

    def shown(self) -> list[Toast]:
        """Messages on screen, oldest first."""
        return list(self._toasts)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._arrange()
        return False

    def _forget(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            self._arrange()

    def _arrange(self) -> None:
        bottom = self._window.height() - self._margin
        for toast in reversed(self._toasts):
            toast.resize(WIDTH, max(toast.heightForWidth(WIDTH), toast.minimumSizeHint().height()))
            bottom -= toast.height()
            toast.move(self._window.width() - WIDTH - 3 * GRID, bottom)
            toast.raise_()
            bottom -= 2 * GRID

"""Where files are dropped: the card that invites to it, and what a drop holds."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import style
from gui.theme import GRID, RADIUS, mix
from gui.widgets.themed import Themed, label


def dropped_paths(mime: QMimeData) -> list[str]:
    """The local files and folders of a drop; empty when it holds none."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


class DropCard(Themed):
    """A dashed card with an *Open…* button. Drops anywhere else are the window's business.

    Signals: dropped(list of paths), open_requested().
    """

    dropped = Signal(list)
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._active = False
        self._text = label("", "small")
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setWordWrap(True)
        self.button = QPushButton("Open…")
        self.button.setAccessibleName("Open pictures")
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.clicked.connect(self.open_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addStretch(1)
        column.addWidget(self._text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.setAcceptDrops(True)
        self.set_large(False)

    def set_large(self, large: bool) -> None:
        """Fill the room and teach (nothing is open yet), or stay a small card under the list."""
        invitation = "Drop images\nor a folder here"
        lesson = "PNG, JPEG, WebP, AVIF, TIFF or BMP.\nEvery codec meets them at one rate."
        self._text.setText(f"{invitation}\n\n{lesson}" if large else invitation)
        policy = QSizePolicy.Policy.Expanding if large else QSizePolicy.Policy.Maximum
        self.setSizePolicy(QSizePolicy.Policy.Preferred, policy)

    def set_active(self, active: bool) -> None:
        """Light up while files are held over the window."""
        self._active = active
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            self.set_active(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.set_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.set_active(False)
        event.acceptProposedAction()
        self.dropped.emit(dropped_paths(event.mimeData()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.accent if self._active else mix(theme.hairline, theme.dim, 0.3)), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(QColor(mix(theme.panel, theme.accent, 0.1)) if self._active else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

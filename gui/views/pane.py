"""`Pane`: a header and a canvas in a thin frame; a failure is said where the picture would be."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.theme import DARK, RADIUS, Theme
from gui.views.canvas import PictureCanvas
from gui.views.header import PaneHeader
from gui.views.linked import LinkedView
from gui.views.model import PaneModel, PaneState
from gui.views.refine import Refiner
from gui.views.region_brush import RegionBrush
from gui.views.rendition import Rendition

CARD_WIDTH = 320
WAITING = {PaneState.QUEUED: "Waiting for a free worker …", PaneState.RUNNING: "Encoding …"}


class FailureCard(QWidget):
    """Says in plain words why there is no picture, with a button to try again."""

    retry = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton("Try again", self)
        self._button.clicked.connect(self.retry)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addWidget(self._label)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_reason(self, text: str) -> None:
        self._label.setText(text)
        self.setVisible(bool(text))
        self.place()

    def place(self) -> None:
        """In the middle of the parent, as wide as there is room for."""
        parent = self.parentWidget()
        if parent is None:
            return
        width = min(CARD_WIDTH, parent.width() - 16)
        height = min(self.heightForWidth(width), parent.height() - 8)
        self.setGeometry((parent.width() - width) // 2, (parent.height() - height) // 2, width, height)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._label.setStyleSheet(f"color: {theme.text}; background: transparent;")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(self._theme.error), 1))
        painter.setBrush(QColor(self._theme.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)


class Pane(QWidget):
    """Shows one rendition, or two under two headers and a wipe line.

    Signals: `activated(key)` the pane was clicked or focused (key of its rendition; of the right one in a wipe);
    `retry(key)` the button of a failure. `canvas` has the signals of the picture itself.
    """

    activated = Signal(str)
    retry = Signal(str)

    def __init__(self, linked: LinkedView, refiner: Refiner, brush: RegionBrush, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._active = False
        self._renditions: tuple[Rendition, ...] = ()
        self.headers = (PaneHeader(self), PaneHeader(self))
        self.canvas = PictureCanvas(linked, refiner, brush, self)
        self._card = FailureCard(self.canvas)
        self._card.retry.connect(self._retry)
        self.canvas.pressed.connect(self._pressed)
        heads = QHBoxLayout()
        heads.setSpacing(0)
        for header in self.headers:
            heads.addWidget(header, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(heads)
        column.addWidget(self.canvas, 1)
        self.headers[1].hide()

    @property
    def key(self) -> str:
        """The key of the rendition that this pane stands for, "" when empty."""
        return self._renditions[-1].key if self._renditions else ""

    def show_renditions(self, base: Rendition | None, second: Rendition | None = None) -> None:
        """Show one rendition, or `base` left and `second` right of a wipe line."""
        for old in self._renditions:
            old.model_changed.disconnect(self._model_changed)
            old.pixels_changed.disconnect(self._model_changed)
        self._renditions = tuple(rendition for rendition in (base, second) if rendition is not None)
        for new in self._renditions:
            new.model_changed.connect(self._model_changed)
            new.pixels_changed.connect(self._model_changed)
        self.headers[1].setVisible(second is not None)
        self.canvas.show_renditions(base, second)
        self._model_changed()

    def set_active(self, active: bool) -> None:
        """The active pane has the accent on its frame and number."""
        self._active = active
        self.canvas.set_frame(self._frame())
        for header in self.headers:
            header.set_active(active)
        self.update()

    def set_override(self, rendition: Rendition | None) -> None:
        """Show this rendition's picture in place of the own one, and say so in the header."""
        self.canvas.set_override(rendition)
        for header, own in zip(self.headers, self._renditions, strict=False):
            other = rendition is not None and rendition is not own
            header.set_override(rendition.model.label if rendition is not None and other else "")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for header in self.headers:
            header.set_theme(theme)
        self.canvas.set_theme(theme)
        self.canvas.set_frame(self._frame())
        self._card.set_theme(theme)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(self._frame()), 1))
        painter.setBrush(QColor(self._theme.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._card.place()

    def _frame(self) -> str:
        return self._theme.accent if self._active else self._theme.hairline

    def _models(self) -> list[PaneModel]:
        return [rendition.model for rendition in self._renditions]

    def _model_changed(self) -> None:
        for header, model in zip(self.headers, self._models(), strict=False):
            header.show_model(model)
        models = self._models()
        failed = [model for model in models if model.state is PaneState.FAILED]
        self._card.show_reason(failed[0].message or "This did not work." if failed else "")
        waiting = next((WAITING[m.state] for m in models if m.state in WAITING), "")
        self.canvas.set_placeholder(waiting)
        names = " and ".join(model.label for model in models)
        self.canvas.setAccessibleName(f"Pane {models[-1].number}: {names}" if models else "Empty pane")
        self.canvas.setAccessibleDescription("; ".join(h.description() for h in self.headers[: len(models)]))

    def _pressed(self) -> None:
        if self.key:
            self.activated.emit(self.key)

    def _retry(self) -> None:
        failed = [r.key for r in self._renditions if r.model.state is PaneState.FAILED]
        if failed:
            self.retry.emit(failed[0])

"""`ScenePane`: the scene under the headers of what lies left and right of its line, and the legend of its map."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.style import current
from gui.theme import RADIUS
from gui.views.header import PaneHeader
from gui.views.model import PaneModel
from gui.views.scene import SceneView
from gui.widgets.colour_bar import ColourBar, Scale

LEGEND_EDGE = 12


class ScenePane(QWidget):
    """A pane like those of pictures; `view` draws."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headers = (PaneHeader(self), PaneHeader(self))
        self.view = SceneView(self)
        self._bar = ColourBar(self.view)
        self._bar.hide()
        heads = QHBoxLayout()
        heads.setSpacing(0)
        for header in self.headers:
            heads.addWidget(header, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(heads)
        column.addWidget(self.view, 1)
        self._dress()

    def show_models(self, models: Sequence[PaneModel]) -> None:
        """Whose maps are shown: one model, or two for either side of the line."""
        for header, model in zip(self.headers, models, strict=False):
            header.show_model(model)
        self.headers[0].setVisible(bool(models))
        self.headers[1].setVisible(len(models) > 1)
        texts = [f"{model.label}: {header.description()}" for header, model in zip(self.headers, models, strict=False)]
        self.view.setAccessibleDescription("; ".join(texts))

    def set_scale(self, scale: Scale | None) -> None:
        """What the colours of the map mean; None while there is none."""
        if scale is not None:
            self._bar.set_scale(scale)
        self._bar.setVisible(scale is not None)
        self._place_bar()

    def _place_bar(self) -> None:
        corner = self.view.rect().bottomRight()
        bar = self._bar
        bar.move(corner.x() - bar.width() - LEGEND_EDGE, corner.y() - bar.height() - LEGEND_EDGE)

    def _dress(self) -> None:
        theme = current()
        for header in self.headers:
            header.set_theme(theme)
        self.view.set_theme(theme)
        self._bar.set_theme(theme)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_bar()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(theme.hairline), 1))
        painter.setBrush(QColor(theme.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

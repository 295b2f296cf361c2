"""A picture with a title above it, as large as there is room for."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.views.picture import as_qimage
from gui.widgets.themed import Panel


class ShownPicture(Panel):
    """H×W×3 u8 under a title, or a few words while there is none."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._canvas = _Canvas()
        self.body.addWidget(self._canvas, 1)

    @property
    def picture(self) -> np.ndarray | None:
        return self._canvas.picture

    def show_picture(self, title: str, picture: np.ndarray | None, words: str = "") -> None:
        self.heading.setText(title)
        self.setAccessibleName(title)
        self._canvas.picture, self._canvas.words = picture, words
        self._canvas.update()


class _Canvas(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.picture: np.ndarray | None = None
        self.words = ""
        self.setMinimumSize(320, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.picture is None:
            painter.setPen(self.palette().placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self.words)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        image = as_qimage(self.picture)
        size = image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, *size.toTuple())
        painter.drawImage(place, image)

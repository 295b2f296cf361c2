"""A drop-down that is drawn from the tokens: a field with a hairline, or quiet text with an arrow."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyledItemDelegate, QWidget

from gui import style
from gui.theme import RADIUS, mix

_ARROW = 12


class Combo(QComboBox):
    """A combo of (key, text) pairs. quiet: no field around it, as wide as the chosen text.

    The wheel moves it only while it has the focus, so that scrolling a form never changes a setting.
    """

    def __init__(self, name: str, *, quiet: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = quiet
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setItemDelegate(QStyledItemDelegate(self))  # lets the style sheet shape the rows of the list
        self.setSizePolicy(
            QSizePolicy.Policy.Fixed if quiet else QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed
        )
        if quiet:
            self.currentIndexChanged.connect(self.updateGeometry)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer (key, text) pairs, keeping the chosen key where it still exists, without a signal."""
        chosen = self.key()
        blocked = self.blockSignals(True)
        self.clear()
        for key, text in choices:
            self.addItem(text, key)
        self.setCurrentIndex(max(0, self.findData(chosen)) if choices else -1)
        self.blockSignals(blocked)
        self.updateGeometry()

    def key(self) -> str:
        """The chosen key, "" when there is none."""
        return str(self.currentData() or "")

    def set_key(self, key: str) -> None:
        """Choose without a signal; an unknown key changes nothing."""
        index = self.findData(key)
        if index >= 0 and index != self.currentIndex():
            blocked = self.blockSignals(True)
            self.setCurrentIndex(index)
            self.blockSignals(blocked)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        texts = [self.currentText()] if self._quiet else [self.itemText(i) for i in range(self.count())]
        width = max((metrics.horizontalAdvance(text) for text in texts), default=40)
        return QSize(width + _ARROW + (16 if self._quiet else 24), 26)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() if self._quiet else QSize(64, 26)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        hover = self.underMouse() and self.isEnabled()
        if not self._quiet or self.hasFocus() or hover:
            edge = theme.accent if self.hasFocus() else mix(theme.hairline, theme.text, 0.12 if hover else 0.0)
            ground = mix(theme.panel, theme.text, 0.07) if self._quiet else theme.field
            painter.setPen(QPen(QColor("transparent" if self._quiet and not self.hasFocus() else edge)))
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(frame, RADIUS - 1, RADIUS - 1)
        text = theme.dim if self._quiet and not hover else theme.text
        painter.setPen(QColor(text if self.isEnabled() else mix(theme.panel, theme.dim, 0.6)))
        room = self.rect().adjusted(8 if not self._quiet else 6, 0, -_ARROW - 8, 0)
        shown = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        arrow = QRectF(self.width() - _ARROW - 6, (self.height() - _ARROW) / 2, _ARROW, _ARROW)
        style.paint_icon(painter, "chevron-down", arrow, theme.dim if self.isEnabled() else theme.hairline)

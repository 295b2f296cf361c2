"""A row of buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui import style
from gui.theme import RADIUS, mix
from gui.widgets.keys import keep_keys


@dataclass(frozen=True)
class Segment:
    """key: what the signal says. icon: a file of resources/icons, or "". tip: tooltip, with the shortcut."""

    key: str
    text: str
    icon: str = ""
    tip: str = ""


class _Button(QToolButton):
    """One segment; compact ones show the icon alone."""

    def __init__(self, segment: Segment) -> None:
        super().__init__()
        self.segment = segment
        self.compact = False
        self._ring = False
        self.setCheckable(True)
        self.setAccessibleName(segment.text)
        self.setToolTip(segment.tip or segment.text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        width = 16 if self.segment.icon else 0
        if not self.compact:
            width += self.fontMetrics().horizontalAdvance(self.segment.text) + (8 if width else 0)
        return QSize(width + (16 if self.compact else 20), 28)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def focusInEvent(self, event: QFocusEvent) -> None:
        # no ring for the focus that a window hands out as it opens: nobody is steering by keys yet
        self._ring = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._ring = False
        super().focusOutEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        hover = self.underMouse() and self.isEnabled()
        if self.isChecked() or hover:
            painter.setPen(QPen(QColor(theme.hairline if self.isChecked() else "transparent")))
            painter.setBrush(QColor(theme.raised if self.isChecked() else mix(theme.window, theme.text, 0.06)))
            painter.drawRoundedRect(frame, RADIUS, RADIUS)
        if self._ring:
            painter.setPen(QPen(QColor(theme.accent)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, RADIUS, RADIUS)
        bright = self.isChecked() or hover
        colour = theme.text if bright else theme.dim
        if not self.isEnabled():
            colour = mix(theme.window, theme.dim, 0.5)
        left = 8.0 if self.compact else 10.0
        if self.segment.icon:
            box = self.rect().toRectF()
            box.setRect(left, (self.height() - 16) / 2, 16, 16)
            tint = theme.accent if self.isChecked() and self.isEnabled() else colour
            style.paint_icon(painter, self.segment.icon, box, tint)
            left += 24
        if not self.compact:
            painter.setPen(QColor(colour))
            room = self.rect().adjusted(round(left), 0, 0, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.segment.text)


class Segmented(QWidget):
    """Exclusive segments. The chosen one has the tab stop; the left and right arrows move the choice.

    Signal chosen(key) comes from the user only, never from `set_key`.
    """

    chosen = Signal(str)

    def __init__(self, name: str, segments: Sequence[Segment], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons = {segment.key: _Button(segment) for segment in segments}
        for button in self._buttons.values():
            row.addWidget(button)
            self._group.addButton(button)
            button.clicked.connect(self._clicked)
            button.installEventFilter(self)
            keep_keys(button, Qt.Key.Key_Left, Qt.Key.Key_Right)
        self.set_key(segments[0].key)

    def key(self) -> str:
        """The chosen key."""
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def set_key(self, key: str) -> None:
        """Choose without a signal."""
        self._buttons[key].setChecked(True)
        for other in self._buttons.values():
            other.setFocusPolicy(Qt.FocusPolicy.TabFocus if other.isChecked() else Qt.FocusPolicy.NoFocus)

    def set_enabled(self, key: str, enabled: bool, reason: str = "") -> None:
        """Enable one segment, or disable it and say why in its tooltip."""
        button = self._buttons[key]
        button.setEnabled(enabled)
        tip = button.segment.tip or button.segment.text
        button.setToolTip(tip if enabled or not reason else f"{tip}\n{reason}")

    def set_compact(self, compact: bool) -> None:
        """Icons alone (for narrow windows), where a segment has one."""
        for button in self._buttons.values():
            button.compact = compact and bool(button.segment.icon)
            button.updateGeometry()
            button.update()

    def button(self, key: str) -> QToolButton:
        return self._buttons[key]

    def _clicked(self) -> None:
        self.set_key(self.key())
        self.chosen.emit(self.key())

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
            step = steps.get(event.key())
            if step is not None:
                self._move(step)
                return True
        return False

    def _move(self, step: int) -> None:
        usable = [key for key, button in self._buttons.items() if button.isEnabled()]
        if self.key() in usable:
            key = usable[(usable.index(self.key()) + step) % len(usable)]
            self.set_key(key)  # makes the button focusable
            self._buttons[key].setFocus(Qt.FocusReason.TabFocusReason)
            self.chosen.emit(key)

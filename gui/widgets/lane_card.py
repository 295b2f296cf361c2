"""The card of one lane: who it is, how it is doing, and its settings when opened."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from engine.codec import CodecInfo
from gui import style
from gui.models.lane import LaneTag, summary
from gui.theme import GRID, RADIUS, lane_colour
from gui.widgets.elided import ElidedLabel
from gui.widgets.marks import Mark
from gui.widgets.param_form import ParamForm
from gui.widgets.themed import IconButton, Themed, label, set_tone


class Phase(enum.StrEnum):
    """How a lane is doing; the value is what the card says, where it says anything."""

    IDLE = "idle"
    QUEUED = "in queue"
    RUNNING = "running"
    DONE = "done"
    STALE = "out of date"
    UNREACHABLE = "cannot reach the target"
    REFUSED = "not for this picture"
    FAILED = "failed"


_TONES = {Phase.FAILED: "error", Phase.UNREACHABLE: "warn", Phase.REFUSED: "small"}


@dataclass(frozen=True)
class LaneState:
    """phase; text: more than the phase says (the reason of a failure); progress: 0…1, None while unknown.

    whole: the sentence that the text is short for; the tool tip, where it is given.
    """

    phase: Phase = Phase.IDLE
    text: str = ""
    progress: float | None = None
    whole: str = ""


@dataclass(frozen=True)
class LaneItem:
    """A lane as the codec panel shows it. settings: the chosen ones, without the RATE parameter; may be partial.

    light: whether the picture holds light in floats. model: what a learned codec runs on, and with which weights.
    """

    tag: LaneTag
    info: CodecInfo
    settings: Mapping[str, Any] = field(default_factory=dict)
    visible: bool = True
    light: bool = False
    model: str = ""

    def words(self) -> str:
        """The settings in one line."""
        return summary(self.info, self.settings, light=self.light, model=self.model)


class _Progress(QWidget):
    """A line of 3 pixels in the codec's colour; it shows a third when how far is unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(3)
        self._share: float | None = None
        self._colour = ""

    def show_share(self, share: float | None, colour: str) -> None:
        self._share, self._colour = share, colour
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.hairline))
        painter.drawRoundedRect(self.rect(), 1.5, 1.5)
        painter.setBrush(QColor(lane_colour(self._colour, theme)))
        bar = self.rect().toRectF()
        bar.setWidth(bar.width() * (1 / 3 if self._share is None else min(1.0, max(0.0, self._share))))
        painter.drawRoundedRect(bar, 1.5, 1.5)


class LaneCard(Themed):
    """One lane. Signals are the user's: everything carries the lane's id or nothing at all.

    Keys on the card: Enter opens it, Alt+Up and Alt+Down move it, H hides its pane, Delete removes it.
    """

    settings_changed = Signal(str, dict)
    visibility_changed = Signal(str, bool)
    remove = Signal(str)
    duplicate = Signal(str)
    moved = Signal(str, int)
    dragged = Signal(str, QPoint)
    dropped = Signal(str, QPoint)
    chosen = Signal(str)
    stop = Signal(str)
    keep = Signal(str)
    check = Signal(str)

    def __init__(self, item: LaneItem, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._item, self._state = item, LaneState()
        self._pressed: QPoint | None = None
        self._dragging = False
        self._expanded = False
        self._form: ParamForm | None = None
        self._rate_value: Any | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.mark = Mark(item.tag.look)
        self.name = ElidedLabel()
        self.name.setFont(style.text_font(bold=True))
        self.halt = IconButton("close", "Stop this codec's work")
        self.halt.clicked.connect(lambda: self.stop.emit(self._item.tag.id))
        self.halt.hide()
        self.eye = IconButton("eye", "Hide the pane")
        self.eye.clicked.connect(lambda: self.visibility_changed.emit(self._item.tag.id, not self._item.visible))
        self.arrow = IconButton("chevron-right", "Settings")
        self.arrow.clicked.connect(self.toggle)
        self.line = ElidedLabel()
        self.line.setProperty("tone", "small")
        self.line.setFont(style.text_font(style.SMALL_PX))
        self.reason = label("", "error")
        self.reason.setWordWrap(True)
        self.reason.hide()
        self.progress = _Progress()
        self._build()
        self.set_item(item)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.mark)
        head.addWidget(self.name, 1)
        head.addWidget(self.halt)
        head.addWidget(self.eye)
        head.addWidget(self.arrow)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2 * GRID, GRID, GRID, 2 * GRID)
        self._column.setSpacing(0)
        self._column.addLayout(head)
        below = QVBoxLayout()
        below.setContentsMargins(0, 0, GRID, 0)
        below.setSpacing(GRID)
        below.addWidget(self.line)
        below.addWidget(self.reason)
        below.addWidget(self.progress)
        self._column.addLayout(below)
        self._below = below

    @property
    def item(self) -> LaneItem:
        return self._item

    def set_item(self, item: LaneItem) -> None:
        """Show another state of the same lane, without a signal."""
        other, self._item = item.info.id != self._item.info.id, item
        self.mark.set_look(item.tag.look)
        self.name.setText(item.tag.label)
        set_tone(self.name, "" if item.visible else "dim")
        self.setAccessibleName(f"{item.tag.label}: {item.words()}")
        self.eye.set_icon("eye" if item.visible else "eye-off")
        self.eye.set_name("Hide the pane" if item.visible else "Show the pane")
        if other:
            self._drop_form()
        if self._form is not None:
            self._form.set_settings({**item.info.defaults(), **item.settings})
        self._say()

    def set_state(self, state: LaneState) -> None:
        self._state = state
        self._say()

    def set_rate_value(self, value: Any | None) -> None:
        """What the rate lock chose for the RATE parameter."""
        self._rate_value = value
        if self._form is not None:
            self._form.set_rate_value(value)

    def expanded(self) -> bool:
        return self._expanded

    def toggle(self) -> None:
        """Open the settings, or close them."""
        self.set_expanded(not self._expanded)

    def _say(self) -> None:
        phase, failed = self._state.phase, self._state.phase is Phase.FAILED
        told = phase in _TONES  # on lines of its own, whole
        words = [self._item.words()]
        if not self._item.visible:
            words.append("hidden")
        if phase not in (Phase.IDLE, Phase.DONE) and not told:
            words.append(self._state.text or str(phase))
        self.line.setText(" · ".join(words))
        self.reason.setVisible(told)
        self.reason.setText((self._state.text or str(phase)) if told else "")
        set_tone(self.reason, _TONES.get(phase, ""))
        self.reason.setToolTip(self._state.whole or self.reason.text())
        running = phase in (Phase.QUEUED, Phase.RUNNING)
        self.progress.setVisible(running)
        self.halt.setVisible(running)
        share = 0.0 if phase is Phase.QUEUED else self._state.progress
        self.progress.show_share(share, self._item.tag.look.colour)
        set_tone(self, "error" if failed else "")

    # ------------------------------------------------------------ settings

    def set_expanded(self, expanded: bool) -> None:
        """Show or hide the settings; the form is made when it is first wanted."""
        self._expanded = expanded
        self.arrow.set_icon("chevron-down" if expanded else "chevron-right")
        if expanded and self._form is None:
            self._make_form()
        if self._form is not None:
            self._form.setVisible(expanded)
            self._foot.setVisible(expanded)

    def _drop_form(self) -> None:
        """The lane is another codec's now, whose settings are others."""
        if self._form is None:
            return
        for part in (self._form, self._foot):
            self._below.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._form = None
        self.set_expanded(self._expanded)

    def _make_form(self) -> None:
        info = self._item.info
        self._form = ParamForm(info)
        self._form.set_settings({**info.defaults(), **self._item.settings})
        self._form.set_rate_value(self._rate_value)
        self._form.changed.connect(lambda settings: self.settings_changed.emit(self._item.tag.id, settings))
        self._below.addWidget(self._form)
        self._foot = QWidget()
        row = QHBoxLayout(self._foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addStretch(1)
        for text, act in (("Reset", self._reset), ("Duplicate", self._duplicate), ("Remove", self._remove)):
            button = QPushButton(text)
            button.setProperty("kind", "quiet")
            button.setFont(style.text_font(style.SMALL_PX))
            button.setAccessibleName(f"{text} {self._item.tag.label}")
            button.clicked.connect(act)
            row.addWidget(button)
        self._below.addWidget(self._foot)

    def _reset(self) -> None:
        rate = self._item.info.rate_param
        defaults = {k: v for k, v in self._item.info.defaults().items() if rate is None or k != rate.name}
        self.settings_changed.emit(self._item.tag.id, defaults)

    def _duplicate(self) -> None:
        self.duplicate.emit(self._item.tag.id)

    def _remove(self) -> None:
        self.remove.emit(self._item.tag.id)

    # ------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragging = event.position().toPoint(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        far = (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if far or self._dragging:
            self._dragging = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.dragged.emit(self._item.tag.id, self.mapToParent(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        self.unsetCursor()
        if self._dragging:
            self.dropped.emit(self._item.tag.id, self.mapToParent(event.position().toPoint()))
        elif self._pressed.y() < self.line.geometry().bottom() + 2 * GRID:
            self.chosen.emit(self._item.tag.id)
        self._pressed, self._dragging = None, False

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, alt = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(self._item.tag.id, -1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle()
        elif key == Qt.Key.Key_Delete:
            self._remove()
        elif key == Qt.Key.Key_H:
            self.eye.click()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def menu(self) -> QMenu:
        """The context menu: everything that can be done to the lane."""
        menu = QMenu(self)
        lane = self._item.tag.id
        menu.addAction("Hide the pane" if self._item.visible else "Show the pane", self.eye.click)
        menu.addAction("Close settings" if self.expanded() else "Settings", self.toggle)
        menu.addSeparator()
        menu.addAction("Move up\tAlt+Up", lambda: self.moved.emit(lane, -1))
        menu.addAction("Move down\tAlt+Down", lambda: self.moved.emit(lane, 1))
        menu.addSeparator()
        menu.addAction("Duplicate", self._duplicate)
        menu.addAction("Reset settings", self._reset)
        menu.addAction("Save as preset…", lambda: self.keep.emit(lane))
        menu.addAction("Decode in a fresh process", lambda: self.check.emit(lane))
        menu.addAction("Remove\tDel", self._remove)
        return menu

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(style.current().accent)))
            painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

"""The codecs of a comparison: one card per lane, and the menu that adds more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget, QWidgetAction

from engine.carry import refusal
from engine.codec import CodecInfo
from gui import style
from gui.models.lane import LaneTag
from gui.presets import PresetChoice
from gui.theme import GRID, Theme
from gui.widgets.lane_card import LaneCard, LaneItem, LaneState, Phase
from gui.widgets.themed import Heading, Panel, label

__all__ = ["CodecChoice", "CodecsPanel", "LaneItem", "LaneState", "LaneTag", "Phase"]

FAMILIES = {
    "dct": "Block transform",
    "wavelet": "Wavelet",
    "predictive": "Predictive",
    "learned": "Learned",
    "texture": "Texture",
    "command": "Command line",
}


@dataclass(frozen=True)
class CodecChoice:
    """A codec that the menu offers; `reason` says why it cannot run here, "" when it can."""

    info: CodecInfo
    reason: str = ""


class _Cards(QWidget):
    """The column of cards; while one is dragged, a line shows where it would land."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2 * GRID)
        self.column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._line: int | None = None

    def show_line(self, y: int | None) -> None:
        self._line = y
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._line is not None:
            painter = QPainter(self)
            painter.fillRect(0, self._line - 1, self.width(), 2, QColor(style.current().accent))


def _heading(menu: QMenu, text: str) -> QWidgetAction:
    title = QWidgetAction(menu)
    heading = Heading(text)
    heading.setContentsMargins(12, 8, 12, 2)
    title.setDefaultWidget(heading)
    title.setEnabled(False)
    return title


class CodecsPanel(Panel):
    """Cards of all lanes, and "Add codec".

    Signals, from the user only: add(codec_id), duplicate(lane_id), remove(lane_id), reorder(lane ids in their new
    order), settings_changed(lane_id, settings without the RATE parameter; debounced by ~150 ms),
    visibility_changed(lane_id, visible), chosen(lane_id: a click on a card), stop(lane_id: give up its work),
    keep(lane_id: save it as a preset), check(lane_id: have its file decoded by a fresh process). add's codec_id may be
    a preset's.
    """

    add = Signal(str)
    duplicate = Signal(str)
    remove = Signal(str)
    reorder = Signal(list)
    settings_changed = Signal(str, dict)
    visibility_changed = Signal(str, bool)
    chosen = Signal(str)
    stop = Signal(str)
    keep = Signal(str)
    check = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Codecs", parent)
        self._cards: dict[str, LaneCard] = {}
        self._choices: list[CodecChoice] = []
        self._presets: Callable[[bool], Sequence[PresetChoice]] = lambda _is_light: ()
        self._is_light = False
        self._holder = _Cards()
        self.add_button = QPushButton("Add codec")
        self.add_button.setProperty("kind", "quiet")
        self.add_button.clicked.connect(self.open_menu)
        self._holder.column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._lesson = label(
            "A codec with its settings is a lane. Lanes meet at one rate; a codec may have two.", "small"
        )
        self._lesson.setWordWrap(True)
        self._holder.column.addWidget(self._lesson)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._holder)
        area.viewport().setAutoFillBackground(False)
        self._holder.setAutoFillBackground(False)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(area, 1)
        self.retheme(style.current())

    # ------------------------------------------------------------ data

    def set_lanes(self, items: Sequence[LaneItem]) -> None:
        """Show these lanes in this order; cards that stay keep their state and stay open."""
        wanted = {item.tag.id for item in items}
        for lane_id in [lane_id for lane_id in self._cards if lane_id not in wanted]:
            card = self._cards.pop(lane_id)
            self._holder.column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, item in enumerate(items):
            card = self._cards.get(item.tag.id) or self._make(item)
            card.set_item(item)
            if self._holder.column.indexOf(card) != place:
                self._holder.column.removeWidget(card)
                self._holder.column.insertWidget(place, card)
        self._cards = {item.tag.id: self._cards[item.tag.id] for item in items}
        self._lesson.setVisible(not items)
        before: QWidget | None = None
        for card in self._cards.values():
            if before is not None:
                QWidget.setTabOrder(before, card)
            before = card.arrow

    def lanes(self) -> list[str]:
        """Lane ids in the order shown."""
        return list(self._cards)

    def set_state(self, lane_id: str, state: LaneState) -> None:
        """Say how a lane is doing; an unknown lane (removed meanwhile) is ignored."""
        if lane_id in self._cards:
            self._cards[lane_id].set_state(state)

    def set_rate_value(self, lane_id: str, value: Any | None) -> None:
        """Show what the rate lock chose for a lane's RATE parameter (None: not known)."""
        if lane_id in self._cards:
            self._cards[lane_id].set_rate_value(value)

    def set_codecs(self, choices: Sequence[CodecChoice]) -> None:
        """What "Add codec" offers, in the order of the registry."""
        self._choices = list(choices)

    def set_presets(self, presets: Callable[[bool], Sequence[PresetChoice]]) -> None:
        """What gives the presets for a picture of light, or of code values: it is asked whenever the menu opens."""
        self._presets = presets

    def set_light(self, is_light: bool) -> None:
        """Whether the picture holds light in floats: codecs that carry none are then greyed in the menu."""
        self._is_light = is_light

    def set_expanded(self, lane_id: str, expanded: bool) -> None:
        """Open or close a lane's settings."""
        self._cards[lane_id].set_expanded(expanded)

    def card(self, lane_id: str) -> LaneCard:
        return self._cards[lane_id]

    # ------------------------------------------------------------ the menu

    def menu(self) -> QMenu:
        """The codecs by family; what cannot run, or not on this picture, is greyed, with the reason beside it."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        families = list(dict.fromkeys(choice.info.family for choice in self._choices))
        for family in families:
            menu.addAction(_heading(menu, FAMILIES.get(family, family)))
            for choice in self._choices:
                if choice.info.family == family:
                    self._offer(menu, choice)
        self._offer_presets(menu)
        return menu

    def _offer_presets(self, menu: QMenu) -> None:
        """A submenu for each title; what cannot be taken is greyed, the reason beside it."""
        parts: dict[str, QMenu] = {}
        for choice in self._presets(self._is_light):
            if not parts:
                menu.addAction(_heading(menu, "Presets"))
            part = parts.get(choice.title) or menu.addMenu(choice.title)
            parts[choice.title] = part
            part.setToolTipsVisible(True)
            short = menu.fontMetrics().elidedText(choice.reason, Qt.TextElideMode.ElideRight, 260)
            action = part.addAction(f"{choice.label}\t{short}" if choice.reason else choice.label)
            action.setEnabled(not choice.reason)
            action.setToolTip(choice.reason or choice.about or choice.label)
            action.triggered.connect(lambda _checked=False, name=choice.id: self.add.emit(name))

    def _offer(self, menu: QMenu, choice: CodecChoice) -> None:
        info = choice.info
        reason = choice.reason or refusal(info, is_light=self._is_light) or ""
        short = menu.fontMetrics().elidedText(reason, Qt.TextElideMode.ElideRight, 260)
        action = menu.addAction(f"{info.label}\t{short}" if reason else info.label)
        action.setEnabled(not reason)
        action.setToolTip(reason or info.about or info.label)
        action.triggered.connect(lambda: self.add.emit(info.id))

    def open_menu(self) -> None:
        """Open the menu under the button."""
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.add_button.mapToGlobal(QPoint(0, self.add_button.height() + GRID)))

    # ------------------------------------------------------------ cards

    def _make(self, item: LaneItem) -> LaneCard:
        card = LaneCard(item)
        card.settings_changed.connect(self.settings_changed)
        card.visibility_changed.connect(self.visibility_changed)
        card.remove.connect(self.remove)
        card.duplicate.connect(self.duplicate)
        card.chosen.connect(self.chosen)
        card.stop.connect(self.stop)
        card.keep.connect(self.keep)
        card.check.connect(self.check)
        card.moved.connect(self._move)
        card.dragged.connect(self._show_drop)
        card.dropped.connect(self._drop)
        self._cards[item.tag.id] = card
        return card

    def _move(self, lane_id: str, step: int) -> None:
        order = self.lanes()
        place = order.index(lane_id)
        target = place + step
        if 0 <= target < len(order):
            order.insert(target, order.pop(place))
            self.reorder.emit(order)
            self._cards[lane_id].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _gap(self, y: int) -> int:
        """The gap between cards (0 = before the first) that is nearest to `y`."""
        return sum(1 for card in self._cards.values() if y > card.geometry().center().y())

    def _show_drop(self, _lane_id: str, pos: QPoint) -> None:
        cards = list(self._cards.values())
        gap = self._gap(pos.y())
        self._holder.show_line(cards[gap].y() - GRID if gap < len(cards) else cards[-1].geometry().bottom() + GRID)

    def _drop(self, lane_id: str, pos: QPoint) -> None:
        self._holder.show_line(None)
        order = self.lanes()
        gap, place = self._gap(pos.y()), order.index(lane_id)
        order.insert(gap - (gap > place), order.pop(place))
        if order != self.lanes():
            self.reorder.emit(order)

    def retheme(self, theme: Theme) -> None:
        self.add_button.setIcon(style.icon("plus", theme))

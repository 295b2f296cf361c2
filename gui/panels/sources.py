"""The list of pictures: what is open, what is wrong with the rest, and where to drop more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QListView, QMenu, QPushButton, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gui import style
from gui.models.sources_model import Badge, SourceItem, SourcesModel
from gui.panels import bake_strip
from gui.theme import RADIUS, Theme, mix
from gui.widgets.drop import DropCard
from gui.widgets.themed import IconButton, Panel

__all__ = ["Badge", "SourceItem", "SourcesPanel"]

THUMB = QSize(54, 36)
_PAD = 6
_BADGE_ROW = 20
READINGS = {
    "": "What name and samples say",
    "direction": "Direction map",
    "mask": "Shadow mask",
    "colour": "Colours",
    "light": "Light",
}
_BAKE_HEAD = 44  # of a bake's row, above its maps
_LINE = 15
Index = QModelIndex | QPersistentModelIndex


def _lines(text: str, width: int) -> int:
    """How many lines an error takes in the small font, four at most (the tooltip has all of it)."""
    metrics = QFontMetrics(style.text_font(style.SMALL_PX))
    box = metrics.boundingRect(QRect(0, 0, max(40, width), 1000), int(Qt.TextFlag.TextWordWrap), text)
    return min(4, round(box.height() / metrics.lineSpacing()))


def _cross(row: QRect) -> QRect:
    """Where a row's remove cross lies."""
    return QRect(row.right() - 24, row.top() + 6, 20, 20)


def _strip(row: QRect) -> QRect:
    """Where the maps of a bake lie in its row."""
    return QRect(row.left() + _PAD, row.top() + _BAKE_HEAD, row.width() - 2 * _PAD, bake_strip.HEIGHT)


class _Delegate(QStyledItemDelegate):
    """Paints a row: thumbnail, name, one line of detail or the error, and badges below."""

    def __init__(self, view: QListView, model: SourcesModel) -> None:
        super().__init__(view)
        self._view, self._model = view, model

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        item: SourceItem = index.data(SourcesModel.ItemRole)
        height = THUMB.height() + 2 * _PAD
        if item.maps:
            height = _BAKE_HEAD + bake_strip.HEIGHT + _PAD + (_BADGE_ROW if item.badges and not item.error else 0)
        elif item.error:
            words = self._view.viewport().width() - THUMB.width() - _PAD - 12
            height = max(height, 20 + 2 * _PAD + _lines(item.error, words) * _LINE)
        elif item.badges:
            height += _BADGE_ROW
        return QSize(120, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, item = style.current(), index.data(SourcesModel.ItemRole)
        rect: QRect = option.rect.adjusted(0, 1, 0, -1)
        state: QStyle.StateFlag = option.state
        hover = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, rect, theme, state)
        thumb = QRect(rect.left() + _PAD, rect.top() + _PAD - 1, THUMB.width(), THUMB.height())
        room = QRect(thumb.right() + 9, thumb.top() - 1, rect.right() - thumb.right() - 12, THUMB.height())
        below = thumb.bottom() + 5
        if item.maps:
            room = QRect(rect.left() + _PAD, rect.top() + 2, rect.width() - 2 * _PAD, _BAKE_HEAD)
            bake_strip.paint(painter, _strip(rect), item.maps, item.picture, self._model.thumbnail)
            below = _strip(rect).bottom() + 1
        else:
            pixmap = index.data(Qt.ItemDataRole.DecorationRole)
            bake_strip.paint_thumbnail(painter, thumb, pixmap, theme, failed=bool(item.error))
        self._words(painter, room.adjusted(0, 0, -20 if hover else 0, 0), theme, item)
        if item.badges and not item.error:
            self._badges(painter, thumb.left(), below, rect.right() - _PAD, item.badges)
        if hover:
            style.paint_icon(painter, "close", QRectF(_cross(rect)).adjusted(3, 3, -3, -3), theme.dim)
        painter.restore()

    @staticmethod
    def _ground(painter: QPainter, rect: QRect, theme: Theme, state: QStyle.StateFlag) -> None:
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if not chosen and not state & QStyle.StateFlag.State_MouseOver:
            return
        focus = chosen and bool(state & QStyle.StateFlag.State_HasFocus)
        edge = theme.accent if focus else theme.hairline if chosen else "transparent"
        painter.setPen(QPen(QColor(edge)))
        painter.setBrush(QColor(theme.raised if chosen else mix(theme.panel, theme.text, 0.04)))
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    @staticmethod
    def _words(painter: QPainter, room: QRect, theme: Theme, item: SourceItem) -> None:
        painter.setFont(style.text_font())
        metrics = painter.fontMetrics()
        painter.setPen(QColor(theme.text))
        name = metrics.elidedText(item.name, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room.left(), room.top() + 15, name)
        painter.setFont(style.text_font(style.SMALL_PX))
        if item.error:
            painter.setPen(QColor(theme.error))
            below = QRect(room.left(), room.top() + 20, room.width(), (1 if item.maps else 4) * _LINE)
            painter.drawText(below, int(Qt.TextFlag.TextWordWrap), item.error)
            return
        painter.setPen(QColor(theme.dim))
        detail = "reading…" if item.busy else item.detail
        shown = painter.fontMetrics().elidedText(detail, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.left(), room.top() + 34, shown)

    @staticmethod
    def _badges(painter: QPainter, left: int, top: int, right: int, badges: Sequence[Badge]) -> None:
        """Badges in a row; those without room are counted in a last one."""
        theme = style.current()
        painter.setFont(style.text_font(style.HEADING_PX))
        metrics = painter.fontMetrics()
        texts = [badge.text for badge in badges]
        spare = metrics.horizontalAdvance("+9") + 14
        for place, badge_text in enumerate(texts):
            later = len(texts) - place - 1
            width = metrics.horizontalAdvance(badge_text) + 10
            fits = left + width + (spare if later else 0) <= right
            text = badge_text if fits or not place else f"+{later + 1}"
            width = min(metrics.horizontalAdvance(text) + 10, right - left - (spare if fits and later else 0))
            pill = QRectF(left + 0.5, top + 0.5, width - 1, 15)
            painter.setPen(QPen(QColor(mix(theme.hairline, theme.accent, 0.4))))
            painter.setBrush(QColor(mix(theme.panel, theme.accent, 0.1)))
            painter.drawRoundedRect(pill, 4, 4)
            painter.setPen(QColor(theme.text))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - 6)
            painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), shown)
            left += width + 4
            if text != badge_text:
                return


class _List(QListView):
    """The view: a click on the cross, Delete, or the context menu removes a row; a click on a map of a bake, or the
    left and right arrows, switch to it."""

    switched = Signal(str)
    remove = Signal(str)
    reveal = Signal(str)
    locate = Signal(str)
    read_as = Signal(str, str)

    def __init__(self, model: SourcesModel) -> None:
        super().__init__()
        self.activated.connect(self._activated)
        self.setModel(model)
        self.setItemDelegate(_Delegate(self, model))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setAccessibleName("Sources")

    def item_at(self, pos: QPoint) -> SourceItem | None:
        index = self.indexAt(pos)
        return index.data(SourcesModel.ItemRole) if index.isValid() else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        pos = event.position().toPoint()
        item = self.item_at(pos)
        row = self.visualRect(self.indexAt(pos)).adjusted(0, 1, 0, -1)
        if item is not None and _cross(row).contains(pos):
            self._remove(item)
            return
        wanted = bake_strip.map_at(_strip(row), item.maps, pos) if item is not None else None
        if wanted is not None and not wanted.error:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.switched.emit(wanted.id)
            return
        super().mousePressEvent(event)

    def _remove(self, item: SourceItem) -> None:
        """A bake goes as a whole."""
        for each in item.pictures:
            self.remove.emit(each)

    def _step_map(self, item: SourceItem, step: int) -> None:
        usable = [each.id for each in item.maps if not each.error]
        if item.picture in usable:
            self.switched.emit(usable[(usable.index(item.picture) + step) % len(usable)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and index.isValid():
            self._remove(index.data(SourcesModel.ItemRole))
            return
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and index.isValid() and index.data(SourcesModel.ItemRole).maps:
            self._step_map(index.data(SourcesModel.ItemRole), step)
            return
        super().keyPressEvent(event)

    def _activated(self, index: QModelIndex) -> None:
        """A double click, or Enter."""
        item: SourceItem = index.data(SourcesModel.ItemRole)
        if item.missing:
            self.locate.emit(item.picture)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        item = self.item_at(event.pos())
        if item is not None:
            menu = self.menu(item)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(event.globalPos())

    def menu(self, item: SourceItem) -> QMenu:
        """The context menu of one item."""
        menu = QMenu(self)
        reveal = QAction("Show in folder", menu)
        reveal.triggered.connect(lambda: self.reveal.emit(item.picture))
        copy = QAction("Copy path", menu)
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(item.path))
        for action in (reveal, copy):
            action.setEnabled(bool(item.path))
            menu.addAction(action)
        if item.missing:
            locate = QAction("Locate…", menu)
            locate.triggered.connect(lambda: self.locate.emit(item.picture))
            menu.insertAction(reveal, locate)
        if not item.missing:
            menu.addMenu(self._kinds(item, menu))
        menu.addSeparator()
        remove = QAction("Remove from the list", menu)
        remove.triggered.connect(lambda: self._remove(item))
        menu.addAction(remove)
        return menu

    def _kinds(self, item: SourceItem, menu: QMenu) -> QMenu:
        """What the channels of a picture may be taken for."""
        kinds = QMenu("Read as", menu)
        for key, text in READINGS.items():
            action = QAction(text, kinds)
            action.setCheckable(True)
            action.setChecked(item.read_as == key)
            action.triggered.connect(lambda _on=False, key=key: self.read_as.emit(item.picture, key))
            kinds.addAction(action)
        return kinds


class SourcesPanel(Panel):
    """The pictures of the session.

    Signals, from the user only: chosen(id), remove(id), reveal(id), open_requested(), dropped(list of paths),
    set_requested(), read_as(id, a key of `READINGS`).
    A failed item (`SourceItem.error`) cannot be chosen, only removed; a missing one can be located: locate(id).
    """

    chosen = Signal(str)
    remove = Signal(str)
    reveal = Signal(str)
    locate = Signal(str)
    open_requested = Signal()
    dropped = Signal(list)
    set_requested = Signal()
    read_as = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Sources", parent)
        self._model = SourcesModel()
        self._current = ""
        self._model.setParent(self)
        self.list = _List(self._model)
        self.list.switched.connect(self._switch)
        self.list.remove.connect(self.remove)
        self.list.reveal.connect(self.reveal)
        self.list.locate.connect(self.locate)
        self.list.read_as.connect(self.read_as)
        self.list.selectionModel().currentChanged.connect(self._moved)
        self.open_button = IconButton("open", "Open pictures…")
        self.open_button.clicked.connect(self.open_requested)
        self.head.addWidget(self.open_button)
        self.card = DropCard()
        self.card.open_requested.connect(self.open_requested)
        self.card.dropped.connect(self.dropped)
        self.set_button = QPushButton()
        self.set_button.setProperty("kind", "quiet")
        self.set_button.setAccessibleName("The set of all maps")
        self.set_button.setToolTip("All maps as one: what they take, the worst first (F10)")
        self.set_button.clicked.connect(self.set_requested)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.set_button)
        self.body.addWidget(self.card)
        self._arrange()

    def set_items(self, items: Sequence[SourceItem]) -> None:
        """Show these pictures, in this order; the current one stays current while it is there."""
        self._model.set_items(items)
        self.set_current(self._current)
        self._arrange()

    def items(self) -> list[SourceItem]:
        return self._model.items()

    def set_summary(self, text: str) -> None:
        """What all pictures take in all, on the button that opens the set."""
        self.set_button.setText(text)

    def set_thumbnail(self, item_id: str, picture: np.ndarray | QImage) -> None:
        """Give an item its thumbnail: H×W×3 u8 sRGB (C-contiguous), or a QImage; it fills 54 × 36, cropped evenly.

        Scaled here, on the GUI thread: hand over at most about 512 pixels a side.
        """
        if isinstance(picture, np.ndarray):
            height, width, _ = picture.shape
            picture = QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_RGB888)
        side = THUMB * 2
        grown = picture.scaled(
            side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        )
        left, top = (grown.width() - side.width()) // 2, (grown.height() - side.height()) // 2
        self._model.set_thumbnail(item_id, QPixmap.fromImage(grown.copy(left, top, side.width(), side.height())))

    def set_current(self, item_id: str | None) -> None:
        """Mark the picture that is shown (None for none), without a signal."""
        self._current = item_id or ""
        row = self._model.row(self._current)
        self.list.setCurrentIndex(self._model.index(row) if row >= 0 else QModelIndex())

    def current(self) -> str:
        """The id of the picture that is shown, "" when none is."""
        return self._current

    def set_drag_active(self, active: bool) -> None:
        """Light up the drop card while files are held anywhere over the window."""
        self.card.set_active(active)

    def _arrange(self) -> None:
        empty = self._model.rowCount() == 0
        self.list.setVisible(not empty)
        self.set_button.setVisible(self._model.rowCount() > 1 or any(item.maps for item in self._model.items()))
        self.card.set_large(empty)

    def _moved(self, index: QModelIndex) -> None:
        item: SourceItem | None = index.data(SourcesModel.ItemRole) if index.isValid() else None
        if item is not None and not item.error and self._current not in item.pictures:
            self._switch(item.picture)

    def _switch(self, picture: str) -> None:
        if picture != self._current:
            self._current = picture
            self.chosen.emit(picture)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "list"):
            self.list.viewport().update()

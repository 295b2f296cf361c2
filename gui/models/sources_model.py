"""The pictures of a session as a Qt list model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPixmap

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Badge:
    """A short remark on a picture ("Display P3") and the sentence behind it."""

    text: str
    tip: str = ""


@dataclass(frozen=True)
class BakeMap:
    """One map of a bake: the id of its picture, what it is in a word ("Light"), and where it lies."""

    id: str
    label: str
    path: str = ""
    error: str = ""


@dataclass(frozen=True)
class SourceItem:
    """One picture of the list, or one bake.

    maps: those of a bake, of which `shown` is the id of the one that the rest speaks of; `id` is that of the first.
    read_as: what a person said that its channels are.
    detail: what it is, in one line ("768 × 512 · 8 bit"). path: for the tooltip and *Copy path*.
    error: why it could not be read ("" when it could). missing: there is no such file. busy: still being read.
    """

    id: str
    name: str
    detail: str = ""
    path: str = ""
    badges: tuple[Badge, ...] = ()
    error: str = ""
    missing: bool = False
    busy: bool = False
    maps: tuple[BakeMap, ...] = ()
    shown: str = ""
    read_as: str = ""

    @property
    def picture(self) -> str:
        """The id of the picture that the row stands for now."""
        return self.shown or self.id

    @property
    def pictures(self) -> tuple[str, ...]:
        """The ids of all of its pictures."""
        return tuple(each.id for each in self.maps) or (self.id,)

    def tip(self) -> str:
        """Everything known of it, for the tooltip."""
        notes = (f"{badge.text}: {badge.tip}" if badge.tip else badge.text for badge in self.badges)
        return "\n".join(line for line in (self.path or self.name, self.detail, *notes, self.error) if line)


class SourcesModel(QAbstractListModel):
    """Items in order; `ItemRole` gives the `SourceItem`, the decoration its thumbnail (`QPixmap` or None)."""

    ItemRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self._items: list[SourceItem] = []
        self._thumbnails: dict[str, QPixmap] = {}

    def items(self) -> list[SourceItem]:
        return list(self._items)

    def set_items(self, items: Sequence[SourceItem]) -> None:
        """Replace the list; a change of content alone keeps rows (and so selection and scrolling) in place."""
        if [item.id for item in items] == [item.id for item in self._items]:
            self._items = list(items)
            if items:
                self.dataChanged.emit(self.index(0), self.index(len(items) - 1))
            return
        self.beginResetModel()
        self._items = list(items)
        ids = {each for item in items for each in item.pictures}
        self._thumbnails = {key: pixmap for key, pixmap in self._thumbnails.items() if key in ids}
        self.endResetModel()

    def set_thumbnail(self, item_id: str, pixmap: QPixmap) -> None:
        self._thumbnails[item_id] = pixmap
        row = self.row(item_id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def row(self, item_id: str) -> int:
        """The row of a picture, also of one in a bake; -1 if it is not there."""
        return next((row for row, item in enumerate(self._items) if item_id in item.pictures), -1)

    def thumbnail(self, item_id: str) -> QPixmap | None:
        return self._thumbnails.get(item_id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self._items[index.row()]
        if role == self.ItemRole:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.tip()
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbnails.get(item.picture)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.name}, {item.error or item.detail}"
        return None

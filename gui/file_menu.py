"""The File menu, with what was opened lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gui.actions import ACTIONS
from gui.frame import Frame
from gui.session.keeper import Sessions

GROUP = "File"


class FileMenu(QMenu):
    """The actions of their group, made anew from the table whenever the menu opens.

    take: opens a path, whatever it is.
    """

    def __init__(self, window: Frame, sessions: Sessions, take: Callable[[list[Path]], None]) -> None:
        super().__init__(window)
        self._window, self._sessions, self._take = window, sessions, take
        self.recent = QMenu("Open recent\t▸", self)
        self.recent.setToolTipsVisible(True)
        self.recent.aboutToShow.connect(sessions.check_recent)
        self.aboutToShow.connect(self._fill)
        self.aboutToShow.connect(sessions.check_recent)
        sessions.changed.connect(self._refresh)

    def _fill(self) -> None:
        self.clear()
        actions = self._window.actions_by_id
        for spec in (spec for spec in ACTIONS if spec.group == GROUP):
            if spec.rule:
                self.addSeparator()
            if spec.id == "open_recent":
                self.addMenu(self.recent)
            else:
                self.addAction(actions[spec.id])
        actions["former_session"].setEnabled(self._sessions.has_former)
        self.fill_recent()

    def _refresh(self) -> None:
        if self.isVisible() or self.recent.isVisible():
            self.fill_recent()

    def fill_recent(self) -> None:
        """Sessions first, then pictures and folders; those that are gone are greyed."""
        lists = self._sessions.recent
        self.recent.clear()
        self._add(lists.sessions)
        self.recent.addSeparator()
        self._add(lists.pictures)
        self.recent.addSeparator()
        clear = self.recent.addAction("Clear this list")
        clear.triggered.connect(self._sessions.clear_recent)
        clear.setEnabled(bool(lists.sessions or lists.pictures))

    def open_recent(self) -> None:
        """Show the recent files alone, below *File*."""
        self.fill_recent()
        button = self._window.top_bar.file
        self.recent.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _add(self, paths: Sequence[str]) -> None:
        for path in paths:
            gone = path in self._sessions.gone
            action = QAction(recent_text(path, gone), self.recent)
            action.setToolTip(path)
            action.setEnabled(not gone)
            action.triggered.connect(lambda _on=False, path=path: self._take([Path(path)]))
            self.recent.addAction(action)


def recent_text(path: str, gone: bool) -> str:
    """ "kitchen.ratescope", with its folder where menus show shortcuts."""
    where = Path(path)
    folder = str(where.parent)
    home = str(Path.home())
    if folder == home or folder.startswith(home + "/"):
        folder = "~" + folder[len(home) :]
    text = f"{where.name or path}\t{'not found' if gone else folder}"
    return text.replace("&", "&&")

"""What the actions around sessions do: dialogs, questions, the window's title."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox

from gui.frame import Frame
from gui.saving import with_suffix
from gui.session.document import SUFFIX
from gui.session.keeper import Sessions

FILTER = f"Sessions (*{SUFFIX})"
Button = QMessageBox.StandardButton


class SessionCommands:
    """Serves the actions around the session of one window."""

    def __init__(self, window: Frame, sessions: Sessions, show_recent: Callable[[], None]) -> None:
        self._window, self.sessions, self._show_recent = window, sessions, show_recent
        sessions.changed.connect(self.retitle)
        self.retitle()

    def table(self) -> dict[str, Callable[[], object]]:
        """Action id -> what it does."""
        return {
            "new_session": self.new,
            "open_session": self._ask_and_open,
            "open_recent": self._show_recent,
            "save_session": self.save,
            "save_session_as": self.save_as,
            "former_session": lambda: self._leave(self.sessions.bring_back_former),
        }

    def retitle(self) -> None:
        """The title names picture and session, and marks changes that are not saved the way Qt does."""
        name, current = self.sessions.name, self._window.state.current
        parts = [current.name if current is not None else "", f"{name}[*]" if name else "", "Ratescope"]
        marked = bool(name) and self.sessions.modified
        self._window.setWindowTitle(" — ".join(part for part in parts if part))
        self._window.setWindowModified(marked)
        self._window.top_bar.set_session(f"{name}*" if marked else name)

    def new(self) -> None:
        def begin() -> None:
            had = bool(self._window.state.sources)
            self.sessions.new()
            if had:
                self._window.tell("This is a new session", ("Bring the former back", self.sessions.bring_back_former))

        self._leave(begin)

    def open(self, path: Path) -> None:
        """Open a session file, after asking what becomes of unsaved changes."""
        self._leave(lambda: self.sessions.open(path))

    def _ask_and_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Open session", self._folder(), FILTER)
        if name:
            self.open(Path(name))

    def remember(self, paths: list[Path]) -> None:
        self.sessions.remember_pictures(paths)

    def save(self) -> None:
        if self.sessions.file is None:
            self.save_as()
        else:
            self._save(self.sessions.file)

    def save_as(self, then: Callable[[], None] = lambda: None) -> None:
        wish = self.sessions.file or Path(self._folder()) / f"session{SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(self._window, "Save session", str(wish), FILTER)
        if name:
            self._save(with_suffix(Path(name), SUFFIX), then)

    def _save(self, path: Path, then: Callable[[], None] = lambda: None) -> None:
        def saved() -> None:
            self._window.tell(f"Saved {path.name}")
            then()

        self.sessions.save(path, saved)

    def _folder(self) -> str:
        """Where dialogs begin: beside the session, else beside the picture."""
        current = self._window.state.current
        if self.sessions.file is not None:
            return str(self.sessions.file.parent)
        return str(current.path.parent) if current is not None else ""

    def _leave(self, then: Callable[[], None]) -> None:
        """Go on to another session; a file's changes that are not saved are asked about first."""
        self.sessions.look()
        file = self.sessions.file
        if file is None or not self.sessions.modified:
            then()
            return
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Ratescope")
        box.setText(f"Save the changes to {self.sessions.name}?")
        box.setStandardButtons(Button.Save | Button.Discard | Button.Cancel)
        box.setDefaultButton(Button.Save)

        def answered(answer: int) -> None:
            if answer == Button.Save:
                self._save(file, then)
            elif answer == Button.Discard:
                then()

        box.finished.connect(answered)
        box.open()

"""The session of a window: its file, whether it was changed since, and the running copy that survives a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import EngineError
from engine.files import FileMark, atomic_write
from gui.frame import Frame
from gui.places import data_folder
from gui.session import document, mapping, recent
from gui.session.document import SUFFIX, Session
from gui.session.locate import Found, Search, locate, marked
from gui.session.recent import Recent
from gui.session.slot import Slot, claim
from gui.state import Topic

AUTOSAVE_MS = 700  # from a change to its being kept
SETTLED_MS = 5000  # a session that is back for so long did not bring the program down


@dataclass(frozen=True)
class Opened:
    """A session file as it was read: where it belongs, and where its pictures are now.

    file: None for a running session that was never saved. modified: it has changes that its file has not.
    """

    session: Session
    file: Path | None
    modified: bool
    found: list[Found]


def read(path: Path) -> Opened:
    """Read a session file and look for its pictures; `EngineError` says what is wrong. Not for the GUI thread."""
    session, about = document.read_with_about(path)
    running = about.get("running")
    file: Path | None = path
    modified = False
    if isinstance(running, dict):
        known = running.get("file")
        file = Path(known) if isinstance(known, str) and known and "\0" not in known else None
        modified = running.get("modified") is True
    return Opened(session, file, modified, locate(session.sources, path.absolute().parent))


def _read_or_error(path: Path) -> Opened | EngineError:
    try:
        return read(path)
    except EngineError as error:
        return error


class Sessions(QObject):
    """Opens, saves and keeps the one session of a window. Every method is called on the GUI thread.

    Signal changed(): the session's name, its file or whether it is modified changed, or what was opened lately.
    """

    changed = Signal()

    def __init__(self, window: Frame, begin: Callable[[], None]) -> None:
        """begin: fills the window for a new session."""
        super().__init__(window)
        self._window, self._begin = window, begin
        self.file: Path | None = None
        self.modified = False
        self.recent = recent.load(data_folder() / "recent.json")
        self.gone: frozenset[str] = frozenset()  # recent files that are not there
        self._saved = Session().content()  # as the file has it
        self._kept: Session | None = None  # as the running copy has it
        self._slot: Slot | None = None
        self._keeps = False  # whether the slot is ours to write: not before the session in it was read
        self._stamp = 0  # of the last request to open: a later one wins
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._timer = QTimer(self, interval=AUTOSAVE_MS, singleShot=True)
        self._timer.timeout.connect(self.look)
        self._settled = QTimer(self, interval=SETTLED_MS, singleShot=True)
        self._settled.timeout.connect(self._begun)
        self._watch()

    def _watch(self) -> None:
        window = self._window
        for topic in (Topic.SOURCES, Topic.CURRENT, Topic.LANES, Topic.TARGET, Topic.VIEW, Topic.TONE, Topic.CURVES):
            window.state.subscribe(topic, self.touch)
        panes = window.compare
        for signal in (panes.linked.changed, panes.split_moved, window.plot.log_changed, window.verdict.order_changed):
            signal.connect(self.touch)
        for signal in (window.left.folded_changed, window.right.folded_changed):
            signal.connect(self.touch)
        for signal in (window.middle.splitterMoved, window.bottom.splitterMoved):
            signal.connect(self.touch)
        window.state.subscribe(Topic.CURRENT, self.changed.emit)

    @property
    def name(self) -> str:
        """The session's name, "" while it has no file."""
        return self.file.name.removesuffix(SUFFIX) if self.file is not None else ""

    # -- changes

    def touch(self, *_args: object) -> None:
        """Something may have changed: look soon."""
        if not self._timer.isActive():
            self._timer.start()

    def look(self) -> None:
        """Compare what is open with what was saved and with what is kept; keep it if it differs."""
        now = mapping.capture(self._window)
        modified = now.content() != self._saved
        renewed, self.modified = modified != self.modified, modified
        if renewed:
            self.changed.emit()
        if self._keeps and self._slot is not None and (renewed or now != self._kept):
            self._kept = now
            self._keep(now, self._slot.path)

    def _keep(self, session: Session, path: Path) -> None:
        """Write a running copy, beside the GUI thread."""
        running = {"file": str(self.file) if self.file is not None else "", "modified": self.modified}

        def write() -> None:
            try:
                atomic_write(path, document.dump(session, None, {"running": running}))
            except EngineError as error:
                message = f"the running session is not kept: {error}"
                self._window.controller.desk.post(lambda: self._lose(message))

        self._writer.submit(write)

    def _lose(self, message: str) -> None:
        """Say once that nothing is kept, and try no more."""
        if self._slot is not None:
            self._slot.release()
            self._slot = None
            self._window.complain(message)

    # -- the running copy

    def hold(self) -> bool:
        """Take a slot for a running copy of the session; False, and said, if nothing can be kept."""
        try:
            self._slot = claim(data_folder() / "sessions")
        except EngineError as error:
            self._window.complain(f"the running session is not kept: {error}")
            return False
        return True

    def bring_back_running(self, otherwise: Callable[[], None]) -> None:
        """Show the session that the last window left in the slot; `otherwise` fills the window if there is none.

        A copy that cannot be read, or that ended the program too often, is put aside and said.
        """
        slot = self._slot
        if slot is None or not slot.path.exists():
            self._start_with(otherwise)
        elif not slot.begin():
            self._put_aside(slot, "the program ended early whenever it brought that session back")
            self._start_with(otherwise)
        else:
            self._settled.start()
            self._window.controller.desk.apart(
                lambda: _read_or_error(slot.path), lambda read: self._place_running(slot, read, otherwise)
            )

    def _place_running(self, slot: Slot, read: Opened | EngineError, otherwise: Callable[[], None]) -> None:
        if isinstance(read, Opened):
            self.place(read)
        else:
            self._put_aside(slot, read.message)
            self._start_with(otherwise)

    def _begun(self) -> None:
        if self._slot is not None:
            self._slot.begun()

    def _start_with(self, fill: Callable[[], None]) -> None:
        fill()
        self._settle(None, modified=False)

    def _put_aside(self, slot: Slot, why: str) -> None:
        aside = slot.set_aside()
        kept = f"; it is kept as {aside}" if aside is not None else ""
        self._window.complain(f"The last session could not be brought back: {why}{kept}")

    def start_instead(self, fill: Callable[[], None], opened: Opened | None = None) -> None:
        """Begin with `opened`, or with what `fill` opens; the running copy becomes the former session."""
        if self._slot is not None and self._slot.path.exists():
            with contextlib.suppress(OSError):
                self._slot.path.replace(self._slot.former)
        if opened is not None:
            self.place(opened)
            fill()
        else:
            self._start_with(fill)

    @property
    def has_former(self) -> bool:
        """Whether there is a session that another one took the place of."""
        return self._slot is not None and self._slot.former.exists()

    def _keep_former(self) -> None:
        """What is open becomes the former session, if it is worth it."""
        if self._slot is not None and self._window.state.sources:
            self._keep(mapping.capture(self._window), self._slot.former)

    def bring_back_former(self) -> None:
        """Change places with the former session."""
        if self._slot is None or not self.has_former:
            return
        path, now = self._slot.former, mapping.capture(self._window)

        def swap(opened: Opened) -> None:
            if self._window.state.sources:
                self._keep(now, path)
            self.place(opened)

        self._apart_from_writes(lambda: read(path), swap)

    # -- new, open, save

    def new(self) -> None:
        """Begin an empty session."""
        self._stamp += 1
        self._keep_former()
        self._window.controller.clear()
        self._window.set_references([])
        self._begin()
        self._settle(None, modified=False)

    def open(self, path: Path) -> None:
        """Open a session file in place of what is open; what is wrong with it is said, and all stays as it was."""
        path = path.absolute()

        def place(opened: Opened) -> None:
            self._keep_former()
            self.place(opened)
            if opened.file is not None:
                self._remember(self.recent.with_session(opened.file))

        self._apart_from_writes(lambda: read(path), place)

    def _apart_from_writes(self, work: Callable[[], Opened], then: Callable[[Opened], None]) -> None:
        """Read beside the GUI thread, after everything that is being written; only the latest request counts."""
        self._stamp += 1
        stamp = self._stamp
        written = self._writer.submit(lambda: None)

        def read_now() -> Opened:
            written.result()
            return work()

        self._window.controller.desk.apart(read_now, lambda opened: then(opened) if stamp == self._stamp else None)

    def place(self, opened: Opened) -> None:
        """Show a session that was read."""
        remarks = mapping.put_back(opened.session, opened.found, self._window)
        self._settle(opened.file, modified=opened.modified)
        self._say(opened.found, remarks)

    def _settle(self, file: Path | None, *, modified: bool) -> None:
        self.file, self.modified, self._keeps = file, modified, True
        self._saved = Session().content() if modified else mapping.capture(self._window).content()
        self._kept = None
        self.touch()
        self.changed.emit()

    def _say(self, found: list[Found], remarks: list[str]) -> None:
        missing = [each.path.name for each in found if each.missing]
        if len(missing) == 1:
            self._window.complain(f"{missing[0]} was not found: locate it in the list of sources")
        elif missing:
            self._window.complain(f"{len(missing)} pictures were not found: locate them in the list of sources")
        if remarks:
            more = f" (and {len(remarks) - 1} more)" if len(remarks) > 1 else ""
            self._window.complain(f"Not everything of this session could be brought back: {remarks[0]}{more}")

    def save(self, path: Path, then: Callable[[], None] = lambda: None) -> None:
        """Write the session to `path`, which is its file from then on."""
        path = path.absolute()
        session = mapping.capture(self._window)

        def write() -> None:
            atomic_write(path, document.dump(marked(session), path.parent))

        def written(_none: Any) -> None:
            self.file = path
            self._saved = session.content()
            self._remember(self.recent.with_session(path))
            for source in self._window.state.sources:
                source.changed = False  # since it was saved
            self._window.state.announce(Topic.SOURCES)
            self.look()
            self._kept = None
            self.touch()
            self.changed.emit()
            then()

        self._window.controller.desk.apart(write, written)

    # -- missing pictures

    def relocate(self, source_id: int, path: Path) -> None:
        """Let a missing picture be `path`, and look there for the others that are missing."""
        state, controller = self._window.state, self._window.controller
        controller.relocate(source_id, path)
        missing = [(source.id, source.path.name, source.file) for source in state.sources if source.missing]
        if missing:
            controller.desk.apart(lambda: _look_in(path.parent, missing), self._relocate_all)

    def _relocate_all(self, found: dict[int, Path]) -> None:
        for source_id, path in found.items():
            source = self._window.state.source(source_id)
            if source is not None and source.missing:
                self._window.controller.relocate(source_id, path)

    # -- what was opened lately

    def remember_pictures(self, paths: list[Path]) -> None:
        """Pictures or folders that a person opened."""
        self._remember(self.recent.with_pictures(*(path.absolute() for path in paths)))

    def clear_recent(self) -> None:
        self._remember(Recent())

    def _remember(self, now: Recent) -> None:
        if now == self.recent:
            return
        self.recent = now
        path = data_folder() / "recent.json"

        def write() -> None:
            with contextlib.suppress(EngineError, OSError):  # a list of conveniences is not worth a message
                recent.save(path, now)

        self._writer.submit(write)
        self.changed.emit()

    def check_recent(self) -> None:
        """Find out, beside the GUI thread, which of the recent files are gone."""
        paths = [*self.recent.pictures, *self.recent.sessions]

        def arrive(gone: frozenset[str]) -> None:
            if gone != self.gone:
                self.gone = gone
                self.changed.emit()

        def check() -> None:
            gone = frozenset(path for path in paths if not Path(path).exists())
            self._window.controller.desk.post(lambda: arrive(gone))

        self._writer.submit(check)

    def close(self) -> None:
        """Keep the last state; the running copy stays for the next start."""
        self._timer.stop()
        self._settled.stop()
        if self._slot is not None:
            self.look()
        self._writer.shutdown(wait=True)
        if self._slot is not None:
            self._slot.begun()
            self._slot.release()
            self._slot = None


def _look_in(folder: Path, missing: list[tuple[int, str, FileMark | None]]) -> dict[int, Path]:
    search = Search([folder])
    found = {source_id: search.find(name, mark) for source_id, name, mark in missing}
    return {source_id: path for source_id, path in found.items() if path is not None}

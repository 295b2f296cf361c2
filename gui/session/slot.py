"""Where a window keeps its running session: a file of its own, held while the window lives, found after a crash.

Every window holds the first slot that no other living window holds. The system lets go of a slot when its process
ends, however it ends; what lies in it then is what the next window brings back.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import IO

from engine.errors import EngineError
from engine.files import write_error
from gui.session.document import SUFFIX

SLOTS = 16
TRIES = 3  # a session with which so many starts in succession ended early is put aside


class Slot:
    """One of the files for running sessions, held by this process until `release`."""

    def __init__(self, folder: Path, number: int, lock: IO[bytes] | None) -> None:
        self.folder, self.number = folder, number
        self._lock = lock
        self.path = folder / f"running-{number}{SUFFIX}"
        self.former = folder / f"former{SUFFIX}"
        self._tries = folder / f"running-{number}.tries"

    def begin(self) -> bool:
        """To be called before its session is brought back; False if that has gone wrong too often already."""
        try:
            tries = len(self._tries.read_bytes())
        except OSError:
            tries = 0
        with contextlib.suppress(OSError):
            self._tries.write_bytes(b"." * (tries + 1))
        return tries < TRIES

    def begun(self) -> None:
        """The session is back, and the window lives."""
        with contextlib.suppress(OSError):
            self._tries.unlink()

    def set_aside(self) -> Path | None:
        """Give the session in the slot another name, out of the way; None if that cannot be done."""
        aside = self.folder / f"set-aside-{time.strftime('%Y%m%d-%H%M%S')}-{self.number}{SUFFIX}"
        try:
            self.path.replace(aside)
        except OSError:
            return None
        self.begun()
        return aside

    def release(self) -> None:
        """Let another window have it. Only the first slot's session outlives its window: that is the next start's."""
        if self.number > 0:
            with contextlib.suppress(OSError):
                self.path.unlink()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def claim(folder: Path) -> Slot:
    """The first slot that is free; `EngineError` if nothing can be kept in `folder`, or all are taken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(SLOTS):
            lock = (folder / f"running-{number}.lock").open("ab")
            if _hold(lock):
                return Slot(folder, number, lock)
            lock.close()
    except OSError as error:
        raise write_error(error, folder) from error
    raise EngineError(f"{SLOTS} windows are open already", path=folder)


def _hold(lock: IO[bytes]) -> bool:
    """Take the lock for this process, without waiting. Where there are no locks (some network folders): taken."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return os.name != "nt"
    return True

"""Notices that files were written anew.

A thread looks at them once a second: notifications of the system do not come from network drives, and lose a file over
which another was renamed, as careful programs write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

INTERVAL_S = 1.0


class Stamp(NamedTuple):
    """What tells that a file is another one."""

    modified_ns: int
    size: int
    inode: int

    @staticmethod
    def of(path: Path) -> Stamp | None:
        """None while there is no such file, or while it cannot be looked at."""
        try:
            state = path.stat()
        except OSError:
            return None
        return Stamp(state.st_mtime_ns, state.st_size, state.st_ino)


class FileWatch:
    """Calls `written(path)`, in its own thread, when a file has changed and rests since the last look.

    A program that still writes is waited for; a file that is gone may come back.
    """

    def __init__(self, written: Callable[[Path], None], *, interval_s: float = INTERVAL_S) -> None:
        self._written = written
        self._interval = interval_s
        self._paths: tuple[Path, ...] = ()
        self._known: dict[Path, Stamp] = {}
        self._fresh: dict[Path, Stamp] = {}
        self._looking = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file watch", daemon=True)
        self._thread.start()

    def follow(self, paths: Iterable[Path]) -> None:
        """Look at these files from now on."""
        self._paths = tuple(paths)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self.look()

    def look(self) -> None:
        """Look at every file once."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        paths = self._paths
        followed = set(paths)
        self._known = {path: stamp for path, stamp in self._known.items() if path in followed}
        for path in paths:
            stamp = Stamp.of(path)
            if stamp is None or self._ended.is_set():
                continue
            if self._known.setdefault(path, stamp) == stamp:
                self._fresh.pop(path, None)
            elif self._fresh.get(path) == stamp:
                self._known[path] = self._fresh.pop(path)
                self._written(path)
            else:
                self._fresh[path] = stamp

"""The process that does a batch: the command line's own, so that the window may crash and the batch goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_MAIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from engine.cli import main; sys.exit(main(sys.argv[1:]))"
COMPLAINT = "ratescope: "


def command(words: Sequence[str]) -> list[str]:
    """What runs `ratescope` with these words, of this very program and Python."""
    return [sys.executable, "-P", "-c", _MAIN, str(_ROOT), *words]


class BatchProcess:
    """One run of `ratescope batch`.

    post: runs a call on the GUI thread. on_events(list of progress documents) and on_end(exit code, what it complained
    of) are called there. Reading goes on beside the GUI; what comes in quick succession is handed
    over together.
    """

    def __init__(
        self,
        words: Sequence[str],
        post: Callable[[Callable[[], None]], None],
        on_events: Callable[[list[dict[str, Any]]], None],
        on_end: Callable[[int, str], None],
    ) -> None:
        self._post, self._on_events, self._on_end = post, on_events, on_end
        self._events: deque[dict[str, Any]] = deque()
        self._complaint = ""
        # In a session of its own: neither Ctrl-C at the window's terminal nor that terminal's end concerns it.
        self._process = subprocess.Popen(
            command([*words, "--progress-json"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name="batch")
        self._reader.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end: what is done is kept. `on_end` tells when it has."""
        self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and end it the hard way after so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._hear(line.strip())
        code = self._process.wait()
        self._post(lambda: self._on_end(code, self._complaint))

    def _hear(self, line: str) -> None:
        if line.startswith(COMPLAINT):
            self._complaint = line.removeprefix(COMPLAINT)
        if not line.startswith("{"):
            return
        self._events.append(json.loads(line))
        if len(self._events) == 1:
            self._post(self._hand_over)

    def _hand_over(self) -> None:
        events = []
        while self._events:
            events.append(self._events.popleft())
        if events:
            self._on_events(events)

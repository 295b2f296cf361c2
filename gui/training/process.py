"""A process that trains: on its own, so that the window may crash, or be closed, and the training goes on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from engine.files import holder, write_error
from engine.learned.run_folder import LOCK
from gui.batch.child import COMPLAINT, command

OUTPUT = "output.txt"  # what the newest process said, in the folder of the run
_MOST_OUTPUT = 1 << 16


class TrainingProcess:
    """One `ratescope train` that was started here."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        """`EngineError` if the folder of the run cannot be written."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            output = (folder / OUTPUT).open("wb")
        except OSError as error:
            raise write_error(error, folder) from error
        with output:
            # A session of its own, and a file to talk to: it needs neither this window nor its terminal.
            self._process = subprocess.Popen(
                command(words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )

    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to save and to end."""
        self._process.terminate()

    def complaint(self) -> str:
        """What it said that was wrong, "" if nothing."""
        try:
            text = (self.folder / OUTPUT).read_bytes()[-_MOST_OUTPUT:].decode("utf-8", "replace")
        except OSError:
            return ""
        said = [line.removeprefix(COMPLAINT) for line in text.splitlines() if line.startswith(COMPLAINT)]
        return said[-1] if said else ""


def ask_to_stop(folder: Path) -> bool:
    """Ask whoever trains in `folder` to save and to end; False if nobody does, or who it is cannot be told."""
    process = holder(folder / LOCK)
    if not process:
        return False
    try:
        os.kill(process, signal.SIGTERM)
    except OSError:
        return False
    return True

"""Running a program that may hang, flood the disk or leave children behind, and stopping it for good."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from engine.codec import Ctx
from engine.memory import size_text

_POLL_S = 0.01
_LOG = "stderr.log"
_LOG_TAIL = 4096


class Stopped(Exception):
    """The program did not end well; the text says why. by_us: we ended it. timed_out: because it took too long.
    signal: the one that ended it, None where none of others did."""

    def __init__(self, reason: str, *, by_us: bool = False, timed_out: bool = False, signal: int | None = None) -> None:
        super().__init__(reason)
        self.by_us, self.timed_out, self.signal = by_us, timed_out, signal


def run(words: list[str], folder: Path, timeout_s: float, limit: int, ctx: Ctx) -> float:
    """Run an argument vector in `folder`, where it may write `limit` bytes; gives back the seconds that it took.

    `Stopped` if it fails, runs longer than `timeout_s` or writes too much; `Cancelled` if the work is given up.
    Whatever it started is gone when this returns.
    """
    program = Path(words[0]).name
    start = time.perf_counter()
    with (folder / _LOG).open("wb") as log:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise Stopped(f"'{program}' does not start: {(error.strerror or str(error)).lower()}") from error
    try:
        while process.poll() is None:
            ctx.check()
            if time.perf_counter() - start > timeout_s:
                raise Stopped(f"'{program}' took longer than {timeout_s:g} s", by_us=True, timed_out=True)
            _check_size(folder, limit, program)
            _wait(process)
    finally:
        _end(process)
    seconds = time.perf_counter() - start
    _check_size(folder, limit, program)
    if process.returncode != 0:
        ended_by = -process.returncode if process.returncode < 0 else None
        raise Stopped(f"'{program}' {_how_it_ended(process.returncode)}{_last_words(folder)}", signal=ended_by)
    return seconds


def _wait(process: subprocess.Popen) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_POLL_S)


def _check_size(folder: Path, limit: int, program: str) -> None:
    written = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            written += path.lstat().st_size
    if written > limit:
        raise Stopped(f"'{program}' wrote more than {size_text(limit)}", by_us=True)


def _end(process: subprocess.Popen) -> None:
    """Kill the whole process group: also a program that ended well may have left children running."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _how_it_ended(code: int) -> str:
    if code > 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _last_words(folder: Path) -> str:
    """The last line that it wrote to stderr, which is where programs say what went wrong."""
    with (folder / _LOG).open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - _LOG_TAIL))
        lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    text = "".join(c for c in lines[-1] if c.isprintable())[:200] if lines else ""
    return f": {text}" if text else ""

"""The warm worker processes: what runs in one (:func:`serve`), and the parent's handle on one (:class:`Worker`).

A worker is started as a program of its own, not forked or spawned by multiprocessing, so that the
parent's `__main__` (a window, pytest, a user's script) is never run again. Its standard input and output
are the link to the parent; what a codec library prints goes to a log, never to the parent's output. It
leads its own session, so that Ctrl-C does not reach it and that killing it kills the programs it started.
It ends itself when the link closes: the parent cannot die, even by kill -9, and leave it behind.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from engine import memory, shared
from engine.codec import Ctx
from engine.errors import Cancelled, EngineError

_HEADER = struct.Struct("<QQ")  # ticket, bytes that follow: kind, newline, body
_PRELOAD = ("numpy", "engine.image", "engine.registry", "engine.tasks")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_PROGRESS_S = 0.03  # more often than this nobody sees
_LOG_TAIL = 2000


def _ignore(_value: Any) -> None:
    pass


@dataclass(frozen=True)
class TaskCtx(Ctx):
    """What a task gets: everything of `Ctx`, and `emit` for results that are ready before the end."""

    emit: Callable[[Any], None] = _ignore


class Task(Protocol):
    """Work for a worker: a picklable value whose module a worker can import.

    what: the noun for messages ("the jpeg encoder"). run: the work; it checks `ctx` often, raises
    `EngineError` for people, and returns a picklable result. One that takes much memory also has a property
    `memory`: the bytes that it may take at its peak.
    """

    @property
    def what(self) -> str: ...

    def run(self, ctx: TaskCtx) -> Any: ...


@dataclass(frozen=True)
class Message:
    """One message on the link. kind: from the parent hello, run, cancel, load; from a worker ready,
    progress, partial, done, failed, cancelled. ticket: the job's number, 0 for none."""

    kind: str
    ticket: int = 0
    body: bytes = b""

    def write(self, file: IO[bytes]) -> None:
        payload = self.kind.encode() + b"\n" + self.body
        file.write(_HEADER.pack(self.ticket, len(payload)) + payload)
        file.flush()

    @staticmethod
    def read(file: IO[bytes]) -> Message | None:
        """The next message, or None when the link has closed."""
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        ticket, size = _HEADER.unpack(header)
        payload = file.read(size)
        if len(payload) < size:
            return None
        kind, _, body = payload.partition(b"\n")
        return Message(kind.decode(), ticket, body)


@dataclass(frozen=True)
class Failure:
    """Why a task failed. text: one plain line. error: the engine's error, where it was one. trace: for logs."""

    text: str
    error: EngineError | None = None
    trace: str = ""


@dataclass(frozen=True)
class _Hello:
    sys_path: tuple[str, ...]
    folders: tuple[Path, ...]
    name: str
    threads: int


# --- in the worker -----------------------------------------------------------------------------------


class _Service:
    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink
        self._write_lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._others = 0
        self._disturbed = False
        hello = Message.read(source)
        if hello is None:
            os._exit(0)
        self._hello: _Hello = shared.loads(hello.body)
        shared.join(self._hello.folders, self._hello.name)

    def run(self) -> None:
        sys.path[:] = self._hello.sys_path
        threading.Thread(target=self._listen, daemon=True, name="link").start()
        for name in _PRELOAD:
            importlib.import_module(name)
        self._send(Message("ready"))
        while True:
            message = self._tasks.get()
            self._send(self._perform(message))
            self._cancelled.discard(message.ticket)

    def _send(self, message: Message) -> None:
        with self._write_lock, contextlib.suppress(BrokenPipeError):
            message.write(self._sink)

    def _listen(self) -> None:
        while (message := Message.read(self._source)) is not None:
            if message.kind == "run":
                self._tasks.put(message)
            elif message.kind == "cancel":
                self._cancelled.add(message.ticket)
            elif message.kind == "load":
                self._others = int(message.body)
                self._disturbed |= self._others > 0
        shared.remove_if_abandoned(self._hello.folders)
        _end_session()

    def _busy(self) -> bool:
        was, self._disturbed = self._disturbed, self._others > 0
        return was

    def _context(self, ticket: int) -> TaskCtx:
        last = 0.0

        def progress(fraction: float) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_S:
                last = now
                self._send(Message("progress", ticket, struct.pack("<d", min(max(fraction, 0.0), 1.0))))

        return TaskCtx(
            cancel=lambda: ticket in self._cancelled,
            progress=progress,
            threads=self._hello.threads,
            busy=self._busy,
            emit=lambda value: self._send(Message("partial", ticket, shared.dumps(value))),
        )

    def _perform(self, message: Message) -> Message:
        ticket = message.ticket
        ctx = self._context(ticket)
        try:
            ctx.check()
            task, limit = shared.loads(message.body)
            memory.set_limit(limit)
            value = task.run(ctx)
            ctx.check()
            return Message("done", ticket, shared.dumps(value))
        except Cancelled:
            return Message("cancelled", ticket)
        except EngineError as error:
            failure = Failure(str(error), error, traceback.format_exc())
        except MemoryError:
            failure = Failure("not enough memory", None, traceback.format_exc())
        except BaseException as error:
            failure = Failure(f"{type(error).__name__}: {error}", None, traceback.format_exc())
        return Message("failed", ticket, shared.dumps(failure))


def _end_programs(pid: int) -> None:
    """Kill what the process has started: command codecs lead sessions of their own, which its death leaves alone."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()


def _end_session() -> None:
    _end_programs(os.getpid())
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def serve() -> None:
    """Be a worker: the main program of a worker process. Returns never."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    # The link takes the standard streams over, and leaves harmless ones to libraries and child programs.
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    _Service(source, sink).run()


# --- in the parent -----------------------------------------------------------------------------------

_SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from engine.workers import serve; serve()"


class Worker:
    """The parent's handle on one worker process.

    deliver(worker, message) is called on a thread of the worker's own for each message, and with None
    once, at the end, when the process is gone; `last_words` then holds the end of what it printed.
    """

    def __init__(self, name: str, threads: int, deliver: Callable[[Worker, Message | None], None]) -> None:
        self.name = name
        self.last_words = ""
        self._deliver = deliver
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the process is gone)
        folders = shared.arena().folders
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE, str(Path(__file__).resolve().parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            start_new_session=True,
        )
        self.send(Message("hello", 0, shared.dumps(_Hello(tuple(sys.path), folders, f"{name}-", threads))))
        self._listener = threading.Thread(target=self._listen, daemon=True, name=f"ratescope-{name}")
        try:
            self._listener.start()
        except RuntimeError:  # the interpreter is shutting down
            self.kill()
            self._process.wait()
            self._close_streams()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: Message) -> None:
        """Send; a worker that is gone is reported by `deliver`, not here."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            message.write(self._process.stdin)

    def kill(self) -> None:
        """End the process, and every program that it started, at once."""
        if self._process.returncode is not None:
            return  # waited for: its number may be another's by now
        _end_programs(self._process.pid)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def join(self) -> None:
        """Wait until the process is gone and all it sent is delivered."""
        self._listener.join()

    def clean_up(self) -> None:
        """Remove what the process left in shared memory; call it when all it sent has been received."""
        shared.arena().remove_unclaimed(f"{self.name}-")

    def death(self) -> str:
        """Why the process ended, in plain words: "crashed (signal 11)"."""
        code = self._process.poll()
        if code == -9:
            return "was killed (signal 9), perhaps for want of memory"
        if code is not None and code < 0:
            return f"crashed (signal {-code})"
        return f"ended unexpectedly (exit status {code})"

    def _read_log(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_TAIL))
        return self._log.read().decode(errors="replace").strip()

    def _listen(self) -> None:
        assert self._process.stdout is not None and self._process.stdin is not None
        while (message := Message.read(self._process.stdout)) is not None:
            self._deliver(self, message)
        self.kill()  # its output is closed: whatever is left of it serves nobody
        self._process.wait()
        self.last_words = self._read_log()
        self._deliver(self, None)
        self._close_streams()

    def _close_streams(self) -> None:
        assert self._process.stdout is not None and self._process.stdin is not None
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                stream.close()

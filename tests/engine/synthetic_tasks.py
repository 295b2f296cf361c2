"""Tasks for the tests of the scheduler, in a module that worker processes can import."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from engine.errors import UsageError
from engine.image import Image
from engine.workers import TaskCtx


@dataclass(frozen=True)
class Sleep:
    """Sleeps, noticing a cancel; returns (began, ended, was it disturbed)."""

    seconds: float
    what: str = "the sleeper"

    def run(self, ctx: TaskCtx) -> tuple[float, float, bool]:
        ctx.busy()
        began = time.monotonic()
        while time.monotonic() - began < self.seconds:
            ctx.check()
            time.sleep(0.005)
        return began, time.monotonic(), ctx.busy()


@dataclass(frozen=True)
class Greedy(Sleep):
    """Sleeps, and says that it takes so much memory."""

    memory: int = 0


@dataclass(frozen=True)
class Loop:
    """Never ends, never looks up; `children` starts a program of its own first."""

    children: bool = False
    what: str = "the loop"

    def run(self, ctx: TaskCtx) -> None:
        child = subprocess.Popen(["sleep", "600"]).pid if self.children else 0
        ctx.emit((os.getpid(), child))
        while True:
            time.sleep(0.01)


@dataclass(frozen=True)
class Emit:
    values: tuple[object, ...]
    what: str = "the emitter"

    def run(self, ctx: TaskCtx) -> int:
        for index, value in enumerate(self.values):
            ctx.emit(value)
            ctx.progress((index + 1) / len(self.values))
        return len(self.values)


@dataclass(frozen=True)
class Program:
    """Starts a program in a session of its own, emits its number, and hears nothing more."""

    what: str = "the program"

    def run(self, ctx: TaskCtx) -> None:
        sleeper = subprocess.Popen(["sleep", "60"], start_new_session=True)
        ctx.emit(sleeper.pid)
        sleeper.wait()


@dataclass(frozen=True)
class Crash:
    signal: int = signal.SIGABRT
    what: str = "the test encoder"

    def run(self, ctx: TaskCtx) -> None:
        os.kill(os.getpid(), self.signal)
        time.sleep(10)


@dataclass(frozen=True)
class Fail:
    kind: str
    what: str = "the failing task"

    def run(self, ctx: TaskCtx) -> object:
        if self.kind == "engine":
            raise UsageError("no such knob", path="a.png")
        if self.kind == "memory":
            raise MemoryError
        if self.kind == "exit":
            sys.exit(3)
        if self.kind == "unpicklable":
            return lambda: None
        raise ValueError("a bug")


@dataclass(frozen=True)
class Noise:
    """Writes to standard output by every road that a library may take."""

    what: str = "the noisy task"

    def run(self, ctx: TaskCtx) -> str:
        print("from Python", flush=True)
        os.write(1, b"from a descriptor\n")
        ctypes.CDLL(None).puts(b"from C")
        subprocess.run(["echo", "from a child"], check=True)
        return "done"


@dataclass(frozen=True)
class Invert:
    image: Image
    what: str = "the inverter"

    def run(self, ctx: TaskCtx) -> tuple[Image, np.ndarray, Image]:
        inverse = self.image.with_pixels(255 - self.image.pixels)
        ctx.emit(inverse)
        return inverse, self.image.pixels[:, :, 0].astype(np.float32), self.image


@dataclass(frozen=True)
class Environment:
    what: str = "the environment"

    def run(self, ctx: TaskCtx) -> tuple[int, int, list[str]]:
        return os.getpid(), ctx.threads, [name for name in sys.modules if "." not in name]


class Unloadable:
    """Can be sent, but not received."""

    what = "the unloadable task"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _refuse, ("not here",)

    def run(self, ctx: TaskCtx) -> None: ...


def _refuse(text: str) -> None:
    raise ValueError(text)

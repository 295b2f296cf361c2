"""Pictures and maps between our processes without copying them through a pipe.

:func:`dumps` and :func:`loads` are pickle for our own processes, except that large arrays are written to
files in a private folder in memory (`/dev/shm` where there is one and it has room, else the folder for
temporary files) and mapped on the other side. Files, rather than POSIX shared memory objects, need no
resource tracker, survive the death of a worker and can be listed. One rule decides who removes them:
**the parent owns every block**. What it sends lives as long as the array that was sent; what a worker
sends becomes the parent's when it is opened. A read-only array is written once, however often it is sent.

The folder holds a locked file as long as its owner lives, so that leftovers of a killed program are
recognised and removed by whoever comes next (or by its workers, on their way out).
"""

from __future__ import annotations

import atexit
import contextlib
import io
import itertools
import mmap
import os
import pickle
import shutil
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EngineError

try:
    import fcntl
except ImportError:  # Windows: leftovers are then left to the system's own cleaning of temporary files
    fcntl = None  # type: ignore[assignment]

SMALL = 1 << 16  # bytes; below this a pipe is as fast as a file
_LOCK = "lock"
_NEWBORN_S = 60.0  # a folder without a lock may be one that is just being made


@dataclass(frozen=True)
class Block:
    """Where an array lies: a file of its bytes in C order."""

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]


class Arena:
    """The folders of one program run, as seen from one of its processes.

    folders: in order of preference. name: prefix of the files written by this process.
    owner: True in the parent, which removes blocks; False in a worker.
    """

    def __init__(self, folders: Sequence[Path], name: str, *, owner: bool) -> None:
        self.folders = tuple(folders)
        self.owner = owner
        self._name = name
        self._count = itertools.count()
        # No lock: finalizers may run at any allocation, inside a lock too. Each step is one dict operation.
        self._blocks: dict[int, tuple[weakref.ref[np.ndarray], Block]] = {}
        self._arrays: dict[str, weakref.ref[np.ndarray]] = {}

    def put(self, array: np.ndarray) -> Block:
        """The block that holds `array`: the one it has, or a new one."""
        known = self._blocks.get(id(array))
        if known is not None and known[0]() is array:
            return known[1]
        block = Block(self._write(array), array.dtype, array.shape)
        if self.owner:
            self._keep(array, block)
        return block

    def open(self, block: Block) -> np.ndarray:
        """The array in `block`, mapped and read-only; the very array that was sent, if it came from here."""
        known = self._arrays.get(block.path)
        array = known() if known is not None else None
        if array is None:
            with Path(block.path).open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            array = np.frombuffer(mapped, block.dtype).reshape(block.shape)
            self._keep(array, block)
        return array

    def blocks(self, name: str = "") -> list[Path]:
        """The files of blocks whose name begins with `name`."""
        return [path for folder in self.folders for path in folder.glob(f"{name}*.block")]

    def remove_unclaimed(self, name: str) -> None:
        """Remove what a process of this name wrote and nobody opened: it died before it could say so."""
        for path in self.blocks(name):
            if str(path) not in self._arrays:
                path.unlink(missing_ok=True)

    def _keep(self, array: np.ndarray, block: Block) -> None:
        reference = weakref.ref(array)
        self._blocks[id(array)] = (reference, block)
        self._arrays[block.path] = reference
        weakref.finalize(array, self._drop, id(array), block.path).atexit = False

    def _drop(self, identity: int, path: str) -> None:
        self._blocks.pop(identity, None)
        self._arrays.pop(path, None)
        if self.owner:
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def _write(self, array: np.ndarray) -> str:
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        failure: OSError | None = None
        for folder in self.folders:
            path = folder / f"{self._name}{next(self._count)}.block"
            try:
                path.write_bytes(data)
                return str(path)
            except OSError as error:  # a small /dev/shm is full: the next folder may have room
                failure = error
                path.unlink(missing_ok=True)
        raise EngineError(
            f"no room for {data.nbytes / 2**20:.0f} MiB of picture in {self.folders[-1]}", hint=str(failure)
        )


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray or obj.dtype.hasobject:
            return NotImplemented
        fixed = not obj.flags.writeable
        if obj.nbytes < SMALL or (_arena.owner and not fixed):
            return _restore, (obj.tobytes(), obj.dtype, obj.shape, fixed)
        return _open, (_arena.put(obj),)


def _restore(data: bytes, dtype: np.dtype, shape: tuple[int, ...], fixed: bool) -> np.ndarray:
    array = np.frombuffer(data, dtype).reshape(shape)
    return array if fixed else array.copy()


def _open(block: Block) -> np.ndarray:
    return _arena.open(block)


def dumps(value: Any) -> bytes:
    """`value` as bytes for another of our processes; large arrays lie in shared memory."""
    arena()
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(value)
    return buffer.getvalue()


def loads(data: bytes) -> Any:
    """What :func:`dumps` of another of our own processes was given. Never for data from outside."""
    arena()
    return pickle.loads(data)


_arena: Arena = Arena((), "", owner=True)  # without folders: nothing has been shared yet


def arena() -> Arena:
    """The arena of this process; the first call in the parent makes the folders."""
    global _arena  # noqa: PLW0603
    if not _arena.folders:
        _arena = Arena(_make_folders(), "p", owner=True)
        atexit.register(_remove, _arena.folders)
    return _arena


def join(folders: Sequence[Path], name: str) -> None:
    """Make this process, a worker, use the folders of its parent."""
    global _arena  # noqa: PLW0603
    _arena = Arena(folders, name, owner=False)


def remove_if_abandoned(folders: Sequence[Path], patience_s: float = 2.0) -> None:
    """Remove the folders of a parent that died; leave those of one that lives (its lock is held)."""
    deadline = time.monotonic() + patience_s  # its files close a moment before its locks go
    while not all(_is_abandoned(folder) for folder in folders):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    _remove(folders)


def _bases() -> list[Path]:
    shm = Path("/dev/shm")
    temporary = Path(tempfile.gettempdir())
    return [base for base in (shm, temporary) if base.is_dir() and os.access(base, os.W_OK | os.X_OK)]


def _prefix() -> str:
    return f"ratescope-{os.getuid() if hasattr(os, 'getuid') else 'user'}-"


def _make_folders() -> tuple[Path, ...]:
    folders = []
    for base in _bases():
        for old in base.glob(_prefix() + "*"):
            if _is_abandoned(old):
                shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix=_prefix(), dir=base))
            _lock(folder)
            folders.append(folder)
    if not folders:
        raise EngineError("no folder for temporary files can be written", hint="set TMPDIR to one that can")
    return tuple(folders)


_held: list[int] = []


def _lock(folder: Path) -> None:
    newborn = folder / f"{_LOCK}.new"
    descriptor = os.open(newborn, os.O_CREAT | os.O_RDWR, 0o600)
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    newborn.rename(folder / _LOCK)  # held before anybody can find it: unheld means abandoned
    _held.append(descriptor)


def _is_abandoned(folder: Path) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        with contextlib.suppress(OSError):
            return time.time() - folder.stat().st_mtime > _NEWBORN_S
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)

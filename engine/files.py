"""Writing files so that a failure leaves what was there before, and telling whether one is still the same."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError, UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another folder"),
    errno.EROFS: ("the folder is read-only", "choose another folder"),
    errno.EACCES: ("no permission to write there", "choose another folder"),
    errno.EPERM: ("no permission to write there", "choose another folder"),
    errno.ENOENT: ("the folder does not exist", "create it first"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another folder"),
    errno.ENAMETOOLONG: ("the file name is too long", "choose a shorter one"),
    errno.ELOOP: ("its symbolic links lead round in a circle", "choose another name"),
    errno.EFBIG: ("the file would be larger than is allowed there", "choose another folder"),
}


@dataclass(frozen=True)
class FileMark:
    """What a file is known by again: hex BLAKE2b (128 bit) of its bytes, and how many there are."""

    digest: str = ""
    size: int = 0


def mark_of(data: bytes) -> FileMark:
    """The mark of a file with this content."""
    return FileMark(hashlib.blake2b(data, digest_size=16).hexdigest(), len(data))


def mark_file(path: Path) -> FileMark:
    """The mark of the file at `path`, read in pieces; `OSError` if it cannot be read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        return FileMark(digest.hexdigest(), file.tell())


def atomic_write(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all: a temporary file in the same folder, synced, then renamed.

    An existing file keeps its content until the new one is complete, and its permissions; a symbolic link
    keeps pointing to its file. `EngineError` says why nothing was written.
    """
    asked = Path(path)
    try:
        target = asked.resolve()
        if target.is_dir():
            raise EngineError("is a folder, not a file", path=asked)
        if target.exists() and not target.is_file():
            raise EngineError("is not a regular file", path=asked)
        _replace(target, data)
    except OSError as error:
        raise write_error(error, asked) from error
    except RuntimeError as error:  # what Python before 3.13 makes of ELOOP
        raise write_error(OSError(errno.ELOOP, ""), asked) from error


@contextlib.contextmanager
def claimed(lock: Path, taken: str, *, folder: Path | None = None, hint: str = "") -> Iterator[None]:
    """Hold the file `lock`, which is made if need be, until the block or the process ends, however it does.

    The number of the process is in the file meanwhile. `UsageError` with the text `taken`, naming `folder` (the
    lock's), if another process holds it. Nobody is kept out on Windows.
    """
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise write_error(error, lock) from error
    try:
        if fcntl is not None:
            try:
                _lock(descriptor)
            except OSError as error:
                raise UsageError(taken, path=folder or lock.parent, hint=hint) from error
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """`OSError` if another process holds it, and not only looks at it as :func:`holder` does for a moment."""
    for pause in (0.02, 0.05, 0.1):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(pause)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def holder(lock: Path) -> int | None:
    """The number of the process that has `lock` :func:`claimed`, 0 if it did not say; None if nobody has.

    Always None on Windows.
    """
    if fcntl is None:
        return None
    try:
        with lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                text = file.read(32).strip()
                return int(text) if text.isdigit() else 0
    except OSError:
        return None
    return None


def write_error(error: OSError, path: Path) -> EngineError:
    """The plain words for a failed write to `path`."""
    fallback = ((error.strerror or str(error)).lower(), "")
    reason, hint = _REASONS.get(error.errno or 0, fallback)
    return EngineError(f"could not be written: {reason}", path=path, hint=hint)


def _replace(target: Path, data: bytes) -> None:
    # The random part alone: a prefix made of the target's name could grow past what the file system allows.
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it where they are not there yet; an `EngineError` says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where folders can be synced at all."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

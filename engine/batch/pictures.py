"""The pictures of a folder, and of them alone: never what a batch has written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import io
from engine.errors import EngineError

MARK = ".ratescope-batch"
"""The folder in which a batch keeps its records: where it lies, a batch has written."""


@dataclass(frozen=True)
class Picture:
    """A picture file. name: its path within the folder, with slashes. stamp: changes when a file does. mask: paints its
    region, if any."""

    name: str
    path: Path
    size: int
    stamp: str
    mask: Path | None = None


def find(
    folder: Path, out: Path, tell: Callable[[str], None] = lambda _note: None, *, roi: Path | None = None
) -> list[Picture]:
    """Every picture in `folder` and the folders in it, by name; hidden files, `out` and other batches' folders are not.

    Links to folders are not followed. `tell` hears of folders that cannot be read. `EngineError` without any picture.
    roi: a painted mask for all pictures, or a folder of masks (PNG) under the names of theirs; no pictures themselves.
    """
    if not folder.is_dir():
        raise EngineError("is a file, not a folder" if folder.exists() else "no such folder", path=folder)
    if roi is not None and not roi.exists():
        raise EngineError("no such painted mask, and no such folder of them", path=roi)
    known, apart = set(io.suffixes()), {each.resolve() for each in (out, roi) if each is not None}
    found = []

    def unreadable(error: OSError) -> None:
        tell(f"{error.filename}: this folder cannot be read and is left out: {(error.strerror or '').lower()}")

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and not (Path(where, name) / MARK).is_dir()
            and Path(where, name).resolve() not in apart
        ]
        for name in files:
            path = Path(where, name)
            is_picture = path.suffix.lower() in known and not name.startswith(".") and not path.is_dir()
            if is_picture and path.resolve() not in apart:
                found.append(_picture(path, folder, roi))
    if not found:
        raise EngineError("holds no picture", path=folder)
    return sorted(found, key=lambda picture: picture.name)


def _picture(path: Path, folder: Path, roi: Path | None) -> Picture:
    # A name that is no text becomes one with escapes: tables and the store hold text only.
    name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
    try:
        status = path.stat()
    except OSError:  # a dangling link, say: reading it will tell
        return Picture(name, path, 0, "")
    mask = roi / path.relative_to(folder).with_suffix(".png") if roi is not None and roi.is_dir() else roi
    stamp = f"{status.st_size}-{status.st_mtime_ns}"
    if mask is None or not mask.is_file():
        return Picture(name, path, status.st_size, stamp)
    painted = mask.stat()
    return Picture(name, path, status.st_size, f"{stamp}+{painted.st_size}-{painted.st_mtime_ns}", mask)

"""Finding a session's pictures again: where the session file says, or not far from there."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.files import FileMark, mark_file
from engine.samples import samples
from gui.session.document import SavedSource, Session

MARK_BYTES = 1 << 30
MOST_FOLDERS, MOST_LOOKED_AT = 100, 5000  # folders that are searched, entries of each


@dataclass(frozen=True)
class Found:
    """path: where the picture is, or was when it is `missing`. file: what the session knows it by."""

    path: Path
    missing: bool
    file: FileMark | None


def locate(sources: Sequence[SavedSource], folder: Path) -> list[Found]:
    """Where the pictures of a session file in `folder` are now. Looks at the disk: not for the GUI thread.

    First the way from the session file, then the absolute path; of two files the one with the right content is
    taken. What is in neither place is looked for, by content, beside the session and beside the pictures found.
    """
    found = [_stated(source, folder) for source in sources]
    search = Search(dict.fromkeys([folder, *(each.path.parent for each in found if not each.missing)]))
    return [_moved(each, search) if each.missing else each for each in found]


def _stated(source: SavedSource, folder: Path) -> Found:
    bundled = {sample.name: sample.path for sample in samples()}
    if source.sample in bundled:
        return Found(bundled[source.sample], False, None)
    ways = [_joined(folder, source.relative), Path(source.path) if _is_absolute(source.path) else None]
    places = list(dict.fromkeys(way for way in ways if way is not None))
    there = [place for place in places if _is_file(place)]
    if len(there) > 1 and source.file is not None:
        there = [place for place in there if _is(place, source.file)] or there
    if there:
        return Found(there[0], False, source.file)
    named = places[-1] if places else folder / (_last(source.path) or _last(source.relative) or source.sample)
    return Found(named, True, source.file)


def _moved(lost: Found, search: Search) -> Found:
    path = search.find(lost.path.name, lost.file)
    return Found(path, False, lost.file) if path is not None else lost


def marked(session: Session) -> Session:
    """The session with the marks of files that were not read yet, as far as a gigabyte of reading goes."""
    left = MARK_BYTES
    sources = []
    for source in session.sources:
        if source.path and source.file is None:
            with contextlib.suppress(OSError):
                left -= Path(source.path).stat().st_size
                if left > 0:
                    source = replace(source, file=mark_file(Path(source.path)))  # noqa: PLW2901
        sources.append(source)
    return replace(session, sources=tuple(sources))


class Search:
    """Looks for files by content in some folders, whose listings are read once."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = list(itertools.islice(folders, MOST_FOLDERS))
        self._by_size: dict[int, list[Path]] | None = None

    def find(self, name: str, mark: FileMark | None) -> Path | None:
        """A file with this content, one of this name before others."""
        if mark is None:
            return None
        if self._by_size is None:
            self._by_size = self._listed()
        same_size = sorted(self._by_size.get(mark.size, []), key=lambda path: path.name != name)
        return next((path for path in same_size if _is(path, mark)), None)

    def _listed(self) -> dict[int, list[Path]]:
        found: dict[int, list[Path]] = {}
        for folder in self._folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in itertools.islice(entries, MOST_LOOKED_AT):
                    if entry.is_file():
                        found.setdefault(entry.stat().st_size, []).append(Path(entry.path))
        return found


def _is(path: Path, mark: FileMark) -> bool:
    try:
        return path.stat().st_size == mark.size and mark_file(path) == mark
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _joined(folder: Path, relative: str) -> Path | None:
    """Absolute, without ".." that a row of the list would show."""
    if not relative or _is_absolute(relative):
        return None
    return Path(os.path.normpath(folder / relative))


def _is_absolute(path: str) -> bool:
    return bool(path) and Path(path).is_absolute()


def _last(path: str) -> str:
    """The file's name, whichever system wrote the path."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]

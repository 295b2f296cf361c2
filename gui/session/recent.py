"""What was opened lately: pictures and folders, and sessions, newest first, in one small file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from engine.files import atomic_write

MOST = 10  # of each kind
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Recent:
    """Absolute paths as text, newest first."""

    pictures: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def with_pictures(self, *paths: Path) -> Recent:
        return replace(self, pictures=_in_front([str(path) for path in paths], self.pictures))

    def with_session(self, path: Path) -> Recent:
        return replace(self, sessions=_in_front([str(path)], self.sessions))


def _in_front(new: list[str], old: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*new, *old]))[:MOST]


def load(path: Path) -> Recent:
    """The lists in a file; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_BYTES))
        return Recent(*(_texts(document[name]) for name in ("pictures", "sessions")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Recent()


def _texts(values: list[object]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value and "\0" not in value)[:MOST]


def save(path: Path, recent: Recent) -> None:
    """Write the lists; `EngineError` if that cannot be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"pictures": recent.pictures, "sessions": recent.sessions}
    atomic_write(path, json.dumps(document, indent=1).encode())

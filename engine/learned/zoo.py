"""Which weights there are: those that come with the program, and the user's own. Looked up without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from platformdirs import user_data_path

from engine.errors import UsageError

SUFFIX = ".safetensors"
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True)
class Model:
    """Weights under an id, the stem of their file. bundled: whether they came with the program."""

    id: str
    path: Path
    bundled: bool


def bundled_folder() -> Path:
    return Path(str(files("resources"))) / "weights"


def earlier_folder() -> Path:
    """Bundled weights that better ones have replaced: streams that name them are decoded for ever."""
    return bundled_folder() / "earlier"


def user_folder() -> Path:
    """Where the user's own weights lie."""
    return user_data_path("ratescope", appauthor=False) / "weights"


def models() -> list[Model]:
    """All weights: the bundled ones, the user's own, and last those that were bundled once. An id belongs to whoever
    has it first."""
    found: dict[str, Model] = {}
    for folder, bundled in ((bundled_folder(), True), (user_folder(), False), (earlier_folder(), True)):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            found.setdefault(path.stem, Model(path.stem, path, bundled))
    return list(found.values())


def find(name: str) -> Model:
    """The weights of this id, or in this file; `UsageError` lists what there is."""
    if name.endswith(SUFFIX):
        return Model(Path(name).stem, Path(name), False)
    known = {model.id: model for model in models()}
    if name not in known:
        there = f"there is {', '.join(known)}" if known else f"there are none in {bundled_folder()} or {user_folder()}"
        raise UsageError(f"no weights are named '{name}'; {there}")
    return known[name]


def check_id(name: str) -> str:
    """`name` if weights may be called that, else `UsageError`."""
    if not _ID.fullmatch(name):
        raise UsageError(f"'{name}': name weights with lower-case letters, digits, '-', '_' and '.'")
    return name

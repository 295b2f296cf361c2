"""Whose pictures weights were trained on, for a text file beside them, from the lists that come with the pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import EngineError, UsageError

MAX_BYTES = 16 << 20
_LINKS = (  # how a source is written in a manifest -> where it is
    (re.compile(r"https?://\S+"), "{0}"),
    (re.compile(r"[\w.-]+/[\w.-]+"), "https://github.com/{0}"),
    (re.compile(r"Debian:([\w.+-]+)"), "https://tracker.debian.org/pkg/{1}"),
)
_DETAILS = ("author", "licence", "license", "url")


def attribution_text(lists: Sequence[Path], folder: str) -> str:
    """What `lists` say of the pictures in a folder of this name.

    A JSON manifest (entries with `file`, `path` and perhaps `source`, `commit`, `author`, `licence`, `url`) becomes
    one paragraph for each source, with its link and every photograph once. Of a text with tables whose rows begin
    with folders, the rows of this one are taken; any other text as it is.
    Raises an `EngineError` that names the list at fault.
    """
    parts = [f"The pictures that these weights were trained on (folder '{folder}')"]
    for path in lists:
        text = _read(path)
        parts.append(_of_manifest(path, text, folder) if path.suffix.lower() == ".json" else _of_text(text, folder))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError("is too large for a list of sources", path=path)
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(f"cannot be read: {(error.strerror or str(error)).lower()}", path=path) from error
    except UnicodeDecodeError as error:
        raise EngineError("is not a text in UTF-8", path=path) from error


def _of_manifest(path: Path, text: str, folder: str) -> str:
    sources: dict[str, dict[str, None]] = {}  # photographs of each source, in order, each once
    try:
        for entry in json.loads(text):
            if folder in Path(entry["file"]).parts[:-1]:
                sources.setdefault(_source(entry), {})[_photograph(entry)] = None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError("is not a list of entries with 'file' and 'path'", path=path) from error
    if not sources:
        raise UsageError(f"lists no pictures of a folder '{folder}'", path=path)
    total = sum(len(photographs) for photographs in sources.values())
    head = f"{total} photographs from {len(sources)} sources:"
    return "\n\n".join([head, *(_paragraph(source, photographs) for source, photographs in sources.items())])


def _source(entry: Mapping[str, Any]) -> str:
    name, commit = str(entry.get("source", "unnamed source")), entry.get("commit")
    link = next((link for form, link in _LINKS if form.fullmatch(name)), None)
    words = [name]
    if link is not None and link != "{0}":
        words.append(link.format(name, name.partition(":")[2]))
    return ", ".join([*words, f"version {commit}"] if commit else words)


def _photograph(entry: Mapping[str, Any]) -> str:
    return ", ".join([str(entry["path"]), *(str(entry[name]) for name in _DETAILS if entry.get(name))])


def _paragraph(source: str, photographs: Iterable[str]) -> str:
    return "\n".join([source, *(f"  {photograph}" for photograph in sorted(photographs))])


def _of_text(text: str, folder: str) -> str:
    """The rows of the text's tables that begin with the folder, under their heads; the whole text if none does."""
    lines = text.splitlines()
    begins = re.compile(rf"\|[\s`*]*{re.escape(folder)}(?![\w-])")
    rows = [line.strip() for line in lines]
    heads = [
        any(re.fullmatch(r"\|[|\s:-]+", near) for near in rows[number : number + 2]) for number in range(len(rows))
    ]
    if not any(begins.match(row) for row in rows):
        return text
    return "\n".join(
        row for row, head in zip(rows, heads, strict=True) if row.startswith("|") and (head or begins.match(row))
    )

"""Presets: a codec with settings of their own under a name that people know, from TOML files.

The bundled ones lie in resources/presets, a file for each engine; a person's own in the settings folder, one a file.
Wherever a codec is named a preset may be: `engine.registry.codec` gives the codec with the preset's settings as its
defaults. A preset that sets the RATE parameter pins it: such a codec has one rate, as the engine's choice has.

    title = "Unity"                      # heads the file's presets in menus
    source = "https://…"                 # where the settings are from; a preset may name its own

    [[preset]]
    id = "unity-desktop-high"            # small letters, digits, hyphens
    label = "Unity desktop, High Quality"
    codec = "bc6h"
    settings = { file = "dds" }          # may be left out
    about = "What it is, in a sentence."

    [[not_offered]]                      # an engine's choice that no codec here stands for
    label = "Unreal, Compress Lightmaps"
    why = "…"
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from engine.codec import Codec, CodecInfo, Param, Role, Settings
from engine.errors import CorruptStream, EngineError, UsageError
from engine.files import atomic_write, write_error

MAX_BYTES = 1 << 20
MAX_LABEL = 80
OWN = "Your presets"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VALUES = (str, int, float, bool)


@dataclass(frozen=True)
class Preset:
    """settings: those that are set. title: of its file. path: of a person's own file, None of a bundled one."""

    id: str
    label: str
    codec: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    about: str = ""
    source: str = ""
    path: Path | None = None


@dataclass(frozen=True)
class NotOffered:
    """What an engine offers and no codec here stands for, and why."""

    label: str
    why: str
    title: str
    source: str = ""


@dataclass(frozen=True)
class Presets:
    """by_id: in the order of the files. problems: of a person's own files that cannot be used, by path."""

    by_id: Mapping[str, Preset]
    not_offered: tuple[NotOffered, ...]
    problems: Mapping[Path, str]


def folder() -> Path:
    """Where a person's own presets lie."""
    from platformdirs import user_config_path

    return user_config_path("ratescope", appauthor=False) / "presets"


def presets() -> Presets:
    """All of them; files that are added or edited count at once."""
    return _load(tuple(_own_files()))


def with_defaults(preset: Preset, base: Codec) -> Codec:
    """`base` under the preset's name, its settings the defaults; `UsageError` for settings that it does not have."""
    try:
        chosen = {name: base.info.param(name).coerce(value) for name, value in preset.settings.items()}
    except UsageError as error:
        raise UsageError(f"preset {preset.id}: {error.message}", path=preset.path) from error
    codec = copy.copy(base)
    params = tuple(_with_default(param, chosen) for param in base.info.params)
    about = preset.about or base.info.about
    codec.info = replace(base.info, id=preset.id, label=preset.label, params=params, about=about)
    return codec


def _with_default(param: Param, chosen: Mapping[str, Any]) -> Param:
    if param.name not in chosen:
        return param
    role = Role.TOOL if param.role is Role.RATE else param.role
    return replace(param, default=chosen[param.name], role=role)


def save(label: str, codec: str, info: CodecInfo, settings: Settings, taken: Iterable[str]) -> Preset:
    """Keep what differs from the codec's defaults as a person's own preset, in place of an own one of that name.

    taken: the ids of codecs. `UsageError` for a name without letters or digits, or one that is taken.
    """
    label = " ".join(label.split())
    name = slug(label)
    old = presets().by_id.get(name)
    if name in taken or (old is not None and old.path is None):
        raise UsageError(f"the name “{label}” is taken: choose another")
    complete, defaults = info.complete(settings), info.defaults()
    changed = {key: value for key, value in complete.items() if value != defaults[key]}
    path = folder() / f"{name}.toml"
    preset = Preset(name, label, codec, changed, OWN, path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, path.parent) from error
    atomic_write(path, _toml(preset).encode())
    return preset


def slug(label: str) -> str:
    """The id of a label: its letters and digits in small, hyphens between; `UsageError` where there are none."""
    name = "-".join(re.findall(r"[a-z0-9]+", label.lower()))
    if not name or not _is_label(label):
        raise UsageError(f"a preset's name has letters or digits from a to z and up to {MAX_LABEL} characters")
    return name


def _is_label(text: str) -> bool:
    return 0 < len(text) <= MAX_LABEL and text.isprintable()


def _toml(preset: Preset) -> str:
    words = {"id": preset.id, "label": preset.label, "codec": preset.codec}
    lines = [f"title = {json.dumps(OWN)}", "", "[[preset]]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in words.items()]
    lines += ["", "[preset.settings]"] if preset.settings else []
    lines += [f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in preset.settings.items()]
    return "\n".join([*lines, ""])


def _own_files() -> Iterator[tuple[Path, int, int]]:
    with contextlib.suppress(OSError):
        for path in sorted(folder().glob("*.toml")):
            with contextlib.suppress(OSError):  # removed this very moment
                status = path.stat()
                yield path, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1)
def _load(stamp: tuple[tuple[Path, int, int], ...]) -> Presets:
    bundled = resources.files("resources").joinpath("presets")
    found: dict[str, Preset] = {}
    missing: list[NotOffered] = []
    for name in sorted(each.name for each in bundled.iterdir() if each.name.endswith(".toml")):
        given, absent = parse(bundled.joinpath(name).read_text("utf-8"), None)
        _add(found, given)
        missing += absent
    problems: dict[Path, str] = {}
    for path, _, size in stamp:
        try:
            if size > MAX_BYTES:
                raise CorruptStream("too large for a file of presets")
            _add(found, parse(path.read_text("utf-8"), path)[0])
        except (EngineError, OSError, UnicodeDecodeError) as error:
            problems[path] = error.message if isinstance(error, EngineError) else str(error)
    return Presets(found, tuple(missing), problems)


def _add(found: dict[str, Preset], given: Iterable[Preset]) -> None:
    for preset in given:
        if preset.id in found:
            raise CorruptStream(f"the preset '{preset.id}' is there already")
        found[preset.id] = preset


def parse(text: str, path: Path | None) -> tuple[list[Preset], list[NotOffered]]:
    """What a file holds; `CorruptStream` says what is wrong with it. Whether the codecs exist is asked when used."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CorruptStream(f"is not TOML: {error}") from error
    title, source = _text(document, "title"), _text(document, "source", "")
    given = [
        Preset(
            _text(each, "id"),
            _text(each, "label"),
            _text(each, "codec"),
            _settings(each),
            title,
            _text(each, "about", ""),
            _text(each, "source", source),
            path,
        )
        for each in _tables(document, "preset")
    ]
    for preset in given:
        if not _ID.fullmatch(preset.id) or not _is_label(preset.label):
            raise CorruptStream(f"the preset '{preset.id}': ids are small letters, digits and hyphens, labels short")
    absent = [
        NotOffered(_text(each, "label"), _text(each, "why"), title, _text(each, "source", source))
        for each in _tables(document, "not_offered")
    ]
    return given, absent


def _tables(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    tables = document.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise CorruptStream(f"'{key}' is not a list of tables: write [[{key}]]")
    return tables


def _text(table: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise CorruptStream(f"'{key}' is missing, or is no text")
    return value


def _settings(table: Mapping[str, Any]) -> dict[str, Any]:
    settings = table.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(value, _VALUES) for value in settings.values()):
        raise CorruptStream("'settings' is not a table of texts, numbers, true and false")
    return settings

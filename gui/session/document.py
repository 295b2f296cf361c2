"""The session file: a small JSON document, written whole, and read with distrust. docs/sessions.md describes it.

What is not a session, is damaged, or was written by a newer program is refused in plain words. What is valid but
means nothing here (a codec that this machine has not, a setting out of range) is left out when the session is
brought back, and said then.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, TypeVar

from engine import __version__
from engine.curves import Curve, parse_curves
from engine.errors import CorruptStream, EngineError, UnknownFormat, Unsupported
from engine.files import FileMark
from engine.samples import samples
from engine.trial import Target, TargetKind

FORMAT, VERSION, SUFFIX = "ratescope-session", 1, ".ratescope"
MAX_BYTES = 32 << 20
MAX_SOURCES, MAX_LANES, MAX_SETTINGS, MAX_CURVES, MAX_VALUES = 10_000, 64, 64, 200, 64
MAX_TEXT = 4096  # characters of a path or a name
MAX_DIGITS = 18  # of a whole number
GROUPS = ("view", "plot", "table", "panels")  # of values

_T = TypeVar("_T")
Values = Mapping[str, Any]


@dataclass(frozen=True)
class SavedSource:
    """Where a picture was, and what its file is known by.

    path: where it was when the session was written, absolute. relative: the way to it from the session file's own
    folder, with slashes; "" where there is none. sample: the name of a bundled picture, which needs neither.
    tone: how its light is shown, as `gui.session.fields` checks it; empty where it has none.
    fixes: of the doctor, by name, that are applied to it. kind: what a person said that its channels are, "" for none.
    region: what is painted on it, as `gui.session.region` writes it; empty where nothing is.
    """

    path: str = ""
    relative: str = ""
    sample: str = ""
    file: FileMark | None = None
    tone: Values = field(default_factory=dict)
    fixes: tuple[str, ...] = ()
    kind: str = ""
    region: Values = field(default_factory=dict)


@dataclass(frozen=True)
class SavedLane:
    codec: str
    settings: Values = field(default_factory=dict)
    place: int = 0
    visible: bool = True


@dataclass(frozen=True)
class Session:
    """Everything that a session file holds.

    current, anchor, codec: places in `sources` and `lanes`, or None (codec: the lane that was chosen last).
    original: the original is the active rendition, not `codec`. values: group -> name -> value, as
    `gui.session.fields` lists and checks them. curves: those laid under the plot.
    """

    sources: tuple[SavedSource, ...] = ()
    lanes: tuple[SavedLane, ...] = ()
    target: Target = Target(TargetKind.BPP, 0.5)  # noqa: RUF009  (frozen)
    current: int | None = None
    anchor: int | None = None
    codec: int | None = None
    original: bool = True
    values: Mapping[str, Values] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()

    def content(self) -> Session:
        """What counts as a change of the session: neither how it is looked at, nor what files were found to be."""
        bare = tuple(
            SavedSource(each.path, sample=each.sample, fixes=each.fixes, kind=each.kind, region=each.region)
            for each in self.sources
        )
        return replace(self, sources=bare, current=None, codec=None, original=True, values={})


# ---------------------------------------------------------------- writing


def dump(session: Session, folder: Path | None = None, about: Values | None = None) -> bytes:
    """The session as the bytes of a file, in `folder` if it is to be found from there.

    about: more for its head, which `parse` leaves to others.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "program": __version__,
        **(about or {}),
        "sources": [_source_json(source, folder) for source in session.sources],
        "current": session.current,
        "lanes": [
            {"codec": lane.codec, "settings": dict(lane.settings), "place": lane.place, "visible": lane.visible}
            for lane in session.lanes
        ],
        "anchor": session.anchor,
        "codec": session.codec,
        "original": session.original,
        "target": {"kind": str(session.target.kind), "value": session.target.value},
        **{group: dict(values) for group, values in session.values.items()},
        "curves": [{"name": c.name, "source": c.source, "points": [dict(p) for p in c.points]} for c in session.curves],
    }
    return json.dumps(document, indent=1, allow_nan=False).encode()


def _source_json(source: SavedSource, folder: Path | None) -> dict[str, Any]:
    names = {"sample": source.sample, "path": source.relative, "absolute": source.path}
    if source.path and not source.sample and folder is not None:
        names["path"] = way_from(folder, source.path)
    out: dict[str, Any] = {key: name for key, name in names.items() if name}
    if source.file is not None:
        out |= {"digest": source.file.digest, "size": source.file.size}
    out |= {"fixes": list(source.fixes)} if source.fixes else {}
    out |= {"kind": source.kind} if source.kind else {}
    out |= {"region": dict(source.region)} if source.region else {}
    return out | ({"tone": dict(source.tone)} if source.tone else {})


def way_from(folder: Path, path: str) -> str:
    """The relative path, with slashes, that leads from `folder` to `path`; "" where none does (another drive)."""
    try:
        return PurePosixPath(*Path(os.path.relpath(path, folder)).parts).as_posix()
    except ValueError:
        return ""


def sample_name(path: Path) -> str:
    """The name of the bundled picture that lies at `path`, or ""."""
    return _sample_names().get(path, "")


@cache
def _sample_names() -> dict[Path, str]:
    return {sample.path: sample.name for sample in samples()}


# ---------------------------------------------------------------- reading


def read(path: Path) -> Session:
    """The session in a file; an `EngineError` names the file and says what is wrong with it."""
    return read_with_about(path)[0]


def read_with_about(path: Path) -> tuple[Session, dict[str, Any]]:
    """The session in a file, and everything of its head."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise EngineError(f"the session cannot be read: {reason}", path=path) from error
    try:
        document = _document(data)
        return parse(document), document
    except EngineError as error:
        raise error.at(path) from error.__cause__


def parse_bytes(data: bytes) -> Session:
    """The session in the bytes of a file; `UnknownFormat`, `CorruptStream` or `Unsupported` say why not."""
    return parse(_document(data))


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise UnknownFormat("too large for a session file")
    try:
        document = json.loads(data, parse_constant=_no_constant, parse_int=_small_int, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise UnknownFormat("is not a session file, or a damaged one: it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UnknownFormat("is not a session file of Ratescope")
    version = document.get("version")
    if type(version) is not int or version < 1:
        _refuse("it states no version")
    if version > VERSION:
        raise Unsupported(
            f"this session was written by a newer Ratescope (session version {version}, known up to {VERSION})",
            hint="update Ratescope to open it",
        )
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _small_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number that is too large")
    return value


def parse(document: Values) -> Session:
    """A session from a parsed document whose head was found right. Unknown keys mean nothing to us."""
    sources = _list(document, "sources", MAX_SOURCES, _source)
    lanes = _list(document, "lanes", MAX_LANES, _lane)
    groups = {name: document[name] for name in GROUPS if isinstance(document.get(name), dict)}
    if any(len(values) > MAX_VALUES for values in groups.values()):
        _refuse("it holds too many values")
    return Session(
        sources=sources,
        lanes=lanes,
        target=_target(document.get("target")),
        current=_place(document, "current", len(sources)),
        anchor=_place(document, "anchor", len(lanes)),
        codec=_place(document, "codec", len(lanes)),
        original=_truth(document.get("original", True), "original"),
        values=groups,
        curves=_list(document, "curves", MAX_CURVES, _curve),
    )


def _refuse(what: str) -> NoReturn:
    raise CorruptStream(f"the session file is damaged: {what}")


def _list(document: Values, name: str, most: int, entry: Callable[[Values, str], _T]) -> tuple[_T, ...]:
    values = document.get(name, [])
    if not isinstance(values, list):
        _refuse(f"'{name}' is not a list")
    if len(values) > most:
        _refuse(f"'{name}' has {len(values)} entries, at most {most} are allowed")
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            _refuse(f"{name}[{index}] is not an object")
    return tuple(entry(value, f"{name}[{index}]") for index, value in enumerate(values))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        _refuse(f"{where} is not a text of at most {MAX_TEXT} characters")
    return value


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        _refuse(f"{where} is neither true nor false")
    return value


def _place(document: Values, name: str, count: int) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < count:
        _refuse(f"'{name}' is not a place in its list")
    return value


def _source(entry: Values, where: str) -> SavedSource:
    sample = _text(entry.get("sample", ""), where)
    path = _text(entry.get("absolute", ""), where)
    relative = _text(entry.get("path", ""), where)
    if not (sample or path or relative):
        _refuse(f"{where} names no picture")
    tone = entry.get("tone", {})
    if not isinstance(tone, dict) or len(tone) > MAX_SETTINGS:
        _refuse(f"{where}: its tone is not an object")
    fixes = entry.get("fixes", [])
    if not isinstance(fixes, list) or len(fixes) > MAX_SETTINGS:
        _refuse(f"{where}: its fixes are not a list")
    names = tuple(_text(name, f"{where}: a fix") for name in fixes)
    kind = _text(entry.get("kind", ""), f"{where}: its kind")
    region = entry.get("region", {})
    if not isinstance(region, dict) or len(region) > MAX_SETTINGS:
        _refuse(f"{where}: its region is not an object")
    digest, size = entry.get("digest"), entry.get("size", 0)
    if digest is None:
        return SavedSource(path, relative, sample, tone=tone, fixes=names, kind=kind, region=region)
    if type(size) is not int or not 0 <= size < 1 << 63:
        _refuse(f"{where}: its size is not a number of bytes")
    return SavedSource(path, relative, sample, FileMark(_text(digest, where), size), tone, names, kind, region)


def _lane(entry: Values, where: str) -> SavedLane:
    settings = entry.get("settings", {})
    if not isinstance(settings, dict) or len(settings) > MAX_SETTINGS:
        _refuse(f"{where}: its settings are not an object")
    if not all(isinstance(value, str | int | float | bool) for value in settings.values()):
        _refuse(f"{where}: a setting is neither text nor number")
    place = entry.get("place", 0)
    if type(place) is not int or not 0 <= place < MAX_LANES:
        _refuse(f"{where}: its place is not a number from 0 to {MAX_LANES - 1}")
    codec = _text(entry.get("codec"), f"{where}: the codec")
    return SavedLane(codec, settings, place, _truth(entry.get("visible", True), f"{where}: visible"))


def _target(entry: Any) -> Target:
    if not isinstance(entry, dict):
        _refuse("it has no target")
    kind, value = entry.get("kind"), entry.get("value")
    if not isinstance(kind, str) or kind not in set(TargetKind):
        _refuse(f"the target's kind is not one of {', '.join(TargetKind)}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf or value > 1e15:
        _refuse("the target is not a number above 0")
    return Target(TargetKind(kind), float(value))


def _curve(entry: Values, where: str) -> Curve:
    name, source = _text(entry.get("name"), where), _text(entry.get("source", ""), where)
    try:
        (curve,) = parse_curves({"codecs": {name: {"points": entry.get("points")}}})
    except EngineError as error:
        _refuse(f"{where}: {error.message}")
    return replace(curve, source=source)

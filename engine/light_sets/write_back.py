"""Writing maps back: what a codec made of them, under their own names, into another folder, where an engine takes it.

Each file is written whole or not at all, never over an original and never over a file that no write-back wrote. A
report, `write-back.json` beside the files, says what each became; by it the next write-back knows its own files.
"""

from __future__ import annotations

import contextlib
import json
import queue
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from engine import io, registry
from engine.codec import Settings
from engine.errors import TargetUnreachable, Unsupported, UsageError
from engine.export import json_text
from engine.files import atomic_write, write_error
from engine.formats import suffix_of
from engine.image import Image, Meaning
from engine.io import Loaded
from engine.jobs import Event, Scheduler, State
from engine.light import HALF_MAX
from engine.light_sets.measured import judging
from engine.tasks import Solved, SolveTask
from engine.trial import Target
from engine.workers import TaskCtx

REPORT = "write-back.json"
SAME, ENCODED = "same", "encoded"
FORMS = (SAME, *(suffix[1:] for suffix in io.WRITABLE), ENCODED)
"""What is written: the decoded picture in the original's format or in one of these, or the codec's own file."""
_MOST_REPORT = 8 << 20


@dataclass(frozen=True)
class Coding:
    """How a map is coded: to a target, or at its settings as they are."""

    codec: str
    settings: Settings = field(default_factory=dict)
    target: Target | None = None


@dataclass(frozen=True)
class MapFile:
    """A map to be written back. name: its place below the folder, with slashes. fixes, read_as: as `LoadTask` has
    them."""

    path: Path
    name: str
    fixes: tuple[str, ...] = ()
    read_as: Meaning | None = None


@dataclass(frozen=True)
class Order:
    """What is to be done. codings: in order of preference, by the kind of map; the first whose codec carries the map.

    form: one of `FORMS`. nearest: what cannot reach its target is written all the same, as near as can be.
    """

    folder: Path
    codings: Mapping[Meaning, tuple[Coding, ...]]
    form: str = SAME
    nearest: bool = False


@dataclass(frozen=True)
class WriteBackTask:
    """Codes one map and writes it; returns its row of the report."""

    map: MapFile
    order: Order
    ours: frozenset[str]

    @property
    def what(self) -> str:
        return f"writing {self.map.name} back"

    def run(self, ctx: TaskCtx) -> dict[str, Any]:
        from engine.doctor import mend

        loaded = io.read(self.map.path, ctx, meaning=self.map.read_as)
        image = mend(loaded.image, self.map.fixes)
        solved, coding = self._solved(image, replace(ctx, emit=lambda _value: None))
        if not solved.result.reached and not self.order.nearest:
            raise TargetUnreachable(solved.result.message, path=self.map.path)
        codec = registry.codec(coding.codec)
        if self.order.form == ENCODED:
            written = self._target(suffix_of(solved.data, codec.info))
            atomic_write(written, solved.data)
            notes: tuple[str, ...] = ()
        else:
            written = self._target(decoded_suffix(self.map.path, image.meaning, self.order.form))
            notes = io.write(written, _as_original(solved.decoded, loaded, image), signed=loaded.signed)
        trial = solved.result.best
        return {
            "file": self.map.name,
            "written": written.relative_to(self.order.folder).as_posix(),
            "kind": str(image.meaning),
            "codec": coding.codec,
            "settings": trial.settings,
            "bytes": written.stat().st_size,
            "original_bytes": loaded.file.size,
            "encoded_bytes": trial.size,
            "vram_bytes": trial.stats["vram_bytes"],
            **trial.scores,
            "reached": solved.result.reached,
            "notes": [*solved.notes, *filter(None, [solved.result.message]), *notes],
            "error": "",
        }

    def _solved(self, image: Image, ctx: TaskCtx) -> tuple[Solved, Coding]:
        metrics = judging(image)
        refused: Unsupported | None = None
        for coding in self.order.codings.get(image.meaning, ()):
            try:
                task = SolveTask(image, coding.codec, coding.settings, metrics, target=coding.target)
                return task.run(ctx), coding
            except Unsupported as error:
                refused = refused or error
        reason = refused or Unsupported(f"no codec was named for a {image.meaning.noun}")
        raise reason.at(self.map.path)

    def _target(self, suffix: str) -> Path:
        """Where the map goes; `UsageError` rather than over what is not ours."""
        written = self.order.folder / PurePosixPath(self.map.name).with_suffix(suffix)
        try:
            written.parent.mkdir(parents=True, exist_ok=True)
            there = written.exists()
            original = there and written.samefile(self.map.path)
        except OSError as error:
            raise write_error(error, written) from error
        if original:
            raise UsageError("is an original, which is never written over", path=written, hint="name another folder")
        if there and written.relative_to(self.order.folder).as_posix() not in self.ours:
            raise UsageError("is there already, and no write-back wrote it", path=written, hint="name another folder")
        return written


def tasks(maps: Sequence[MapFile], order: Order) -> list[WriteBackTask]:
    """A task for each map. `UsageError` for a folder that holds one of the originals, for names that would meet, and
    for an unknown form; `EngineError` for a folder that cannot be made."""
    if order.form not in FORMS:
        raise UsageError(f"maps are written back as {', '.join(FORMS)}, not as '{order.form}'")
    folder = order.folder.absolute()
    for each in maps:
        if PurePosixPath(each.name).is_absolute() or ".." in PurePosixPath(each.name).parts:
            raise UsageError(f"'{each.name}' is no name below a folder")
    _refuse_homes(maps, folder)
    stems = Counter(str(PurePosixPath(each.name).with_suffix("")).casefold() for each in maps)
    for each in maps:
        if stems[str(PurePosixPath(each.name).with_suffix("")).casefold()] > 1:
            raise UsageError(f"{each.name}: two maps have this name", hint="write them back into a folder each")
    ours, absolute = frozenset(written_before(folder)), replace(order, folder=folder)
    return [WriteBackTask(each, absolute, ours) for each in maps]


def _refuse_homes(maps: Sequence[MapFile], folder: Path) -> None:
    """`UsageError` if a map would be written into a folder that an original lies in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        homes = {each.path.absolute().parent.resolve(): each.path.name for each in maps}
        for place in {(folder / PurePosixPath(each.name)).parent.resolve() for each in maps}:
            if place in homes:
                words = f"the original {homes[place]} lies in this folder, and stays alone there"
                raise UsageError(words, path=place, hint="name another folder")
    except OSError as error:
        raise write_error(error, folder) from error


def failed_row(each: MapFile, error: str) -> dict[str, Any]:
    """The row of a map that could not be written."""
    return {"file": each.name, "written": "", "error": error}


def write_report(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report of these rows, written into the folder too. Files of earlier write-backs stay known in it."""
    done = [row for row in rows if not row["error"]]
    names = sorted({*written_before(folder), *(row["written"] for row in done)})
    totals = {name: sum(row[name] for row in done) for name in ("bytes", "original_bytes", "vram_bytes")}
    document = {"folder": str(folder), "maps": len(done), **totals, "rows": list(rows), "files": names}
    atomic_write(folder / REPORT, json_text(document).encode(errors="backslashreplace"))
    return document


def written_before(folder: Path) -> list[str]:
    """The files that write-backs into this folder wrote, by its report; none without one, or if it is damaged."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with (folder / REPORT).open("rb") as file:
            document = json.loads(file.read(_MOST_REPORT))
        names = document.get("files") if isinstance(document, dict) else None
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return []


def write_back(
    maps: Sequence[MapFile],
    order: Order,
    *,
    workers: int | None = None,
    on_progress: Callable[[float, str], None] = lambda _fraction, _name: None,
) -> dict[str, Any]:
    """Write all of them; returns the report. What fails is a row that says why."""
    made = tasks(maps, order)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    rows: dict[int, dict[str, Any]] = {}
    with Scheduler(workers) as scheduler:
        for place, task in enumerate(made):
            scheduler.submit(place, task, events.put)
        while len(rows) < len(made):
            event = events.get()
            place = int(str(event.key))
            if event.state is State.DONE:
                rows[place] = event.value
            elif event.state is State.FAILED:
                unreached = isinstance(event.value, TargetUnreachable)
                rows[place] = failed_row(maps[place], event.error) | ({"reached": False} if unreached else {})
            else:
                continue
            on_progress(len(rows) / len(made), maps[place].name)
    return write_report(order.folder.absolute(), [rows[place] for place in range(len(made))])


def decoded_suffix(path: Path, meaning: Meaning, form: str) -> str:
    """The suffix of a decoded map: that of the form, or for "same" the original's, if it can be written."""
    if form != SAME:
        return f".{form}"
    own = path.suffix.lower()
    fits = own in io.WRITABLE and (meaning is Meaning.LIGHT or own != ".hdr")
    return own if fits else ".exr" if meaning is Meaning.LIGHT else ".png"


def _as_original(decoded: Image, loaded: Loaded, image: Image) -> Image:
    """The decoded light with the original's mask, and as half floats where the original's were."""
    if not image.is_float or not decoded.is_float:
        return decoded
    pixels = decoded.pixels
    with np.errstate(over="ignore"):
        if np.array_equal(loaded.image.pixels.astype(np.float16), loaded.image.pixels):
            pixels = pixels.clip(-HALF_MAX, HALF_MAX).astype(np.float16).astype(np.float32)
    return replace(decoded, pixels=pixels, mask=image.mask)


def named(paths: Sequence[Path]) -> list[MapFile]:
    """Maps under their own names, kept apart by folder where they come from several."""
    if not paths:
        return []
    folders = [path.absolute().parent for path in paths]
    common = Path(*_common([folder.parts for folder in folders]))
    return [MapFile(path, path.absolute().relative_to(common).as_posix()) for path in paths]


def _common(parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    shared = []
    for together in zip(*parts, strict=False):
        if len(set(together)) > 1:
            break
        shared.append(together[0])
    return tuple(shared)

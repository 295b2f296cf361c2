"""Plans for a set: measured on all cores, chosen for a budget, carried out into a folder."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import io, registry
from engine.budget.choose import Option, best_preset, choose
from engine.budget.measure import OptionsTask, quality, reduced
from engine.codec import Ctx, Settings
from engine.errors import EngineError, UsageError
from engine.files import atomic_write, write_error
from engine.formats import suffix_of
from engine.jobs import Event, Scheduler, State
from engine.trial import Runner

DISK, VRAM = "disk", "vram"


@dataclass(frozen=True)
class Wish:
    """What to fit. codecs: settings by id. points: settings of each along its rates. scales: what sides are divided by.
    count: DISK, the bytes of files, or VRAM, the bytes in a graphics card's memory. budget: of these."""

    codecs: Mapping[str, Settings]
    points: int
    scales: tuple[int, ...]
    count: str
    budget: int

    def cost(self, option: Option) -> int:
        return option.disk if self.count == DISK else option.vram


@dataclass(frozen=True)
class Plan:
    """rows: the option of each picture by its name. single: the best preset for all that fits, None if none does.
    missing: what could not be tried, in words."""

    wish: Wish
    rows: Mapping[str, Option]
    single: Mapping[str, Option] | None
    missing: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        rows = [
            {"file": name, **_told(option)} for name, option in sorted(self.rows.items(), key=lambda row: row[1].db)
        ]
        return {
            "budget_bytes": self.wish.budget,
            "count": self.wish.count,
            "plan": {**_totals(self.rows.values()), "rows": rows},
            "best_single": None if self.single is None else _single(self.single),
            "missing": list(self.missing),
        }


def _totals(options: Iterable[Option]) -> dict[str, Any]:
    chosen = list(options)
    return {
        "disk_bytes": sum(option.disk for option in chosen),
        "vram_bytes": sum(option.vram for option in chosen),
        "error": sum(option.error for option in chosen),
    }


def _single(rows: Mapping[str, Option]) -> dict[str, Any]:
    first = next(iter(rows.values()))
    return {
        "codec": first.codec,
        "settings": json.loads(first.settings),
        "scale": first.scale,
        **_totals(rows.values()),
    }


def _told(option: Option) -> dict[str, Any]:
    return {
        "codec": option.codec,
        "settings": json.loads(option.settings),
        "scale": option.scale,
        "disk_bytes": option.disk,
        "vram_bytes": option.vram,
        "db": option.db,
    }


def make_plan(
    pictures: Mapping[str, Path],
    wish: Wish,
    *,
    workers: int | None = None,
    on_progress: Callable[[float, str], None] = lambda _fraction, _name: None,
) -> Plan:
    """Measure every picture and choose. `EngineError` for a picture that cannot be read or carried by any codec,
    `TargetUnreachable` for a budget below what the set can be made."""
    measured, missing = _measured(pictures, wish, workers, on_progress)
    names = list(pictures)
    options = [_carried(name, measured[name]) for name in names]
    chosen = choose(options, wish.budget, wish.cost)
    single = best_preset(options, wish.budget, wish.cost)

    def named(numbers: Sequence[int]) -> dict[str, Option]:
        return {name: each[number] for name, each, number in zip(names, options, numbers, strict=True)}

    return Plan(wish, named(chosen), None if single is None else named(single), tuple(missing))


def _carried(name: str, options: Sequence[Option]) -> Sequence[Option]:
    if not options:
        raise UsageError(f"{name}: none of these codecs carries it: name others with --codecs")
    return options


def _measured(
    pictures: Mapping[str, Path], wish: Wish, workers: int | None, on_progress: Callable[[float, str], None]
) -> tuple[dict[str, tuple[Option, ...]], list[str]]:
    codecs = tuple((codec, tuple(settings.items())) for codec, settings in wish.codecs.items())
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    found: dict[str, tuple[Option, ...]] = {}
    missing: list[str] = []
    with Scheduler(workers) as scheduler:
        for name, path in pictures.items():
            scheduler.submit(name, OptionsTask(path, codecs, wish.points, wish.scales), events.put)
        while len(found) < len(pictures):
            event = events.get()
            name = str(event.key)
            if event.state is State.FAILED:
                raise EngineError(event.error)
            if event.state is State.DONE:
                found[name], said = event.value
                missing += said
                on_progress(len(found) / len(pictures), name)
    return found, missing


def carry_out(plan: Plan, pictures: Mapping[str, Path], folder: Path, ctx: Ctx) -> list[dict[str, Any]]:
    """Write every picture's file below `folder`, in the folders of its source; returns the rows of the import list.

    `UsageError` if a file would be written over a picture of the set.
    """
    sources = {path.resolve() for path in pictures.values()}
    rows = []
    for name, option in plan.rows.items():
        codec = registry.codec(option.codec)
        image = io.read(pictures[name]).image
        runner = Runner(codec, reduced(image, option.scale))
        run = runner.decode(runner.encode(json.loads(option.settings), ctx), ctx)
        assert run.decoded is not None
        written = folder / Path(name).with_name(Path(name).name + suffix_of(run.data, codec.info))
        if written.resolve() in sources:
            raise UsageError(f"{written} is a picture of the set: name another folder")
        try:
            written.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, written.parent) from error
        atomic_write(written, run.data)
        now = replace(
            option,
            disk=len(run.data),
            vram=run.trial.stats["vram_bytes"],
            db=quality(image, run.decoded, ctx),
        )
        rows.append({"file": name, "written": written.relative_to(folder).as_posix(), **_told(now)})
    return rows

"""Carries a plan out: every picture's file into a folder, and the list of what they are for who imports them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import io, registry
from engine.budget.choose import Option
from engine.budget.measure import quality, reduced
from engine.budget.plan import Plan, told
from engine.codec import Ctx
from engine.errors import EngineError, UsageError
from engine.export import csv_text
from engine.files import FileMark, atomic_write, mark_of, write_error
from engine.formats import suffix_of
from engine.store import Blobs
from engine.trial import Runner

IMPORT_LIST = "import.csv"


@dataclass(frozen=True)
class CarryTask:
    """Writes the file of one picture below `folder`, in the folder of its source; returns its row of the import list.

    The file is the one that was measured, from `blobs`, where it is still kept; else it is encoded anew and measured
    again. `EngineError` if the picture is not the one that was measured (`mark`), `UsageError` if the file would be
    written over one of `sources`.
    """

    name: str
    source: Path
    mark: FileMark
    option: Option
    folder: Path
    sources: frozenset[Path]
    blobs: Path | None = None

    @property
    def what(self) -> str:
        return f"writing {self.name}"

    def run(self, ctx: Ctx) -> dict[str, Any]:
        if mark_of(io.read_bytes(self.source)) != self.mark:
            raise EngineError("has changed since it was measured", path=self.source, hint="measure again")
        data = Blobs(self.blobs).get(self.option.blob) if self.blobs is not None and self.option.blob else None
        option = self.option
        if data is None:
            data, option = self._encoded(ctx)
        suffix = suffix_of(data, registry.codec(option.codec).info)
        written = self.folder / Path(self.name).with_name(Path(self.name).name + suffix)
        if written.resolve() in self.sources:
            raise UsageError(f"{written} is a picture of the set: name another folder")
        try:
            written.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, written.parent) from error
        atomic_write(written, data)
        return {"file": self.name, "written": written.relative_to(self.folder).as_posix(), **told(option)}

    def _encoded(self, ctx: Ctx) -> tuple[bytes, Option]:
        image = io.read(self.source).image
        runner = Runner(registry.codec(self.option.codec), reduced(image, self.option.scale))
        run = runner.decode(runner.encode(json.loads(self.option.settings), ctx), ctx)
        assert run.decoded is not None
        vram, db = run.trial.stats["vram_bytes"], quality(image, run.decoded, ctx)
        return run.data, replace(self.option, disk=len(run.data), vram=vram, db=db)


def carry_tasks(plan: Plan, pictures: Mapping[str, Path], folder: Path, blobs: Path | None) -> list[CarryTask]:
    """What writes the files of a plan, one task for each picture."""
    sources = frozenset(path.resolve() for path in pictures.values())
    return [
        CarryTask(name, pictures[name], plan.facts[name].mark, option, folder, sources, blobs)
        for name, option in plan.rows.items()
    ]


def write_list(rows: list[dict[str, Any]], path: Path) -> None:
    """Rows as the import list, a CSV."""
    atomic_write(path, csv_text(rows).encode(errors="backslashreplace"))

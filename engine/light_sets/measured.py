"""What the maps of a set become with several codecs: sizes on disk and in video memory, and how good each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.codec import Settings
from engine.errors import EngineError
from engine.image import Image, Meaning
from engine.tasks import SolveTask
from engine.trial import Target, Trial, db_metric, plain_texture_bytes
from engine.workers import TaskCtx

_SCORES = {Meaning.DIRECTION: ("angle_mean", "angle_p99"), Meaning.MASK: ("mask_worst",)}


def judging(image: Image) -> tuple[str, ...]:
    """The metrics that a map of a set is judged by: its dB, and what its kind has of its own."""
    return (db_metric(image), *_SCORES.get(image.meaning, ()))


@dataclass(frozen=True)
class Original:
    """A map as it is. disk: bytes of its file. vram: bytes as an uncompressed texture."""

    meaning: Meaning
    width: int
    height: int
    disk: int
    vram: int


@dataclass(frozen=True)
class Measured:
    """What a lane makes of a map. reached: of its target. error: why there is no trial."""

    trial: Trial | None = None
    reached: bool = True
    error: str = ""


@dataclass(frozen=True)
class SetTask:
    """Brings one map of a set to a target with several lanes, (key, codec, settings) each.

    Emits (key, `Measured`) for each, and returns the `Original`. A lane whose codec does not carry the map costs no
    more than its row.
    """

    path: Path
    lanes: tuple[tuple[int, str, Settings], ...]
    target: Target
    fixes: tuple[str, ...] = ()
    read_as: Meaning | None = None

    @property
    def what(self) -> str:
        return f"measuring {self.path.name}"

    def run(self, ctx: TaskCtx) -> Original:
        from engine.doctor import mend
        from engine.io import read

        loaded = read(self.path, ctx, meaning=self.read_as)
        image = mend(loaded.image, self.fixes)
        for place, (key, codec, settings) in enumerate(self.lanes):
            ctx.check()
            ctx.emit((key, self._measured(image, codec, settings)))
            ctx.progress((place + 1) / len(self.lanes))
        return Original(image.meaning, image.width, image.height, loaded.file.size, plain_texture_bytes(image))

    def _measured(self, image: Image, codec: str, settings: Settings) -> Measured:
        try:
            result = SolveTask(image, codec, settings, judging(image), target=self.target).run(TaskCtx()).result
        except EngineError as error:
            return Measured(error=error.plain)
        return Measured(result.best, result.reached)


@dataclass(frozen=True)
class Total:
    """maps: of how many, of those asked for, disk and vram (bytes) are the sum."""

    maps: int
    disk: int
    vram: int

    @staticmethod
    def of(sizes: Iterable[tuple[int, int]]) -> Total:
        """Of pairs of disk and vram."""
        pairs = list(sizes)
        return Total(len(pairs), sum(disk for disk, _ in pairs), sum(vram for _, vram in pairs))

    def document(self) -> dict[str, int]:
        return {"maps": self.maps, "disk_bytes": self.disk, "vram_bytes": self.vram}


def worst_first(scores: Mapping[str, float], *, higher_is_better: bool) -> list[str]:
    """Names by their scores, the worst first; equal ones by name."""
    sign = 1 if higher_is_better else -1
    return sorted(scores, key=lambda name: (sign * scores[name], name))


def set_document(rows: Iterable[Mapping[str, Any]], metric: str, *, higher_is_better: bool) -> dict[str, Any]:
    """Total and order of rows as tables have them: "image", "bytes", "bpp", "vram_bpp" and scores by metric id."""
    known = list(rows)
    sizes = ((row["bytes"], round(row["bytes"] * row["vram_bpp"] / row["bpp"])) for row in known if "vram_bpp" in row)
    scores = {row["image"]: row[metric] for row in known if row.get(metric) is not None}
    worst = worst_first(scores, higher_is_better=higher_is_better)
    return {**Total.of(sizes).document(), "metric": metric, "worst": [{"image": n, metric: scores[n]} for n in worst]}

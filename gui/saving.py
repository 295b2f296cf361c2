"""Files out of a session: the very bytes, the decoded picture, the chart, the numbers, the command that repeats it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.chart import Chart, Series
from engine.codec import CodecInfo
from engine.curves import Curve
from engine.errors import UsageError
from engine.export import csv_text, json_text, trial_rows
from engine.files import atomic_write
from engine.formats import suffix_of
from engine.io import write
from engine.metrics import metric
from engine.palette import ORIGINAL, look
from engine.tasks import ChartTask, Solved
from engine.trial import Target, TargetKind
from gui import presenters
from gui.state import Source, State


@dataclass(frozen=True)
class Product:
    """What a lane made of a source."""

    source: Source
    info: CodecInfo
    solved: Solved

    def file_name(self, suffix: str) -> Path:
        """A name beside the source that is not the source's own."""
        trial = self.solved.result.best
        return self.source.path.with_name(f"{self.source.path.stem}-{self.info.id}-{trial.bpp:.2f}bpp{suffix}")


def with_suffix(path: Path, suffix: str, *, keep: bool = False) -> Path:
    """The path with this suffix; `keep` leaves any suffix that is there."""
    if path.suffix.lower() == suffix or (keep and path.suffix):
        return path
    return path.with_name(path.name + suffix)


def save_encoded(product: Product, path: Path) -> None:
    """The stored bytes as they are. `UsageError` rather than overwriting the source."""
    _guard(product, path)
    atomic_write(path, product.solved.data)


def save_decoded(product: Product, path: Path) -> None:
    """What the file decodes to, as PNG, OpenEXR, Radiance or KTX2 by the path's suffix."""
    _guard(product, path)
    write(path, product.solved.decoded)


def _guard(product: Product, path: Path) -> None:
    if path.exists() and path.samefile(product.source.path):
        raise UsageError(
            "this is the original itself, which is never overwritten", path=path, hint="choose another name"
        )


def save_numbers(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Rows as CSV or JSON, by the path's suffix."""
    if path.suffix.lower() == ".json":
        text = json_text({"trials": list(rows)})
    elif path.suffix.lower() == ".csv":
        text = csv_text(rows)
    else:
        raise UsageError("numbers are saved as .csv or .json", path=path)
    atomic_write(path, text.encode())


def number_rows(state: State) -> list[dict[str, Any]]:
    """Every trial of every lane on the current source."""
    name = state.current.path.name if state.current else ""
    return [row for lane in state.lanes for row in trial_rows(name, lane.codec, state.curve(lane.id))]


def chart_task(state: State, references: Sequence[Curve], path: Path) -> ChartTask:
    """The RD plot as a chart for a paper."""
    info = metric(state.score_metric).info
    names = presenters.tags(state)
    source = state.current
    series = []
    for lane in state.lanes:
        trial = state.outcome(lane.id).trial
        mark = (trial.bpp, trial.scores[info.id]) if trial is not None and info.id in trial.scores else None
        points = tuple(presenters.points_of(state.curve(lane.id), info))
        series.append(Series(names[lane.id].label, points, look(lane.place), mark))
    under = [Series(curve.name, tuple(curve.pairs(info.id)), ORIGINAL) for curve in references if curve.has(info.id)]
    chart = Chart(
        series=series,
        quality=f"{info.label} ({info.unit})" if info.unit else info.label,
        references=under,
        target=state.target.value if state.target.kind is TargetKind.BPP else None,
        title=source.name if source else "",
        note=f"{source.path.name}, {presenters.source_detail(source)}" if source else "",
    )
    return ChartTask(chart, path)


def command_line(product: Product, codec_id: str, settings: Mapping[str, Any], target: Target) -> list[str]:
    """The words that repeat this encode in a terminal."""
    flag = {TargetKind.BPP: "--bpp", TargetKind.BYTES: "--bytes", TargetKind.PSNR: "--psnr"}[target.kind]
    value = f"{target.value:.0f}" if target.kind is TargetKind.BYTES else f"{target.value:g}"
    out = product.file_name(suffix_of(product.solved.data, product.info))
    words = ["ratescope", "encode", str(product.source.path), str(out), "--codec", codec_id, flag, value]
    if product.source.fixes:
        words += ["--fix", ",".join(product.source.fixes)]
    if product.source.read_as is not None:
        words += ["--kind", str(product.source.read_as)]
    defaults = product.info.defaults()
    for name, chosen in settings.items():
        if chosen != defaults.get(name):
            words += ["--set", f"{name}={str(chosen).lower() if isinstance(chosen, bool) else chosen}"]
    return words

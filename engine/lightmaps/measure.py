"""Every row of the table on every map, from the store where it was measured before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import registry
from engine.codec import Ctx, Settings
from engine.cover import Cover
from engine.doctor import mend
from engine.experiment import Experiment, ExperimentResult, Shortfall
from engine.image import Meaning
from engine.io import Loaded
from engine.lightmaps.compare import METRIC, RANGE, Maps, nearest
from engine.report import by_rate, point_of
from engine.store import RunStore
from engine.tasks import LoadTask
from engine.trial import Runner, Trial, canonical
from engine.workers import TaskCtx

COVER = Cover(*RANGE, gap=6.0)
WIDER = Cover(30.0, 78.0, gap=9.0)  # of the anchors, where codecs of one rate are held against them
METRICS = (METRIC, "banding", "seam")
_REPEATS = 3


@dataclass(frozen=True)
class LoadMapTask(LoadTask):
    """Reads a lightmap; gutters that the doctor finds, where no alpha and no mask file names them, do not count.

    Maps of directions are taken as light: it is by light that codecs are compared here.
    """

    meaning: Meaning | None = Meaning.LIGHT

    def run(self, ctx: TaskCtx) -> Loaded:
        loaded = super().run(ctx)
        if not any(each.fix == "gutters" for each in loaded.findings):
            return loaded
        image = mend(loaded.image, ("gutters",))
        share = 0.0 if image.mask is None else 100 * (1 - float(image.mask.mean()))
        return replace(loaded, image=image, notes=(*loaded.notes, f"gutters were found: {share:.1f} % of the texels"))


@dataclass(frozen=True)
class Measured:
    """rows: of each codec the points of each map. failures: what could not be measured. notes: on reading, by map."""

    rows: Mapping[str, Maps]
    failures: tuple[Shortfall, ...]
    notes: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, Any]


def measure(
    maps: Mapping[str, Path],
    codecs: Mapping[str, Settings],
    anchors: Sequence[str],
    store: RunStore,
    *,
    workers: int | None = None,
    on_progress: Callable[[float, str], None] = lambda _share, _name: None,
) -> Measured:
    """Every codec's curve over `RANGE` on every map; what the store has is not run again.

    A codec of one rate is one point.
    """

    def sweep(rows: Mapping[str, Settings], cover: Cover, metrics: tuple[str, ...]) -> ExperimentResult:
        experiment = Experiment(maps, rows, cover, metrics, load=LoadMapTask)
        return experiment.run(store, workers=workers, on_progress=on_progress)

    found = sweep(codecs, COVER, METRICS)
    rows = {codec: _rows(images) for codec, images in found.curves.items()}
    failures = list(found.failures)
    if any(registry.codec(each).info.rate_param is None for each in codecs):
        wider = sweep({each: codecs[each] for each in anchors}, WIDER, (METRIC,))
        rows |= {codec: _rows(images) for codec, images in wider.curves.items()}
        failures += wider.failures
    return Measured(rows, tuple(failures), found.notes, found.environment)


def _rows(images: Mapping[str, Mapping[int, Trial]]) -> dict[str, list[dict[str, Any]]]:
    return {name: by_rate(point_of(trial) for trial in steps.values()) for name, steps in images.items()}


def time_map(path: Path, rows: Mapping[str, Maps], name: str, ctx: Ctx) -> dict[str, tuple[float, float]]:
    """Processor seconds of encode and decode on one map by row, at the setting nearest to `AT` dB.

    The least of `_REPEATS` runs after one that is dropped, the rows taking turns. Processor time, of this process: what
    else the machine does counts little. A codec that starts programs is not for this.
    """
    image = LoadMapTask(path).run(TaskCtx(threads=ctx.threads)).image
    runs = {}
    for row, maps in rows.items():
        point = nearest(maps.get(name, ()))
        if point is not None:
            runs[row] = (Runner(registry.codec(row), image), json.loads(canonical(point["settings"])))
    seconds: dict[str, list[tuple[float, float]]] = {row: [] for row in runs}
    for _ in range(1 + _REPEATS):
        for row, (runner, settings) in runs.items():
            begun = time.process_time()
            run = runner.encode(settings, ctx)
            encoded = time.process_time()
            runner.decode(run, ctx)
            seconds[row].append((encoded - begun, time.process_time() - encoded))
    return {row: tuple(min(each) for each in zip(*taken[1:], strict=True)) for row, taken in seconds.items()}

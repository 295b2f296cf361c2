"""Where a codec's curve is worth measuring: the settings between a low and a high rate, on one picture."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import io, registry
from engine.codec import Settings
from engine.image import Image
from engine.jobs import Event, Scheduler, State
from engine.knob import Knob
from engine.store import RunStore
from engine.tasks import TargetsTask
from engine.trial import RateResult, Target, TargetKind

ENDS = (Target(TargetKind.BPP, 0.1), Target(TargetKind.BPP, 2.0))
_LEAST_SPAN = 0.02  # of the knob's range: a picture whose rates hardly move (one flat colour) tells nothing
_ENDED = (State.DONE, State.FAILED, State.CANCELLED)


def useful_values(
    picture: Path, codecs: Mapping[str, Settings], points: int, store: RunStore, workers: int | None
) -> dict[str, int | tuple[Any, ...]]:
    """Values of each codec's RATE parameter, evenly along the knob, from about 0.1 to 2 bpp on `picture`.

    Where the codec does not reach an end, its nearest setting is the end. A codec that fails here, or has one rate,
    gets `points` settings along its whole range. Every probe goes into `store`. `EngineError` names a picture that
    cannot be read.
    """
    image = io.read(picture).image
    ends = _solve_ends(image, codecs, store, workers)
    return {codec: _values(codec, ends.get(codec, ()), points) for codec in codecs}


def _solve_ends(
    image: Image, codecs: Mapping[str, Settings], store: RunStore, workers: int | None
) -> dict[str, tuple[RateResult, ...]]:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    found: dict[str, tuple[RateResult, ...]] = {}
    known = {codec: store.trials(image.digest, codec, registry.codec(codec).version()) for codec in codecs}
    with Scheduler(workers) as scheduler:
        for codec, settings in codecs.items():
            task = TargetsTask(image, codec, settings, (), tuple(known[codec]), store.blobs.folder, ENDS)
            scheduler.submit(codec, task, events.put)
        waiting = set(codecs)
        while waiting:
            event = events.get()
            codec = str(event.key)
            if event.state is State.DONE:
                found[codec] = event.value
            if event.state in _ENDED:
                waiting.discard(codec)
    for codec, results in found.items():
        for trial in {trial.key: trial for result in results for trial in result.probes}.values():
            if trial not in known[codec]:
                store.record(trial)
    return found


def _values(codec: str, ends: tuple[RateResult, ...], points: int) -> int | tuple[Any, ...]:
    param = registry.codec(codec).info.rate_param
    if param is None or len(ends) < len(ENDS):
        return points
    knob = Knob(param)
    low, high = (knob.position(result.best.settings[param.name]) for result in ends)
    if high - low < _LEAST_SPAN:
        return points
    return tuple(knob.value(low + (high - low) * i / max(1, points - 1)) for i in range(points))

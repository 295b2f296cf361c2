"""Sweeps: every input × every codec × several points, on all cores, resumed from the store after any stop."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engine
from engine import registry
from engine.codec import Settings
from engine.cover import Cover, CoverTask
from engine.errors import Cancelled
from engine.image import Image
from engine.jobs import Event, Scheduler, State, cores
from engine.store import RunStore, processor
from engine.tasks import CurveTask, LoadTask, TargetsTask, ladder
from engine.trial import RateResult, Target, Trial, canonical

_LIBRARIES = ("numpy", "pillow", "imagecodecs", "scikit-image", "scipy", "flip-evaluator")
_POLL_S = 0.1
_ENDS = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Shortfall:
    """What is missing from a sweep, and why.

    codec is "" where the picture itself could not be read. target: the rate that was out of reach, else None.
    """

    input: str
    codec: str
    message: str
    target: float | None = None


@dataclass(frozen=True)
class ExperimentResult:
    """What a sweep gave.

    curves: codec -> input -> step -> trial; a step is the number of a setting or of a target, so that equal
    steps of different inputs belong together. failures: in the order in which they were met; one file's failure
    is a row here, not the end. notes: what was changed on the way in, by input. encodes: how many were new.
    """

    curves: dict[str, dict[str, dict[int, Trial]]]
    failures: tuple[Shortfall, ...]
    notes: dict[str, tuple[str, ...]]
    environment: dict[str, Any]
    encodes: int


@dataclass(frozen=True)
class Experiment:
    """What to sweep.

    inputs: picture files by a name that tells them apart. codecs: settings by codec id.
    points: how many settings along each codec's range (or, by codec, that or the values of its RATE parameter),
        or the targets that every codec is brought to, or the range of quality that each curve is to cover.
    metrics: ids of the scores. load: what reads a picture from its path.
    """

    inputs: Mapping[str, Path]
    codecs: Mapping[str, Settings]
    points: int | Mapping[str, int | tuple[Any, ...]] | tuple[Target, ...] | Cover = 8
    metrics: tuple[str, ...] = ("psnr",)
    load: Callable[[Path], Any] = LoadTask

    def run(
        self,
        store: RunStore,
        *,
        workers: int | None = None,
        on_progress: Callable[[float, str], None] = lambda _fraction, _text: None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> ExperimentResult:
        """Sweep; every trial goes into `store` as it is made, and what is there is not run again.

        on_progress(fraction, name of the input) and cancel are called on the calling thread.
        `Cancelled` when `cancel` says so; `UsageError` for an unknown codec or setting.
        """
        with Scheduler(workers) as scheduler:
            return _Sweep(self, store, scheduler, on_progress).run(cancel)


@dataclass
class _Sweep:
    experiment: Experiment
    store: RunStore
    scheduler: Scheduler
    on_progress: Callable[[float, str], None]
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    failures: list[Shortfall] = field(default_factory=list)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)  # in work: dropped with their last job
    open_jobs: dict[str, set[str]] = field(default_factory=dict)
    done: int = 0
    encodes: int = 0

    def run(self, cancel: Callable[[], bool]) -> ExperimentResult:
        experiment = self.experiment
        self.curves: dict[str, dict[str, dict[int, Trial]]] = {codec: {} for codec in experiment.codecs}
        self.versions = {codec: registry.codec(codec).version() for codec in experiment.codecs}
        self.steps = {codec: self._steps(codec) for codec in experiment.codecs}
        waiting = list(experiment.inputs)
        while waiting or self.open_jobs:
            if cancel():
                self.scheduler.cancel_all()
                raise Cancelled
            # One picture more than there are workers: nobody waits, and memory stays bounded.
            while waiting and len(self.open_jobs) <= self.scheduler.workers:
                name = waiting.pop(0)
                self._submit(name, "", experiment.load(experiment.inputs[name]))
            try:
                self._take(self.events.get(timeout=_POLL_S))
            except queue.Empty:
                continue
        order = list(experiment.inputs)
        curves = {
            codec: {name: images[name] for name in order if name in images} for codec, images in self.curves.items()
        }
        environment_ = environment(experiment.codecs, self.scheduler)
        return ExperimentResult(curves, tuple(self.failures), self.notes, environment_, self.encodes)

    def _steps(self, codec: str) -> list[str]:
        """The canonical settings of each step; none where targets are searched. Checks the settings given."""
        points, settings = self.experiment.points, self.experiment.codecs[codec]
        registry.codec(codec).info.complete(settings)
        if isinstance(points, tuple | Cover):
            return []
        wanted = points if isinstance(points, int) else points[codec]
        return [canonical(each) for each in ladder(registry.codec(codec), settings, wanted)]

    def _submit(self, name: str, codec: str, task: Any) -> None:
        self.open_jobs.setdefault(name, set()).add(codec)
        self.scheduler.submit((name, codec), task, self.events.put)

    def _take(self, event: Event) -> None:
        assert isinstance(event.key, tuple)
        name, codec = event.key
        if event.state is State.FAILED:
            self.failures.append(Shortfall(name, codec, event.error))
        elif event.state is State.PARTIAL:
            self._record(name, codec, event.value)
        elif event.state is State.DONE and not codec:
            self.notes[name] = event.value.notes
            self.images[name] = event.value.image
            for each in self.experiment.codecs:
                self._compress(name, each)
        if event.state in _ENDS:
            self._end(name, codec, failed=event.state is not State.DONE)

    def _end(self, name: str, codec: str, *, failed: bool) -> None:
        jobs = self.open_jobs[name]
        jobs.discard(codec)
        if codec or failed:
            self.done += 1 if codec else len(self.experiment.codecs)
            total = len(self.experiment.inputs) * len(self.experiment.codecs)
            self.on_progress(self.done / total, name)
        if not jobs:
            del self.open_jobs[name]
            self.images.pop(name, None)

    def _compress(self, name: str, codec: str) -> None:
        image, points = self.images[name], self.experiment.points
        known = tuple(self.store.trials(image.digest, codec, self.versions[codec]))
        common = (image, codec, self.experiment.codecs[codec], self.experiment.metrics, known, self.store.blobs.folder)
        if isinstance(points, Cover):
            self._submit(name, codec, CoverTask(*common, cover=points))
        elif not isinstance(points, tuple):
            values = registry.codec(codec).info.rate_param
            settings = [json.loads(step) for step in self.steps[codec]]
            chosen = tuple(each[values.name] for each in settings) if values else 1
            self._submit(name, codec, CurveTask(*common, points=chosen))
        else:
            self._submit(name, codec, TargetsTask(*common, targets=points))

    def _record(self, name: str, codec: str, value: Trial | RateResult) -> None:
        steps = self.curves[codec].setdefault(name, {})
        if isinstance(value, Trial):
            self._store(value)
            is_free = isinstance(self.experiment.points, Cover)
            steps[len(steps) if is_free else self.steps[codec].index(value.key.settings)] = value
            return
        for trial in (*value.probes, value.best):
            self._store(trial)
        if value.reached:
            assert isinstance(self.experiment.points, tuple) and value.target is not None
            steps[self.experiment.points.index(value.target)] = value.best
        else:
            self.failures.append(Shortfall(name, codec, value.message, value.target.value if value.target else None))

    def _store(self, trial: Trial) -> None:
        old = self.store.find(trial.key)
        self.encodes += old is None
        if old is None or set(trial.scores) - set(old.scores):
            self.store.record(trial)


def environment(codecs: Mapping[str, Any] | None = None, scheduler: Scheduler | None = None) -> dict[str, Any]:
    """What figures depend on: machine, cores, threads, date, versions of us, of Python and of the libraries."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "ratescope": engine.__version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "workers": scheduler.workers if scheduler else 0,
        "threads": scheduler.threads if scheduler else cores(),
        "codecs": {codec: registry.codec(codec).version() for codec in codecs or {}},
        "libraries": versions,
    }

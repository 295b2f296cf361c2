"""Measures a set: every format on every picture, in the workers, once; what the store knows is not done again."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from engine import registry
from engine.budget.choose import Option
from engine.budget.measure import Facts, FactsTask, Format, OptionsTask, stored_as, tries
from engine.budget.nearby import Try
from engine.io import mask_file
from engine.jobs import Event, Scheduler, State
from engine.store import RunStore
from engine.trial import Trial


class Hands(Protocol):
    """Who does the work: tasks in workers, calls where they disturb nobody; answers come on the thread of `Survey`."""

    def start(self, key: Any, task: Any, handler: Callable[[Event], None], *, priority: int = 0) -> None: ...

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None: ...

    def cancel(self, keys: Iterable[Any]) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What may be taken. points: settings of each format along its rates. scales: what sides may be divided by."""

    formats: tuple[Format, ...]
    points: int
    scales: tuple[int, ...]


class Survey:
    """One measuring of a set.

    facts, options: by picture, as they come; a picture that cannot be read is in `failed` instead, with the reason.
    missing: formats that a picture could not take, in words. on_change: called after everything that comes.
    """

    def __init__(
        self,
        pictures: Mapping[str, Path],
        wish: Wish,
        store: RunStore,
        keep: Callable[[Trial], None],
        on_change: Callable[[], None],
    ) -> None:
        """keep: puts a new trial into the store."""
        self.pictures, self.wish = dict(pictures), wish
        self.facts: dict[str, Facts] = {}
        self.options: dict[str, list[Option]] = {}
        self.failed: dict[str, str] = {}
        self.missing: list[str] = []
        self.encodes = 0
        self._store, self._keep, self._on_change = store, keep, on_change
        self._versions = {form.codec: registry.codec(form.codec).version() for form in self.wish.formats}
        self._reading: set[str] = set()  # pictures whose facts are not known yet
        self._shares: dict[tuple[str, str, str], float] = {}  # of each job, how much is done
        self._jobs = 0

    @property
    def keys(self) -> list[Any]:
        """Of its jobs."""
        return [*(("budget", name) for name in self._reading), *self._shares]

    @property
    def done(self) -> float:
        """How much of it is done, 0 … 1."""
        return sum(self._shares.values()) / max(1, self._jobs)

    @property
    def finished(self) -> bool:
        return not self._reading and all(share == 1.0 for share in self._shares.values())

    def begin(self, hands: Hands) -> None:
        self._reading = set(self.pictures)
        self._jobs = len(self.pictures) * len(self.wish.formats)
        for name, path in self.pictures.items():
            hands.start(("budget", name), FactsTask(path), partial(self._on_facts, hands, name), priority=-3)

    def refine(self, hands: Hands, wanted: Mapping[str, Sequence[Try]]) -> None:
        """Once it is finished: measure these too."""
        self._shares = {}
        by_job: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for name, those in wanted.items():
            for codec, settings, scale in those:
                by_job.setdefault((name, codec), []).append((settings, scale))
        self._jobs = len(by_job)
        for (name, codec), steps in by_job.items():
            self._start(hands, name, codec, steps)

    def _on_facts(self, hands: Hands, name: str, event: Event) -> None:
        if event.state is State.FAILED:
            self.failed[name] = event.error
            self._jobs -= len(self.wish.formats)
        elif event.state is State.DONE:
            facts: Facts = event.value
            self.facts[name], self.options[name] = facts, []
            for form in self.wish.formats:
                self._start(hands, name, form.codec, tries(form, self.wish.points, self.wish.scales, facts))
        if event.state in (State.FAILED, State.DONE):
            self._reading.discard(name)
            self._on_change()

    def _start(self, hands: Hands, name: str, codec: str, steps: Sequence[tuple[str, int]]) -> None:
        """Try a codec on a picture, but for what the store knows."""
        key = ("budget", name, codec)
        self._shares[key] = 0.0
        digest, version = self.facts[name].digest, self._versions[codec]
        stored = {stored_as(digest, scale) for _, scale in steps}

        def look() -> tuple[Trial, ...]:
            return tuple(trial for each in stored for trial in self._store.trials(each, codec, version))

        def go(known: tuple[Trial, ...]) -> None:
            task = OptionsTask(self.pictures[name], codec, tuple(steps), known, self._store.blobs.folder)
            hands.start(key, task, partial(self._on_options, key), priority=-3)

        hands.apart(look, go)

    def _on_options(self, key: tuple[str, str, str], event: Event) -> None:
        _, name, _ = key
        if event.state is State.PARTIAL:
            self.encodes += 1
            self._keep(event.value)
            return
        if event.state is State.PROGRESS:
            self._shares[key] = min(0.99, event.value)
        elif event.state is State.DONE:
            self.options[name] += event.value
        elif event.state is State.FAILED:
            self.missing.append(f"{name}: {event.error}")
        if event.state in (State.DONE, State.FAILED):
            self._shares[key] = 1.0
        self._on_change()


def without_masks(pictures: Mapping[str, Path]) -> dict[str, Path]:
    """The pictures but for those that only say which texels of another one count."""
    masks = {mask_file(path) for path in pictures.values()}
    return {name: path for name, path in pictures.items() if path not in masks}


class OwnHands:
    """Hands for a program without a window: `serve` handles events on the calling thread until `done()`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._events: queue.SimpleQueue[tuple[Callable[[Event], None], Event]] = queue.SimpleQueue()

    def start(self, key: Any, task: Any, handler: Callable[[Event], None], *, priority: int = 0) -> None:
        self._scheduler.submit(key, task, lambda event: self._events.put((handler, event)), priority=priority)

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())

    def cancel(self, keys: Iterable[Any]) -> None:
        for key in keys:
            self._scheduler.cancel(key)

    def serve(self, done: Callable[[], bool]) -> None:
        while not done():
            handler, event = self._events.get()
            handler(event)

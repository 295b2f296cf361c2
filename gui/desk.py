"""The desk at which the window's work is handed in and comes back: jobs by key, and calls beside the GUI thread."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.errors import EngineError
from engine.jobs import Event, Scheduler
from engine.jobs import State as Job
from gui.state import State

FINAL = (Job.DONE, Job.FAILED, Job.CANCELLED)

Post = Callable[[Callable[[], None]], None]


class Desk:
    """Keeps count of what is under way, and hears nothing more of what was replaced or given up.

    post: runs a call on the GUI thread. complain: shows a plain message. Every method is called on the GUI thread.
    """

    def __init__(self, state: State, scheduler: Scheduler, post: Post, complain: Callable[[str], None]) -> None:
        self.post, self.complain = post, complain
        self._state, self._scheduler = state, scheduler
        self._stamps: dict[Any, int] = {}
        self._generation = itertools.count()
        self._pending = 0  # calls of `apart` that have not arrived
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")  # one thread: calls keep their order
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._stamps.clear()
        self._aside.shutdown(wait=True, cancel_futures=True)
        self._scheduler.close()

    @property
    def idle(self) -> bool:
        """Nothing is running, queued, or on its way."""
        return not self._stamps and not self._pending

    def reserve(self, key: Any) -> int:
        """Take `key` for a job that will be started later; returns the stamp that shows whether it still may."""
        self._stamps[key] = stamp = next(self._generation)
        return stamp

    def holds(self, key: Any, stamp: int | None = None) -> bool:
        """Whether `key` has a job (with this stamp, if given)."""
        return key in self._stamps if stamp is None else self._stamps.get(key) == stamp

    def start(
        self, key: Any, task: Any, handler: Callable[[Event], None], *, priority: int = 0, lane: str = "work"
    ) -> None:
        """Submit a task in place of what `key` had; `handler` gets its events on the GUI thread."""
        stamp = self.reserve(key)
        self._state.set_running(key, None)
        self._scheduler.submit(
            key,
            task,
            lambda event: self.post(lambda: self._deliver(key, stamp, event, handler)),
            priority=priority,
            lane=lane,
        )

    def cancel(self, keys: Iterable[Any]) -> None:
        """Give up the jobs of these keys; their handlers hear nothing more."""
        for key in list(keys):
            if self._stamps.pop(key, None) is not None:
                self._scheduler.cancel(key)
                self._state.set_running(key, None, done=True)

    def taken(self) -> list[Any]:
        """The keys that have a job now."""
        return list(self._stamps)

    def _deliver(self, key: Any, stamp: int, event: Event, handler: Callable[[Event], None]) -> None:
        if not self.holds(key, stamp):
            return
        if event.state in FINAL:
            del self._stamps[key]
            self._state.set_running(key, None, done=True)
        elif event.state in (Job.RUNNING, Job.PROGRESS):
            self._state.set_running(key, event.value or 0.0)
        handler(event)

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run `work` off the GUI thread, then `then(result)` on it; an `EngineError` is shown instead.

        After `close` nothing is begun any more: timers of windows that are going still ask.
        """
        if self._closed:
            return
        self._pending += 1

        def arrive(call: Callable[[], None]) -> None:
            self._pending -= 1
            call()

        def run() -> None:
            try:
                result = work()
            except EngineError as error:
                message = str(error)
                self.post(lambda: arrive(lambda: self.complain(message)))
            except Exception as error:  # a fault of ours: it surfaces on the GUI thread, where faults are shown
                fault = error
                self.post(lambda: arrive(lambda: _raise(fault)))
            else:
                self.post(lambda: arrive(lambda: then(result)))

        self._aside.submit(run)


def _raise(error: Exception) -> None:
    raise error

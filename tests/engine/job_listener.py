"""Waits for what a scheduler reports."""

from __future__ import annotations

import queue
import time
from collections.abc import Hashable

from engine.jobs import Event, Scheduler, State
from engine.workers import Task


class Listener:
    """Collects events and waits for them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._queue: queue.Queue[Event] = queue.Queue()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._queue.put(event)

    def wait(self, *states: State, key: Hashable = None, timeout: float = 20) -> Event:
        """The next event in one of `states` (of `key`, if given)."""
        deadline = time.monotonic() + timeout
        while True:
            event = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            if event.state in states and key in (None, event.key):
                return event

    def end(self, key: Hashable = None) -> Event:
        return self.wait(State.DONE, State.FAILED, State.CANCELLED, key=key)

    def states(self, ticket: int) -> list[State]:
        return [event.state for event in self.events if event.ticket == ticket]


def run(scheduler: Scheduler, task: Task) -> Event:
    listener = Listener()
    scheduler.submit("the only", task, listener)
    return listener.end()

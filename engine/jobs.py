"""The scheduler: which job runs when, on which worker, and what becomes of it.

One thread decides; everything that happens (a submission, a message of a worker, a death) is an action in
its inbox, so no state is shared. See :class:`Scheduler` for the rules.
"""

from __future__ import annotations

import atexit
import contextlib
import enum
import itertools
import logging
import os
import queue
import struct
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine import memory, shared
from engine.errors import EngineError
from engine.workers import Failure, Message, Task, Worker

_log = logging.getLogger("ratescope.jobs")
_GRACE_S = 0.5  # how long a cancelled job may take to notice before its worker is killed
_MAX_START_FAILURES = 3
_worker_numbers = itertools.count()  # one count for all schedulers: names of shared blocks begin with it
WORK, TIMING = "work", "timing"


class State(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PROGRESS = "progress"
    PARTIAL = "partial"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Event:
    """Something happened to a job.

    value: the fraction (PROGRESS), what the task emitted (PARTIAL), its result (DONE), or the `EngineError`
    that ended it, where it was one (FAILED). error: one plain line (FAILED).
    """

    key: Hashable
    ticket: int
    state: State
    value: Any = None
    error: str = ""


OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class JobView:
    """One row of :meth:`Scheduler.snapshot`. seconds: since it began to run."""

    key: Hashable
    ticket: int
    what: str
    lane: str
    state: State
    fraction: float
    seconds: float


@dataclass(eq=False)
class _Job:
    key: Hashable
    ticket: int
    task: Task
    on_event: OnEvent
    lane: str
    priority: int
    memory: int = 0
    fraction: float = 0.0
    started: float | None = None
    over: bool = False
    kill_at: float = field(default=float("inf"))

    @property
    def rank(self) -> tuple[int, int]:
        return (-self.priority, self.ticket)


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Scheduler:
    """Runs tasks in a few warm worker processes.

    - A new job with the same key replaces the old one, which ends as CANCELLED at once.
    - Cancel is asked for first; a worker that does not answer within half a second is killed and replaced.
    - A crash fails its job with the reason, and nothing else.
    - Jobs start by priority (high first), then in order. A job in the "timing" lane runs alone: it waits
      until nothing runs, and nothing starts before it ends.
    - A job that says how much memory it takes waits while that and what the running jobs take is above the
      limit; alone it may always run, and refuse for itself.
    - on_event is called on the scheduler's thread: QUEUED, RUNNING, any number of PROGRESS and PARTIAL,
      then one of DONE, FAILED, CANCELLED, after which nothing more comes for that ticket.

    workers: processes; by default one a core, 2 at least (one may hang on a slow job), 4 at most.
    `threads` is what each of them may use, so that together they do not oversubscribe the cores.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(4, max(2, cores()))
        self.threads = max(1, cores() // self.workers)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._tickets = itertools.count(1)
        self._jobs: dict[Hashable, _Job] = {}  # what is current, by key
        self._queue: list[_Job] = []
        self._idle: list[Worker] = []
        self._starting: list[Worker] = []
        self._running: dict[Worker, _Job] = {}
        self._start_failures = 0
        self._closed = threading.Event()
        shared.arena()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="ratescope-scheduler")
        self._thread.start()
        atexit.register(self.close)

    # --- called from any thread

    def submit(self, key: Hashable, task: Task, on_event: OnEvent, *, lane: str = WORK, priority: int = 0) -> int:
        """Queue `task` under `key`, in place of what that key had; returns its ticket at once."""
        if self._closed.is_set():
            raise RuntimeError("the scheduler is closed")
        job = _Job(key, next(self._tickets), task, on_event, lane, priority)
        self._inbox.put(partial(self._enter, job))
        return job.ticket

    def cancel(self, key: Hashable) -> None:
        """Give up what `key` has, if anything."""
        self._inbox.put(partial(self._cancel, key))

    def cancel_all(self) -> None:
        self._inbox.put(self._cancel_everything)

    def snapshot(self) -> list[JobView]:
        """What is queued or running now, in the order of submission."""
        now = time.monotonic()
        jobs = list(self._jobs.values())  # in one step: the scheduler's thread goes on meanwhile
        return [
            JobView(
                key=job.key,
                ticket=job.ticket,
                what=job.task.what,
                lane=job.lane,
                state=State.QUEUED if job.started is None else State.RUNNING,
                fraction=job.fraction,
                seconds=0.0 if job.started is None else now - job.started,
            )
            for job in sorted(jobs, key=lambda job: job.ticket)
        ]

    def close(self) -> None:
        """Cancel everything and end every worker; returns when they are gone."""
        atexit.unregister(self.close)
        if not self._closed.is_set():
            self._closed.set()
            self._inbox.put(self._cancel_everything)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Scheduler:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # --- on the scheduler's thread

    def _loop(self) -> None:
        while not (self._closed.is_set() and self._inbox.empty()):
            self._spawn_missing()
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=self._patience())()
            self._kill_overdue()
            self._start_what_may()
        workers = [*self._idle, *self._starting, *self._running]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
            worker.clean_up()

    def _patience(self) -> float | None:
        deadline = min((job.kill_at for job in self._running.values()), default=float("inf"))
        return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())

    def _spawn_missing(self) -> None:
        alive = len(self._idle) + len(self._starting) + len(self._running)
        for _ in range(self.workers - alive):
            if self._start_failures >= _MAX_START_FAILURES or self._closed.is_set():
                return
            name = f"w{next(_worker_numbers)}"
            try:
                self._starting.append(Worker(name, self.threads, self._deliver))
            except RuntimeError:  # from Python 3.12 on nothing can be started once the interpreter shuts down
                self._closed.set()
                self._inbox.put(self._cancel_everything)
                return

    def _deliver(self, worker: Worker, message: Message | None) -> None:
        self._inbox.put(partial(self._on_message, worker, message) if message else partial(self._on_death, worker))

    def _enter(self, job: _Job) -> None:
        if job.lane not in (WORK, TIMING):
            self._finish(job, State.FAILED, error=f"there is no lane '{job.lane}'")
            return
        with contextlib.suppress(EngineError):  # an unknown codec, say: the task itself will tell
            job.memory = getattr(job.task, "memory", 0)
        self._cancel(job.key)
        self._jobs[job.key] = job
        self._queue.append(job)
        self._start_failures = 0  # somebody tries again: so do we
        self._tell(job, State.QUEUED)

    def _cancel(self, key: Hashable) -> None:
        job = self._jobs.get(key)
        if job is None:
            return
        if job in self._queue:
            self._queue.remove(job)
        for worker, running in self._running.items():
            if running is job:
                job.kill_at = time.monotonic() + _GRACE_S
                worker.send(Message("cancel", job.ticket))
        self._finish(job, State.CANCELLED)

    def _cancel_everything(self) -> None:
        for key in list(self._jobs):
            self._cancel(key)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for worker, job in list(self._running.items()):
            if job.kill_at <= now:
                job.kill_at = float("inf")
                worker.kill()

    def _start_what_may(self) -> None:
        # One that has just died is still among the idle until its death is delivered: a job must not share it.
        while self._queue and (ready := [worker for worker in self._idle if worker.alive]):
            job = min(self._queue, key=lambda each: each.rank)
            timing = any(running.lane == TIMING for running in self._running.values())
            if timing or (job.lane == TIMING and (self._running or self._starting)) or not self._has_room(job):
                return
            self._queue.remove(job)
            self._idle.remove(ready[-1])
            self._start(job, ready[-1])

    def _has_room(self, job: _Job) -> bool:
        taken = sum(running.memory for running in self._running.values())
        return not taken or taken + job.memory <= memory.limit()

    def _start(self, job: _Job, worker: Worker) -> None:
        try:
            body = shared.dumps((job.task, memory.limit()))
        except Exception as error:  # what a task holds is the caller's choice
            self._idle.append(worker)
            self._finish(job, State.FAILED, error=f"{job.task.what} cannot be sent to a worker: {error}")
            return
        self._running[worker] = job
        job.started = time.monotonic()
        worker.send(Message("run", job.ticket, body))
        self._announce_load()
        self._tell(job, State.RUNNING)

    def _announce_load(self) -> None:
        for worker in self._running:
            worker.send(Message("load", 0, str(len(self._running) - 1).encode()))

    def _on_message(self, worker: Worker, message: Message) -> None:
        if message.kind == "ready":
            self._start_failures = 0
            self._starting.remove(worker)
            self._idle.append(worker)
            return
        job = self._running[worker]
        if message.kind == "progress":
            (job.fraction,) = struct.unpack("<d", message.body)
            self._tell(job, State.PROGRESS, job.fraction)
        elif message.kind == "partial":
            self._receive(job, State.PARTIAL, message)
        else:
            del self._running[worker]
            self._idle.append(worker)
            self._announce_load()
            self._on_end(job, message)

    def _on_end(self, job: _Job, message: Message) -> None:
        if message.kind == "done":
            self._receive(job, State.DONE, message)
        elif message.kind == "cancelled":
            self._finish(job, State.CANCELLED)
        else:
            failure: Failure = shared.loads(message.body)
            _log.debug("%s failed:\n%s", job.task.what, failure.trace)
            self._finish(job, State.FAILED, failure.error, failure.text)

    def _receive(self, job: _Job, state: State, message: Message) -> None:
        try:
            value = shared.loads(message.body)  # also what nobody wants any more: its blocks become ours to remove
        except Exception as error:
            self._finish(job, State.FAILED, error=f"the result of {job.task.what} cannot be read: {error}")
            return
        if state is State.DONE:
            self._finish(job, state, value)
        else:
            self._tell(job, state, value)

    def _on_death(self, worker: Worker) -> None:
        worker.clean_up()
        if worker.last_words:
            _log.debug("the last words of worker %s:\n%s", worker.name, worker.last_words)
        if worker in self._idle:
            self._idle.remove(worker)
        elif worker in self._starting:
            self._starting.remove(worker)
            self._on_start_failure(worker)
        else:
            job = self._running.pop(worker)
            self._announce_load()
            self._finish(job, State.FAILED, error=f"{job.task.what} {worker.death()}")

    def _on_start_failure(self, worker: Worker) -> None:
        self._start_failures += 1
        if self._start_failures < _MAX_START_FAILURES or self._idle or self._running:
            return
        why = worker.last_words.splitlines()[-1] if worker.last_words else worker.death()
        for job in list(self._queue):
            self._queue.remove(job)
            self._finish(job, State.FAILED, error=f"no worker process can be started: {why}")

    def _finish(self, job: _Job, state: State, value: Any = None, error: str = "") -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        self._tell(job, state, value, error)
        job.over = True

    def _tell(self, job: _Job, state: State, value: Any = None, error: str = "") -> None:
        if job.over:
            return
        try:
            job.on_event(Event(job.key, job.ticket, state, value, error))
        except Exception:  # a listener's fault must not stop everybody's work
            _log.exception("a listener of job %r failed", job.key)

"""Where a batch runs: worker processes of this machine, or the workers of a Dask scheduler that is given.

Dask exchanges pickles, so whoever reaches its ports can run code here: our own cluster listens on the loopback
interface alone and takes nobody without its certificate, which lives in memory (docs/adr/0004-batch-on-dask.md).
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import psutil
from distributed import Client, LocalCluster, Security

import engine
from engine import memory
from engine.batch.work import about
from engine.batch.worker import LOG_VARIABLE
from engine.errors import EngineError
from engine.jobs import cores
from engine.workers import THREAD_VARIABLES

_PATIENCE_S = 60.0  # for a first worker, and for another one when all have gone
_CONNECT_S = 15.0
_LOOK_S = 1.0  # between two looks at how many workers there are
_LOG = "workers.log"
_KEPT = "what is done is kept; --resume goes on with it"

_CONFIG: dict[str, Any] = {
    # Whose fault a death was is found out by us, not by counting how often a task was near one.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing-interval": "100ms",  # nobody waits for a second at the end of a batch
    # What watches the event loops twenty times a second would cost a share of the cores that work.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.preload": ["engine.batch.worker"],
    "distributed.admin.large-graph-warning-threshold": "1TB",  # pictures are large, and few are on their way at once
}


@dataclass
class Pool:
    """Workers, and what they are good for.

    memory: bytes for one unit of work, while others run, and whole_memory for one that runs alone; None for the
    workers' own limits.
    """

    client: Client
    where: str
    memory: int | None = None
    whole_memory: int | None = None
    local: LocalCluster | None = None
    _slots: int = 0
    _looked: float = 0.0
    _empty_since: float | None = None

    def slots(self) -> int:
        """How many units may run at once; `EngineError` when there has been no worker for a minute."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            try:
                self._slots = sum(self.client.nthreads().values())
            except (OSError, TimeoutError) as error:
                raise self.lost() from error
            self._empty_since = None if self._slots else self._empty_since or now
            if self._empty_since is not None and now - self._empty_since > _PATIENCE_S:
                raise EngineError(f"there is no worker left at {self.where}", hint=_KEPT)
        return self._slots

    def lost(self) -> EngineError:
        """What to say when the scheduler does not answer any more."""
        return EngineError(f"the connection to the scheduler at {self.where} was lost", hint=_KEPT)

    def abandon(self) -> None:
        """End our own workers at once, with whatever they do and every program that they started."""
        if self.local is None:
            return
        for nanny in self.local.workers.values():
            nanny.auto_restart = False
            with contextlib.suppress(AttributeError, psutil.Error):  # one that is just starting or gone
                worker = psutil.Process(nanny.process.process.pid)
                for process in (*worker.children(recursive=True), worker):
                    with contextlib.suppress(psutil.Error):
                        process.kill()


@contextlib.contextmanager
def pool(workers: int | None, scheduler: str | None, codecs: Mapping[str, str], folder: Path) -> Iterator[Pool]:
    """Workers for a batch: those of `scheduler`, else `workers` processes of our own (by default one a core).

    codecs: the version that each must have there. folder: for what the workers write while they run, and their log.
    `EngineError` says why there are none, or which are not fit for it.
    """
    if not os.environ.get("RATESCOPE_DEBUG"):
        _hush()
    with dask.config.set({**_CONFIG, "temporary-directory": str(folder)}):
        if scheduler is not None:
            with _remote(scheduler) as pool:
                _check(pool, codecs)
                yield pool
        else:
            with _own(workers or cores(), folder) as pool:
                yield pool


@contextlib.contextmanager
def _own(workers: int, folder: Path) -> Iterator[Pool]:
    folder.mkdir(parents=True, exist_ok=True)
    # Pictures are what runs in parallel: a worker is one thread, also within libraries, so that two are twice one.
    variables = {**dict.fromkeys(THREAD_VARIABLES, 1), LOG_VARIABLE: str(folder.parent / _LOG)}
    with dask.config.set({"distributed.nanny.pre-spawn-environ": variables}):
        local = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            memory_limit=0,  # no spilling to disk, no killing: the limit is ours to keep
            security=Security.temporary(),
            silence_logs=logging.CRITICAL,
            local_directory=str(folder),
            env={memory.VARIABLE: ""},
        )
        client = Client(local, set_as_default=False)
        pool = Pool(client, "this machine", memory.limit() // workers, memory.limit(), local)
        try:
            yield pool
        except BaseException:
            pool.abandon()
            raise
        finally:
            client.close(timeout=2)
            local.close(timeout=10)


@contextlib.contextmanager
def _remote(scheduler: str) -> Iterator[Pool]:
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    try:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError as error:
            raise EngineError(
                f"the scheduler at {scheduler} has no workers", hint="start some: dask worker …"
            ) from error
        yield Pool(client, scheduler)
    finally:
        client.close(timeout=2)


def _check(pool: Pool, codecs: Mapping[str, str]) -> None:
    """`EngineError` naming a worker that would give other numbers than this machine, or none."""
    try:
        answers = pool.client.run(about, tuple(codecs))
    except Exception as error:  # whatever it is, it came from there
        raise EngineError(
            f"the workers of {pool.where} cannot run Ratescope: {error}", hint="install the same version there"
        ) from error
    for worker, answer in answers.items():
        if answer["ratescope"] != engine.__version__:
            raise EngineError(f"worker {worker} has Ratescope {answer['ratescope']}, this is {engine.__version__}")
        for codec, version in codecs.items():
            if answer["codecs"][codec] != version:
                raise EngineError(f"{codec} at worker {worker}: {answer['codecs'][codec]}; here: {version}")


def _hush() -> None:
    """Dask's own log is for those who debug it: what matters of it comes back as errors. Some of it comes late."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

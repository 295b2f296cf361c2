"""A whole batch: from a job and a folder to its table, its curves and its chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.batch.flow import Flow, Progress
from engine.batch.job import Job
from engine.batch.ledger import open_ledger, scratch
from engine.batch.pictures import find
from engine.batch.results import Results, gather


def run_batch(
    job: Job,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    tell: Callable[[str], None] = lambda _note: None,
    cancel: Callable[[], bool] = lambda: False,
) -> Results:
    """Do what of `job` is not done yet, and write its table, its curves and its chart.

    workers, scheduler: see :func:`engine.batch.cluster.pool`. on_progress and cancel are called on this thread; `tell`
    hears what people should know. `Cancelled` when `cancel` says so, `UsageError` where `resume` or `job` make no
    sense, `EngineError` for a folder that cannot be read or written, and for workers that cannot be had. What was done
    by then is kept, and a later call with `resume` goes on with it.
    """
    job.check()
    pictures = find(job.folder, job.out, tell, roi=job.roi)
    with open_ledger(job, resume=resume) as ledger:
        for note in ledger.notes:
            tell(note)
        outdated = ledger.outdated(pictures)
        if outdated:
            tell(f"{outdated} pictures have changed or are gone since their rows were made: those rows do not count")
        where: dict[str, Any] = {}
        flow = Flow(job, ledger, pictures, on_progress)
        if flow.is_open:
            from engine.batch.cluster import pool

            with pool(workers, scheduler, job.versions(), scratch(job.out)) as crew:
                where = {"workers": crew.slots(), "threads": 1, "where": crew.where}
                flow.run(crew, cancel)
        results = gather(job, pictures, ledger.rows(pictures), where)
        results.write()
        return results

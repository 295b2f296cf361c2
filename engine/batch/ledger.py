"""What of a batch is done: rows that are only added, in the batch's own store, whole after any stop."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.batch.job import Job, difference
from engine.batch.pictures import MARK, Picture
from engine.errors import UsageError
from engine.files import claimed, write_error
from engine.store import RunStore, insert
from engine.trial import Trial

Row = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    image TEXT NOT NULL, stamp TEXT NOT NULL, codec TEXT NOT NULL, goal TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (image, stamp, codec, goal)) WITHOUT ROWID;
"""


class Ledger(RunStore):
    """The records of the batch in `out`: every row once, and every trial made for it.

    The rows of one picture and codec are added in one step, so none is ever there in part. See :func:`open_ledger`.
    """

    def __init__(self, out: Path) -> None:
        super().__init__(out / MARK)
        with self._write() as db:
            for statement in _TABLES.strip().split(";\n"):
                db.execute(statement)

    def begin(self, job: Job) -> None:
        """Keep the job's description, or compare it with the one that is kept; `UsageError` says how they differ."""
        asked = json.loads(json.dumps(job.described()))
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO job VALUES (1, ?)", (json.dumps(asked),))
            (body,) = db.execute("SELECT body FROM job").fetchone()
        why = difference(json.loads(body), asked)
        if why:
            raise UsageError(
                f"another job was begun here: {why}", path=job.out, hint="ask for the same again, or name a new folder"
            )

    def add(self, picture: Picture, rows: Iterable[Row], trials: Sequence[Trial] = (), machine: str = "") -> None:
        """Add the rows of a picture and codec, or the one row of a picture that cannot be read, and their trials.

        machine: where the trials were timed; here, if nothing is said.
        """
        keyed = [(picture.name, picture.stamp, row["codec"], row["goal"], json.dumps(row)) for row in rows]
        with self._write() as db:
            for trial in trials:
                insert(db, trial, machine)
            db.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?)", keyed)

    def rows(self, pictures: Sequence[Picture]) -> dict[str, list[Row]]:
        """The rows of these pictures, by name; those of a file that has changed since do not count."""
        found: dict[str, list[Row]] = {picture.name: [] for picture in pictures}
        stamps = {picture.name: picture.stamp for picture in pictures}
        with self._read() as db:
            for image, stamp, body in db.execute("SELECT image, stamp, body FROM rows ORDER BY image"):
                if stamps.get(image) == stamp:
                    found[image].append(json.loads(body))
        return found

    def outdated(self, pictures: Sequence[Picture]) -> int:
        """How many pictures have rows that do not count: they were changed or taken away since."""
        stamps = {picture.name: picture.stamp for picture in pictures}
        with self._read() as db:
            known = db.execute("SELECT DISTINCT image, stamp FROM rows").fetchall()
        return len({image for image, stamp in known if stamps.get(image) != stamp})


@contextlib.contextmanager
def open_ledger(job: Job, *, resume: bool) -> Iterator[Ledger]:
    """The records in the job's folder `out`, which is made if need be, for this process alone.

    `UsageError` if `out` is the pictures' own folder, holds anything while `resume` is not asked for, was begun for
    another job, or is in use; `EngineError` if it cannot be written.
    """
    out = job.out
    if out.resolve() == job.folder.resolve():
        raise UsageError("is the folder of the pictures; results need one of their own", path=out)
    try:
        begun = (out / MARK).is_dir()
        if begun and not resume:
            raise UsageError("holds the results of another run", path=out, hint="--resume goes on with it")
        if not begun and out.is_dir() and any(out.iterdir()):
            raise UsageError("holds other files; results need an empty or a new folder", path=out)
        (out / MARK).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, out) from error
    taken, hint = "another batch is at work in this folder", "wait for its end"
    with claimed(out / MARK / "lock", taken, folder=out, hint=hint):
        shutil.rmtree(scratch(out), ignore_errors=True)  # of a batch that was killed
        with Ledger(out) as ledger:
            ledger.begin(job)
            yield ledger
        shutil.rmtree(scratch(out), ignore_errors=True)


def scratch(out: Path) -> Path:
    """The folder for what the workers write while they run."""
    return out / MARK / "scratch"

"""The files that a batch keeps: encoded ones, and decoded pictures, each kind in the folder's own tree."""

from __future__ import annotations

import errno
from pathlib import Path

from engine.batch.job import Job
from engine.batch.ledger import Row
from engine.batch.pictures import Picture
from engine.batch.work import FAILED, Outcome, row_of
from engine.errors import EngineError
from engine.files import atomic_write, write_error


def save(job: Job, picture: Picture, outcome: Outcome) -> list[Row]:
    """Write the outcome's files, and give its rows with their paths within `out`.

    They lie at KIND/CODEC/GOAL/PICTURE.SUFFIX: encoded/webp/0.5bpp/holiday/beach.png.webp. A name that the file
    system refuses fails its row alone; `EngineError` for a folder that cannot be written.
    """
    rows = [dict(row) for row in outcome.rows]
    for (place, kind), (data, suffix) in outcome.files.items():
        codec, goal = rows[place]["codec"], job.goals[place]
        path = Path(kind, codec, goal.slug, picture.name + suffix)
        try:
            _write(job.out / path, data)
        except EngineError as error:
            if getattr(error.__cause__, "errno", None) != errno.ENAMETOOLONG:
                raise
            rows[place] = row_of(codec, goal, FAILED, error.plain)
        else:
            rows[place][kind] = path.as_posix()
    return rows


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, path) from error
    atomic_write(path, data)

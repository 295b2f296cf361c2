"""What is sent to the workers when, and what becomes of what comes back.

Each picture is read once on a worker; its codecs are units of work of their own, so that one picture keeps several
workers busy. This process alone writes: files first, then the rows, so a row that is there is done.

**When a worker dies** (a codec crashed it, somebody killed it, the machine ran out of memory) Dask says which units
were on it, not which of them was to blame. All of them become suspects: once everything else that is under way has
come back, each suspect runs with nothing beside it, where a death is its own. After three deaths it is an error row.
What was refused for want of memory is tried once more in the same way, with all the memory for itself.
"""

from __future__ import annotations

import itertools
import queue
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import io
from engine.batch.job import Job
from engine.batch.keeping import save
from engine.batch.ledger import Ledger, Row
from engine.batch.pictures import Picture
from engine.batch.timeleft import TimeLeft
from engine.batch.work import FAILED, Outcome, Terms, Unit, compress, load, row_of
from engine.errors import Cancelled, EngineError, LimitExceeded

if TYPE_CHECKING:
    from engine.batch.cluster import Pool

MAX_DEATHS = 3
_POLL_S = 0.1
_AHEAD = 2  # pictures more than can run at once: nobody waits, and memory stays bounded


@dataclass(frozen=True)
class Progress:
    """How far a batch is. done, total: rows. failed: error rows among them. row: the newest one.

    left_s: seconds to the end, None while nothing is known of it.
    """

    done: int
    total: int
    failed: int
    left_s: float | None
    row: Mapping[str, Any] | None = None


@dataclass(eq=False)
class _Flight:
    """A picture under way, with the codecs that have not come back. loading: the future of the picture as read."""

    picture: Picture
    codecs: set[str]
    terms: Terms
    loading: Any = None


class Flow:
    """The work of one batch: everything of `job` that `ledger` has no rows of."""

    def __init__(
        self, job: Job, ledger: Ledger, pictures: list[Picture], on_progress: Callable[[Progress], None]
    ) -> None:
        self._job, self._ledger, self._on_progress = job, ledger, on_progress
        self._units = _units(job)
        self._left = TimeLeft()
        self._numbers = itertools.count()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()  # futures that have come to an end
        self._waiting: deque[tuple[Picture, set[str]]] = deque()
        self._suspects: deque[tuple[Picture, str]] = deque()
        self._deaths: Counter[tuple[str, str]] = Counter()  # by picture and codec; "" is the reading
        self._flights: dict[str, _Flight] = {}
        self._under_way: dict[str, tuple[_Flight, str, Any]] = {}  # by key of the future, which it holds
        self._done = self._failed = 0
        self._total = len(pictures) * len(job.codecs) * len(job.goals)
        rows = ledger.rows(pictures)
        for picture in pictures:
            self._recall(picture, rows[picture.name])

    def _recall(self, picture: Picture, rows: list[Row]) -> None:
        """Count what is done of a picture, and queue the rest."""
        done = {row["codec"] for row in rows}
        missing = set() if "" in done else set(self._job.codecs) - done
        self._failed += sum(row["status"] == FAILED for row in rows)
        self._done += (len(self._job.codecs) - len(missing)) * len(self._job.goals)
        if missing:
            self._waiting.append((picture, missing))
        for codec in missing:
            self._left.expect(codec, picture.size)

    @property
    def is_open(self) -> bool:
        return bool(self._waiting or self._flights or self._suspects)

    def run(self, pool: Pool, cancel: Callable[[], bool]) -> None:
        """Do it all; see :func:`engine.batch.run.run_batch` for what is raised."""
        self._pool = pool
        self._crowd = Terms(pool.memory, crowded=pool.slots() > 1)
        self._solo = Terms(pool.whole_memory)
        self._tell(None)
        while self.is_open:
            if cancel():
                raise Cancelled
            self._send()
            try:
                self._take(self._events.get(timeout=_POLL_S))
            except queue.Empty:
                continue

    # --- sending

    def _send(self) -> None:
        room = self._pool.slots() + _AHEAD
        if self._suspects:
            if not self._flights:
                picture, codec = self._suspects[0]
                self._fly(picture, {codec}, self._solo)
            return
        while self._waiting and len(self._flights) < room:
            self._fly(*self._waiting.popleft(), self._crowd)

    def _fly(self, picture: Picture, codecs: set[str], terms: Terms) -> None:
        flight = self._flights[picture.name] = _Flight(picture, codecs, terms)
        try:
            data = io.read_bytes(picture.path)
            painted = (io.read_bytes(picture.mask), picture.mask) if picture.mask is not None else None
        except EngineError as error:
            self._give_up_picture(flight, error.plain)
            return
        flight.loading = self._submit(flight, "", load, data, picture.path, terms, painted)
        for codec in self._job.codecs:
            if codec in codecs:
                self._submit(flight, codec, compress, flight.loading, self._units[codec], terms)

    def _submit(self, flight: _Flight, codec: str, work: Callable[..., Any], *arguments: Any) -> Any:
        key = f"{codec or 'read'}-{next(self._numbers)}"
        future = self._pool.client.submit(work, *arguments, key=key, pure=False)
        self._under_way[key] = flight, codec, future
        future.add_done_callback(self._events.put)
        return future

    # --- receiving

    def _take(self, future: Any) -> None:
        flight, codec, _ = self._under_way.pop(future.key, (None, "", None))
        if flight is None:
            return  # of what was given up meanwhile
        try:
            outcome = _result(future, wanted=bool(codec))
        except EngineError as error:  # of the reading: a unit turns its own into rows
            self._on_unreadable(flight, error)
        except Exception as error:
            self._on_mishap(flight, codec, future.key, error)
        else:
            if outcome is not None:
                self._on_outcome(flight, codec, outcome)

    def _on_outcome(self, flight: _Flight, codec: str, outcome: Outcome) -> None:
        if outcome.too_large and self._has_more_memory(flight):
            self._suspect(flight, [codec])
            return
        rows = save(self._job, flight.picture, outcome)
        self._record(flight, codec, rows, outcome)

    def _on_unreadable(self, flight: _Flight, error: EngineError) -> None:
        if isinstance(error, LimitExceeded) and self._has_more_memory(flight):
            self._suspect(flight, flight.codecs)
        else:
            self._give_up_picture(flight, error.plain)

    def _on_mishap(self, flight: _Flight, codec: str, key: str, error: Exception) -> None:
        """Something that is neither the picture's fault nor that of its codec, as far as they know."""
        kind = type(error).__name__
        if kind == "KilledWorker":
            task, _, allowed = error.args
            # Alone, Dask's own repetitions count; in a crowd they may all have been another's fault.
            deaths = allowed + 1 if flight.terms is self._solo else 1
            self._on_death(flight, codec if task == key else "", deaths)
        elif "Cancelled" in kind:
            raise self._pool.lost() from error
        elif codec:
            self._fail(flight, codec, f"{kind}: {error}")
        else:
            self._give_up_picture(flight, f"{kind}: {error}")

    def _on_death(self, flight: _Flight, codec: str, deaths: int) -> None:
        place = flight.picture.name, codec
        self._deaths[place] += deaths
        if self._deaths[place] < MAX_DEATHS:
            self._suspect(flight, [codec] if codec else flight.codecs)
        elif codec:
            self._fail(flight, codec, f"the worker process died {self._deaths[place]} times while it ran {codec}")
        else:
            self._give_up_picture(
                flight, f"the worker process died {self._deaths[place]} times while it read this picture"
            )

    def _has_more_memory(self, flight: _Flight) -> bool:
        return flight.terms is self._crowd and self._solo.memory != self._crowd.memory

    def _suspect(self, flight: _Flight, codecs: Iterable[str]) -> None:
        """Let these codecs run alone, once everything else that is under way has come back."""
        for codec in sorted(codecs):
            if (flight.picture, codec) not in self._suspects:
                self._suspects.append((flight.picture, codec))
            self._land(flight, codec)

    # --- recording

    def _record(self, flight: _Flight, codec: str, rows: list[Row], outcome: Outcome) -> None:
        picture = flight.picture
        self._ledger.add(picture, rows, outcome.trials, outcome.machine)
        self._left.done(codec, picture.size, outcome.seconds)
        self._clear(picture, codec)
        self._land(flight, codec)
        for row in rows:
            self._done += 1
            self._failed += row["status"] == FAILED
            self._tell({"image": picture.name, **row})

    def _fail(self, flight: _Flight, codec: str, why: str) -> None:
        """Every row of one codec on a picture says why there is nothing."""
        rows = [row_of(codec, goal, FAILED, why) for goal in self._job.goals]
        self._record(flight, codec, rows, Outcome(()))

    def _give_up_picture(self, flight: _Flight, why: str) -> None:
        """One row says why nothing came of a picture, or of those of its codecs that have not come back."""
        picture = flight.picture
        missing = flight.codecs | {codec for suspect, codec in self._suspects if suspect is picture}
        row = row_of("", None, FAILED, why)
        self._ledger.add(picture, [row])
        for codec in missing:
            self._left.done(codec, picture.size, 0)
            self._clear(picture, codec)
        for codec in tuple(flight.codecs):
            self._land(flight, codec)
        self._done += len(missing) * len(self._job.goals)
        self._failed += 1
        self._tell({"image": picture.name, **row})

    def _clear(self, picture: Picture, codec: str) -> None:
        if (picture, codec) in self._suspects:
            self._suspects.remove((picture, codec))

    def _land(self, flight: _Flight, codec: str) -> None:
        """This codec is not under way any more; with the last one the picture is let go."""
        flight.codecs.discard(codec)
        names = (codec,) if flight.codecs else (codec, "")
        for key, (other, name, _) in list(self._under_way.items()):
            if other is flight and name in names:
                del self._under_way[key]
        if not flight.codecs:
            self._flights.pop(flight.picture.name, None)
            flight.loading = None

    def _tell(self, row: Mapping[str, Any] | None) -> None:
        self._on_progress(Progress(self._done, self._total, self._failed, self._left.seconds(), row))


def _units(job: Job) -> dict[str, Unit]:
    return {
        codec: Unit(
            codec,
            about["version"],
            about["settings"],
            job.goals,
            job.metrics,
            job.save_encoded,
            job.save_decoded,
            job.passports,
        )
        for codec, about in job.described()["codecs"].items()
    }


def _result(future: Any, *, wanted: bool) -> Outcome | None:
    """What came of it, or the exception that did. What is not wanted (a picture) stays with the workers."""
    if wanted:
        return future.result()
    if (error := future.exception()) is not None:
        raise error
    return None

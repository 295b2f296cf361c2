"""The store of everything that was ever run: rows in SQLite, files by their hash in a folder.

Rows are only added, never changed: an *encode* is named by picture, codec, codec version and settings, a
*score* by that and metric and metric version, a *time* also by machine, a *passport* by machine and by what decoded it.
An *answer* says which encode a rate search settled on for a target, so that it need not be searched again. A new metric
never re-encodes, a changed codec never inherits old numbers. Several processes may use one store at once (SQLite in
WAL mode).
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import platform
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Self

import platformdirs

from engine.codec import Settings
from engine.errors import EngineError
from engine.files import write_error
from engine.passport import Passport, surroundings
from engine.trial import EncodeKey, RateResult, Target, Trial, blob_hash, canonical

_log = logging.getLogger("ratescope.store")
_BUSY_S = 10.0  # how long one process waits for another's write
DEFAULT_CAP = 2 * 2**30

_SCHEMA = """
CREATE TABLE IF NOT EXISTS encodes (
    id INTEGER PRIMARY KEY, image TEXT NOT NULL, codec TEXT NOT NULL, version TEXT NOT NULL,
    settings TEXT NOT NULL, size INTEGER NOT NULL, bpp REAL NOT NULL, blob TEXT, stats TEXT NOT NULL,
    UNIQUE (image, codec, version, settings));
CREATE TABLE IF NOT EXISTS scores (
    encode INTEGER NOT NULL REFERENCES encodes (id), metric TEXT NOT NULL, metric_version TEXT NOT NULL,
    score REAL, PRIMARY KEY (encode, metric, metric_version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS times (
    id INTEGER PRIMARY KEY, encode INTEGER NOT NULL REFERENCES encodes (id), machine TEXT NOT NULL,
    encode_s REAL, decode_s REAL, busy INTEGER NOT NULL, taken REAL NOT NULL);
CREATE INDEX IF NOT EXISTS times_of ON times (encode, machine);
CREATE TABLE IF NOT EXISTS passports (
    id INTEGER PRIMARY KEY, encode INTEGER NOT NULL REFERENCES encodes (id), machine TEXT NOT NULL,
    made_with TEXT NOT NULL, verdict TEXT NOT NULL, facts TEXT NOT NULL, taken REAL NOT NULL);
CREATE INDEX IF NOT EXISTS passports_of ON passports (encode, machine, made_with);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, image TEXT NOT NULL, codec TEXT NOT NULL, version TEXT NOT NULL,
    settings TEXT NOT NULL, kind TEXT NOT NULL, value REAL NOT NULL,
    encode INTEGER NOT NULL REFERENCES encodes (id), reached INTEGER NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answers_to ON answers (image, codec, version, settings, kind, value);
"""

_LATEST_ANSWER = (
    "FROM answers JOIN encodes ON encodes.id = encode"
    " WHERE answers.image = ? AND answers.codec = ? AND answers.version = ? AND answers.settings = ?"
    " AND kind = ? AND value = ? ORDER BY answers.id DESC LIMIT 1"
)


class Blobs:
    """Files by hash in a folder, in 256 subfolders; verified whenever they are read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def put(self, data: bytes) -> str:
        """Keep `data`; its hash."""
        name = blob_hash(data)
        path = self.path(name)
        if not (path.exists() and path.stat().st_size == len(data)):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Renamed when complete, but not synced: a cache may lose a file in a power cut, its hash tells.
            part = path.with_name(f".{name}.{os.getpid()}.{threading.get_ident()}.part")
            part.write_bytes(data)
            part.replace(path)
        return name

    def get(self, name: str) -> bytes | None:
        """The file with this hash; None when it was pruned, or was damaged, and is then removed."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if blob_hash(data) != name:
            _log.warning("%s: the stored file is damaged and is removed", path)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # what was read lately is pruned last
        return data

    def prune(self, max_bytes: int) -> int:
        """Remove what was used longest ago until at most `max_bytes` are left; how many bytes went."""
        files = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in files) - max_bytes
        removed = 0
        for _, size, path in sorted(files):
            if removed >= excess:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                removed += size
        return removed


class RunStore:
    """The store in `folder` (by default in the user's cache folder). Safe to use from several threads.

    cap: bytes that the kept files may take; those used longest ago are removed when the store is opened.
    notes: what people should know of its opening (a damaged data base was moved aside; nothing will be kept).
    `EngineError` if the folder cannot be written, or when a row cannot be read or written.
    """

    def __init__(self, folder: Path | None = None, cap: int = DEFAULT_CAP) -> None:
        self.folder = folder or Path(platformdirs.user_cache_dir("ratescope"))
        self.notes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.blobs = Blobs(self.folder / "blobs")
            self._db = self._open()
            self.blobs.prune(cap)
        except (OSError, sqlite3.OperationalError) as error:
            message = f"the store of results cannot be opened: {_plain(error)}"
            raise EngineError(message, path=self.folder, hint="choose another folder") from error

    def record(self, trial: Trial, data: bytes | None = None) -> None:
        """Add what `trial` knows; with `data`, its file too. What is there already stays as it is."""
        if data is not None:
            try:
                self.blobs.put(data)
            except OSError as error:
                raise write_error(error, self.blobs.folder) from error
        with self._write() as db:
            insert(db, trial)

    def trials(self, image: str, codec: str, version: str) -> list[Trial]:
        """All that is known of one codec on one picture (by digest), by increasing rate."""
        with self._read() as db:
            rows = db.execute(
                "SELECT id, settings, size, bpp, blob, stats FROM encodes"
                " WHERE image = ? AND codec = ? AND version = ? ORDER BY size, id",
                (image, codec, version),
            ).fetchall()
            return [self._trial(EncodeKey(image, codec, version, row[1]), row) for row in rows]

    def find(self, key: EncodeKey) -> Trial | None:
        """The trial with this key, if it was ever run."""
        with self._read() as db:
            row = db.execute(
                "SELECT id, settings, size, bpp, blob, stats FROM encodes"
                " WHERE image = ? AND codec = ? AND version = ? AND settings = ?",
                (key.image, key.codec, key.version, key.settings),
            ).fetchone()
            return self._trial(key, row) if row else None

    def record_passport(self, trial: Trial, passport: Passport) -> None:
        """Add what a fresh process of this machine made of the trial's file; the latest counts."""
        row = (machine(), passport.made_with, passport.verdict, json.dumps(passport.to_json()), time.time())
        with self._write() as db:
            columns = "(encode, machine, made_with, verdict, facts, taken)"
            db.execute(f"INSERT INTO passports {columns} VALUES (?, ?, ?, ?, ?, ?)", (_encode_id(db, trial), *row))

    def record_answer(self, settings: Settings, result: RateResult) -> None:
        """Add what a search came to. settings: those that were given, the RATE parameter left out."""
        best, target = result.best, result.target
        assert target is not None
        question = (best.key.image, best.key.codec, best.key.version, canonical(settings), target.kind, target.value)
        with self._write() as db:
            now = (_encode_id(db, best), int(result.reached), result.message)
            if db.execute(f"SELECT encode, reached, message {_LATEST_ANSWER}", question).fetchone() != now:
                columns = "(image, codec, version, settings, kind, value, encode, reached, message)"
                db.execute(f"INSERT INTO answers {columns} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*question, *now))

    def answer(self, image: str, codec: str, version: str, settings: Settings, target: Target) -> RateResult | None:
        """The latest answer to a target, without its file; None where none was recorded."""
        with self._read() as db:
            row = db.execute(
                f"SELECT encodes.id, encodes.settings, size, bpp, blob, stats, reached, message {_LATEST_ANSWER}",
                (image, codec, version, canonical(settings), target.kind, target.value),
            ).fetchone()
            if row is None:
                return None
            trial = self._trial(EncodeKey(image, codec, version, row[1]), row[:6])
            return RateResult(trial, (trial,), bool(row[6]), 0, row[7], target=target)

    def curve(self, image: str, codec: str, version: str, metric: str) -> list[tuple[float, float]]:
        """(bpp, score) by increasing rate, of every trial that has a score of `metric`."""
        known = self.trials(image, codec, version)
        return [(trial.bpp, trial.scores[metric]) for trial in known if metric in trial.scores]

    def blob(self, name: str) -> bytes | None:
        """The file with this hash, checked; None when it is not kept any more."""
        return self.blobs.get(name)

    def prune(self, max_bytes: int) -> int:
        """Let the kept files take at most `max_bytes`, oldest use first; rows stay. How many bytes went."""
        return self.blobs.prune(max_bytes)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        path = self.folder / "runs.sqlite"
        before = path.stat().st_ino if path.exists() else None
        try:
            return _connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # read-only or busy, not damaged
            if path.stat().st_ino != before:
                return _connect(path)  # another process has replaced it meanwhile
            aside = _move_aside(path)
            self.notes = (f"{path}: the store of results was damaged ({error}); it was kept as {aside.name}",)
            _log.warning(self.notes[0])
            return _connect(path)

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise EngineError(f"the stored results cannot be read: {error}", path=self.folder) from error

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise EngineError(f"the result could not be stored: {error}", path=self.folder) from error

    def _trial(self, key: EncodeKey, row: tuple) -> Trial:
        encode, _settings, size, bpp, blob, stats = row
        scores = {
            metric: math.nan if score is None else score  # SQLite keeps infinity, but makes NaN a NULL
            for metric, version, score in self._db.execute(
                "SELECT metric, metric_version, score FROM scores WHERE encode = ?", (encode,)
            )
            if version == metric_version(metric)
        }
        # Undisturbed times first, then the latest.
        times = self._db.execute(
            "SELECT encode_s, decode_s, busy FROM times WHERE encode = ? AND machine = ?"
            " ORDER BY encode_s IS NULL OR decode_s IS NULL, busy, taken DESC LIMIT 1",
            (encode, machine()),
        ).fetchone() or (None, None, 0)
        figures, passport = json.loads(stats), self._passport(encode)
        return Trial(key, size, bpp, blob, scores, times[0], times[1], bool(times[2]), figures, passport)

    def _passport(self, encode: int) -> Passport | None:
        """The latest passport of an encode, of this machine as it is now."""
        row = self._db.execute(
            "SELECT facts FROM passports WHERE encode = ? AND machine = ? AND made_with = ? ORDER BY id DESC LIMIT 1",
            (encode, machine(), surroundings()),
        ).fetchone()
        return Passport.from_json(json.loads(row[0])) if row else None


class PassingStore(RunStore):
    """A store for this run of the program alone, where the lasting one cannot be used; its folder goes with it."""

    def __init__(self, why: str) -> None:
        self._passing = tempfile.TemporaryDirectory(prefix="ratescope-", ignore_cleanup_errors=True)
        super().__init__(Path(self._passing.name))
        self.notes = (f"results will not be kept: {why}",)

    def close(self) -> None:
        super().close()
        self._passing.cleanup()


def open_store(folder: Path | None = None) -> RunStore:
    """The store in `folder`, or a passing one whose notes say why: results that cannot be kept are results still."""
    try:
        return RunStore(folder)
    except EngineError as error:
        return PassingStore(str(error))


class Recorder:
    """Records trials for work that goes on where they cannot be kept (a full disk): `tell` hears of it once."""

    def __init__(self, store: RunStore, tell: Callable[[str], None]) -> None:
        self._store, self._tell, self._told = store, tell, False

    def __call__(self, trial: Trial, data: bytes | None = None) -> None:
        self._try(lambda: self._store.record(trial, data))

    def answer(self, settings: Settings, result: RateResult) -> None:
        self._try(lambda: self._store.record_answer(settings, result))

    def passport(self, trial: Trial, passport: Passport) -> None:
        self._try(lambda: self._store.record_passport(trial, passport))

    def _try(self, record: Callable[[], None]) -> None:
        try:
            record()
        except EngineError as error:
            if not self._told:
                self._told = True
                self._tell(f"results are not kept: {error}")


def _plain(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its pages do not agree")
    except BaseException:
        db.close()
        raise
    return db


def _move_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    path.replace(aside)
    for suffix in ("-wal", "-shm"):  # they belong to the damaged file: a new one must not take them over
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside


def insert(db: sqlite3.Connection, trial: Trial, made_on: str | None = None) -> None:
    """Add what `trial` knows, in a transaction of the caller's; made_on: the machine of its times, else this one."""
    scores = [(metric, metric_version(metric), score) for metric, score in trial.scores.items()]
    encode = _encode_id(db, trial)
    db.executemany("INSERT OR IGNORE INTO scores VALUES (?, ?, ?, ?)", [(encode, *row) for row in scores])
    if trial.encode_s is not None or trial.decode_s is not None:
        times = (encode, made_on or machine(), trial.encode_s, trial.decode_s, trial.busy, time.time())
        db.execute(
            "INSERT INTO times (encode, machine, encode_s, decode_s, busy, taken) VALUES (?, ?, ?, ?, ?, ?)", times
        )


def _encode_id(db: sqlite3.Connection, trial: Trial) -> int:
    key = (trial.key.image, trial.key.codec, trial.key.version, trial.key.settings)
    db.execute(
        "INSERT OR IGNORE INTO encodes (image, codec, version, settings, size, bpp, blob, stats)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, trial.size, trial.bpp, trial.blob, json.dumps(dict(trial.stats))),
    )
    where = "SELECT id FROM encodes WHERE image = ? AND codec = ? AND version = ? AND settings = ?"
    (encode,) = db.execute(where, key).fetchone()
    return int(encode)


def metric_version(metric: str) -> str:
    """What a stored score is bound to besides the metric's id."""
    from engine.metrics import metric as lookup

    return lookup(metric).info.version


@cache
def machine() -> str:
    """This machine, as times name it: processor and core count."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}"


def processor() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

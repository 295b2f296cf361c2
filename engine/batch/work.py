"""What a Dask worker runs: reading a picture, and bringing it to every goal with one codec.

The picture's file travels with the work and the files that are to be kept travel back with the rows: a worker needs
neither the folder of the pictures nor that of the results.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import engine
from engine import io, memory, registry
from engine.batch.job import Goal
from engine.codec import Settings
from engine.errors import CodecUnavailable, EngineError, LimitExceeded
from engine.formats import suffix_of
from engine.image import Image
from engine.importance import painted
from engine.io import Loaded
from engine.metrics.sets import gathered
from engine.passport import Verdict
from engine.passport.task import passport_of
from engine.rate import solve
from engine.store import machine
from engine.trial import RateResult, Run, Runner, Trial, db_metrics
from engine.workers import TaskCtx


@dataclass(frozen=True)
class Terms:
    """On what terms work is done, always on one thread. memory: bytes, None for the worker's own limit.

    crowded: other work may run beside it, so that its times are marked.
    """

    memory: int | None = None
    crowded: bool = False

    def ctx(self) -> TaskCtx:
        if self.memory is not None:
            os.environ.pop(memory.VARIABLE, None)  # it would go before what is set here
            memory.set_limit(self.memory)
        return TaskCtx(threads=1, busy=lambda: self.crowded)


@dataclass(frozen=True)
class Unit:
    """One codec on one picture. version: what the codec must be, so that all rows are of one kind.

    metrics: of the scores wanted, of which a picture gets those that are defined for it, and the one in dB.
    """

    codec: str
    version: str
    settings: Settings
    goals: tuple[Goal, ...]
    metrics: tuple[str, ...]
    save_encoded: bool = False
    save_decoded: bool = False
    passports: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a unit gave. rows: one for each goal. files: (goal's place, "encoded" or "decoded") -> content and suffix.

    trials: every encode that was made. seconds: it took. too_large: it was refused for want of memory.
    """

    rows: tuple[dict[str, Any], ...]
    trials: tuple[Trial, ...] = ()
    files: Mapping[tuple[int, str], tuple[bytes, str]] = field(default_factory=dict)
    seconds: float = 0.0
    machine: str = ""
    too_large: bool = False


def load(data: bytes, path: Path, terms: Terms, mask: tuple[bytes, Path] | None = None) -> Loaded:
    """The picture in `data`, the content of `path`, with the region that a mask paints. An `EngineError` names the
    file."""
    loaded = io.load(data, path, terms.ctx())
    if mask is None:
        return loaded
    try:
        region = painted(loaded.image, io.load(*mask, terms.ctx()).image)
    except EngineError as error:
        raise error.at(mask[1]) from error
    return replace(loaded, image=replace(loaded.image, importance=region))


def compress(loaded: Loaded, unit: Unit, terms: Terms) -> Outcome:
    """Bring the picture to each goal; whatever goes wrong is a row that says so."""
    start = time.perf_counter()
    work = _Work(loaded, unit, terms.ctx())
    rows = tuple(work.row(place, goal) for place, goal in enumerate(unit.goals))
    trials = tuple(work.trials.values())
    return Outcome(rows, trials, work.files, time.perf_counter() - start, machine(), work.too_large)


DONE, UNREACHABLE, FAILED = "done", "unreachable", "failed"
OF_SET = "gathered"
"""What a row holds for the scores of the whole set; no table shows it."""


def row_of(codec: str, goal: Goal | None, status: str, error: str = "") -> dict[str, Any]:
    """What every row has, and all of one that says what went wrong. Without a goal: of the picture itself."""
    return {"codec": codec, "goal": str(goal) if goal else "", "status": status, "error": error}


class _Work:
    def __init__(self, loaded: Loaded, unit: Unit, ctx: TaskCtx) -> None:
        self._image: Image = loaded.image
        self._notes = loaded.notes
        self._unit, self._ctx = unit, ctx
        self._metrics = tuple(dict.fromkeys((*unit.metrics, *db_metrics(self._image))))
        self._runner: Runner | None = None
        self._encoded: dict[str, bytes] = {}  # every file made, by its hash: two goals may end at one of them
        self.trials: dict[str, Trial] = {}
        self.files: dict[tuple[int, str], tuple[bytes, str]] = {}
        self.too_large = False

    def row(self, place: int, goal: Goal) -> dict[str, Any]:
        try:
            return self._reach(place, goal)
        except LimitExceeded as error:
            self.too_large = True
            why = error.plain
        except EngineError as error:
            why = error.plain
        except MemoryError:
            self.too_large = True
            why = "not enough memory"
        except Exception as error:  # a codec of somebody else's: its fault is its row, not the end of the batch
            why = f"{type(error).__name__}: {error}"
        return row_of(self._unit.codec, goal, FAILED, why)

    def _reach(self, place: int, goal: Goal) -> dict[str, Any]:
        if self._runner is None:
            self._runner = Runner(self._checked(), self._image)
        result = self._solved(self._runner, goal)
        if not result.reached:
            return row_of(self._unit.codec, goal, UNREACHABLE, result.message)
        run = self._runner.decode(Run(result.best, result.data), self._ctx)
        run = self._runner.score(run, self._metrics, self._ctx)
        self.trials[run.trial.key.settings] = run.trial
        self._save(place, run)
        notes = (*self._notes, *self._runner.notes, *run.trial.warnings, *filter(None, [result.message]))
        row = self._describe(goal, run.trial, notes)
        assert run.decoded is not None
        of_set = gathered(self._image, run.decoded, self._metrics, self._ctx)
        row = {**row, OF_SET: of_set} if of_set else row
        return self._with_passport(row, goal, run) if self._unit.passports else row

    def _with_passport(self, row: dict[str, Any], goal: Goal, run: Run) -> dict[str, Any]:
        """The row with what a fresh process makes of the file; figures of a broken one are worth nothing."""
        try:
            passport = passport_of(run, self._ctx)
        except EngineError as error:  # it says nothing of the file
            return {**row, "passport": f"none: {error.plain}"}
        if passport.verdict is Verdict.BROKEN:
            row = row_of(run.trial.key.codec, goal, FAILED, passport.words)
        return {**row, "passport": passport.cell}

    def _checked(self) -> Any:
        codec = registry.codec(self._unit.codec)
        if codec.available() is None and codec.version() != self._unit.version:
            raise CodecUnavailable(f"a worker has {codec.version()} and not {self._unit.version}")
        return codec

    def _solved(self, runner: Runner, goal: Goal) -> RateResult:
        if goal.target is None:
            run = runner.encode(self._settings(runner, goal), self._ctx)
            self._keep(run)
            return RateResult(run.trial, (run.trial,), True, 1, data=run.data)
        return solve(
            runner,
            goal.target,
            self._ctx,
            settings=self._unit.settings,
            known=tuple(self.trials.values()),
            blob=self._encoded.get,
            on_trial=self._keep,
            thorough=True,
        )

    def _settings(self, runner: Runner, goal: Goal) -> dict[str, Any]:
        knob = runner.codec.info.rate_param
        assert knob is not None  # the job has been checked
        return {**self._unit.settings, knob.name: goal.value}

    def _keep(self, run: Run) -> None:
        assert run.trial.blob is not None
        self._encoded[run.trial.blob] = run.data
        self.trials[run.trial.key.settings] = run.trial

    def _save(self, place: int, run: Run) -> None:
        assert self._runner is not None and run.decoded is not None
        if self._unit.save_encoded:
            self.files[place, "encoded"] = (run.data, suffix_of(run.data, self._runner.codec.info))
        if self._unit.save_decoded:
            self.files[place, "decoded"] = io.exact_bytes(run.decoded)

    def _describe(self, goal: Goal, trial: Trial, notes: tuple[str, ...]) -> dict[str, Any]:
        wanted = {name: score for name, score in trial.scores.items() if name in self._metrics}
        return {
            **row_of(trial.key.codec, goal, DONE),
            **trial.rates,
            **wanted,
            "bytes": trial.size,
            "encode_s": trial.encode_s,
            "decode_s": trial.decode_s,
            "busy": trial.busy,
            "settings": trial.settings,
            "width": self._image.width,
            "height": self._image.height,
            "notes": list(dict.fromkeys(notes)),
        }


def about(codecs: tuple[str, ...]) -> dict[str, Any]:
    """What a worker is: its Ratescope, and the version of each codec or why it cannot run there."""
    found = {}
    for name in codecs:
        try:
            codec = registry.codec(name)
            found[name] = codec.available() or codec.version()
        except EngineError as error:
            found[name] = str(error)
    return {"ratescope": engine.__version__, "codecs": found}

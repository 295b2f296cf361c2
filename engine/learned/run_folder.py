"""What a run of training leaves in its folder, read by others while it goes on: no torch, nothing is written.

A process that trains may be in the middle of a line, or be killed and go on from before what it had logged: a line
that cannot be read is left out, and lines that a later session took again replace those of the earlier one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.files import holder
from engine.learned.progress import Progress

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"  # one line for every validation
STEPS = "steps.jsonl"  # one line every hundred steps
LOCK = "lock"
WEIGHTS = "weights.safetensors"
DECAYS = "decay-*"
MAX_BYTES = 16 << 20  # of a log; of a longer one the end is read
_MOST_DECAYS = 64
_LARGEST = 2.0**63


@dataclass(frozen=True)
class Validation:
    """The averaged weights on the pictures held back. cost: mean of λ·distortion + rate, lower is better.

    loss: running mean over the patches that are learned from, None before the first step. against_start: BD-rate in
    per cent against the run's first curve. curve: (bpp, dB) by rising rate.
    """

    progress: Progress
    cost: float
    loss: float | None
    skipped: int
    against_start: float | None
    curve: tuple[tuple[float, float], ...]

    @property
    def steps(self) -> int:
        return self.progress.steps

    @property
    def seconds(self) -> float:
        return self.progress.seconds


@dataclass(frozen=True)
class Step:
    """How training went up to a step: running mean of the loss, and the factor on the peak learning rate."""

    steps: int
    seconds: float
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class Run:
    """A run or a decay, as far as its folder tells.

    decays: those that branched off it. training: whether a process trains it now; process: its number, if it is known.
    saved: when its checkpoint was written, in seconds since 1970. finished: it ended in weights to use.
    """

    folder: Path
    validations: tuple[Validation, ...] = ()
    steps: tuple[Step, ...] = ()
    decays: tuple[Run, ...] = ()
    training: bool = False
    process: int | None = None
    saved: float | None = None
    finished: bool = False

    @property
    def newest(self) -> Validation | None:
        return self.validations[-1] if self.validations else None

    @property
    def taken(self) -> int | None:
        """Steps so far, as far as they were logged."""
        return max((each[-1].steps for each in (self.validations, self.steps) if each), default=None)

    @property
    def seconds(self) -> float | None:
        """Seconds of training so far, as far as they were logged."""
        return max((each[-1].seconds for each in (self.validations, self.steps) if each), default=None)


def is_run(folder: Path) -> bool:
    """Whether a run of training lies, or has just begun, in this folder."""
    return any((folder / name).is_file() for name in (CHECKPOINT, LOG, LOCK))


def runs_in(folder: Path) -> list[Path]:
    """The runs in a folder of runs, the one that was written to last first; none where it cannot be read."""
    try:
        found = [path for path in folder.iterdir() if path.is_dir() and is_run(path)]
        return sorted(found, key=lambda path: -max(_written(path / LOG), _written(path / CHECKPOINT)))
    except OSError:
        return []


def read_run(folder: Path, *, with_decays: bool = True) -> Run:
    """What lies in `folder` now; an empty run where there is nothing that can be read."""
    decays: tuple[Run, ...] = ()
    if with_decays:
        begun = sorted(path for path in folder.glob(DECAYS) if path.is_dir())[:_MOST_DECAYS]
        decays = tuple(read_run(path, with_decays=False) for path in begun)
    process = holder(folder / LOCK)
    return Run(
        folder,
        validations=_lines(folder / LOG, _validation),
        steps=_lines(folder / STEPS, _step),
        decays=decays,
        training=process is not None,
        process=process or None,
        saved=_written(folder / CHECKPOINT) or None,
        finished=(folder / WEIGHTS).is_file(),
    )


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _lines(path: Path, parse: Any) -> tuple[Any, ...]:
    """What the lines of a log say, by rising steps; read again only when the file has changed."""
    try:
        state = path.stat()
    except OSError:
        return ()
    return _parsed(path, parse, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2 * (_MOST_DECAYS + 1))
def _parsed(path: Path, parse: Any, _modified: int, _size: int) -> tuple[Any, ...]:
    kept: list[Any] = []
    for document in _documents(path):
        try:
            new = parse(document)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        while kept and kept[-1].steps >= new.steps:
            kept.pop()  # a later session takes these steps again
        kept.append(new)
    return tuple(kept)


def _documents(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MAX_BYTES))
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            yield document


def _validation(document: Mapping[str, Any]) -> Validation:
    known = {field.name for field in fields(Progress)}
    counters = {name: value for name, value in document.items() if name in known}
    for value in counters.values():
        _known(value)
    progress = Progress(**counters)
    curve = sorted((_number(point["bpp"]), _number(point["psnr"])) for point in document["curve"])
    _counted(progress.pixels)
    _counted(progress.steps)
    _number(progress.seconds)
    return Validation(
        progress,
        _number(document["cost"]),
        _known(document.get("loss")),
        _counted(document["skipped"]),
        _known(document.get("bd_rate_from_start")),
        tuple(curve),
    )


def _step(document: Mapping[str, Any]) -> Step:
    steps = _counted(document["steps"])
    return Step(steps, *(_number(document[name]) for name in ("seconds", "loss", "learning_rate")))


def _number(value: Any) -> float:
    """`ValueError` for what is no finite number, or one that no run comes to."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise ValueError(value)
    return float(value)


def _known(value: Any) -> float | None:
    return None if value is None else _number(value)


def _counted(value: Any) -> int:
    """`ValueError` for what is no whole number from 0."""
    if not isinstance(value, int) or _number(value) < 0:
        raise ValueError(value)
    return value

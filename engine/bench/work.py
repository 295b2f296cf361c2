"""One piece of work, ours and a peer's, timed by turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

RUNS = 9  # of each, at least
_MOST_RUNS = 101
_TIME_S = 3.0  # more runs than RUNS only while all of them take no longer

Stopwatch = Callable[[], float]
"""Does the work once and says how many seconds it took."""


def clock(work: Callable[[], object]) -> Stopwatch:
    """A stopwatch around `work`."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


@dataclass(frozen=True)
class Side:
    """Who does the work. name: with its version. settings: as they are set. decode: None for one-way work."""

    name: str
    settings: str
    encode: Stopwatch
    decode: Stopwatch | None = None


@dataclass(frozen=True)
class Work:
    """A row before it is measured.

    name: of the row, for other programs. what: for people. amount: how much work one run is, in `unit`s (16.0 MB for
    "MB/s"); None where the unit is one of time, "ms" or "s". missing: what to install where there is no peer.
    """

    name: str
    what: str
    unit: str
    ours: Side
    peer: Side | None = None
    amount: float | None = None
    missing: str = ""


@dataclass(frozen=True)
class Row:
    """What was measured: medians in `unit`; ratios are above 1 where we are faster. None: not measured.

    runs: of each side, by turns, after one that does not count. spread: the largest of the sides' interquartile ranges
    as a part of its median, by which to judge the figures' trust.
    """

    name: str
    unit: str
    encode: float | None
    decode: float | None
    peer: str | None
    peer_encode: float | None = None
    peer_decode: float | None = None
    ratio_encode: float | None = None
    ratio_decode: float | None = None
    what: str = ""
    settings: str = ""
    peer_settings: str = ""
    note: str = ""
    runs: int = 0
    spread: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(work: Work) -> Row:
    """Run both sides by turns and take medians. The collector of garbage rests meanwhile."""
    sides = [side for side in (work.ours, work.peer) if side is not None]
    watches = [watch for side in sides for watch in (side.encode, side.decode) if watch is not None]
    begin = time.perf_counter()
    for watch in watches:  # fills caches and tables: no part of any figure
        watch()
    runs = max(RUNS, min(_MOST_RUNS, int(_TIME_S / (time.perf_counter() - begin))))
    seconds: dict[int, list[float]] = {index: [] for index in range(len(watches))}
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(runs):
            for index, watch in enumerate(watches):
                seconds[index].append(watch())
    finally:
        if enabled:
            gc.enable()
    medians = {watch: statistics.median(seconds[index]) for index, watch in enumerate(watches)}
    return replace(_row(work, medians), runs=runs, spread=max(map(_spread, seconds.values())))


def _row(work: Work, medians: dict[Stopwatch, float]) -> Row:
    def figure(watch: Stopwatch | None) -> float | None:
        if watch is None:
            return None
        return medians[watch] * _PER_SECOND[work.unit] if work.amount is None else work.amount / medians[watch]

    def ratio(ours: Stopwatch | None, theirs: Stopwatch | None) -> float | None:
        return None if ours is None or theirs is None else medians[theirs] / medians[ours]

    ours, peer = work.ours, work.peer
    row = Row(
        name=work.name,
        unit=work.unit,
        encode=figure(ours.encode),
        decode=figure(ours.decode),
        peer=None if peer is None else peer.name,
        what=work.what,
        settings=ours.settings,
        note="" if peer or not work.missing else f"no peer here: {work.missing}",
    )
    if peer is None:
        return row
    return replace(
        row,
        peer_encode=figure(peer.encode),
        peer_decode=figure(peer.decode),
        ratio_encode=ratio(ours.encode, peer.encode),
        ratio_decode=ratio(ours.decode, peer.decode),
        peer_settings=peer.settings,
    )


_PER_SECOND = {"s": 1.0, "ms": 1e3}


def _spread(seconds: list[float]) -> float:
    low, middle, high = statistics.quantiles(seconds, n=4)
    return (high - low) / middle

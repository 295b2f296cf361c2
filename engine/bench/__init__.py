"""How fast the parts are, beside the best peer that is at hand: what `ratescope bench` runs.

A suite makes its work item by item, so that one picture's memory is gone before the next one's is taken. Peers are
optional: where none is installed the row says so and holds no figures of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.bench.work import Row, Side, Work, clock, measure

Suite = Callable[[], Iterator[Work]]


def suites() -> dict[str, Suite]:
    """Every suite by its name, in the order of the report."""
    return dict(_SUITES)


def offer(name: str, suite: Suite) -> None:
    """Add a suite of another layer: the window's. One that is there by that name is replaced."""
    _SUITES[name] = suite


def _entropy() -> Iterator[Work]:
    from engine.bench.entropy import works

    return works()


def _codecs() -> Iterator[Work]:
    from engine.bench.codecs import works

    return works()


def _large() -> Iterator[Work]:
    from engine.bench.codecs import large_works

    return large_works()


def _learned() -> Iterator[Work]:
    from engine.bench.learned import works

    return works()


def _metrics() -> Iterator[Work]:
    from engine.bench.metrics import works

    return works()


_SUITES: dict[str, Suite] = {
    "entropy": _entropy,
    "codecs": _codecs,
    "large": _large,
    "learned": _learned,
    "metrics": _metrics,
}

__all__ = ["Row", "Side", "Suite", "Work", "clock", "measure", "offer", "suites"]

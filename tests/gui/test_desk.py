"""The desk: what is under way beside the window."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest

from engine.errors import EngineError
from engine.jobs import Scheduler
from engine.trial import Target, TargetKind
from gui.desk import Desk
from gui.state import State


@pytest.fixture
def calls() -> queue.Queue[Callable[[], None]]:
    return queue.Queue()


def desk(calls: queue.Queue[Callable[[], None]], complaints: list[str]) -> Desk:
    return Desk(State(Target(TargetKind.BPP, 1.0)), Scheduler(workers=1), calls.put, complaints.append)


def test_work_apart_hands_its_result_over_and_says_what_failed(calls: queue.Queue[Callable[[], None]]) -> None:
    complaints: list[str] = []
    results: list[int] = []
    one = desk(calls, complaints)

    def fail() -> None:
        raise EngineError("the folder is gone")

    one.apart(lambda: 6 * 7, results.append)
    one.apart(fail, results.append)
    assert not one.idle
    for _ in range(2):
        calls.get(timeout=10)()
    assert results == [42] and complaints == ["the folder is gone"] and one.idle
    one.close()


def test_a_closed_desk_begins_nothing(calls: queue.Queue[Callable[[], None]]) -> None:
    begun: list[None] = []
    one = desk(calls, [])
    one.close()
    one.apart(lambda: begun.append(None), lambda _: None)
    assert not begun and one.idle and calls.empty()

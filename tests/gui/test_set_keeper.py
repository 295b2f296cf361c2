"""The keeper of the set: what is asked for, when it is asked again, and what is known already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from engine.files import FileMark
from engine.jobs import Event
from engine.jobs import State as Job
from engine.light_sets.measured import Measured, SetTask
from engine.trial import EncodeKey, Target, TargetKind, Trial
from gui.desk import Desk
from gui.light_set.keeper import SetKeeper
from gui.state import Phase, Source, State, Topic

TRIAL = Trial(EncodeKey("i", "c", "v", "{}"), 100, 1.0, scores={"psnr": 40.0}, stats={"vram_bytes": 64})


class FakeDesk:
    """Keeps what was started; `say` brings an event of a job."""

    def __init__(self) -> None:
        self.tasks: dict[Any, SetTask] = {}
        self.handlers: dict[Any, Callable[[Event], None]] = {}
        self.started = 0

    def start(self, key: Any, task: SetTask, handler: Callable[[Event], None], *, priority: int = 0) -> None:
        self.tasks[key], self.handlers[key] = task, handler
        self.started += 1

    def cancel(self, keys: Any) -> None:
        for key in list(keys):
            self.tasks.pop(key, None)

    def taken(self) -> list[Any]:
        return list(self.tasks)

    def say(self, source: Source, state: Job, value: Any = None, error: str = "") -> None:
        key = ("set", source.id)
        if state in (Job.DONE, Job.FAILED):
            self.tasks.pop(key)
        self.handlers[key](Event(key, 0, state, value, error))


@pytest.fixture
def made() -> tuple[State, FakeDesk, SetKeeper, Source]:
    state, desk = State(Target(TargetKind.BPP, 1.0)), FakeDesk()
    keeper = SetKeeper(state, cast("Desk", desk), lambda: None)
    source = state.add_source(Path("/x/a.png"))
    source.phase, source.size, source.bits, source.file = Phase.DONE, (8, 4), 8, FileMark("ab", 77)
    return state, desk, keeper, source


def test_nothing_is_measured_before_somebody_looks_nor_after(
    made: tuple[State, FakeDesk, SetKeeper, Source],
) -> None:
    state, desk, keeper, source = made
    lane = state.add_lane("wavelet", "Wavelet", {})
    assert desk.started == 0
    keeper.look(True)
    (task,) = desk.tasks.values()
    assert task.path == source.path and [key for key, _, _ in task.lanes] == [lane.id]
    assert (keeper.original_total().disk, keeper.original_total().vram, keeper.waits()) == (77, 128, 1)
    keeper.look(False)
    assert desk.tasks == {}


def test_what_is_measured_stays_until_something_that_decides_it_changes(
    made: tuple[State, FakeDesk, SetKeeper, Source],
) -> None:
    state, desk, keeper, source = made
    one, other = state.add_lane("wavelet", "Wavelet", {}), state.add_lane("jxl", "JPEG XL", {})
    keeper.look(True)
    desk.say(source, Job.PARTIAL, (one.id, Measured(TRIAL)))
    state.announce(Topic.SOURCES)
    assert desk.started == 1 and keeper.total(one.id).disk == 100 and keeper.total(other.id).maps == 0
    desk.say(source, Job.PARTIAL, (other.id, Measured(error="carries none")))
    desk.say(source, Job.DONE)
    assert keeper.rows()[0].lanes[other.id].error == "carries none" and keeper.total(other.id).maps == 0
    state.set_lane_settings(one.id, {"effort": "max"})
    assert [key for key, _, _ in desk.tasks["set", source.id].lanes] == [one.id]
    state.set_target(Target(TargetKind.BPP, 2.0))
    assert [key for key, _, _ in desk.tasks["set", source.id].lanes] == [one.id, other.id]
    state.remove_source(source.id)
    assert keeper.rows() == []


def test_a_failure_is_kept_and_not_tried_again_until_the_file_is_another(
    made: tuple[State, FakeDesk, SetKeeper, Source],
) -> None:
    state, desk, keeper, source = made
    state.add_lane("wavelet", "Wavelet", {})
    keeper.look(True)
    desk.say(source, Job.FAILED, error="a.png: damaged")
    state.announce(Topic.SOURCES)
    assert keeper.rows()[0].error == "a.png: damaged" and desk.started == 1
    source.file = FileMark("cd", 78)
    state.announce(Topic.SOURCES)
    assert keeper.rows()[0].error == "" and desk.started == 2

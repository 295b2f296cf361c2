"""Which answers get a decode passport, and when: nothing is begun while anything moves, nothing is done twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from engine.image import Image
from engine.jobs import Event
from engine.jobs import State as Job
from engine.passport import Passport, Verdict, surroundings
from engine.store import RunStore
from engine.tasks import Solved
from engine.trial import EncodeKey, RateResult, Target, TargetKind, Trial, blob_hash
from gui import preferences
from gui.desk import Desk as WindowDesk
from gui.passports import REST_MS, Passports
from gui.state import Lane, Outcome, Phase, State, Topic
from tests.pictures import photo_like

IMAGE = Image(photo_like(8, 8))
EXACT = Passport(Verdict.EXACT, samples=192, made_with=surroundings())
BROKEN = EXACT.broken("the checksum does not match")


class Desk:
    """Counts what is asked of it; jobs end when a test says so."""

    def __init__(self) -> None:
        self._stamps = itertools.count()
        self.keys: dict[Any, int] = {}
        self.jobs: dict[Any, tuple[Any, Callable[[Event], None]]] = {}
        self.complaints: list[str] = []

    def reserve(self, key: Any) -> int:
        self.keys[key] = next(self._stamps)
        return self.keys[key]

    def holds(self, key: Any, stamp: int | None = None) -> bool:
        return key in self.keys if stamp is None else self.keys.get(key) == stamp

    def taken(self) -> list[Any]:
        return list(self.keys)

    def cancel(self, keys: Iterable[Any]) -> None:
        for key in keys:
            self.keys.pop(key, None)
            self.jobs.pop(key, None)

    def start(self, key: Any, task: Any, handler: Callable[[Event], None], *, priority: int = 0) -> None:
        self.reserve(key)
        self.jobs[key] = task, handler

    def end(self, key: Any, state: Job, value: Any = None, error: str = "") -> None:
        _, handler = self.jobs.pop(key)
        del self.keys[key]
        handler(Event(key, 1, state, value, error))

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())

    def post(self, call: Callable[[], None]) -> None:
        call()

    def complain(self, text: str) -> None:
        self.complaints.append(text)


class Bench:
    """A state with a picture, a keeper, and the clock in the test's hand."""

    def __init__(self, store: RunStore) -> None:
        self.state, self.desk, self.store = State(Target(TargetKind.BPP, 1.0)), Desk(), store
        self.told: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.passports = Passports(self.state, cast("WindowDesk", self.desk), store, self.told.append, self._later)
        self.state.current_id = self.state.add_source(Path("a.png")).id

    def _later(self, milliseconds: int, call: Callable[[], None]) -> None:
        assert milliseconds == REST_MS
        self.waiting.append(call)

    def rest(self) -> None:
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()

    def lane(self, codec: str = "hyperprior", data: bytes = b"one") -> Lane:
        lane = self.state.add_lane(codec, codec, {})
        self.answer(lane, data)
        return lane

    def answer(self, lane: Lane, data: bytes) -> Outcome:
        key = EncodeKey(IMAGE.digest, lane.codec, "1", "{}")
        trial = Trial(key, len(data), 1.0, blob_hash(data))
        outcome = self.state.outcome(lane.id)
        outcome.forget_maps()
        outcome.solved = Solved(RateResult(trial, (trial,), True, 1, data=data), IMAGE)
        outcome.phase = Phase.DONE
        return outcome


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("RATESCOPE_CONFIG", str(tmp_path / "config"))
    return Bench(RunStore(tmp_path))


def begun(bench: Bench) -> list[int]:
    return [key[1] for key in bench.desk.jobs]


def test_a_learned_answer_is_looked_after_once_it_rests(bench: Bench) -> None:
    lane = bench.lane()
    outcome = bench.state.outcome(lane.id)
    outcome.phase = Phase.RUNNING
    bench.state.announce(Topic.OUTCOME)
    assert not bench.waiting
    outcome.phase = Phase.DONE
    bench.state.announce(Topic.OUTCOME, Topic.OUTCOME)
    assert not bench.desk.jobs and len(bench.waiting) == 1
    bench.rest()
    assert begun(bench) == [lane.id]
    bench.desk.end(("passport", lane.id), Job.DONE, EXACT)
    assert outcome.passport == EXACT and not bench.told
    bench.state.announce(Topic.OUTCOME)
    assert not bench.waiting


def test_a_rate_that_moves_on_begins_none(bench: Bench) -> None:
    lane = bench.lane()
    for data in (b"one", b"two", b"three"):
        bench.state.outcome(lane.id).phase = Phase.QUEUED
        bench.state.announce(Topic.OUTCOME)
        bench.desk.cancel([("passport", lane.id)])  # as the controller does with every search
        bench.answer(lane, data)
        bench.state.announce(Topic.OUTCOME)
    bench.rest()  # of three waits, only the last still counts
    assert [job.data for job, _ in bench.desk.jobs.values()] == [b"three"]


def test_coming_back_to_a_file_looks_after_it_again(bench: Bench) -> None:
    lane = bench.lane()
    bench.state.announce(Topic.OUTCOME)
    bench.state.outcome(lane.id).phase = Phase.QUEUED
    bench.state.announce(Topic.OUTCOME)
    bench.desk.cancel([("passport", lane.id)])
    bench.answer(lane, b"one")
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    assert begun(bench) == [lane.id]


def test_one_at_a_time_and_learned_codecs_alone(bench: Bench) -> None:
    first, _, third = bench.lane(data=b"1"), bench.lane("wavelet", b"2"), bench.lane("lightmap-ae", b"3")
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    assert begun(bench) == [first.id]
    bench.desk.end(("passport", first.id), Job.DONE, EXACT)
    bench.rest()
    assert begun(bench) == [third.id]
    bench.desk.end(("passport", third.id), Job.DONE, EXACT)
    assert not bench.waiting


def test_what_the_store_knows_is_not_done_again_but_for_what_was_broken(bench: Bench) -> None:
    lane = bench.lane()
    trial = bench.state.outcome(lane.id).trial
    assert trial is not None
    bench.store.record(trial)
    bench.store.record_passport(trial, EXACT)
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    assert not bench.desk.jobs and bench.state.outcome(lane.id).passport == EXACT

    bench.store.record_passport(trial, BROKEN)
    bench.answer(lane, b"one")
    bench.state.outcome(lane.id).phase = Phase.RUNNING
    bench.state.announce(Topic.OUTCOME)
    bench.state.outcome(lane.id).phase = Phase.DONE
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    assert begun(bench) == [lane.id]


def test_what_is_done_unasked_can_be_turned_off(bench: Bench) -> None:
    preferences.save(check_learned=False)
    lane = bench.lane()
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    assert not bench.desk.jobs and not bench.desk.taken()
    bench.passports.check(lane)
    assert begun(bench) == [lane.id]


def test_a_broken_file_is_said_aloud_a_process_that_failed_only_where_it_was_asked_for(bench: Bench) -> None:
    lane = bench.lane()
    bench.state.announce(Topic.OUTCOME)
    bench.rest()
    bench.desk.end(("passport", lane.id), Job.FAILED, error="no process")
    assert not bench.desk.complaints and not bench.waiting
    bench.passports.check(lane)
    bench.desk.end(("passport", lane.id), Job.FAILED, error="no process")
    assert bench.desk.complaints == ["hyperprior: no process"]
    bench.passports.check(lane)
    bench.desk.end(("passport", lane.id), Job.DONE, BROKEN)
    assert "checksum" in bench.desk.complaints[-1]
    trial = bench.state.outcome(lane.id).trial
    assert trial is not None
    found = bench.store.find(trial.key)
    assert found is not None and found.passport == BROKEN


def test_a_pane_without_an_answer_says_so(bench: Bench) -> None:
    bench.passports.check(None)
    assert len(bench.told) == 1 and not bench.desk.jobs

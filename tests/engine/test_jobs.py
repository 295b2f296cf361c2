"""The scheduler and its workers, driven with synthetic tasks."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import synthetic_tasks as synthetic
from job_listener import Listener, run

from engine import shared
from engine.errors import UsageError
from engine.image import Image
from engine.jobs import Event, Scheduler, State


@pytest.fixture(scope="module")
def pool() -> Iterator[Scheduler]:
    with Scheduler(workers=2) as scheduler:
        yield scheduler


@pytest.fixture
def scheduler(pool: Scheduler) -> Iterator[Scheduler]:
    yield pool
    pool.cancel_all()
    deadline = time.monotonic() + 10
    while pool.snapshot() or pool._running:
        assert time.monotonic() < deadline, "jobs outlive their test"
        time.sleep(0.01)


def test_a_job_is_queued_runs_emits_and_ends_in_this_order(scheduler: Scheduler) -> None:
    listener = Listener()
    ticket = scheduler.submit("a", synthetic.Emit(("x", 2)), listener)
    assert listener.end().value == 2
    assert [event.value for event in listener.events if event.state is State.PARTIAL] == ["x", 2]
    states = listener.states(ticket)
    assert states[:2] == [State.QUEUED, State.RUNNING]
    assert states[-1] is State.DONE
    assert State.PROGRESS in states


def test_jobs_run_together_only_where_the_memory_limit_has_room_for_both(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "10M")
    listener = Listener()
    first = scheduler.submit("a", synthetic.Greedy(0.3, memory=6 << 20), listener)
    second = scheduler.submit("b", synthetic.Greedy(0.01, memory=6 << 20), listener)
    third = scheduler.submit("c", synthetic.Greedy(0.01, memory=50 << 20), listener)
    assert [listener.end().ticket for _ in range(3)] == [first, second, third]
    order = [(event.ticket, event.state) for event in listener.events]
    assert order.index((first, State.DONE)) < order.index((second, State.RUNNING))


@pytest.mark.skipif(os.name != "posix", reason="needs sessions")
def test_a_killed_worker_leaves_no_program_behind(scheduler: Scheduler) -> None:
    listener = Listener()
    scheduler.submit("a", synthetic.Program(), listener)
    sleeper = psutil.Process(listener.wait(State.PARTIAL).value)
    scheduler.cancel("a")
    assert not psutil.wait_procs([sleeper], timeout=10)[1]


def test_no_job_is_given_to_a_worker_that_died_while_idle(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scheduler, synthetic.Sleep(0.01))
    monkeypatch.setattr(Scheduler, "_on_death", lambda self, worker: None)  # word of the deaths is slow to come
    dead = [*scheduler._idle, *scheduler._starting]
    for worker in dead:
        os.kill(worker.pid, signal.SIGKILL)
    for worker in dead:
        worker.join()
    listener = Listener()
    scheduler.submit("a", synthetic.Sleep(0.01), listener)
    with pytest.raises(queue.Empty):
        listener.wait(State.RUNNING, timeout=0.2)
    monkeypatch.undo()
    for worker in dead:
        scheduler._deliver(worker, None)
    assert listener.end().state is State.DONE


def test_a_new_job_of_the_same_key_replaces_the_old_one(scheduler: Scheduler) -> None:
    listener = Listener()
    first = scheduler.submit("a", synthetic.Sleep(30), listener)
    listener.wait(State.RUNNING)
    second = scheduler.submit("a", synthetic.Sleep(0.01), listener)
    assert listener.end().ticket == first
    assert listener.end().ticket == second
    assert listener.states(first)[-1] is State.CANCELLED
    assert listener.states(second)[-1] is State.DONE


def test_a_job_that_notices_its_cancel_keeps_its_worker() -> None:
    with Scheduler(workers=1) as scheduler:
        before = run(scheduler, synthetic.Environment()).value
        listener = Listener()
        scheduler.submit("a", synthetic.Sleep(30), listener)
        listener.wait(State.RUNNING)
        scheduler.cancel("a")
        assert listener.end().state is State.CANCELLED
        assert run(scheduler, synthetic.Environment()).value[0] == before[0]


def test_a_job_that_ignores_its_cancel_is_killed_with_its_children(scheduler: Scheduler) -> None:
    listener = Listener()
    scheduler.submit("a", synthetic.Loop(children=True), listener)
    worker, child = listener.wait(State.PARTIAL).value
    scheduler.cancel("a")
    assert listener.end().state is State.CANCELLED
    assert gone(worker, within_s=3)
    assert gone(child, within_s=3)
    assert run(scheduler, synthetic.Sleep(0)).state is State.DONE


def test_cancelling_a_queued_job_never_starts_it(scheduler: Scheduler) -> None:
    listener = Listener()
    for key in "ab":
        scheduler.submit(key, synthetic.Sleep(0.3), listener)
    ticket = scheduler.submit("c", synthetic.Sleep(0), listener)
    scheduler.cancel("c")
    listener.end("c")
    assert listener.states(ticket) == [State.QUEUED, State.CANCELLED]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_fails_its_own_job_with_the_reason(scheduler: Scheduler, number: int) -> None:
    listener = Listener()
    scheduler.submit("other", synthetic.Sleep(0.5), listener)
    event = run(scheduler, synthetic.Crash(number))
    assert event.state is State.FAILED
    assert event.error == f"the test encoder crashed (signal {int(number)})"
    assert listener.end().state is State.DONE


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("engine", "a.png: no such knob"),
        ("memory", "not enough memory"),
        ("exit", "SystemExit: 3"),
        ("unpicklable", "local object"),
        ("bug", "ValueError: a bug"),
    ],
)
def test_a_failure_is_one_plain_line(scheduler: Scheduler, kind: str, text: str) -> None:
    event = run(scheduler, synthetic.Fail(kind))
    assert event.state is State.FAILED
    assert text in event.error
    assert "\n" not in event.error
    assert isinstance(event.value, UsageError) == (kind == "engine")


def test_a_task_that_cannot_be_sent_or_received_fails_plainly(scheduler: Scheduler) -> None:
    assert "cannot be sent" in run(scheduler, synthetic.Emit((lambda: None,))).error
    assert "not here" in run(scheduler, synthetic.Unloadable()).error  # type: ignore[arg-type]


def test_the_timing_lane_runs_alone_and_undisturbed(scheduler: Scheduler) -> None:
    listener = Listener()
    scheduler.submit("before", synthetic.Sleep(0.2), listener)
    scheduler.submit("timed", synthetic.Sleep(0.2), listener, lane="timing")
    scheduler.submit("after", synthetic.Sleep(0.2), listener)
    ends = {event.key: event.value for event in (listener.end() for _ in range(3))}
    assert ends["before"][1] <= ends["timed"][0]
    assert ends["timed"][1] <= ends["after"][0]
    assert ends["timed"][2] is False


def test_the_timing_lane_waits_for_workers_that_are_still_starting() -> None:
    listener, starting = Listener(), []

    def listen(event: Event) -> None:
        if event.state is State.RUNNING:
            starting.append(len(scheduler._starting))
        listener(event)

    with Scheduler(workers=2) as scheduler:
        scheduler.submit("timed", synthetic.Sleep(0), listen, lane="timing")
        assert listener.end().state is State.DONE
    assert starting == [0]


def test_jobs_that_share_the_machine_know_it(scheduler: Scheduler) -> None:
    listener = Listener()
    scheduler.submit("a", synthetic.Sleep(0.4), listener)
    scheduler.submit("b", synthetic.Sleep(0.4), listener)
    assert [listener.end().value[2] for _ in "ab"] == [True, True]
    assert run(scheduler, synthetic.Sleep(0.05)).value[2] is False


def test_high_priority_goes_first(scheduler: Scheduler) -> None:
    listener = Listener()
    for key in "ab":
        scheduler.submit(key, synthetic.Sleep(0.2), listener)
    scheduler.submit("low", synthetic.Sleep(0.3), listener, priority=-1)
    scheduler.submit("mid", synthetic.Sleep(0.3), listener)
    scheduler.submit("high", synthetic.Sleep(0.3), listener, priority=1)
    started = [listener.wait(State.RUNNING).key for _ in range(5)]
    assert set(started[2:4]) == {"mid", "high"}
    assert started[4] == "low"


def test_a_failing_listener_does_not_stop_the_work(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    def bad(_event: Event) -> None:
        raise RuntimeError("listener")

    scheduler.submit("a", synthetic.Sleep(0), bad)
    assert run(scheduler, synthetic.Sleep(0)).state is State.DONE
    assert "listener" in caplog.text


def test_pictures_travel_through_shared_memory_and_leave_nothing(scheduler: Scheduler) -> None:
    before = set(shared.arena().blocks())  # of tests of before, whose pictures may still be held
    pixels = np.random.default_rng(1).integers(0, 256, (301, 257, 3), np.uint8)
    image = Image(pixels)
    digest = image.digest
    listener = Listener()
    scheduler.submit("a", synthetic.Invert(image), listener)
    inverse, plane, same = listener.end().value
    np.testing.assert_array_equal(inverse.pixels, 255 - pixels)
    np.testing.assert_array_equal(plane, pixels[:, :, 0])
    assert same.digest == digest
    assert same.pixels is image.pixels, "a picture that comes back is the one that was sent"
    assert not inverse.pixels.flags.writeable
    assert set(shared.arena().blocks()) - before
    del inverse, plane, same, image, pixels, listener
    assert eventually(lambda: set(shared.arena().blocks()) <= before)


def test_results_of_a_second_scheduler_are_its_own() -> None:
    results = []
    for shade in (10, 20):
        with Scheduler(workers=1) as own:
            results.append(run(own, synthetic.Invert(Image(np.full((300, 301, 3), shade, np.uint8)))).value[0])
    assert [int(image.pixels[0, 0, 0]) for image in results] == [245, 235]


def test_the_snapshot_names_what_runs_and_waits(scheduler: Scheduler) -> None:
    listener = Listener()
    for key in "abc":
        scheduler.submit(key, synthetic.Sleep(5), listener)
    assert eventually(lambda: [view.state for view in scheduler.snapshot()].count(State.RUNNING) == 2)
    views = scheduler.snapshot()
    assert [view.key for view in views] == ["a", "b", "c"]
    assert [view.state for view in views] == [State.RUNNING, State.RUNNING, State.QUEUED]
    assert views[0].what == "the sleeper"


def test_a_worker_is_light_and_does_not_oversubscribe(scheduler: Scheduler) -> None:
    _pid, threads, modules = run(scheduler, synthetic.Environment()).value
    assert not {"PySide6", "torch", "skimage", "matplotlib", "imagecodecs", "scipy"} & set(modules)
    assert threads * 2 <= max(2, os.cpu_count() or 1)


def test_what_a_codec_prints_does_not_reach_our_output() -> None:
    script = """
import queue, sys
import synthetic_tasks
from engine.jobs import Scheduler, State
ended = queue.Queue()
with Scheduler(1) as scheduler:
    scheduler.submit("a", synthetic_tasks.Noise(), lambda event: event.value == "done" and ended.put(event))
    ended.get(timeout=20)
print("the document")
"""
    done = run_script(script)
    assert (done.stdout, done.stderr) == ("the document\n", "")


def test_close_leaves_no_process_and_no_file() -> None:
    scheduler = Scheduler(workers=2)
    listener = Listener()
    scheduler.submit("a", synthetic.Loop(children=True), listener)
    worker, child = listener.wait(State.PARTIAL).value
    before = time.monotonic()
    scheduler.close()
    assert time.monotonic() - before < 2
    assert listener.end().state is State.CANCELLED
    assert gone(worker, within_s=2)
    assert gone(child, within_s=2)
    scheduler.close()
    with pytest.raises(RuntimeError, match="closed"):
        scheduler.submit("a", synthetic.Sleep(0), listener)


def test_a_program_that_forgets_to_close_ends_cleanly() -> None:
    done = run_script("from engine.jobs import Scheduler; from engine import shared; s = Scheduler(1); "
                      "print(*shared.arena().folders)")  # fmt: skip
    assert done.stderr == ""
    assert [Path(name).exists() for name in done.stdout.split()] == [False] * len(done.stdout.split())


def test_kill_of_the_parent_leaves_no_worker_and_no_file() -> None:
    script = """
import sys, time
import numpy as np
import synthetic_tasks
from engine.image import Image
from engine.jobs import Scheduler, State
from engine import shared
image = Image(np.zeros((512, 512, 3), np.uint8))
shared.dumps(image)
s = Scheduler(1)
def tell(event):
    if event.state is State.PARTIAL:
        print(*event.value, *shared.arena().folders, flush=True)
s.submit("a", synthetic_tasks.Loop(children=True), tell)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        assert parent.stdout is not None
        worker, child, *folders = parent.stdout.readline().split()
        assert all(Path(folder).is_dir() for folder in folders)
        parent.kill()
    assert gone(int(worker), within_s=5)
    assert gone(int(child), within_s=5)
    assert eventually(lambda: not any(Path(folder).exists() for folder in folders))


def test_workers_that_cannot_start_fail_the_job_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Scheduler(workers=1) as scheduler:
        event = run(scheduler, synthetic.Sleep(0))
        assert event.error.startswith("no worker process can be started: ended unexpectedly (exit status 1)")


def environment() -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).parent)])}


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True, text=True, env=environment(), timeout=60, check=True,
    )  # fmt: skip


def eventually(condition: object, within_s: float = 5.0) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int, within_s: float) -> bool:
    def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return eventually(ended, within_s)

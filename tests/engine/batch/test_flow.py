"""What is sent when, and what deaths, refusals and broken files become: against workers that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import io, memory
from engine.batch.flow import Flow, Progress
from engine.batch.job import Goal, Job
from engine.batch.ledger import Ledger, open_ledger
from engine.batch.pictures import find
from engine.batch.results import gather
from engine.color import LINEAR_SRGB
from engine.errors import Cancelled, EngineError
from engine.image import Image
from tests.pictures import photo_like


class KilledWorker(Exception):
    """As Dask raises it: task, last worker, allowed failures."""


class FutureCancelledError(Exception):
    """As Dask raises it of what a lost scheduler had."""


@dataclass
class Future:
    key: str
    error: Exception | None = None
    value: Any = None
    status: str = "finished"

    def add_done_callback(self, call: Callable[[Future], None]) -> None:
        self.call = call

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    def exception(self) -> Exception | None:
        return self.error


@dataclass
class Crew:
    """Workers that do their work when the next job is asked for, and die of what `kills` names.

    kills: picture's file name or codec id -> how often it kills the worker, together with all that is on it.
    """

    kills: dict[str, int] = field(default_factory=dict)
    memory: int | None = None
    whole_memory: int | None = None
    where: str = "test"
    slots_: int = 2
    gone: bool = False  # the scheduler
    log: list[tuple[str, str]] = field(default_factory=list)
    most: int = 0

    def __post_init__(self) -> None:
        self.client = self
        self._pending: list[tuple[Future, Any, tuple]] = []

    def slots(self) -> int:
        self._work()
        return self.slots_

    def lost(self) -> EngineError:
        return EngineError("the connection was lost")

    def submit(self, work: Any, *arguments: Any, key: str, pure: bool) -> Future:
        assert not pure
        future = Future(key)
        self._pending.append((future, work, arguments))
        return future

    def _work(self) -> None:
        batch, self._pending = self._pending, []
        self.most = max(self.most, len(batch))
        for stage in ("load", "compress"):
            self._stage([job for job in batch if job[1].__name__ == stage])

    def _stage(self, batch: list[tuple[Future, Any, tuple]]) -> None:
        lethal = next((name for *_, arguments in batch if self.kills.get(name := self._name(arguments))), None)
        if lethal:
            self.kills[lethal] -= 1
        for future, work, arguments in batch:
            self.log.append((work.__name__, future.key))
            if self.gone:
                future.error = FutureCancelledError()
            elif lethal:
                future.error = KilledWorker(future.key, "worker", 0)
            else:
                self._do(future, work, arguments)
            future.call(future)

    @staticmethod
    def _name(arguments: tuple) -> str:
        return arguments[1].name if isinstance(arguments[1], Path) else arguments[1].codec

    @staticmethod
    def _do(future: Future, work: Any, arguments: tuple) -> None:
        try:
            values = [each.result() if isinstance(each, Future) else each for each in arguments]
            future.value = work(*values)
        except Exception as error:
            future.error = error


@pytest.fixture(autouse=True)
def own_limit() -> Iterator[None]:
    """The work runs in this process here, and sets its limit."""
    yield
    memory.set_limit(None)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a", "b", "c"):
        io.write_png(folder / f"{name}.png", Image(photo_like(24, 32, seed=ord(name))))
    return Job(folder, tmp_path / "out", {"jpeg": {}, "webp": {}}, (Goal("quality", 30), Goal("quality", 80)))


@pytest.fixture
def ledger(job: Job) -> Iterator[Ledger]:
    with open_ledger(job, resume=False) as ledger:
        yield ledger


def run(job: Job, ledger: Ledger, crew: Crew) -> list[Progress]:
    progress: list[Progress] = []
    flow = Flow(job, ledger, find(job.folder, job.out), progress.append)
    flow.run(crew, lambda: False)  # type: ignore[arg-type]
    assert not flow.is_open
    assert progress[-1].done == progress[-1].total
    return progress


def errors(job: Job, ledger: Ledger) -> list[tuple[str, str, str]]:
    rows = ledger.rows(find(job.folder, job.out))
    return [(name, row["codec"], row["error"]) for name, each in rows.items() for row in each if row["error"]]


def done(job: Job, ledger: Ledger) -> int:
    return sum(row["status"] == "done" for rows in ledger.rows(find(job.folder, job.out)).values() for row in rows)


def test_every_row_comes_once_and_is_counted(job: Job, ledger: Ledger) -> None:
    progress = run(job, ledger, Crew())
    assert done(job, ledger) == 3 * 2 * 2
    assert [each.done for each in progress] == list(range(13))
    assert progress[-1].failed == 0
    assert progress[-1].left_s == pytest.approx(0, abs=1e-6)


def test_what_is_recorded_is_not_done_again(job: Job, ledger: Ledger) -> None:
    run(job, ledger, Crew())
    again = Flow(job, ledger, find(job.folder, job.out), lambda _: None)
    assert not again.is_open


def test_a_picture_is_read_once_for_all_its_codecs(job: Job, ledger: Ledger) -> None:
    crew = Crew()
    run(job, ledger, crew)
    assert sum(name == "load" for name, _ in crew.log) == 3


def test_a_codec_that_kills_its_worker_once_costs_nothing_but_time(job: Job, ledger: Ledger) -> None:
    run(job, ledger, Crew(kills={"webp": 1}))
    assert (done(job, ledger), errors(job, ledger)) == (12, [])


def test_a_codec_that_always_kills_its_worker_is_error_rows_and_nobody_else_s(job: Job, ledger: Ledger) -> None:
    run(job, ledger, Crew(kills={"webp": 1000}))
    assert done(job, ledger) == 6
    wrong = errors(job, ledger)
    assert {(name, codec) for name, codec, _ in wrong} == {(f"{name}.png", "webp") for name in "abc"}
    assert len(wrong) == 6
    assert all("died 3 times while it ran webp" in why for *_, why in wrong)


def test_a_picture_that_kills_its_reader_is_one_row(job: Job, ledger: Ledger) -> None:
    crew = Crew(kills={"b.png": 1000})
    run(job, ledger, crew)
    ((name, codec, why),) = errors(job, ledger)
    assert (name, codec) == ("b.png", "")
    assert "died 3 times while it read" in why
    assert done(job, ledger) == 8
    assert 1000 - crew.kills["b.png"] == 3


def test_a_broken_picture_is_one_row(job: Job, ledger: Ledger) -> None:
    (job.folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    progress = run(job, ledger, Crew())
    ((name, codec, why),) = errors(job, ledger)
    assert (name, codec) == ("b.png", "")
    assert "PNG" in why
    assert progress[-1].failed == 1


def test_a_picture_that_vanishes_is_one_row(job: Job, ledger: Ledger) -> None:
    flow = Flow(job, ledger, find(job.folder, job.out), lambda _: None)
    pictures = find(job.folder, job.out)
    (job.folder / "b.png").unlink()
    flow.run(Crew(), lambda: False)  # type: ignore[arg-type]
    assert [row["error"] for row in ledger.rows(pictures)["b.png"]] == ["no such file"]


def test_what_needs_all_the_memory_gets_it_alone(job: Job, ledger: Ledger) -> None:
    io.write_png(job.folder / "b.png", Image(photo_like(200, 200)))
    crew = Crew(memory=1_500_000, whole_memory=30_000_000)
    run(job, ledger, crew)
    assert (done(job, ledger), errors(job, ledger)) == (12, [])
    assert sum(name == "load" for name, _ in crew.log) > 3


def test_what_needs_more_memory_than_there_is_says_so(job: Job, ledger: Ledger) -> None:
    io.write_png(job.folder / "b.png", Image(photo_like(200, 200)))
    run(job, ledger, Crew(memory=1_000_000, whole_memory=1_500_000))
    wrong = errors(job, ledger)
    assert {name for name, *_ in wrong} == {"b.png"}
    assert all("memory" in why for *_, why in wrong)


def test_light_has_its_own_score_and_is_kept_as_light(job: Job, ledger: Ledger) -> None:
    light = Image((photo_like(48, 64) / np.float32(32)).astype(np.float32), LINEAR_SRGB)
    io.write(job.folder / "b.exr", light)
    hdr = replace(job, codecs={"jxl": {}, "jpeg": {}}, goals=(Goal("psnr", 30),), save_decoded=True)
    run(hdr, ledger, Crew())
    rows = {(name, row["codec"]): row for name, each in ledger.rows(find(job.folder, job.out)).items() for row in each}
    good = rows["b.exr", "jxl"]
    assert good["log2_psnr"] >= 30
    assert "psnr" not in good
    assert io.read(job.out / good["decoded"]).image.is_float
    assert rows["b.exr", "jpeg"]["status"] == "failed"
    assert rows["a.png", "jpeg"]["psnr"] >= 30
    results = gather(hdr, find(job.folder, job.out), ledger.rows(find(job.folder, job.out)), {})
    assert results.metrics == ("psnr", "log2_psnr")


def test_few_pictures_are_under_way_at_once(job: Job, ledger: Ledger) -> None:
    for index in range(20):
        io.write_png(job.folder / f"more{index}.png", Image(photo_like(8, 8, seed=index)))
    crew = Crew()
    run(job, ledger, crew)
    assert crew.most <= (crew.slots_ + 2) * 3


def test_cancelling_keeps_what_is_done(job: Job, ledger: Ledger) -> None:
    progress: list[Progress] = []
    flow = Flow(job, ledger, find(job.folder, job.out), progress.append)
    with pytest.raises(Cancelled):
        flow.run(Crew(), lambda: len(progress) > 5)  # type: ignore[arg-type]
    kept = done(job, ledger)
    assert 4 <= kept < 12
    run(job, ledger, Crew())
    assert done(job, ledger) == 12


def test_a_lost_scheduler_ends_the_batch_and_costs_no_row(job: Job, ledger: Ledger) -> None:
    flow = Flow(job, ledger, find(job.folder, job.out), lambda _: None)
    with pytest.raises(EngineError, match="connection was lost"):
        flow.run(Crew(gone=True), lambda: False)  # type: ignore[arg-type]
    assert errors(job, ledger) == []
    run(job, ledger, Crew())
    assert done(job, ledger) == 12


def test_a_full_disk_ends_the_batch_and_is_no_row(job: Job, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise EngineError("could not be written: the disk is full")

    monkeypatch.setattr("engine.batch.flow.save", full)
    flow = Flow(job, ledger, find(job.folder, job.out), lambda _: None)
    with pytest.raises(EngineError, match="disk is full"):
        flow.run(Crew(), lambda: False)  # type: ignore[arg-type]
    assert errors(job, ledger) == []

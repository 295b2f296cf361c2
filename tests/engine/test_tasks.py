"""The tasks, run in a worker process with a real codec and in this one with a synthetic one."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from job_listener import Listener, run
from synthetic_codec import SyntheticCodec

from engine import memory, registry, tasks
from engine.codec import Ctx
from engine.errors import LimitExceeded, Unsupported, UsageError
from engine.image import Image
from engine.io import write_png
from engine.jobs import Scheduler, State
from engine.metrics import metric, scores
from engine.store import Blobs
from engine.tasks import (
    Beginning,
    BitsTask,
    CurveTask,
    LoadTask,
    MapTask,
    MeasureTimesTask,
    Solved,
    SolveTask,
    TargetsTask,
    ladder,
    shrink,
    spread,
)
from engine.trial import Runner, Target, TargetKind, Trial, blob_hash
from engine.workers import TaskCtx


@pytest.fixture
def image() -> Image:
    rng = np.random.default_rng(3)
    ramp = np.add.outer(np.arange(96), np.arange(128))[:, :, None] + np.array([0, 15, 30])
    return Image((ramp + rng.normal(0, 4, (96, 128, 3))).clip(0, 255).astype(np.uint8))


@pytest.fixture
def codec(monkeypatch: pytest.MonkeyPatch) -> SyntheticCodec:
    codec = SyntheticCodec()
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    return codec


def emitted(task: Any) -> tuple[Any, list[Any]]:
    values: list[Any] = []
    return task.run(TaskCtx(emit=values.append)), values


def bpp(value: float) -> Target:
    return Target(TargetKind.BPP, value)


def test_a_picture_is_loaded_solved_and_mapped_in_worker_processes(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    write_png(path, image)
    with Scheduler(workers=1) as scheduler:
        loaded = run(scheduler, LoadTask(path)).value
        np.testing.assert_array_equal(loaded.image.pixels, image.pixels)
        listener = Listener()
        scheduler.submit("a", SolveTask(loaded.image, "jpeg", {}, ("psnr", "ssim"), target=bpp(2.0)), listener)
        event = listener.end()
        assert event.state is State.DONE, event.error
        solved: Solved = event.value
        assert solved.result.best.bpp <= 2.0
        assert set(solved.result.best.scores) == {"psnr", "ssim"}
        decoded = registry.codec("jpeg").decode(solved.data, TaskCtx())
        np.testing.assert_array_equal(decoded.pixels, solved.decoded.pixels)
        probes = [e.value for e in listener.events if e.state is State.PARTIAL]
        assert probes[-1] == solved.result.best
        errors = run(scheduler, MapTask(loaded.image, solved.decoded, "psnr")).value
        assert errors.shape == (96, 128)
        failed = run(scheduler, LoadTask(tmp_path / "none.png"))
        assert failed.error == f"{tmp_path / 'none.png'}: no such file"


def test_probes_for_a_rate_are_not_decoded(
    codec: SyntheticCodec, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = codec.decode
    monkeypatch.setattr(codec, "decode", lambda data, ctx: decoded.append(1) or decode(data, ctx))
    solved, trials = emitted(SolveTask(image, "synthetic", target=bpp(1.0)))
    assert len(codec.encodes) > 2
    assert len(decoded) == 1
    assert len(trials) == len(codec.encodes) + 1
    assert "psnr" in solved.result.best.scores


def test_a_known_answer_is_decoded_from_the_store_without_an_encode(
    codec: SyntheticCodec, image: Image, tmp_path: Path
) -> None:
    first, _ = emitted(SolveTask(image, "synthetic", target=bpp(1.0)))
    Blobs(tmp_path).put(first.data)
    codec.encodes.clear()
    task = SolveTask(image, "synthetic", {}, ("mse",), first.result.probes, tmp_path, target=bpp(1.0))
    again, _ = emitted(task)
    assert (codec.encodes, again.result.encodes) == ([], 0)
    assert set(again.result.best.scores) == {"mse"}


def test_an_earlier_answer_is_taken_as_it_is_while_its_file_is_kept(
    image: Image, codec: SyntheticCodec, tmp_path: Path
) -> None:
    solved, _ = emitted(SolveTask(image, "synthetic", blobs=tmp_path, target=bpp(1.0)))
    probe = next(trial for trial in solved.result.probes if trial.bpp < 0.97)
    answer = replace(solved.result, best=probe, probes=(probe,), encodes=0, data=b"", message="as it was")
    task = SolveTask(image, "synthetic", {}, ("psnr",), solved.result.probes, tmp_path, bpp(1.0), answer)
    again, _ = emitted(task)
    assert (again.result.encodes, again.result.best.key, again.result.message) == (0, probe.key, "as it was")
    assert probe.blob == blob_hash(again.data)
    Blobs(tmp_path).path(probe.blob).unlink()
    anew, _ = emitted(task)
    assert anew.result.best.key == solved.result.best.key


def test_without_a_target_the_settings_are_used_as_they_are(codec: SyntheticCodec, image: Image) -> None:
    solved, _ = emitted(SolveTask(image, "synthetic", {"quality": 33}))
    assert codec.encodes == [33]
    assert solved.result.best.settings["quality"] == 33
    assert solved.result.reached


def test_a_curve_begins_with_its_ends_and_skips_what_is_known(codec: SyntheticCodec, image: Image) -> None:
    trials, order = emitted(CurveTask(image, "synthetic", points=7))
    assert list(trials) == order
    assert codec.encodes[:3] == [6, 95, 50]
    assert len(set(codec.encodes)) == 7
    codec.encodes.clear()
    assert emitted(CurveTask(image, "synthetic", known=trials, points=7))[0] == trials
    assert codec.encodes == []


def test_a_new_metric_does_not_encode_again(codec: SyntheticCodec, image: Image, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    trials = []
    for quality in (20, 60):
        solved, _ = emitted(SolveTask(image, "synthetic", {"quality": quality}))
        blobs.put(solved.data)
        trials.append(solved.result.best)
    codec.encodes.clear()
    again, _ = emitted(CurveTask(image, "synthetic", {}, ("psnr", "ssim"), tuple(trials), tmp_path, points=(20, 60)))
    assert codec.encodes == []
    assert all(set(trial.scores) == {"psnr", "ssim"} for trial in again)


def test_later_targets_use_what_the_earlier_ones_found(codec: SyntheticCodec, image: Image) -> None:
    results, _ = emitted(TargetsTask(image, "synthetic", targets=(bpp(0.5), bpp(1.0), bpp(0.001))))
    assert [result.reached for result in results] == [True, True, False]
    assert results[1].encodes <= 4
    assert len(set(codec.encodes)) == len(codec.encodes)
    assert all("psnr" in result.best.scores for result in results)


def test_times_are_medians_without_the_first_run(codec: SyntheticCodec, image: Image) -> None:
    trial: Trial
    trial, _ = emitted(MeasureTimesTask(image, "synthetic", {"quality": 40}, repeats=3))
    assert codec.encodes == [40] * 4
    assert trial.encode_s is not None and trial.encode_s > 0
    assert trial.decode_s is not None and trial.decode_s > 0
    assert not trial.busy


def test_work_beyond_the_memory_limit_is_refused_before_it_begins(
    codec: SyntheticCodec, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "100k")
    with pytest.raises(LimitExceeded, match="Synthetic on this picture needs about"):
        emitted(SolveTask(image, "synthetic", target=bpp(1.0)))
    assert codec.encodes == []


def test_the_memory_limit_of_the_window_holds_in_its_workers(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import memory

    with Scheduler(workers=1) as scheduler:
        monkeypatch.setattr(memory, "_chosen", 100_000)
        event = run(scheduler, SolveTask(image, "jpeg", target=bpp(1.0)))
    assert isinstance(event.value, LimitExceeded)


def test_a_ladder_of_given_values_checks_them(codec: SyntheticCodec) -> None:
    assert [each["quality"] for each in ladder(codec, {"tool": True}, (10, "20", 20))] == [10, 20]
    with pytest.raises(UsageError, match="quality"):
        ladder(codec, {}, (1000,))
    assert len(ladder(SyntheticCodec(param=None), {}, 5)) == 1


@pytest.mark.parametrize("count", range(1, 12))
def test_spreading_keeps_every_item(count: int) -> None:
    items: list[dict[str, Any]] = [{"q": index} for index in range(count)]
    assert sorted(each["q"] for each in spread(items)) == list(range(count))


def test_the_first_run_is_not_counted_among_the_times(codec: SyntheticCodec, image: Image) -> None:
    encode, calls = codec.encode, itertools.count()

    def slow_at_first(*args: Any) -> Any:
        if next(calls) == 0:
            time.sleep(0.2)
        return encode(*args)

    codec.encode = slow_at_first  # type: ignore[method-assign]
    trial, _ = emitted(MeasureTimesTask(image, "synthetic", {"quality": 40}, repeats=1))
    assert trial.encode_s is not None and trial.encode_s < 0.1


@pytest.mark.parametrize("turn", [0, 1], ids=["while encoding", "while decoding"])
def test_a_time_is_marked_when_other_jobs_ran_in_either_half(codec: SyntheticCodec, image: Image, turn: int) -> None:
    # Asked before and after each of the two: what came before the work says nothing about it.
    answers = iter([True, turn == 0, True, turn == 1])
    ctx = TaskCtx(busy=lambda: next(answers))
    runner = Runner(codec, image)
    assert runner.finish(runner.encode({}, ctx), (), ctx).trial.busy


def test_work_before_the_clock_starts_does_not_mark_the_time(codec: SyntheticCodec, image: Image) -> None:
    answers = iter([True, False, True, False])
    ctx = TaskCtx(busy=lambda: next(answers))
    runner = Runner(codec, image)
    assert not runner.finish(runner.encode({}, ctx), (), ctx).trial.busy


@pytest.mark.parametrize(
    ("shape", "shrunk"), [((40, 60), (40, 60)), ((200, 400), (64, 128)), ((3, 4000), (1, 128)), ((4000, 3), (128, 1))]
)
def test_a_thumbnail_keeps_its_shape_and_never_vanishes(shape: tuple[int, int], shrunk: tuple[int, int]) -> None:
    assert shrink(np.zeros((*shape, 3), np.uint8), 128).shape == (*shrunk, 3)


def test_an_encode_of_a_codec_with_one_rate_is_not_repeated(monkeypatch: pytest.MonkeyPatch, image: Image) -> None:
    codec = SyntheticCodec(param=None)
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    results, _ = emitted(TargetsTask(image, "synthetic", targets=(bpp(9.0), bpp(0.01))))
    assert [result.reached for result in results] == [True, False]
    assert len(codec.encodes) == 1


def test_of_a_large_picture_the_decoded_picture_comes_before_its_scores(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "EARLY_PIXELS", 96 * 128 - 1)
    solved, heard = emitted(SolveTask(image, "jpeg", {}, ("psnr", "ssim"), target=bpp(3.0)))
    (early,) = [each for each in heard if isinstance(each, Solved)]
    assert set(early.result.best.scores) == {"psnr"}
    assert set(solved.result.best.scores) == {"psnr", "ssim"}
    assert early.data == solved.data
    np.testing.assert_array_equal(early.decoded.pixels, solved.decoded.pixels)


def test_of_a_large_picture_a_coarser_one_comes_before_all_where_the_file_begins_with_it(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "EARLY_PIXELS", 96 * 128 - 1)
    solved, heard = emitted(SolveTask(image, "wavelet", {}, ("psnr",), target=bpp(3.0)))
    kinds = [type(each) for each in heard]
    assert (kinds.count(Beginning), kinds.count(Solved)) == (1, 1)
    assert kinds.index(Beginning) < kinds.index(Solved)
    coarse = scores(image, heard[kinds.index(Beginning)].decoded, ("psnr",), Ctx())["psnr"]
    assert 15 < coarse < solved.result.best.scores["psnr"] - 3
    monkeypatch.setattr(tasks, "EARLY_PIXELS", 96 * 128)
    assert not any(
        isinstance(each, Beginning) for each in emitted(SolveTask(image, "wavelet", {}, ("psnr",), target=bpp(3.0)))[1]
    )


def progress_of(task: Any) -> list[float]:
    seen: list[float] = []
    task.run(TaskCtx(progress=seen.append))
    return seen


def test_tasks_say_how_far_they_are(codec: SyntheticCodec, image: Image) -> None:
    assert progress_of(CurveTask(image, "synthetic", points=(20, 40, 60, 80))) == [0.25, 0.5, 0.75, 1.0]
    targets = progress_of(TargetsTask(image, "synthetic", targets=(bpp(1.0), bpp(2.0))))
    assert targets[-1] == 1.0 and 0.5 in targets
    measured = progress_of(MeasureTimesTask(image, "synthetic", repeats=3))
    assert measured == [0.25, 0.5, 0.75, 1.0]


def test_times_are_measured_five_times_unless_told_otherwise(codec: SyntheticCodec, image: Image) -> None:
    MeasureTimesTask(image, "synthetic").run(TaskCtx())
    assert len(codec.encodes) == 1 + 5


@pytest.mark.parametrize(
    ("points", "values"),
    [(1, [6]), (2, [6, 95]), (3, [6, 50, 95]), (5, [6, 28, 50, 73, 95]), ((30, "10", 30), [30, 10])],
)
def test_a_ladder_leaves_both_ends_of_a_knob_out(codec: SyntheticCodec, points: Any, values: list[int]) -> None:
    rungs = ladder(codec, {"tool": "yes"}, points)
    assert [each["quality"] for each in rungs] == values
    assert all(each["tool"] is True for each in rungs)


def test_a_codec_of_one_rate_has_one_rung() -> None:
    assert ladder(SyntheticCodec(param=None), {}, 9) == [{"tool": False}]


@pytest.mark.parametrize(
    ("count", "order"),
    [(1, [0]), (2, [0, 1]), (3, [0, 2, 1]), (4, [0, 3, 1, 2]), (5, [0, 4, 2, 1, 3]), (8, [0, 7, 3, 1, 5, 2, 4, 6])],
)
def test_the_ends_come_first_then_the_middle_of_each_gap(count: int, order: list[int]) -> None:
    assert [each["n"] for each in spread([{"n": n} for n in range(count)])] == order


def test_tasks_say_what_they_are(image: Image, tmp_path: Path) -> None:
    names = [
        LoadTask(tmp_path / "a.png").what,
        tasks.ThumbnailTask(tmp_path / "a.png").what,
        CurveTask(image, "jpeg").what,
        MapTask(image, image, "psnr").what,
        tasks.ChartTask(None, tmp_path / "f.svg").what,  # type: ignore[arg-type]
    ]
    assert names == [
        "the reader of a.png",
        "the reader of a.png",
        "the jpeg codec",
        "the psnr map",
        "the drawing of f.svg",
    ]


def test_a_task_takes_what_its_dearer_half_takes(image: Image) -> None:
    encode = memory.encode_estimate(registry.codec("jpeg").info, image)
    flip = memory.metric_estimate([metric("flip").info], image)
    assert flip > encode > memory.metric_estimate([], image)
    assert CurveTask(image, "jpeg", metrics=()).memory == encode
    assert CurveTask(image, "jpeg", metrics=("psnr", "flip")).memory == flip
    assert MapTask(image, image, "flip").memory == flip


def test_a_thumbnail_says_what_the_picture_is(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    deep = np.random.default_rng(1).integers(0, 1024, (200, 300, 3)).astype(np.uint16)
    write_png(path, Image(deep, bits=10))
    small = tasks.ThumbnailTask(path).run(TaskCtx())
    assert small.pixels.shape == (85, 128, 3)
    assert (small.size, small.bits, small.colour, small.notes, small.format) == ((300, 200), 10, "sRGB", (), "PNG")


def test_a_solution_without_a_target_took_one_encode(codec: SyntheticCodec, image: Image) -> None:
    solved, _ = emitted(SolveTask(image, "synthetic", {"quality": 33}))
    assert (solved.result.encodes, solved.result.probes, solved.data) == (1, (solved.result.best,), solved.result.data)
    assert solved.notes == ()


def test_a_picture_that_is_not_large_is_given_once_with_all_its_scores(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.EARLY_PIXELS == 2_000_000
    monkeypatch.setattr(tasks, "EARLY_PIXELS", 96 * 128)
    _, heard = emitted(SolveTask(image, "jpeg", {}, ("psnr",), target=bpp(3.0)))
    assert not [each for each in heard if isinstance(each, Solved)]


def test_bits_are_told_of_a_file_alone() -> None:
    image = Image(np.random.default_rng(3).integers(0, 256, (40, 56, 3), np.uint8))
    data = registry.codec("dct").encode(image, {}, Ctx()).data
    task = BitsTask("dct", data, image.pixels.size)
    found, _ = emitted(task)
    assert found.bits.shape == (40, 56)
    assert found.bits.sum() / 8 + found.apart_bytes == pytest.approx(len(data), rel=0.02)
    assert task.memory == memory.decode_estimate(registry.codec("dct").info, image.pixels.size)
    assert task.what == "the bits of the dct file"


def test_a_codec_that_cannot_tell_of_its_bits_is_a_plain_failure() -> None:
    with pytest.raises(Unsupported, match="WebP cannot tell"):
        BitsTask("webp", b"", 1).run(TaskCtx())

"""Decode passports: exact, close and broken; what a fresh process does and does not know; what the store keeps."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.codec import Ctx
from engine.codecs import process
from engine.errors import Cancelled, EngineError
from engine.image import Image, Meaning
from engine.passport import LEVEL, STOP, Passport, Verdict, fresh
from engine.passport.compare import Claim, Record, difference, judge, judge_record
from engine.passport.fresh import Fresh, decode_fresh, other_threads
from engine.passport.task import PassportTask, passport_of
from engine.store import RunStore
from engine.trial import Run, run_trial
from engine.workers import TaskCtx
from tests.pictures import photo_like

PICTURE = Image(photo_like(24, 40))
LIGHT = Image(np.linspace(0, 40, 24 * 40 * 3, dtype=np.float32).reshape(24, 40, 3))


@pytest.fixture(scope="module")
def run() -> Run:
    return run_trial(registry.codec("wavelet"), PICTURE, {"quality": 60}, (), Ctx())


def decoded(image: Image, symbols: str | None = None) -> Fresh:
    return Fresh(image, symbols, "", 2, 0.5)


def moved(image: Image, by: float) -> Image:
    """One sample moved by so much."""
    pixels = image.pixels.copy()
    pixels[5, 7, 1] += pixels.dtype.type(by)
    return image.with_pixels(pixels)


# --- Verdicts


def test_equal_pixels_and_symbols_are_exact() -> None:
    passport = judge(Claim(PICTURE, "1a2b3c4d", 1), decoded(PICTURE, "1a2b3c4d"))
    assert (passport.verdict, passport.difference, passport.differing) == (Verdict.EXACT, 0, 0)
    assert passport.short == "bit-exact" and passport.threads == (1, 2)
    assert "2 threads" in passport.words and "1a2b3c4d" in passport.words


def test_a_level_of_difference_is_close_and_counted() -> None:
    passport = judge(Claim(PICTURE), decoded(moved(PICTURE, 1)))
    assert (passport.verdict, passport.difference, passport.differing) == (Verdict.CLOSE, 1, 1)
    assert (passport.short, passport.unit) == ("close ±1", LEVEL)
    assert "1 level at most, in 1 of 2,880 samples" in passport.words


def test_what_counts_as_close_can_be_chosen() -> None:
    assert judge(Claim(PICTURE), decoded(moved(PICTURE, 3)), within=4).verdict is Verdict.CLOSE
    assert judge(Claim(PICTURE), decoded(moved(PICTURE, 1)), within=0).verdict is Verdict.BROKEN


def test_more_than_a_level_is_broken() -> None:
    passport = judge(Claim(PICTURE), decoded(moved(PICTURE, 2)))
    assert passport.verdict is Verdict.BROKEN and passport.difference == 2
    assert "up to 2 levels" in passport.reason


def test_light_is_compared_in_stops() -> None:
    dim = LIGHT.pixels[5, 7, 1]
    passport = judge(Claim(LIGHT), decoded(moved(LIGHT, dim * 1e-4)))
    assert (passport.verdict, passport.unit) == (Verdict.CLOSE, STOP)
    assert passport.difference == pytest.approx(np.log2(1.0001), rel=0.05)
    assert passport.short == "close ±0.00014 stops"
    assert judge(Claim(LIGHT), decoded(moved(LIGHT, dim * 1e-2))).verdict is Verdict.BROKEN


def test_what_is_no_number_on_one_side_alone_is_broken() -> None:
    holed = moved(LIGHT, np.nan)
    assert judge(Claim(holed), decoded(holed)).verdict is Verdict.EXACT
    assert judge(Claim(LIGHT), decoded(holed)).verdict is Verdict.BROKEN
    assert difference(LIGHT.pixels, holed.pixels).largest == np.inf


def test_other_symbols_are_broken_whatever_the_pixels_are() -> None:
    passport = judge(Claim(PICTURE, "1a2b3c4d"), decoded(PICTURE, "00000000"))
    assert passport.verdict is Verdict.BROKEN
    assert "00000000" in passport.reason and "1a2b3c4d" in passport.reason


def test_another_size_is_broken() -> None:
    passport = judge(Claim(PICTURE), decoded(Image(PICTURE.pixels[:-1])))
    assert passport.verdict is Verdict.BROKEN and "40×23" in passport.reason and "40×24" in passport.reason


def test_a_map_that_was_coded_plane_by_plane_is_put_together_before() -> None:
    whole = replace(PICTURE, data=Meaning.DIRECTION)
    planes = Image(PICTURE.pixels.transpose(2, 0, 1).reshape(-1, 40, 1).copy())
    assert judge(Claim(whole), decoded(planes)).verdict is Verdict.EXACT


def test_digests_tell_other_pixels_and_other_symbols() -> None:
    noted = Record(PICTURE.digest, "1a2b3c4d")
    assert judge_record(noted, decoded(PICTURE, "1a2b3c4d")).verdict is Verdict.EXACT
    assert judge_record(noted, decoded(moved(PICTURE, 1), "1a2b3c4d")).verdict is Verdict.BROKEN
    assert "symbols" in judge_record(noted, decoded(PICTURE, "00000000")).reason


def test_a_passport_survives_json() -> None:
    passport = judge(Claim(LIGHT, "1a2b3c4d", 1), decoded(moved(LIGHT, 1e-4), "1a2b3c4d"))
    assert Passport.from_json(json.loads(json.dumps(passport.to_json()))) == passport


# --- Fresh processes


def test_a_fresh_process_knows_nothing_of_this_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "codec", None)  # whatever this process believes
    made = decode_fresh(run.data, "wavelet", 2, Ctx(), room=2**20)
    assert made.error == "" and made.threads == 2
    assert run.decoded is not None and made.image is not None
    assert np.array_equal(made.image.pixels, run.decoded.pixels) and made.image.color == run.decoded.color


def test_a_whole_file_is_exact_and_a_damaged_one_broken(run: Run, tmp_path: Path) -> None:
    passport = passport_of(run, Ctx(threads=2))
    assert (passport.verdict, passport.threads) == (Verdict.EXACT, (2, 1))
    kept = tmp_path / "kept"
    kept.write_bytes(run.data[:-9] + bytes(9))
    assert run.decoded is not None
    broken = PassportTask("wavelet", run.data, run.decoded, None, kept).run(TaskCtx())
    assert broken.verdict is Verdict.BROKEN and "damaged" in broken.reason


def test_a_stored_file_that_changed_without_a_trace_is_broken(run: Run, tmp_path: Path) -> None:
    """libjpeg decodes a file with one more byte behind it to the same pixels."""
    other = run_trial(registry.codec("jpeg"), PICTURE, {}, (), Ctx())
    kept = tmp_path / "kept"
    kept.write_bytes(other.data + b"\0")
    assert other.decoded is not None
    broken = PassportTask("jpeg", other.data, other.decoded, None, kept).run(TaskCtx())
    assert broken.verdict is Verdict.BROKEN and "changed since" in broken.reason


def test_giving_up_ends_the_process(run: Run) -> None:
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        decode_fresh(run.data, "wavelet", 1, Ctx(cancel=lambda: True), room=2**20)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("stopped", "broken"),
    [
        (process.Stopped("it was ended by SIGSEGV", signal=11), True),
        (process.Stopped("it wrote more than 1 MiB", by_us=True), True),
        (process.Stopped("it was ended by SIGKILL", signal=9), False),
        (process.Stopped("it took longer than 600 s", by_us=True, timed_out=True), False),
        (process.Stopped("it ended with code 1: no module named engine"), False),
    ],
)
def test_only_what_lies_in_the_file_is_held_against_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, stopped: process.Stopped, broken: bool
) -> None:
    def stop(*_: object) -> float:
        raise stopped

    monkeypatch.setattr(fresh.process, "run", stop)
    if broken:
        made = decode_fresh(run.data, "wavelet", 1, Ctx(), room=2**20)
        assert made.image is None and str(stopped) in made.error
    else:
        with pytest.raises(EngineError, match=str(stopped)):
            decode_fresh(run.data, "wavelet", 1, Ctx(), room=2**20)


def test_the_fresh_process_has_another_number_of_threads() -> None:
    assert all(other_threads(threads) != threads for threads in range(1, 9))


# --- The store


def test_the_store_keeps_the_latest_passport(run: Run, tmp_path: Path) -> None:
    passport = judge(Claim(PICTURE), decoded(moved(PICTURE, 1)))
    with RunStore(tmp_path) as store:
        store.record(run.trial)
        found = store.find(run.trial.key)
        assert found is not None and found.passport is None
        store.record_passport(run.trial, passport.broken("a reason"))
        store.record_passport(run.trial, passport)
    with RunStore(tmp_path) as store:
        found = store.find(run.trial.key)
        assert found is not None and found.passport == passport


def test_a_passport_does_not_speak_for_another_version_of_what_decodes(run: Run, tmp_path: Path) -> None:
    passport = replace(judge(Claim(PICTURE), decoded(PICTURE)), made_with="torch 1.0")
    with RunStore(tmp_path) as store:
        store.record_passport(run.trial, passport)
        found = store.find(run.trial.key)
        assert found is not None and found.passport is None

"""What names an encode, what a rate is, and what a run remembers."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_codec import SyntheticCodec

from engine.codec import Ctx
from engine.errors import Cancelled, CodecUnavailable, LimitExceeded
from engine.image import Image
from engine.trial import (
    EncodeKey,
    RateResult,
    Runner,
    Target,
    TargetKind,
    Trial,
    bits_per_pixel,
    blob_hash,
    canonical,
    db_metric,
    run_trial,
)

IMAGE = Image(np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8))


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target(TargetKind.BPP, 0.5), "0.5 bpp"),
        (Target(TargetKind.PSNR, 34.25), "34.25 dB"),
        (Target(TargetKind.BYTES, 12_345.0), "12345 bytes"),
    ],
)
def test_a_target_is_said_in_its_unit(target: Target, text: str) -> None:
    assert str(target) == text


def test_equal_settings_have_one_name() -> None:
    assert canonical({"b": 1, "a": [True, "x"]}) == canonical({"a": [True, "x"], "b": 1}) == '{"a":[true,"x"],"b":1}'


def test_a_rate_is_in_bits_per_pixel_of_the_picture() -> None:
    assert bits_per_pixel(75, IMAGE) == 1.0


def test_a_file_is_named_by_its_blake2b() -> None:
    assert blob_hash(b"") == "cae66941d9efbd404e4d88758ea67670"


def test_an_encode_is_named_by_picture_codec_version_and_all_settings() -> None:
    key = Runner(SyntheticCodec(), IMAGE).key({"quality": 7})
    assert key == EncodeKey(IMAGE.digest, "synthetic", "synthetic 1", '{"quality":7,"tool":false}')


def test_a_run_remembers_size_rate_time_and_figures() -> None:
    codec = SyntheticCodec()
    run = Runner(codec, IMAGE).encode({"quality": 50}, Ctx())
    trial = run.trial
    assert (trial.size, trial.blob) == (len(run.data), blob_hash(run.data))
    assert trial.bpp == 8 * len(run.data) / 600
    assert trial.settings == {"quality": 50, "tool": False}
    assert trial.encode_s is not None and 0 <= trial.encode_s < 5
    assert (trial.decode_s, trial.scores, run.decoded, set(trial.stats)) == (None, {}, None, {"step", "vram_bytes"})


def test_a_finished_run_has_its_scores_and_both_times() -> None:
    run = run_trial(SyntheticCodec(), IMAGE, {"quality": 50}, ("psnr", "mse"), Ctx())
    assert set(run.trial.scores) == {"psnr", "mse"}
    assert run.trial.decode_s is not None and run.decoded is not None


def test_a_score_that_is_known_is_kept_and_not_measured_again() -> None:
    runner = Runner(SyntheticCodec(), IMAGE)
    run = runner.finish(runner.encode({}, Ctx()), ("psnr",), Ctx())
    known = Trial(run.trial.key, run.trial.size, run.trial.bpp, scores={"psnr": -1.0})
    again = runner.score(type(run)(known, run.data, run.decoded), ("psnr", "mse"), Ctx())
    assert again.trial.scores["psnr"] == -1.0
    assert again.trial.scores["mse"] > 0


def test_neither_encode_nor_decode_begins_once_cancelled() -> None:
    codec = SyntheticCodec()
    runner = Runner(codec, IMAGE)
    run = runner.encode({}, Ctx())
    codec.encodes.clear()
    for work in (lambda ctx: runner.encode({}, ctx), lambda ctx: runner.decode(run, ctx)):
        with pytest.raises(Cancelled):
            work(Ctx(cancel=lambda: True))
    assert codec.encodes == []


def test_a_picture_too_large_for_the_memory_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 3 * 1800 + 4 * 1800  # the synthetic codec takes 4 bytes a sample
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", str(needed))
    Runner(SyntheticCodec(), IMAGE)
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", str(needed - 1))
    with pytest.raises(LimitExceeded, match=r"^Synthetic on this picture needs about 12\.3 KiB"):
        Runner(SyntheticCodec(), IMAGE)


def test_a_codec_that_cannot_run_says_why() -> None:
    with pytest.raises(CodecUnavailable, match=r"^Synthetic cannot be used: no library$"):
        Runner(SyntheticCodec(reason="no library"), IMAGE)


def test_records_cannot_be_changed() -> None:
    trial = Trial(EncodeKey("a", "b", "c", "{}"), 1, 1.0)
    for fixed, name in (
        (trial, "size"),
        (trial.key, "image"),
        (Target(TargetKind.BPP, 1.0), "value"),
        (RateResult(trial, (), True, 0), "reached"),
    ):
        with pytest.raises(AttributeError):
            setattr(fixed, name, 2)
    assert len({trial.key, EncodeKey("a", "b", "c", "{}")}) == 1


@pytest.mark.parametrize(
    ("scores", "db"),
    [({"psnr": 30.0}, 30.0), ({"log2_psnr": 20.0, "mse": 1.0}, 20.0), ({"ssim": 0.9}, None), ({}, None)],
)
def test_a_target_in_db_means_psnr_or_that_of_light(scores: dict[str, float], db: float | None) -> None:
    assert Trial(EncodeKey("a", "b", "c", "{}"), 1, 1.0, scores=scores).db == db
    light = Image(np.zeros((1, 1, 3), np.float32))
    assert (db_metric(IMAGE), db_metric(light)) == ("psnr", "log2_psnr")

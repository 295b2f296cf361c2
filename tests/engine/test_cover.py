"""Curves over a range of quality: both ends are passed, no gap is wide, and what is known costs nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from synthetic_codec import QUALITY, STEP, SyntheticCodec, exponential, inverse

from engine import registry
from engine.bd import MIN_POINTS
from engine.codec import Kind, Param, Role
from engine.cover import MAX_ENCODES, Cover, CoverTask
from engine.image import Image
from engine.trial import Trial
from engine.workers import TaskCtx

COVER = Cover(25.0, 40.0, 4.0)
CHOICE = Param("block", Kind.CHOICE, "60", choices=("20", "60", "70"), role=Role.RATE, better=1)


@pytest.fixture
def image() -> Image:
    return Image(np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8))


def covered(
    codec: SyntheticCodec, image: Image, monkeypatch: pytest.MonkeyPatch, known: tuple[Trial, ...] = (), **wish: Any
) -> tuple[Trial, ...]:
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    seen: list[Trial] = []
    task = CoverTask(image, "synthetic", wish.get("settings", {}), ("psnr",), known, None, wish.get("cover", COVER))
    made = task.run(TaskCtx(emit=seen.append))
    assert {trial.key for trial in seen} == {trial.key for trial in made}
    return made


@pytest.mark.parametrize(("param", "bpp"), [(QUALITY, exponential), (STEP, inverse)])
def test_the_range_is_covered_without_a_wide_gap(
    param: Param, bpp: Any, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = SyntheticCodec(param, bpp)
    dbs = [trial.scores["psnr"] for trial in covered(codec, image, monkeypatch)]
    assert dbs == sorted(dbs) and dbs[0] <= COVER.lo and dbs[-1] >= COVER.hi
    assert all(high - low <= COVER.gap for low, high in pairwise(dbs) if low < COVER.hi and high > COVER.lo)
    assert len(codec.encodes) == len(dbs) <= 9


def test_what_covers_the_range_is_not_run_again(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SyntheticCodec()
    first = covered(codec, image, monkeypatch)
    codec.encodes.clear()
    assert covered(codec, image, monkeypatch, first) == first and not codec.encodes
    covered(codec, image, monkeypatch, first, settings={"tool": True})
    assert codec.encodes, "another curve"


def test_a_range_beyond_the_knob_is_covered_as_far_as_it_goes(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SyntheticCodec()
    made = covered(codec, image, monkeypatch, cover=Cover(5.0, 90.0, 10.0))
    assert {made[0].settings["quality"], made[-1].settings["quality"]} == {1, 100}
    assert MIN_POINTS <= len(made) <= MAX_ENCODES


def test_few_choices_are_all_tried(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SyntheticCodec(CHOICE, lambda value: exponential(float(value)))
    assert len(covered(codec, image, monkeypatch, cover=Cover(5.0, 90.0, 10.0))) == len(CHOICE.choices)


def test_a_codec_of_one_rate_is_one_point_encoded_once(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SyntheticCodec(None)
    only = covered(codec, image, monkeypatch)
    assert len(only) == 1 and covered(codec, image, monkeypatch, only) == only and len(codec.encodes) == 1

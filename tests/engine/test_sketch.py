"""The curve for the eye: where the next point goes, and what is not run twice."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_codec import QUALITY, SyntheticCodec, exponential

from engine import registry
from engine.image import Image
from engine.sketch import NEAR, SketchTask, guess
from engine.store import Blobs
from engine.trial import Trial
from engine.workers import TaskCtx

RATES = (1.0, 0.2, 4.0)
SPAN = 4.0  # ln of the largest by the smallest rate


@pytest.fixture
def image() -> Image:
    return Image(np.random.default_rng(3).integers(0, 256, (96, 128, 3), np.uint8))


@pytest.fixture
def codec(monkeypatch: pytest.MonkeyPatch) -> SyntheticCodec:
    codec = SyntheticCodec()
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    return codec


def emitted(task: SketchTask) -> tuple[tuple[Trial, ...], list[Any]]:
    values: list[Any] = []
    return task.run(TaskCtx(emit=values.append)), values


def test_without_points_the_middle_is_tried() -> None:
    assert guess([], 1.0, SPAN) == 0.5


def test_one_point_is_left_along_a_typical_slope() -> None:
    assert guess([(0.5, 1.0)], math.e, SPAN) == pytest.approx(0.75)
    assert guess([(0.5, 1.0)], 1 / math.e, SPAN) == pytest.approx(0.25)


def test_between_points_and_beyond_them_lines_go_on() -> None:
    line = [(position, math.exp(5 * position)) for position in (0.4, 0.5, 0.6)]
    for wanted in (0.2, 0.3, 0.45, 0.55, 0.7, 0.9):
        assert guess(line, math.exp(5 * wanted), SPAN) == pytest.approx(wanted)
    assert guess(line, math.exp(-9), SPAN) == 0.0
    assert guess(line, math.exp(9), SPAN) == 1.0


def test_beyond_an_end_a_bent_curve_goes_on_from_that_end() -> None:
    bent = [(0.2, 0.1), (0.5, 1.0), (0.8, 2.0)]
    assert guess(bent, 0.09, SPAN) == pytest.approx(0.2, abs=0.03)
    assert guess(bent, 2.2, SPAN) == pytest.approx(0.8, abs=0.03)


def test_beyond_a_flat_curve_each_end_goes_its_own_way() -> None:
    flat = [(0.3, 1.0), (0.7, 1.0)]
    assert guess(flat, 0.9, 4.0) == pytest.approx(0.3, abs=0.03)
    assert guess(flat, 1.1, 4.0) == pytest.approx(0.7, abs=0.03)


def test_each_rate_costs_one_encode(codec: SyntheticCodec, image: Image) -> None:
    trials, order = emitted(SketchTask(image, "synthetic", rates=RATES))
    assert list(trials) == order
    assert len(codec.encodes) == len(RATES)
    assert all("psnr" in trial.scores for trial in trials)
    for rate, trial in list(zip(RATES, trials, strict=True))[1:]:
        assert abs(math.log(trial.bpp / rate)) < 1.0


def test_what_is_known_near_a_rate_stands_for_it(codec: SyntheticCodec, image: Image) -> None:
    known, _ = emitted(SketchTask(image, "synthetic", rates=RATES))
    codec.encodes.clear()
    again = SketchTask(image, "synthetic", known=known, rates=tuple(t.bpp * math.exp(NEAR / 2) for t in known))
    assert emitted(again)[0] == ()
    assert codec.encodes == []


def test_known_points_without_a_score_get_it(codec: SyntheticCodec, image: Image) -> None:
    known, _ = emitted(SketchTask(image, "synthetic", metrics=(), rates=RATES))
    scored, _ = emitted(SketchTask(image, "synthetic", known=known, rates=tuple(trial.bpp for trial in known)))
    assert [trial.key for trial in scored] == [trial.key for trial in known]
    assert all("psnr" in trial.scores for trial in scored)


def test_a_codec_of_one_rate_is_one_point(monkeypatch: pytest.MonkeyPatch, image: Image) -> None:
    codec = SyntheticCodec(param=None, bpp=exponential)
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    trials, _ = emitted(SketchTask(image, "synthetic", rates=RATES))
    assert len(trials) == 1
    again, _ = emitted(SketchTask(image, "synthetic", known=trials, rates=RATES))
    assert [trial.key for trial in again] == [trials[0].key]


def test_the_first_point_is_where_a_typical_picture_takes_the_rate(
    monkeypatch: pytest.MonkeyPatch, image: Image
) -> None:
    typical = tuple(1.3 * exponential(1 + 99 * i / 8) for i in range(9))
    codec = SyntheticCodec(replace(QUALITY, typical_bpp=typical))
    monkeypatch.setattr(registry, "codec", lambda _codec_id: codec)
    (trial,), _ = emitted(SketchTask(image, "synthetic", rates=(4.0,)))
    assert abs(math.log(1.3 * trial.bpp / 4.0)) < 0.05


def test_the_files_of_a_sketch_are_kept_and_serve_a_new_metric(
    codec: SyntheticCodec, image: Image, tmp_path: Path
) -> None:
    known, _ = emitted(SketchTask(image, "synthetic", blobs=tmp_path, rates=RATES))
    assert all(trial.blob and len(Blobs(tmp_path).get(trial.blob) or b"") == trial.size for trial in known)
    codec.encodes.clear()
    scored, _ = emitted(SketchTask(image, "synthetic", {}, ("psnr", "mse"), known, tmp_path))
    assert [set(trial.scores) for trial in scored] == [{"psnr", "mse"}] * len(RATES)
    assert codec.encodes == []

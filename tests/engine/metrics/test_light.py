"""Metrics of floating-point pictures against values worked out by hand and against the evaluator itself."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from engine.color import LINEAR_SRGB, ColorSpec
from engine.image import Image, Meaning
from engine.importance import of_mask
from engine.metrics import error_map, metric, metric_ids, refusal, scores
from engine.metrics.align import align
from engine.metrics.hdr_flip import exposures

RNG = np.random.default_rng(11)


def light(pixels: np.ndarray, mask: np.ndarray | None = None, color: ColorSpec = LINEAR_SRGB) -> Image:
    return Image(np.asarray(pixels, np.float32), color, mask=mask)


def scene(height: int = 40, width: int = 48) -> np.ndarray:
    """Light of some ten stops with edges: dark left, bright right."""
    x = np.linspace(-6, 4, width)
    return (2.0 ** (x + RNG.normal(0, 0.2, (height, width)))[:, :, None] * [1.0, 0.8, 0.6]).astype(np.float32)


# --- log2-PSNR ----------------------------------------------------------------------------------


def test_twice_the_light_is_one_stop_of_error_under_a_peak_of_sixteen() -> None:
    ref = np.full((4, 5, 3), 1.0)
    got = scores(light(ref), light(2 * ref + 2.0**-10), ["log2_psnr"])["log2_psnr"]
    assert got == pytest.approx(20 * math.log10(16), abs=1e-4)


def test_log2_psnr_is_the_formula_over_all_channels() -> None:
    ref, img = scene(), scene()
    error = np.log2(ref.astype(float) + 1 / 1024) - np.log2(img.astype(float) + 1 / 1024)
    want = 10 * math.log10(256 / np.mean(error**2))
    assert scores(light(ref), light(img), ["log2_psnr"])["log2_psnr"] == pytest.approx(want, rel=1e-9)
    assert error_map(light(ref), light(img), "log2_psnr") == pytest.approx(
        np.sqrt(np.mean(error**2, axis=2)).astype(np.float32), rel=1e-5
    )


def test_equal_light_has_infinite_log2_psnr() -> None:
    assert scores(light(scene()), light(scene() * 0), ["log2_psnr"])["log2_psnr"] < 20
    same = light(scene())
    assert scores(same, same, ["log2_psnr"]) == {"log2_psnr": math.inf}


def test_what_lies_outside_of_the_mask_changes_neither_score_nor_map() -> None:
    mask = np.zeros((40, 48), bool)
    mask[8:30, 5:20] = True
    ref, img = scene(), scene()
    other = np.where(mask[:, :, None], img, 100.0)
    for name in ("log2_psnr", "hdr_flip", "pu21_psnr", "mpsnr", "rel_p50", "rel_p99", "rel_max", "banding"):
        assert scores(light(ref, mask), light(img), [name]) == scores(light(ref, mask), light(other), [name])
        errors = error_map(light(ref, mask), light(other), name)
        assert not errors[~mask].any()
        assert errors[mask].any() or name == "banding"


def test_a_large_picture_scores_in_strips_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    ref, img = light(scene()), light(scene())
    whole = scores(ref, img, ["log2_psnr"])
    monkeypatch.setattr(sys.modules["engine.metrics.align"], "_STRIP_SAMPLES", 400)
    assert scores(ref, img, ["log2_psnr"])["log2_psnr"] == pytest.approx(whole["log2_psnr"])


# --- HDR-FLIP -----------------------------------------------------------------------------------


def test_exposures_of_a_full_picture_are_those_of_the_evaluator() -> None:
    from flip_evaluator import evaluate

    pixels = scene()
    _, _, want = evaluate(pixels, pixels, "HDR", applyMagma=False)
    got = exposures(light(pixels))
    assert (got.start, got.stop) == pytest.approx((want["startExposure"], want["stopExposure"]), abs=1e-3)
    assert got.count == want["numExposures"]


def test_hdr_flip_is_that_of_the_evaluator() -> None:
    from flip_evaluator import evaluate

    ref, img = scene(), scene()
    errors, mean, _ = evaluate(ref, img, "HDR", applyMagma=False)
    assert scores(light(ref), light(img), ["hdr_flip"])["hdr_flip"] == pytest.approx(mean, rel=1e-4)
    assert error_map(light(ref), light(img), "hdr_flip") == pytest.approx(errors[:, :, 0], abs=1e-4)


def test_a_half_empty_atlas_has_the_exposures_of_its_charts() -> None:
    pixels = scene()
    atlas = np.concatenate([pixels, np.zeros_like(pixels), np.zeros_like(pixels)])
    assert exposures(light(atlas)) == exposures(light(pixels))


def test_a_black_picture_has_a_score() -> None:
    black = light(np.zeros((20, 20, 3)))
    assert scores(black, black, ["hdr_flip"]) == {"hdr_flip": 0.0}
    assert scores(black, light(np.full((20, 20, 3), 1.0)), ["hdr_flip"])["hdr_flip"] > 0.5


def test_the_candidate_has_no_say_in_the_exposures() -> None:
    ref = light(scene())
    first, _ = align(ref, light(scene() * 50))
    second, _ = align(ref, light(scene() / 50))
    assert exposures(first) == exposures(second)


def test_hdr_flip_runs_over_strips_with_the_margin_of_its_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    ref, img = light(scene(160)), light(scene(160))
    whole = error_map(ref, img, "hdr_flip")
    monkeypatch.setattr("engine.metrics.hdr_flip._STRIP_PIXELS", 64 * 48)
    assert error_map(ref, img, "hdr_flip") == pytest.approx(whole, abs=1e-5)


def test_hdr_flip_takes_wide_primaries_to_linear_srgb() -> None:
    wide = ColorSpec(12, 8)
    grey = np.repeat(scene()[:, :, :1], 3, axis=2)
    shifted = grey * 1.3
    assert scores(light(grey, color=wide), light(shifted, color=wide), ["hdr_flip"])["hdr_flip"] == pytest.approx(
        scores(light(grey), light(shifted), ["hdr_flip"])["hdr_flip"], abs=1e-4
    )


# --- which metric is for which picture ----------------------------------------------------------


def test_every_metric_is_for_floats_or_for_code_values_and_says_why_not_for_the_other() -> None:
    half = np.arange(170 * 170).reshape(170, 170) % 2 == 0
    floats, codes = light(np.zeros((170, 170, 3)), half), Image(np.zeros((170, 170, 3), np.uint8))
    region = of_mask(np.arange(170)[:, None].repeat(170, axis=1) / 169)
    floats, codes = (replace(each, importance=region) for each in (floats, codes))
    for name in metric_ids():
        info = metric(name).info
        assert (refusal(info, floats) is None) == (Meaning.LIGHT in info.of)
        assert (refusal(info, codes) is None) == (Meaning.COLOUR in info.of)
    assert "code values" in str(refusal(metric("psnr").info, floats))
    assert "floating-point" in str(refusal(metric("log2_psnr").info, codes))


def test_scores_leave_out_what_is_not_for_the_picture() -> None:
    both = ["psnr", "log2_psnr"]
    floats, codes = light(scene()), Image(np.zeros((4, 4, 3), np.uint8))
    assert list(scores(floats, floats, both)) == ["log2_psnr"]
    assert list(scores(codes, codes, both)) == ["psnr"]

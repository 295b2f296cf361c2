"""SSIMULACRA 2 against scores of its C++ tool, CIEDE2000 against published differences."""

from __future__ import annotations

import numpy as np
import pytest

from engine.color import DISPLAY_P3, SRGB, convert
from engine.image import Image
from engine.metrics import error_map, scores
from tests.pictures import photo_like


def score(ref: np.ndarray, img: np.ndarray, metric_id: str) -> float:
    return scores(Image(ref), Image(img), [metric_id])[metric_id]


def grey(side: int, level: int) -> np.ndarray:
    return np.full((side, side, 3), level, np.uint8)


def ramp(side: int) -> np.ndarray:
    row = (np.arange(side) * 255 // (side - 1)).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (side, side, 3)).copy()


def noise(side: int, seed: int) -> np.ndarray:
    """The linear congruential bytes of the test cases whose scores are quoted below."""
    state, values = seed, []
    for _ in range(side * side * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state >> 33) & 255)
    return np.array(values, np.uint8).reshape(side, side, 3)


# --- SSIMULACRA 2: scores of libjxl's tool as https://github.com/imazen/ssimulacra2 recorded them ----------------


@pytest.mark.parametrize(
    ("ref", "img", "want"),
    [(ramp(64), grey(64, 128), -64.56872), (noise(64, 42), grey(64, 128), -47.33573)],
    ids=["ramp", "noise"],
)
def test_textured_pictures_have_the_score_of_the_tool(ref: np.ndarray, img: np.ndarray, want: float) -> None:
    assert score(ref, img, "ssimulacra2") == pytest.approx(want, abs=0.01)


@pytest.mark.parametrize(
    ("side", "step", "want"),
    [
        (32, 50, 85.0141),
        (64, 20, 56.0586),
        (64, 50, -8.7594),
        (128, 20, 54.2788),
        (128, 50, -9.8238),
        (256, 50, -0.3909),
    ],
)
def test_flat_pictures_have_the_score_of_the_tool_but_for_its_rounding(side: int, step: int, want: float) -> None:
    assert score(grey(side, 128), grey(side, 128 + step), "ssimulacra2") == pytest.approx(want, abs=0.5)


def test_ssimulacra2_of_equal_pictures_is_100() -> None:
    assert score(photo_like(50, 70), photo_like(50, 70), "ssimulacra2") == 100.0


def test_ssimulacra2_runs_over_strips_with_the_margin_of_its_blur(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = photo_like(97, 70)
    img = (ref // 16 * 16).astype(np.uint8)
    whole = score(ref, img, "ssimulacra2")
    monkeypatch.setattr("engine.metrics.ssimulacra2._STRIP_PIXELS", 16 * 70)
    assert score(ref, img, "ssimulacra2") == pytest.approx(whole, abs=1e-4)


def test_ssimulacra2_judges_light_not_code_values_of_a_profile() -> None:
    pixels = photo_like(64, 64)
    img = (pixels // 8 * 8).astype(np.uint8)
    plain = score(pixels, img, "ssimulacra2")
    wide = scores(Image(pixels, DISPLAY_P3), Image(img, DISPLAY_P3), ["ssimulacra2"])["ssimulacra2"]
    assert wide != plain
    assert wide == pytest.approx(plain, abs=5)


def test_ssimulacra2_needs_eight_pixels_a_side() -> None:
    assert scores(Image(grey(7, 1)), Image(grey(7, 2)), ["ssimulacra2"]) == {}


# --- CIEDE2000 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "want"),
    [
        ((255, 0, 0), (0, 255, 0), 86.608),
        ((255, 0, 0), (0, 0, 255), 52.879),
        ((0, 0, 0), (255, 255, 255), 100.0),
        ((119, 119, 119), (119, 119, 119), 0.0),
    ],
)
def test_differences_of_srgb_colours_are_the_published_ones(first: tuple, second: tuple, want: float) -> None:
    ref, img = (np.array([[each]], np.uint8) for each in (first, second))
    assert score(ref, img, "delta_e2000") == pytest.approx(want, abs=0.01)


def test_delta_e_is_the_mean_of_its_map() -> None:
    ref = photo_like(30, 40)
    img = (ref // 8 * 8).astype(np.uint8)
    errors = error_map(Image(ref), Image(img), "delta_e2000")
    assert (errors.shape, errors.dtype) == ((30, 40), np.float32)
    assert score(ref, img, "delta_e2000") == pytest.approx(errors.mean(dtype=float), rel=1e-6)


def test_greys_have_no_hue_and_no_difference_by_their_primaries() -> None:
    levels = np.arange(0, 250, 10, dtype=np.uint8)[None]
    brighter = levels + np.uint8(3)
    plain = scores(Image(levels), Image(brighter), ["delta_e2000"])
    as_rgb = [Image(np.repeat(each[:, :, None], 3, axis=2), DISPLAY_P3) for each in (levels, brighter)]
    assert scores(*as_rgb, ["delta_e2000"])["delta_e2000"] == pytest.approx(plain["delta_e2000"], abs=1e-3)


def test_the_same_colour_in_other_primaries_is_no_difference() -> None:
    red = Image(np.full((2, 2, 3), (200, 60, 50), np.uint8))
    codes = np.rint(255 * convert(red.pixels / 255, SRGB, DISPLAY_P3)).astype(np.uint8)
    as_p3 = Image(codes, DISPLAY_P3)
    assert scores(red, as_p3, ["delta_e2000"])["delta_e2000"] < 0.6  # rounded code values
    assert scores(Image(red.pixels, DISPLAY_P3), as_p3, ["delta_e2000"])["delta_e2000"] > 3

"""The patch-feature Fréchet distance: what it must rise with, what it must not mind, and how sets are judged."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from engine.codec import Ctx
from engine.color import DISPLAY_P3, SRGB, convert
from engine.image import Image
from engine.io import read
from engine.metrics import metric, scores
from engine.metrics.patch_features import patch_features
from engine.metrics.patch_frechet import PATCH_FRECHET
from engine.metrics.sets import gathered, set_scores
from engine.samples import samples
from tests.pictures import photo_like

PHOTO = photo_like(176, 208)


def distance(ref: np.ndarray, img: np.ndarray) -> float:
    return scores(Image(ref), Image(img), ["patch_frechet"])["patch_frechet"]


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return np.rint(gaussian_filter(pixels.astype(np.float32), (sigma, sigma, 0))).clip(0, 255).astype(np.uint8)


def noisy(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return np.rint(pixels + np.random.default_rng(5).normal(0, sigma, pixels.shape)).clip(0, 255).astype(np.uint8)


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Pillow.open(file).convert("RGB"))


def mean_square(ref: np.ndarray, img: np.ndarray) -> float:
    return float(np.mean((ref.astype(np.float64) - img) ** 2))


def grass(height: int, width: int) -> np.ndarray:
    """Leaning strokes of several greens."""
    rng = np.random.default_rng(3)
    strokes = gaussian_filter(rng.normal(size=(height, width)), (4, 0.7)) * 300
    for row in range(height):
        strokes[row] = np.roll(strokes[row], row // 3)
    return np.clip(strokes[..., None] * (0.8, 1, 0.5) + (90, 120, 60), 0, 255).astype(np.uint8)


def stones(height: int, width: int) -> np.ndarray:
    """Flat cells of many sizes with dark joints."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    seeds = rng.random((height * width // 250, 2)) * (height, width)
    nearest, second = np.full((2, height, width), np.inf, np.float32)
    shade = np.zeros((height, width), np.float32)
    for place, (down, across) in enumerate(seeds):
        away = (y - np.float32(down)) ** 2 + (x - np.float32(across)) ** 2
        second = np.minimum(second, np.maximum(nearest, away))
        shade = np.where(away < nearest, 90 + 10 * (place % 13), shade)
        nearest = np.minimum(nearest, away)
    shade = shade * np.clip((np.sqrt(second) - np.sqrt(nearest)) / 2, 0.2, 1)
    return np.repeat(shade[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)


# --- what it rises with


@pytest.mark.parametrize(
    ("worse", "steps"),
    [(blurred, (0.4, 0.8, 1.6, 3.2)), (noisy, (2, 4, 8, 16, 32)), (as_jpeg, (95, 80, 60, 40, 20, 10, 5))],
    ids=["blur", "white noise", "jpeg"],
)
def test_it_rises_with_every_step_of_damage(worse: Callable, steps: tuple[float, ...]) -> None:
    path = next(each.path for each in samples() if each.name == "chelsea")
    cat = np.ascontiguousarray(read(path).image.pixels[60:240, 120:320])
    found = [distance(cat, worse(cat, step)) for step in steps]
    assert found[0] > 0
    assert found == sorted(set(found))


def test_equal_pictures_are_not_apart_and_nearly_equal_ones_hardly() -> None:
    assert distance(PHOTO, PHOTO.copy()) == 0
    nearly = PHOTO.copy()
    nearly[100:110, 50:60] ^= 1
    assert 0 <= distance(PHOTO, nearly) < 1e-3


def test_flat_pictures_are_told_apart_by_their_colour_alone() -> None:
    grey, darker, red = (np.full((96, 96, 3), colour, np.uint8) for colour in (128, 120, (150, 120, 120)))
    assert 0 < distance(grey, darker) < distance(grey, red) < 10


# --- the property that it exists for


@pytest.mark.parametrize("texture", [grass, stones])
def test_another_sample_of_a_texture_is_far_nearer_than_a_blurred_one_of_the_same_squared_error(
    texture: Callable[[int, int], np.ndarray],
) -> None:
    whole = texture(192, 384)
    ref, other = whole[:, :192], whole[:, 192:]
    error = mean_square(ref, other)
    softest = blurred(ref, 12)
    assert mean_square(ref, softest) < error  # even that loses fewer dB than the other sample
    light = next(
        soft for soft in (blurred(ref, s) for s in np.arange(0.2, 9, 0.2)) if mean_square(ref, soft) > error / 4
    )
    assert distance(ref, other) < distance(ref, light) / 5
    assert distance(ref, other) < distance(ref, softest) / 20


def test_a_texture_of_the_same_spectrum_without_its_shapes_is_another_texture() -> None:
    whole = stones(192, 384)
    ref, other = whole[:, :192], whole[:, 192:]
    spectrum = np.fft.rfft2(ref[..., 0].astype(np.float64))
    phases = np.angle(np.fft.rfft2(np.random.default_rng(1).normal(size=(192, 192))))
    same_power = np.fft.irfft2(np.abs(spectrum) * np.exp(1j * phases), (192, 192)) + ref.mean()
    scrambled = np.repeat(same_power.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert distance(ref, scrambled) > 5 * distance(ref, other)


# --- sound arithmetic


def test_the_distance_is_that_of_normal_distributions() -> None:
    """By hand, in one dimension of 48: (μ₁ - μ₂)² + (σ₁ - σ₂)², for numbers that nothing else depends on."""
    sums = []
    for mean, deviation in ((1.0, 2.0), (4.0, 0.5)):
        products = np.zeros((48, 48))
        products[7, 7] = deviation**2 + mean**2
        means = np.zeros(48)
        means[7] = mean
        sums.append(np.concatenate([[1], means, products[np.triu_indices(48)]]))
    assert PATCH_FRECHET.between(*sums) == pytest.approx(9 + 2.25, rel=1e-3)
    assert PATCH_FRECHET.between(*sums) == pytest.approx(PATCH_FRECHET.between(*sums[::-1]), rel=1e-9)


def test_strips_give_the_patches_of_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(photo_like(301, 90))
    whole = patch_features(image, Ctx())
    assert whole.shape == ((304 // 16 - 1) * (96 // 16 - 1), 48)
    monkeypatch.setattr("engine.metrics.patch_features._STRIP_PIXELS", 1)
    monkeypatch.setattr("engine.metrics.patch_features._LEAST_ROWS", 1)
    np.testing.assert_array_equal(patch_features(image, Ctx()), whole)


def test_the_last_pixels_count() -> None:
    changed = PHOTO[:170, :170].copy()
    changed[-3:] = 255
    assert distance(PHOTO[:170, :170], changed) > 0.01


def pattern_distance() -> float:
    codes = np.arange(96 * 96 * 3).reshape(96, 96, 3) ** 2 % 251
    return distance(codes.astype(np.uint8), (codes // 2).astype(np.uint8))


def test_the_number_of_threads_makes_no_difference() -> None:
    code = "from tests.engine.metrics.test_patch_frechet import pattern_distance\nprint(repr(pattern_distance()))"
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    run = [sys.executable, "-c", code]
    there = subprocess.run(run, env={**os.environ, **alone}, capture_output=True, text=True, check=True).stdout
    assert float(there) == pattern_distance()


def test_colours_are_judged_not_codes_of_a_profile() -> None:
    as_p3 = [
        np.rint(255 * convert(each / 255, SRGB, DISPLAY_P3)).astype(np.uint8) for each in (PHOTO, blurred(PHOTO, 1))
    ]
    wide = scores(*(Image(each, DISPLAY_P3) for each in as_p3), ["patch_frechet"])["patch_frechet"]
    assert wide == pytest.approx(distance(PHOTO, blurred(PHOTO, 1)), rel=0.05)


def test_a_small_picture_has_none_and_grey_has_one() -> None:
    small = photo_like(63, 200)
    assert scores(Image(small), Image(small), ["patch_frechet"]) == {}
    grey = PHOTO[:, :, :1]
    assert distance(grey, blurred(grey, 1)) > 0
    assert not metric("patch_frechet").info.higher_is_better


# --- sets


def test_a_set_is_judged_by_all_of_its_patches_not_by_the_mean_of_its_pictures() -> None:
    originals = [Image(grass(128, 256)[:, :128]), Image(stones(128, 256)[:, :128])]
    exchanged = [
        gathered(ref, img, ["psnr", "patch_frechet"], Ctx())
        for ref, img in zip(originals, originals[::-1], strict=True)
    ]
    assert set_scores(exchanged) == {"patch_frechet": 0}
    kept = [gathered(ref, ref, ["patch_frechet"], Ctx()) for ref in originals]
    soft = [gathered(ref, Image(blurred(ref.pixels, 1)), ["patch_frechet"], Ctx()) for ref in originals]
    assert set_scores(kept)["patch_frechet"] == 0
    assert set_scores([kept[0], soft[1]])["patch_frechet"] > 0
    alone = scores(originals[1], Image(blurred(originals[1].pixels, 1)), ["patch_frechet"])
    assert set_scores(soft[1:]) == pytest.approx(alone, rel=1e-3)


def test_a_metric_without_sums_or_a_picture_without_them_has_no_score_of_a_set() -> None:
    ref = Image(PHOTO)
    assert gathered(ref, ref, ["psnr", "flip"], Ctx()) == {}
    assert set_scores([gathered(ref, ref, ["patch_frechet"], Ctx()), {}]) == {}
    assert set_scores([]) == {}

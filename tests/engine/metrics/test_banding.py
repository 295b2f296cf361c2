"""The banding score: what is a contour, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.metrics import error_map, scores

RNG = np.random.default_rng(5)
Y, X = np.mgrid[:96, :128]


def light(stops: np.ndarray, mask: np.ndarray | None = None) -> Image:
    return Image(np.repeat(np.exp2(stops)[:, :, None], 3, axis=2).astype(np.float32), LINEAR_SRGB, mask=mask)


def ramp(angle: float, slope: float = 1 / 64) -> np.ndarray:
    return -3 + slope * (X * np.cos(angle) + Y * np.sin(angle))


def steps(stops: np.ndarray, size: float) -> np.ndarray:
    return np.round(stops / size) * size


def banding(ref: np.ndarray, img: np.ndarray) -> float:
    return scores(light(ref), light(img), ["banding"])["banding"]


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4, 1.2, np.pi / 2])
def test_coarser_steps_on_a_ramp_are_worse(angle: float) -> None:
    smooth = ramp(angle)
    found = [banding(smooth, steps(smooth, size)) for size in (1 / 8, 1 / 4, 1 / 2)]
    assert 0.01 < found[0] < found[1] < found[2]
    assert banding(smooth, smooth) == 0


def test_the_contours_of_a_ramp_are_as_strong_as_the_definition_says() -> None:
    smooth = ramp(0.0)
    contours = error_map(light(smooth), light(steps(smooth, 1 / 4)), "banding")  # bands of 16 texels
    sharp = 1 / 4 - 3 / 64 - 1 / 128
    row = contours[40, 16:112]
    assert row.max() == pytest.approx(sharp, rel=0.01)
    assert 0.1 < np.mean(row > 0) < 0.6
    assert contours[40].tolist() == contours[41].tolist()


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2])
def test_noise_is_not_banding(sigma: float) -> None:
    smooth = ramp(0.3)
    same_error = sigma * np.sqrt(12)  # the step of bands whose error has the same RMS
    assert banding(smooth, smooth + RNG.normal(0, sigma, smooth.shape)) < 0.004
    if same_error > 1 / 16:
        assert banding(smooth, steps(smooth, same_error)) > 0.02


def test_dithering_lessens_it() -> None:
    smooth = ramp(0.0)
    dithered = steps(smooth + RNG.uniform(-1 / 16, 1 / 16, smooth.shape), 1 / 8)
    assert banding(smooth, dithered) < banding(smooth, steps(smooth, 1 / 8)) / 2


def test_contours_that_are_not_sharp_count_until_they_are_a_slope_again() -> None:
    from scipy.ndimage import gaussian_filter1d

    smooth = ramp(0.0, 1 / 128)
    stepped = steps(smooth, 1 / 4)  # bands of 32 texels
    found = [banding(smooth, gaussian_filter1d(stepped, sigma, axis=1)) for sigma in (0.3, 1, 2, 12)]
    assert found[0] > found[1] > found[2] > 0.005
    assert found[3] < 0.001


def test_what_the_original_has_is_no_fault_of_the_codec() -> None:
    from scipy.ndimage import gaussian_filter

    stepped = steps(ramp(0.0), 1 / 4)
    assert banding(stepped, stepped) == 0
    assert banding(stepped, stepped + 0.3) == 0
    edge = np.where(X > 64, 0.0, -3.0)
    assert banding(edge, gaussian_filter(edge, 2)) == 0


def test_blocks_are_contours() -> None:
    smooth = ramp(0.5)
    means = smooth.reshape(12, 8, 16, 8).mean(axis=(1, 3)).repeat(8, axis=0).repeat(8, axis=1)
    assert banding(smooth, means) > 0.02


def test_light_that_no_eye_tells_apart_has_no_contours() -> None:
    smooth = ramp(0.0, 1 / 1024)
    assert banding(smooth, steps(smooth, 1 / 130)) == 0
    assert banding(smooth, steps(smooth, 1 / 20)) > 0


def test_borders_of_charts_are_no_contours() -> None:
    mask = np.zeros(X.shape, bool)
    mask[10:80, 20:70] = True
    smooth = ramp(0.0)
    other = np.where(mask, smooth, 3.0)
    assert scores(light(smooth, mask), light(other, mask), ["banding"]) == {"banding": 0.0}


def test_a_large_picture_is_measured_in_strips_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    smooth = ramp(1.0)
    ref, img = light(smooth), light(steps(smooth, 1 / 4))
    whole = error_map(ref, img, "banding")
    monkeypatch.setattr("engine.metrics.banding._STRIP_PIXELS", 32 * 128)
    assert whole.any() and np.array_equal(error_map(ref, img, "banding"), whole)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 2)])
def test_the_smallest_pictures_have_a_score(shape: tuple[int, int]) -> None:
    flat = np.zeros(shape)
    assert banding(flat, flat + 1) == 0

"""Light in 8-bit texels: the definitions of the engines, and how far rounding may go."""

from __future__ import annotations

import numpy as np
import pytest

from engine.textures.packed import (
    DLDR_MAX,
    RGBM_MAX,
    dldr_codes,
    dldr_light,
    rgbe_codes,
    rgbe_light,
    rgbm_codes,
    rgbm_light,
)


def light(lo: float, hi: float) -> np.ndarray:
    """64×64×3, every brightest channel from `lo` to `hi` in equal ratios, the others anywhere below it."""
    brightest = np.geomspace(lo, hi, 64 * 64).reshape(64, 64, 1)
    shares = np.random.default_rng(2).uniform(0, 1, (64, 64, 3))
    shares[:, :, 1] = 1
    return (brightest * shares).astype(np.float32)


def test_the_ranges_are_unitys() -> None:
    assert abs(RGBM_MAX - 34.493242) < 1e-5 and abs(DLDR_MAX - 4.59479) < 1e-5
    assert rgbm_light(np.full((1, 1, 4), 255, np.uint8)).max() == pytest.approx(RGBM_MAX)
    assert dldr_light(np.full((1, 1, 3), 255, np.uint8)).max() == pytest.approx(DLDR_MAX)


def test_rgbm_rounds_the_brightest_channel_by_less_than_a_hundredth() -> None:
    before = light(0.004, RGBM_MAX)
    after = rgbm_light(rgbm_codes(before))
    assert np.abs(after[:, :, 1] / before[:, :, 1] - 1).max() < 0.01
    assert (np.abs(after - before) <= 0.01 * before[:, :, 1:2]).all()


def test_rgbm_takes_the_least_multiplier_that_reaches() -> None:
    codes = rgbm_codes(light(0.004, RGBM_MAX))
    assert codes[-1, -1].tolist()[1:4:2] == [255, 255]
    reached = RGBM_MAX * (codes[:, :, 3] / 255) ** 2.2
    below = RGBM_MAX * ((codes[:, :, 3] - 1.0) / 255) ** 2.2
    brightest = light(0.004, RGBM_MAX).max(axis=2)
    assert (reached >= brightest * 0.99999).all() and (below < brightest).all()


def test_rgbm_and_dldr_clip_what_is_brighter_and_keep_black() -> None:
    much = np.array([[[100, 50, 0], [0, 0, 0]]], np.float32)
    assert rgbm_light(rgbm_codes(much))[0].tolist() == [
        [pytest.approx(RGBM_MAX), pytest.approx(RGBM_MAX), 0],
        [0, 0, 0],
    ]
    assert dldr_light(dldr_codes(much))[0].tolist() == [
        [pytest.approx(DLDR_MAX), pytest.approx(DLDR_MAX), 0],
        [0, 0, 0],
    ]


def test_dldr_rounds_by_half_a_code_of_srgb() -> None:
    before = light(0.001, DLDR_MAX)
    steps = dldr_light(np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2))[0, :, 0]
    widest = np.diff(steps).max()
    assert np.abs(dldr_light(dldr_codes(before)) - before).max() <= 0.52 * widest


def test_rgbe_keeps_eight_bits_of_the_brightest_channel_and_whole_numbers_exactly() -> None:
    before = light(1e-6, 60_000)
    after = rgbe_light(rgbe_codes(before))
    assert (np.abs(after - before) <= before.max(axis=2, keepdims=True) / 256 * 1.0001).all()
    exact = np.array([[[0, 0, 0], [1, 2, 255], [0.5, 0.25, 0.125]]], np.float32)
    assert (rgbe_light(rgbe_codes(exact)) == exact).all()

"""How light and code values are spread over what counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.color import LINEAR_SRGB
from engine.histogram import BINS_PER_STOP, BRIGHTNESS, CHANNELS, STOPS, histogram, limits
from engine.image import Alpha, Image
from engine.tone import Tone


def grey_light(*values: float) -> Image:
    return Image(np.repeat(np.array(values, np.float32)[None, :, None], 3, 2), LINEAR_SRGB)


def test_light_is_counted_by_its_stops_and_no_light_apart() -> None:
    found = histogram(grey_light(1.0, 1.05, 0.25, 0.0, -3.0))
    for name in (BRIGHTNESS, *CHANNELS):
        places = np.flatnonzero(found.counts[name])
        assert [place / BINS_PER_STOP - STOPS for place in places] == [-2, 0]
        assert found.counts[name][places].tolist() == [1, 2]
    assert (found.total, found.dark, found.is_light) == (5, 2, True)


def test_only_what_counts_is_counted() -> None:
    light = np.full((2, 4, 3), 0.5, np.float32)
    light[0] = 8.0
    mask = np.zeros((2, 4), bool)
    mask[1, 1:] = True
    found = histogram(Image(light, LINEAR_SRGB, mask=mask))
    assert found.total == found.counts["red"].sum() == 3
    clear = np.full((1, 2, 4), 200, np.uint8)
    clear[0, 0, 3] = 0
    assert histogram(Image(clear, alpha=Alpha.STRAIGHT)).total == 1


def test_shares_are_those_of_the_texels_that_are_shown_black_and_clipped() -> None:
    light = np.array([[[0, 0, 0], [0, 0, 1e-6], [0.2, 0.3, 0.1], [0, 0, 1.5], [np.inf, 0, 0]]], np.float32)
    found = histogram(Image(light, LINEAR_SRGB))
    assert found.shares(Tone()) == pytest.approx((0.4, 0.4))
    assert found.shares(Tone(exposure=3)) == pytest.approx((0.4, 0.6))
    assert found.shares(Tone(offset=0.5)) == pytest.approx((0.0, 0.4))
    assert found.shares(Tone(curve="reinhard", look="zebra"))[1] == pytest.approx(0.2)


@pytest.mark.parametrize("exposure", [-4.0, 0.0, 2.5])
def test_the_limit_of_white_goes_against_the_exposure(exposure: float) -> None:
    black, white = limits(Tone(exposure=exposure))
    assert white == pytest.approx(-exposure, abs=0.01)
    assert black == pytest.approx(math.log2(0.5 / 255 / 12.92) - exposure, abs=0.01)


def test_code_values_have_the_ordinary_histogram() -> None:
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    found = histogram(Image(picture))
    for channel, name in enumerate(CHANNELS):
        assert found.counts[name].tolist() == np.bincount(picture[:, :, channel].ravel(), minlength=256).tolist()
    assert (found.lo, found.hi, found.total, found.is_light) == (0, 256, 600, False)
    deep = histogram(Image(np.array([[0, 255, 256, 65535]], np.uint16)))
    assert np.flatnonzero(deep.counts[BRIGHTNESS]).tolist() == [0, 1, 255]

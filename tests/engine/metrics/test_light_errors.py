"""PU21-PSNR, mPSNR and the relative error of light against their formulas, worked out apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.metrics import error_map, scores
from engine.metrics.coded_psnr import pu21
from engine.metrics.mpsnr import exposures

RNG = np.random.default_rng(12)


def light(pixels: np.ndarray) -> Image:
    return Image(np.asarray(pixels, np.float32), LINEAR_SRGB)


def scene() -> np.ndarray:
    """Light of some ten stops with noise: dark left, bright right."""
    x = np.linspace(-6, 4, 48)
    return (2.0 ** (x + RNG.normal(0, 0.2, (40, 48)))[:, :, None] * [1.0, 0.8, 0.6]).astype(np.float32)


@pytest.mark.parametrize(
    ("nits", "units"), [(0.005, 0.0), (0.1, 5.717074), (1.0, 36.543911), (100.0, 256.383897), (1e4, 595.393920)]
)
def test_pu21_units_are_those_of_its_authors(nits: float, units: float) -> None:
    # both ends as the encoder's authors state them; inside, the published formula worked out apart, in 50 digits
    assert float(pu21(np.array(nits / 100))) == pytest.approx(units, abs=1e-5)


def test_pu21_psnr_is_psnr_of_units_under_a_peak_of_256() -> None:
    ref, img = scene(), scene()
    want = 10 * math.log10(256**2 / np.mean((pu21(ref) - pu21(img)) ** 2))
    assert scores(light(ref), light(img), ["pu21_psnr"])["pu21_psnr"] == pytest.approx(want, rel=1e-9)


def test_light_beyond_any_display_is_all_the_same_to_pu21() -> None:
    same = scores(light(np.full((3, 3, 3), 200.0)), light(np.full((3, 3, 3), 900.0)), ["pu21_psnr", "log2_psnr"])
    assert same["pu21_psnr"] == math.inf and same["log2_psnr"] < 20


def test_mpsnr_is_the_formula_over_every_stop() -> None:
    ref, img = scene(), scene()
    brightest, median = ref.max(), np.median(ref.max(axis=2))
    stops = range(math.floor(-math.log2(brightest)), math.ceil(-math.log2(median)) + 1)
    assert len(stops) > 4 and exposures(light(ref)) == stops

    def shown(pixels: np.ndarray, stop: int) -> np.ndarray:
        return np.clip(np.round(255 * (2.0**stop * pixels.astype(float)) ** (1 / 2.2)), 0, 255)

    mse = np.mean([(shown(ref, c) - shown(img, c)) ** 2 for c in stops])
    assert scores(light(ref), light(img), ["mpsnr"])["mpsnr"] == pytest.approx(10 * math.log10(255**2 / mse), abs=2e-3)
    assert np.mean(error_map(light(ref), light(img), "mpsnr") ** 2) == pytest.approx(mse, rel=1e-3)


def test_percentiles_of_the_relative_error_are_those_of_the_texels() -> None:
    ref, img = np.full((10, 10, 3), 2.0), np.full((10, 10, 3), 2.0)
    img[0] *= 1.01  # a tenth of the texels is 1 % off, one is twice as bright
    img[9, 9] *= 2
    got = scores(light(ref), light(img), ["rel_p50", "rel_p99", "rel_max"])
    assert got["rel_p50"] == 0
    assert got["rel_max"] == pytest.approx(100, rel=1e-3)
    assert 1 < got["rel_p99"] < 3
    assert error_map(light(ref), light(img), "rel_p99")[0] == pytest.approx(np.full(10, 1.0), rel=1e-2)


def test_black_has_a_finite_relative_error() -> None:
    black, dim = light(np.zeros((2, 2, 3))), light(np.full((2, 2, 3), 2.0**-10))
    assert scores(black, dim, ["rel_max"])["rel_max"] == pytest.approx(100 * math.sqrt(3))

"""The squared-error family against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.image import Image
from engine.metrics import error_map, scores


def picture(values: list, dtype: type = np.uint8, bits: int = 0) -> Image:
    return Image(np.array(values, dtype), bits=bits)


def test_mse_and_psnr_average_over_pixels_and_channels() -> None:
    ref = picture([[[10, 20, 30], [0, 0, 0]]])
    img = picture([[[13, 20, 34], [0, 0, 0]]])
    got = scores(ref, img, ["mse", "psnr"])
    assert got["mse"] == pytest.approx((9 + 16) / 6)
    assert got["psnr"] == pytest.approx(10 * math.log10(255**2 / (25 / 6)))


def test_psnr_y_weighs_the_channels_as_bt601() -> None:
    ref, img = picture([[[0, 0, 0]]]), picture([[[10, 20, 30]]])
    luma = 0.299 * 10 + 0.587 * 20 + 0.114 * 30
    assert scores(ref, img, ["psnr_y"])["psnr_y"] == pytest.approx(20 * math.log10(255 / luma))


def test_psnr_yuv_is_the_mean_of_planes_weighted_6_1_1() -> None:
    ref, img = picture([[[0, 0, 0]]]), picture([[[10, 20, 40]]])
    luma = 0.299 * 10 + 0.587 * 20 + 0.114 * 40
    cb, cr = 0.564334 * (40 - luma), 0.713267 * (10 - luma)
    want = sum(w * 20 * math.log10(255 / abs(e)) for w, e in zip((6, 1, 1), (luma, cb, cr), strict=True)) / 8
    assert scores(ref, img, ["psnr_yuv"])["psnr_yuv"] == pytest.approx(want, abs=1e-5)


def test_psnr_yuv_of_a_pure_grey_error_is_that_of_luma() -> None:
    ref, img = picture([[[50, 60, 70]]]), picture([[[54, 64, 74]]])
    got = scores(ref, img, ["psnr_yuv", "psnr_y"])
    assert got["psnr_y"] == pytest.approx(20 * math.log10(255 / 4))
    assert math.isfinite(got["psnr_yuv"])


@pytest.mark.parametrize(("dtype", "bits", "peak"), [(np.uint8, 8, 255), (np.uint16, 16, 65535), (np.uint16, 10, 1023)])
def test_the_peak_is_that_of_the_references_depth(dtype: type, bits: int, peak: int) -> None:
    got = scores(picture([[5]], dtype, bits), picture([[6]], dtype, bits), ["psnr"])
    assert got["psnr"] == pytest.approx(20 * math.log10(peak))


@pytest.mark.parametrize("metric_id", ["psnr", "psnr_y", "psnr_yuv"])
@pytest.mark.parametrize("channels", [1, 3])
def test_equal_pictures_have_infinite_psnr_and_no_error(metric_id: str, channels: int) -> None:
    image = Image(np.random.default_rng(1).integers(0, 256, (7, 5, channels), dtype=np.uint8))
    assert scores(image, image, [metric_id, "mse"]) == {metric_id: math.inf, "mse": 0.0}
    assert not error_map(image, image, metric_id).any()


def test_the_map_is_the_rms_over_channels_in_code_values() -> None:
    ref, img = picture([[[0, 0, 0], [5, 5, 5]]]), picture([[[3, 0, 0], [5, 5, 5]]])
    got = error_map(ref, img, "psnr")
    assert got.dtype == np.float32
    assert got == pytest.approx(np.array([[math.sqrt(3), 0.0]]))
    assert error_map(ref, img, "psnr_y") == pytest.approx(np.array([[0.299 * 3, 0.0]]), rel=1e-5)


def test_a_picture_larger_than_one_strip_scores_like_the_formula() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 256, (2, 1500, 801, 3), dtype=np.uint8)
    want = np.mean((a.astype(float) - b) ** 2)
    assert scores(Image(a), Image(b), ["mse"])["mse"] == pytest.approx(want)
    assert np.mean(np.square(error_map(Image(a), Image(b), "mse"), dtype=float)) == pytest.approx(want, rel=1e-6)

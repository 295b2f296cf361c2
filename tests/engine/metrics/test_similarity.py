"""SSIM, MS-SSIM and FLIP against their libraries' or papers' definitions, worked out in another way here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity

from engine.codec import Ctx
from engine.errors import Cancelled, LimitExceeded, Unsupported
from engine.image import Image
from engine.metrics import error_map, flip, metric, metric_ids, ms_ssim, refusal, scores, ssim


def scene(height: int, width: int, channels: int = 3, seed: int = 4) -> np.ndarray:
    """A smooth random picture with some edges, u8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / rng.uniform(3, 40) + y / rng.uniform(3, 40)) for _ in range(channels)]
    picture = 128 + 70 * np.stack(waves, -1) + 30 * ((x // 17 + y // 13) % 2)[:, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def noisy(pixels: np.ndarray, sigma: float, seed: int = 5) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


@pytest.fixture
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ssim, ms_ssim, flip):
        monkeypatch.setattr(module, "_STRIP_PIXELS", 4000)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.usefixtures("small_strips")
def test_ssim_is_that_of_scikit_image(channels: int, deep: bool) -> None:
    a = scene(111, 93, channels)
    a = a.astype(np.uint16) * 257 if deep else a
    b = noisy(a, 3000 if deep else 12)
    want, similarity = structural_similarity(
        a,
        b,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=65535 if deep else 255,
        full=True,
    )
    assert scores(Image(a), Image(b), ["ssim"])["ssim"] == pytest.approx(want, abs=1e-12)
    assert error_map(Image(a), Image(b), "ssim") == pytest.approx(1 - similarity.mean(-1), abs=1e-6)


def plain_ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang 2003 straight from the formulas: full 2-D windows, whole planes, f64."""
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    per_channel = []
    for channel in range(a.shape[-1]):
        x, y = a[:, :, channel].astype(float), b[:, :, channel].astype(float)
        product = 1.0
        for weight in (0.0448, 0.2856, 0.3001, 0.2363):
            product *= np.mean(plain_ssim(x, y, window, c1, c2)[1]) ** weight
            x, y = pooled(x), pooled(y)
        per_channel.append(product * np.mean(plain_ssim(x, y, window, c1, c2)[0]) ** 0.1333)
    return float(np.mean(per_channel))


def plain_ssim(x: np.ndarray, y: np.ndarray, window: np.ndarray, c1: float, c2: float) -> tuple[np.ndarray, np.ndarray]:
    def mean(plane: np.ndarray) -> np.ndarray:
        return convolve2d(plane, window, mode="valid")

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    contrast = (2 * cov + c2) / (vx + vy + c2)
    return contrast * (2 * mx * my + c1) / (mx * mx + my * my + c1), contrast


def pooled(plane: np.ndarray) -> np.ndarray:
    """torch's avg_pool2d(kernel 2, padding = side % 2), zeros counted."""
    height, width = plane.shape
    plane = np.pad(plane, ((height % 2, height % 2), (width % 2, width % 2)))
    blocks = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    return blocks.reshape(blocks.shape[0] // 2, 2, blocks.shape[1] // 2, 2).mean((1, 3))


@pytest.mark.parametrize("height", range(86, 98))
def test_a_last_strip_of_any_height_has_room_for_the_window(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a = Image(scene(height, 100))
    b = Image(noisy(a.pixels, 12))
    whole = error_map(a, b, "ssim")
    monkeypatch.setattr(ssim, "_STRIP_PIXELS", 43 * 100)
    np.testing.assert_allclose(error_map(a, b, "ssim"), whole, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "channels"), [(176, 192, 3), (161, 203, 3), (180, 161, 1)])
@pytest.mark.usefixtures("small_strips")
def test_ms_ssim_is_that_of_wang_2003(height: int, width: int, channels: int) -> None:
    a = scene(height, width, channels)
    b = noisy(a, 25)
    got = scores(Image(a), Image(b), ["ms_ssim", "ms_ssim_db"])
    want = plain_ms_ssim(a, b)
    assert 0.5 < want < 0.99
    assert got["ms_ssim"] == pytest.approx(want, abs=2e-6)
    assert got["ms_ssim_db"] == pytest.approx(-10 * math.log10(1 - want), abs=1e-3)


@pytest.mark.usefixtures("small_strips")
def test_flip_in_strips_is_that_of_the_evaluator() -> None:
    from flip_evaluator import evaluate

    a = scene(150, 70)
    b = noisy(a, 15)
    unit = [p.astype(np.float32) / np.float32(255) for p in (a, b)]
    want, mean, parameters = evaluate(*unit, "LDR", True, False, True, {})
    assert round(parameters["ppd"]) == 67
    assert scores(Image(a), Image(b), ["flip"])["flip"] == pytest.approx(mean, abs=1e-6)
    assert error_map(Image(a), Image(b), "flip") == pytest.approx(want[:, :, 0], abs=1e-6)


def test_flip_of_grey_is_that_of_equal_channels() -> None:
    a = scene(40, 50, 1)
    b = noisy(a, 20)
    grey = scores(Image(a), Image(b), ["flip"])["flip"]
    assert grey == scores(Image(np.repeat(a, 3, 2)), Image(np.repeat(b, 3, 2)), ["flip"])["flip"] > 0


PERFECT = {
    "mse": 0.0,
    "psnr": math.inf,
    "psnr_y": math.inf,
    "psnr_yuv": math.inf,
    "ssim": 1.0,
    "ms_ssim": 1.0,
    "ms_ssim_db": math.inf,
    "flip": 0.0,
    "ssimulacra2": 100.0,
    "patch_frechet": 0.0,
    "delta_e2000": 0.0,
}


def test_equal_pictures_get_the_perfect_score_of_every_metric() -> None:
    image = Image(scene(170, 180))
    assert scores(image, image, metric_ids()) == PERFECT


def test_more_noise_is_worse_in_every_metric() -> None:
    a = scene(170, 180)
    mild, strong = (scores(Image(a), Image(noisy(a, sigma)), PERFECT) for sigma in (4, 30))
    for metric_id in PERFECT:
        sign = 1 if metric(metric_id).info.higher_is_better else -1
        assert sign * (mild[metric_id] - strong[metric_id]) > 0, metric_id


@pytest.mark.parametrize("metric_id", ["mse", "psnr", "psnr_y", "psnr_yuv", "ssim", "ms_ssim"])
def test_swapping_the_pictures_changes_nothing(metric_id: str) -> None:
    a = scene(170, 180)
    b = noisy(a, 10)
    assert scores(Image(a), Image(b), [metric_id]) == pytest.approx(scores(Image(b), Image(a), [metric_id]), rel=1e-12)


def test_a_metric_too_large_for_the_picture_is_left_out_and_says_why() -> None:
    image = Image(scene(10, 170))
    assert set(scores(image, image, metric_ids())) == {*PERFECT} - {"ssim", "ms_ssim", "ms_ssim_db", "patch_frechet"}
    assert "161×161" in (refusal(metric("ms_ssim").info, image) or "")
    with pytest.raises(Unsupported, match="11×11"):
        error_map(image, image, "ssim")


def test_a_metric_without_a_map_says_so() -> None:
    image = Image(scene(170, 180))
    with pytest.raises(Unsupported, match="no error map"):
        error_map(image, image, "ms_ssim")


@pytest.mark.parametrize("metric_id", list(PERFECT))
def test_the_info_agrees_with_what_the_metric_gives(metric_id: str) -> None:
    measure = metric(metric_id)
    image = Image(scene(170, 180))
    errors = measure.map(image, image, Ctx())
    assert (errors is not None) == measure.info.has_map == bool(measure.info.map_label)
    if errors is not None:
        assert (errors.shape, errors.dtype) == ((170, 180), np.float32)
    assert measure.info.id == metric_id
    assert measure.info.library.split()[-1][0].isdigit()


@pytest.mark.parametrize("metric_id", list(PERFECT))
def test_every_metric_honours_cancel(metric_id: str) -> None:
    image = Image(scene(170, 180))
    with pytest.raises(Cancelled):
        metric(metric_id).score(image, image, Ctx(cancel=lambda: True))


def test_a_metric_that_does_not_apply_asks_for_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image(np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", "150k")  # HDR-FLIP alone would need twice that
    assert scores(picture, picture, ["mse", "hdr_flip"]) == {"mse": 0.0}
    with pytest.raises(LimitExceeded):
        scores(picture, picture, ["mse", "ssimulacra2"])

"""Gutters cost little, what counts is as good as ever, and what a filter reads beside charts is the baker's light."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import charts, registry
from engine.codec import Ctx
from engine.codecs.gutters import filled
from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.metrics import scores
from tests.pictures import photo_like

CTX = Ctx()
QUALITY = {"wavelet": 50.0, "jpeg2000": 45.0, "jxl": 1.0}


@cache
def lightmap() -> Image:
    """Charts of smooth light with soft noise, in gutters that hold other light: 128 × 160."""
    rng = np.random.default_rng(5)
    light = np.exp2(photo_like(128, 160, 3) / 40.0 - 4).astype(np.float32)
    mask = np.zeros((128, 160), bool)
    for top in range(4, 120, 31):
        for left in range(5, 150, 37):
            mask[top : top + rng.integers(14, 26), left : left + rng.integers(14, 30)] = True
    light[~mask] = rng.choice(np.float32([0.0, 0.01, 8.0]), ((~mask).sum(), 1))
    baked = charts.filled(Image(light, LINEAR_SRGB, mask=mask)).pixels
    ring = charts.around(mask)
    light[ring] = 0.7 * baked[ring]
    light[:, :80][ring[:, :80]] = 0  # a baker that leaves gutters empty
    return Image(light, LINEAR_SRGB, mask=mask)


def coded(codec_id: str, image: Image, **chosen: object) -> tuple[bytes, Image]:
    codec = registry.codec(codec_id)
    rate = codec.info.rate_param
    assert rate is not None
    data = codec.encode(image, {rate.name: QUALITY[codec_id], **chosen}, CTX).data
    return data, codec.decode(data, CTX)


def log2_psnr(image: Image, decoded: Image) -> float:
    return scores(image, decoded, ["log2_psnr"])["log2_psnr"]


@pytest.mark.parametrize("codec_id", ["wavelet", "jpeg2000"])
def test_filled_gutters_cost_a_part_of_kept_ones_and_charts_stay_as_good(codec_id: str) -> None:
    image = lightmap()
    kept, exact = coded(codec_id, image, gutters="keep")
    free, decoded = coded(codec_id, image)
    assert len(free) < 0.5 * len(kept)
    assert log2_psnr(image, decoded) > log2_psnr(image, exact) - 3


@pytest.mark.parametrize("codec_id", ["wavelet", "jpeg2000", "jxl"])
def test_kept_gutters_are_coded_like_light(codec_id: str) -> None:
    image = lightmap()
    _, decoded = coded(codec_id, image, gutters="keep")
    assert log2_psnr(replace(image, mask=~image.mask), decoded) > log2_psnr(image, decoded) - 6


def test_rounds_of_projection_cost_less_than_the_smooth_fill_alone() -> None:
    image = lightmap()
    smooth = replace(filled(image, {"gutters": "fill"}), mask=None)
    files = [coded("wavelet", smooth), coded("wavelet", image), coded("wavelet", image, effort="max")]
    smooth_size, sparse_size, least_size = (len(data) for data, _ in files)
    assert sparse_size < 0.97 * smooth_size and least_size < sparse_size
    qualities = [log2_psnr(image, decoded) for _, decoded in files]
    assert min(qualities) > max(qualities) - 0.5


@pytest.mark.parametrize("effort", ["fast", "normal", "max"])
def test_texels_beside_charts_hold_the_bakers_light_or_where_there_is_none_the_charts(effort: str) -> None:
    image = lightmap()
    _, decoded = coded("wavelet", image, effort=effort)
    ring = charts.around(image.mask)
    lit = ring & (image.pixels > 0).any(axis=2)
    assert log2_psnr(replace(image, mask=lit), decoded) > log2_psnr(image, decoded) - 3
    from_charts = charts.filled(replace(image, mask=image.mask | lit))
    assert log2_psnr(replace(from_charts, mask=ring & ~lit), decoded) > log2_psnr(image, decoded) - 3


@pytest.mark.parametrize("codec_id", ["wavelet", "jpeg2000", "jxl"])
def test_without_a_mask_the_setting_changes_nothing(codec_id: str) -> None:
    whole = replace(lightmap(), mask=None)
    assert coded(codec_id, whole, gutters="fill")[0] == coded(codec_id, whole, gutters="keep")[0]


def test_lossless_light_keeps_its_gutters() -> None:
    image = lightmap()
    _, decoded = coded("jxl", image, lossless=True, gutters="fill")
    assert np.array_equal(decoded.pixels, image.pixels)


def test_a_mask_that_covers_nothing_or_everything_leaves_the_light_alone() -> None:
    image = lightmap()
    for mask in (np.zeros_like(image.mask), np.ones_like(image.mask)):
        same = replace(image, mask=mask)
        assert filled(same, {"gutters": "fill"}) is same


@pytest.mark.parametrize("effort", ["normal", "max"])
def test_files_do_not_depend_on_what_was_tried_before(effort: str) -> None:
    image, codec = lightmap(), registry.codec("wavelet")
    tries = codec.prepare(image, {"effort": effort}, CTX)
    for quality in (40.0, 52.0, 40.7, 40.0):
        assert tries.encode(quality).data == codec.encode(image, {"effort": effort, "quality": quality}, CTX).data

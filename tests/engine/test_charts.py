"""Charts and gutters: found where a picture tells, left alone where black is light."""

from __future__ import annotations

import numpy as np
import pytest

from engine.charts import filled, find_gutters, islands, padding
from engine.color import LINEAR_SRGB
from engine.image import Image

RNG = np.random.default_rng(8)


def mask_of(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (64, 80)) -> np.ndarray:
    """True in boxes of top, left, bottom, right."""
    out = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        out[top:bottom, left:right] = True
    return out


CHARTS = mask_of((4, 4, 40, 36), (6, 44, 30, 74), (50, 8, 60, 70))


def baked(mask: np.ndarray) -> np.ndarray:
    """Light that never repeats, black outside of the mask."""
    light = np.exp2(RNG.normal(-1, 0.6, (*mask.shape, 3))).astype(np.float32)
    return np.where(mask[:, :, None], light, 0).astype(np.float32)


def dilated(light: np.ndarray, mask: np.ndarray, rings: int) -> np.ndarray:
    from scipy.ndimage import distance_transform_cdt

    far, (rows, columns) = distance_transform_cdt(~mask, "taxicab", return_indices=True)
    return np.where((far <= rings)[:, :, None], light[rows, columns], 0)


def test_empty_gutters_are_found_to_the_texel() -> None:
    assert np.array_equal(find_gutters(baked(CHARTS)), ~CHARTS)


@pytest.mark.parametrize("rings", [1, 2, 3])
def test_light_that_was_repeated_into_gutters_is_peeled_off(rings: int) -> None:
    found = find_gutters(dilated(baked(CHARTS), CHARTS, rings))
    assert found is not None
    assert not (found & CHARTS).any()
    assert (~CHARTS & ~found).mean() < 0.02  # corners


def test_the_gutters_of_a_baked_map_are_found_without_a_texel_of_light() -> None:
    from engine.io import read
    from engine.samples import samples

    (path,) = [each.path for each in samples() if each.path.suffix == ".exr"]
    image = read(path).image
    found = find_gutters(image.pixels)
    assert found is not None and image.mask is not None
    assert not (found & image.mask).any()
    assert found.sum() > 0.8 * (~image.mask).sum()


def test_black_that_light_fades_into_is_no_gutter() -> None:
    y, x = np.mgrid[:64, :80]
    fading = np.clip(np.hypot(x - 40, y - 32) / 8 - 2, 0, None) ** 3
    assert (fading == 0).mean() > 0.05
    assert find_gutters((fading[:, :, None] * [1, 0.9, 0.8]).astype(np.float32)) is None


def test_a_little_black_is_no_gutter_and_neither_is_a_black_picture() -> None:
    assert find_gutters(baked(~mask_of((20, 20, 30, 32)))) is None
    assert find_gutters(np.zeros((16, 16, 3), np.float32)) is None
    assert find_gutters(np.ones((16, 16, 3), np.float32)) is None


def test_light_of_one_channel_is_light() -> None:
    light = baked(CHARTS)
    light[~CHARTS] = [0, 0, 0.5]
    assert find_gutters(light) is None


def test_flat_charts_are_not_peeled() -> None:
    flat = np.where(CHARTS, np.float32(0.25), np.float32(0))[:, :, None] * np.ones(3, np.float32)
    assert np.array_equal(find_gutters(flat), ~CHARTS)


def test_islands_are_counted_and_those_that_touch_at_a_corner_are_one() -> None:
    labels, count = islands(CHARTS)
    assert count == 3 and labels.dtype == np.int32 and ((labels > 0) == CHARTS).all()
    assert islands(mask_of((0, 0, 4, 4), (4, 4, 8, 8)))[1] == 1
    assert islands(np.zeros((3, 3), bool))[1] == 0


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_the_padding_is_the_least_gap(gap: int) -> None:
    beside = mask_of((4, 4, 20, 20), (4, 20 + gap, 20, 40), (40, 4, 50, 40))
    corners = mask_of((4, 4, 20, 20), (20 + gap, 20 + gap, 40, 40))
    assert padding(beside, 3) == padding(beside.T, 3) == padding(corners, 3) == padding(corners[:, ::-1], 3) == gap
    assert padding(beside, gap - 1) is None
    assert padding(mask_of((4, 4, 20, 20)), 3) is None


def test_what_is_filled_keeps_what_counts_and_lies_between_it() -> None:
    light = baked(CHARTS)
    image = Image(light, LINEAR_SRGB, mask=CHARTS)
    out = filled(image)
    assert np.array_equal(out.pixels[CHARTS], light[CHARTS]) and out.mask is CHARTS
    assert out.pixels[~CHARTS].min() >= light[CHARTS].min() and out.pixels.max() == light.max()


def test_charts_of_one_light_fill_everything_with_it() -> None:
    flat = np.where(CHARTS, np.float32(3), np.float32(0))[:, :, None]
    assert filled(Image(flat, LINEAR_SRGB, mask=CHARTS)).pixels == pytest.approx(np.full((64, 80, 1), 3.0))


def test_each_gutter_is_filled_from_what_is_near() -> None:
    mask = mask_of((0, 0, 64, 30), (0, 50, 64, 80))
    light = np.where(np.arange(80) < 40, np.float32(1), np.float32(5)) * mask
    out = filled(Image(light.astype(np.float32)[:, :, None], LINEAR_SRGB, mask=mask)).pixels[32, :, 0]
    assert (np.diff(out) >= -1e-5).all()
    assert out[30] < 2.2 and out[49] > 3.8 and 2 < out[40] < 4


@pytest.mark.parametrize("shape", [(1, 7), (5, 1), (1, 1), (7, 13)])
def test_any_size_is_filled(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    mask[0, 0] = True
    out = filled(Image(np.where(mask, np.float32(2), np.float32(0))[:, :, None], LINEAR_SRGB, mask=mask))
    assert (out.pixels == 2).all()


def test_a_picture_without_a_mask_stays_as_it_is() -> None:
    image = Image(baked(CHARTS), LINEAR_SRGB)
    assert filled(image) is image

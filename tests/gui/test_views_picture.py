"""Pyramids, exact minification and blends."""

from __future__ import annotations

import numpy as np
import pytest
from views_kit import noise

from gui.views.picture import blend, build_picture, level_for, resampled


def light(code: np.ndarray) -> np.ndarray:
    """Linear light of sRGB code values, after IEC 61966-2-1."""
    value = code / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_each_level_halves_the_sides_and_rounds_up():
    picture = build_picture(noise(131, 70))
    assert [level.shape[:2] for level in picture.levels] == [(70, 131), (35, 66), (18, 33), (9, 17)]
    assert [(image.height(), image.width()) for image in picture.images] == [(70, 131), (35, 66), (18, 33), (9, 17)]


def test_a_picture_of_one_texel_has_one_level():
    assert len(build_picture(noise(1, 1)).levels) == 1


def test_a_level_is_the_mean_of_light_of_the_one_before():
    picture = build_picture(noise(600, 520))
    fine = light(picture.levels[0]).reshape(260, 2, 300, 2, 3).mean(axis=(1, 3))
    code = np.where(fine <= 0.0031308, fine * 12.92, 1.055 * fine ** (1 / 2.4) - 0.055) * 255
    assert np.abs(picture.levels[1] - code).max() <= 0.75


@pytest.mark.parametrize("drawn", [(97, 61), (128, 100), (199, 150), (250, 199), (40, 30), (3, 2)])
def test_a_fine_checkerboard_is_even_grey_at_every_size(drawn):
    board = np.indices((200, 256)).sum(axis=0) % 2 * 255
    picture = build_picture(np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8))
    out, _ = resampled(picture, drawn, (0, 0, *drawn))
    assert light(out).mean() == pytest.approx(0.5, abs=0.01)
    if drawn[0] <= 128:  # at most one device pixel a black and white pair: nothing of the pattern is left
        assert np.ptp(out.astype(int)) <= 24


def test_minification_averages_light_exactly():
    rgb = noise(90, 60)
    out, _ = resampled(build_picture(rgb), (60, 40), (0, 0, 60, 40))
    thirds = np.repeat(np.repeat(light(rgb), 2, 0), 2, 1)  # 180 × 120: three of these to one output
    expected = thirds.reshape(40, 3, 60, 3, 3).mean(axis=(1, 3))
    code = np.where(expected <= 0.0031308, expected * 12.92, 1.055 * expected ** (1 / 2.4) - 0.055) * 255
    assert np.abs(out - code).max() <= 0.75


def test_a_part_is_the_same_as_that_part_of_the_whole():
    picture = build_picture(noise(700, 600))
    whole, _ = resampled(picture, (501, 433), (0, 0, 501, 433))
    part, _ = resampled(picture, (501, 433), (123, 45, 500, 433))
    assert np.array_equal(part, whole[45:433, 123:500])


def test_the_level_drawn_has_a_texel_for_every_device_pixel():
    picture = build_picture(noise(512, 512))
    assert [level_for(picture, scale) for scale in (2, 1, 0.75, 0.5, 0.3, 0.25, 0.001)] == [0, 0, 0, 1, 1, 2, 4]


def test_an_overlay_takes_the_colour_out_of_the_picture():
    rgb, heat = np.full((4, 4, 3), (255, 0, 0), np.uint8), np.zeros((4, 4, 3), np.uint8)
    mixed = blend(rgb, heat, 0.5)
    assert np.ptp(mixed[0, 0].astype(int)) == 0
    assert blend(rgb, heat, 1.0) is heat


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(ValueError, match="a picture to show"):
        build_picture(wrong)

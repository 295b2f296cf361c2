"""What the eye sees: right colours, no seams between strips, tables that rise evenly."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from engine import display
from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, convert
from engine.display import COLOUR_TABLES, colour_table, heat, to_display
from engine.errors import UsageError
from engine.image import Alpha, Image
from engine.tone import Tone


def random(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.random.default_rng(6).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def test_8_bit_srgb_is_shown_as_it_is():
    pixels = random((20, 30, 3), np.uint8)
    shown = to_display(Image(pixels))
    np.testing.assert_array_equal(shown, pixels)
    assert shown.flags.c_contiguous and shown.dtype == np.uint8


def test_grey_is_shown_on_three_channels():
    pixels = random((20, 30, 1), np.uint8)
    np.testing.assert_array_equal(to_display(Image(pixels)), np.repeat(pixels, 3, axis=2))


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_samples_are_rounded_to_the_nearest_level(bits):
    codes = np.arange(2**bits, dtype=np.uint16)[None, :, None]
    shown = to_display(Image(codes, bits=bits))[0, :, 0]
    np.testing.assert_array_equal(shown, np.floor(codes[0, :, 0] * 255.0 / (2**bits - 1) + 0.5))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_display_p3_is_converted_and_clipped(dtype):
    pixels = random((40, 50, 3), dtype)
    wanted = convert(pixels / np.iinfo(dtype).max, DISPLAY_P3, SRGB).clip(0, 1) * 255
    assert np.abs(to_display(Image(pixels, DISPLAY_P3)) - wanted).max() < 0.6


def test_exposure_doubles_light_per_stop():
    light = np.full((2, 2, 3), 0.25, np.float32)
    one = to_display(Image(light, LINEAR_SRGB), tone=Tone(exposure=1.0))
    np.testing.assert_array_equal(one, to_display(Image(2 * light, LINEAR_SRGB)))
    assert one[0, 0, 0] == 188  # half of the light of white


def test_floats_that_are_no_numbers_are_shown_black():
    light = np.array([[[np.nan, np.inf, -np.inf]]], np.float32)
    np.testing.assert_array_equal(to_display(Image(light, LINEAR_SRGB))[0, 0], [0, 255, 0])


def test_alpha_shows_the_checkerboard_or_a_colour():
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :, 0] = 200
    clear = to_display(Image(rgba, alpha=Alpha.STRAIGHT))
    assert {tuple(c) for c in clear.reshape(-1, 3)} == {(g, g, g) for g in display.CHECKER}
    assert clear[0, 0, 0] != clear[0, 8, 0] and clear[0, 0, 0] == clear[8, 8, 0]
    blue = to_display(Image(rgba, alpha=Alpha.STRAIGHT), background="#0000ff")
    assert tuple(blue[3, 3]) == (0, 0, 255)
    rgba[:, :, 3] = 255
    assert tuple(to_display(Image(rgba, alpha=Alpha.STRAIGHT))[3, 3]) == (200, 0, 0)


def test_premultiplied_colours_are_added_to_what_is_behind():
    rgba = np.full((1, 1, 4), 64, np.uint8)
    shown = to_display(Image(rgba, alpha=Alpha.PREMULTIPLIED), background="#ffffff")
    assert tuple(shown[0, 0]) == (255, 255, 255)


def test_strips_leave_no_seams(monkeypatch):
    image = Image(random((61, 37, 4), np.uint16), DISPLAY_P3, Alpha.STRAIGHT)
    whole = to_display(image)
    monkeypatch.setattr(display, "_STRIP_SAMPLES", 37 * 4 * 7)
    np.testing.assert_array_equal(to_display(image), whole)


@pytest.mark.parametrize("name", COLOUR_TABLES)
def test_a_colour_table_has_256_colours(name):
    table = colour_table(name)
    assert table.shape == (256, 3) and table.dtype == np.uint8 and not table.flags.writeable


def lightness(name: str) -> np.ndarray:
    linear = np.where(colour_table(name) / 255 <= 0.04045, colour_table(name) / 255 / 12.92, 0)
    linear = np.where(colour_table(name) / 255 > 0.04045, ((colour_table(name) / 255 + 0.055) / 1.055) ** 2.4, linear)
    return np.cbrt(linear @ [0.2126, 0.7152, 0.0722])


def test_sequential_tables_only_get_lighter():
    for name in ("inferno", "gray"):
        assert (np.diff(lightness(name)) > -2e-3).all()
        assert lightness(name)[-1] - lightness(name)[0] > 0.9


def test_the_diverging_table_is_lightest_and_neutral_in_the_middle():
    light = lightness("diverging")
    assert 120 <= light.argmax() <= 135
    assert np.ptp(colour_table("diverging")[127].astype(int)) <= 4
    assert abs(light[0] - light[-1]) < 0.08


def test_heat_clips_at_both_ends_and_shows_nan_as_the_lowest():
    values = np.array([[-5.0, 0.0, 1.0, 9.0, np.nan, np.inf]], np.float32)
    first, last = colour_table("inferno")[[0, 255]]
    np.testing.assert_array_equal(heat(values, 0, 1)[0], [first, first, last, last, first, last])


def test_heat_takes_the_nearest_colour():
    places = np.arange(256, dtype=np.float32)[None]
    for off in (-0.4, 0.0, 0.4):
        np.testing.assert_array_equal(heat(10 + (places + off) / 10, 10, 35.5)[0], colour_table("inferno"))


def test_heat_of_an_empty_range_is_the_first_colour():
    assert (heat(np.ones((2, 2), np.float32), 1, 1) == colour_table("inferno")[0]).all()


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="inferno"):
        colour_table("jet")
    with pytest.raises(UsageError, match="#rrggbb"):
        to_display(Image(np.zeros((1, 1, 2), np.uint8), alpha=Alpha.STRAIGHT), background="white")


def test_the_checkerboard_has_squares_of_eight_pixels_light_first():
    clear = to_display(Image(np.zeros((17, 18, 4), np.uint8), alpha=Alpha.STRAIGHT))
    assert clear[0, [0, 7, 8, 15, 16], 0].tolist() == [204, 204, 153, 153, 204]
    assert clear[[0, 7, 8, 15, 16], 0, 2].tolist() == [204, 204, 153, 153, 204]


def test_half_alpha_is_half_way_to_what_is_behind():
    grey = np.array([[[100, 128], [100, 127], [255, 0], [0, 255]]], np.uint8)
    shown = to_display(Image(grey, alpha=Alpha.STRAIGHT), background="#102030")
    assert shown[0].tolist() == [[58, 66, 74], [58, 66, 74], [16, 32, 48], [0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "checksum"), [("inferno", 0x7AA60E9B), ("diverging", 0xDDC49998), ("gray", 0x547EE5D2)]
)
def test_a_colour_table_keeps_its_colours(name, checksum):
    """Maps that were drawn at different times are compared by eye."""
    assert zlib.crc32(colour_table(name).tobytes()) == checksum


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("inferno", (0, 0, 4), (252, 255, 164)),
        ("diverging", (18, 61, 115), (107, 20, 38)),
        ("gray", (0,) * 3, (255,) * 3),
    ],
)
def test_a_colour_table_begins_and_ends_in_its_named_colours(name, first, last):
    assert tuple(colour_table(name)[0]) == first
    assert tuple(colour_table(name)[255]) == last


def test_an_infinite_value_below_is_the_first_colour():
    values = np.array([[-np.inf, 0.5]], np.float32)
    shown = heat(values, 0, 1, "gray")
    assert shown[0, :, 0].tolist() == [0, colour_table("gray")[128, 0]]


def test_exposure_is_in_stops_and_leaves_code_values_alone():
    light = np.full((1, 1, 3), 1.0, np.float32)
    assert to_display(Image(light, LINEAR_SRGB), tone=Tone(exposure=-1.0))[0, 0, 0] == 188
    assert to_display(Image(light, LINEAR_SRGB), tone=Tone(exposure=-2.0))[0, 0, 0] == 137
    assert to_display(Image(np.full((1, 1, 3), 99, np.uint8)), tone=Tone(exposure=3.0))[0, 0, 0] == 99


@pytest.mark.parametrize("bits", [1, 4, 7])
def test_shallow_samples_reach_from_black_to_white(bits):
    codes = np.arange(2**bits, dtype=np.uint8)[None, :, None]
    shown = to_display(Image(codes, bits=bits))[0, :, 0]
    assert shown.tolist() == [int(code * 255 / (2**bits - 1) + 0.5) for code in range(2**bits)]

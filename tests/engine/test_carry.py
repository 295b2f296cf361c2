"""A picture is made to fit a codec, and every loss is named."""

from __future__ import annotations

import numpy as np
import pytest

from engine import carry
from engine.carry import fit, flatten, refusal, with_bits
from engine.codec import Capabilities, CodecInfo
from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, ColorSpec
from engine.errors import Unsupported
from engine.image import Alpha, Image


def info(**capabilities: object) -> CodecInfo:
    return CodecInfo("x", "Codec X", "dct", ".x", capabilities=Capabilities(**capabilities))  # type: ignore[arg-type]


def pixels(channels: int, dtype: type = np.uint8) -> np.ndarray:
    high = np.iinfo(dtype).max
    return np.random.default_rng(4).integers(0, high, (6, 7, channels), dtype=dtype, endpoint=True)


def test_what_fits_is_left_alone():
    image = Image(pixels(4, np.uint16), DISPLAY_P3, Alpha.STRAIGHT)
    fitted = fit(image, info(alpha=True, depths=(8, 16)))
    assert fitted.image is image and fitted.notes == ()


def test_alpha_is_flattened_over_white_and_said():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = (0, 128, 255)
    fitted = fit(Image(rgba, alpha=Alpha.STRAIGHT), info())
    np.testing.assert_array_equal(fitted.image.pixels[0, :, 0], [255, 127, 0])
    assert fitted.image.alpha is Alpha.NONE
    assert fitted.notes == ("Codec X carries no alpha: the picture was flattened over white",)


def test_premultiplied_colours_are_not_multiplied_twice():
    rgba = np.array([[[100, 50, 0, 128]]], np.uint8)
    flat = flatten(Image(rgba, alpha=Alpha.PREMULTIPLIED))
    np.testing.assert_array_equal(flat.pixels[0, 0], [227, 177, 127])


def test_sixteen_bits_become_eight_by_rounding_and_it_is_said():
    values = np.array([[[0], [128], [129], [32768], [65535]]], np.uint16)
    fitted = fit(Image(values), info(depths=(8,)))
    np.testing.assert_array_equal(fitted.image.pixels[0, :, 0], [0, 0, 1, 128, 255])
    assert (fitted.image.bits, fitted.image.pixels.dtype) == (8, np.uint8)
    assert "16-bit picture was rounded" in fitted.notes[0]


def test_the_next_larger_depth_loses_nothing_and_needs_no_note():
    ten = Image(pixels(3, np.uint16) >> 6, bits=10)
    fitted = fit(ten, info(depths=(8, 12, 16)))
    assert (fitted.image.bits, fitted.notes) == (12, ())
    np.testing.assert_array_equal(with_bits(fitted.image, 10).pixels, ten.pixels)


def test_too_many_bits_become_the_most_that_are_carried():
    fitted = fit(Image(pixels(3, np.uint16)), info(depths=(8, 10, 12)))
    assert fitted.image.bits == 12
    assert "carries 12 bits" in fitted.notes[0]


@pytest.mark.parametrize("bits", range(1, 17))
def test_more_bits_and_back_is_the_identity(bits):
    values = np.arange(2**bits).astype(np.uint8 if bits <= 8 else np.uint16)[None, :, None]
    image = Image(values, bits=bits)
    for wider in range(bits, 17):
        wide = with_bits(image, wider)
        assert wide.pixels.max() == 2**wider - 1
        np.testing.assert_array_equal(with_bits(wide, bits).pixels, values)


def test_grey_becomes_rgb_where_grey_is_not_carried():
    image = Image(pixels(2), alpha=Alpha.STRAIGHT)
    fitted = fit(image, info(gray=False, alpha=True))
    assert fitted.image.channels == 4
    for channel in range(3):
        np.testing.assert_array_equal(fitted.image.pixels[:, :, channel], image.pixels[:, :, 0])
    np.testing.assert_array_equal(fitted.image.pixels[:, :, 3], image.pixels[:, :, 1])
    assert "grey" in fitted.notes[0]


@pytest.mark.parametrize(("depths", "deepest"), [((8,), 8), ((8, 10, 16), 16)])
def test_light_in_floats_is_refused_by_codecs_of_whole_numbers(depths, deepest):
    light = Image(np.ones((2, 2, 3), np.float32), LINEAR_SRGB)
    with pytest.raises(Unsupported, match=f"Codec X carries {deepest}-bit pictures only; .* take wavelet, JPEG 2000"):
        fit(light, info(depths=depths))
    assert refusal(info(depths=depths), is_light=True) and refusal(info(depths=(8, 32)), is_light=True) is None


def test_light_is_made_finite_and_positive_and_that_is_said():
    light = np.array([[[0.0, 0.5, 1.0], [4.0, -1.0, 2.0], [np.nan, 3.0, np.inf]]], np.float32)
    fitted = fit(Image(light, LINEAR_SRGB), info(depths=(8, 32), light="codes light somehow"))
    np.testing.assert_array_equal(fitted.image.pixels[0], [[0, 0.5, 1], [4, 0, 2], [0, 3, 4]])
    (note,) = fitted.notes
    assert note.startswith("Codec X codes light somehow; 1 texel that is not finite was replaced; 1 texel with light")


def test_light_loses_its_alpha_over_black_and_keeps_its_mask():
    rgba = np.array([[[2, 4, 6, 0.5], [1, 1, 1, 0]]], np.float32)
    mask = np.array([[True, False]])
    can = info(depths=(32,), alpha=True, light="codes light somehow")
    straight = fit(Image(rgba, LINEAR_SRGB, Alpha.STRAIGHT, mask=mask), can)
    np.testing.assert_array_equal(straight.image.pixels[0], [[1, 2, 3], [0, 0, 0]])
    multiplied = fit(Image(rgba, LINEAR_SRGB, Alpha.PREMULTIPLIED, mask=mask), can)
    np.testing.assert_array_equal(multiplied.image.pixels[0], [[2, 4, 6], [1, 1, 1]])
    assert (straight.image.mask == mask).all() and "laid over black" in straight.notes[0]


def test_proper_light_is_left_alone():
    light = Image(np.ones((2, 2, 3), np.float32), LINEAR_SRGB)
    fitted = fit(light, info(depths=(32,), light="codes light somehow"))
    assert fitted.image is light and fitted.notes == ("Codec X codes light somehow",)


@pytest.mark.parametrize("alpha", [False, True])
def test_display_p3_becomes_srgb_where_no_gamut_can_be_named(alpha):
    codes = np.array([[[234, 51, 35, 7], [0, 255, 0, 9]]], np.uint8)[:, :, : 3 + alpha]
    image = Image(codes, DISPLAY_P3, Alpha.STRAIGHT if alpha else Alpha.NONE)
    fitted = fit(image, info(wide_gamut=False, alpha=True))
    assert fitted.image.color == SRGB
    # Green lies outside sRGB and is clipped; (234, 51, 35) is sRGB's red, as CSS Color 4 gives it in display-p3.
    assert np.abs(fitted.image.colour_pixels[0].astype(int) - [[255, 0, 0], [0, 255, 0]]).max() <= 1
    if alpha:
        assert fitted.image.alpha_plane[0].tolist() == [7, 9]
    assert "Display P3 was converted" in fitted.notes[0]
    assert fit(image, info(alpha=True)).image is image


def test_grey_changes_its_primaries_without_a_word():
    image = Image(pixels(1), DISPLAY_P3)
    fitted = fit(image, info(wide_gamut=False))
    assert (fitted.image.color, fitted.notes) == (SRGB, ())
    assert (fitted.image.pixels == image.pixels).all()


def test_a_side_that_is_too_long_is_refused_with_both_figures():
    with pytest.raises(Unsupported, match="sides up to 6 pixels, this picture is 7 × 6"):
        fit(Image(pixels(3)), info(max_side=6))


def test_the_picture_given_is_not_changed():
    image = Image(pixels(4, np.uint16), alpha=Alpha.STRAIGHT)
    before = image.pixels.copy()
    fit(image, info())
    np.testing.assert_array_equal(image.pixels, before)


def test_a_side_as_long_as_the_format_allows_is_carried():
    assert fit(Image(pixels(3)), info(max_side=7)).notes == ()


def test_every_loss_has_its_words():
    deep = Image(pixels(2, np.uint16), DISPLAY_P3, Alpha.STRAIGHT)
    wide = Image(pixels(3, np.uint16), DISPLAY_P3)
    assert fit(deep, info(gray=False, depths=(8,))).notes == (
        "Codec X carries no alpha: the picture was flattened over white",
        "Codec X carries 8 bits a sample: the 16-bit picture was rounded",
        "Codec X carries no grey pictures: grey was coded as RGB",
    )
    assert fit(wide, info(wide_gamut=False, depths=(16,))).notes == (
        "Codec X names no colours but sRGB: Display P3 was converted, what lies outside sRGB was clipped",
    )


def test_floats_keep_their_primaries():
    light = Image(np.full((2, 2, 3), -1, np.float32), ColorSpec(9, 8))
    assert fit(light, info(depths=(8, 32), light="codes light somehow")).image.color == ColorSpec(9, 8)


def test_integers_are_refused_by_a_codec_of_floats_alone():
    with pytest.raises(Unsupported, match="Codec X carries floating-point pictures only"):
        fit(Image(pixels(3)), info(depths=(32,)))
    assert refusal(info(depths=(8, 32)), is_light=False) is None


@pytest.mark.parametrize(("over", "shade"), [(0.0, 100), (0.5, 164), (1.0, 227)])
def test_the_grey_behind_shows_as_far_as_alpha_lets_it(over, shade):
    rgba = np.array([[[100, 100, 100, 128]]], np.uint8)
    assert flatten(Image(rgba, alpha=Alpha.PREMULTIPLIED), over).pixels.tolist() == [[[shade] * 3]]


def test_floats_are_flattened_without_rounding_or_clipping():
    light = np.array([[[4.0, 0.25, -1.0, 0.5]]], np.float32)
    flat = flatten(Image(light, LINEAR_SRGB, Alpha.STRAIGHT))
    assert flat.pixels.tolist() == [[[2.5, 0.625, 0.0]]]


def test_a_picture_is_converted_in_strips_without_seams(monkeypatch):
    deep = Image(pixels(4, np.uint16), DISPLAY_P3, Alpha.STRAIGHT)
    whole = fit(deep, info(wide_gamut=False)).image
    for strip in (1, 7, 8, 15, 41):
        monkeypatch.setattr(carry, "_STRIP_PIXELS", strip)
        np.testing.assert_array_equal(fit(deep, info(wide_gamut=False)).image.pixels, whole.pixels)


def test_deep_display_p3_is_converted_at_its_own_depth():
    ten = Image(np.array([[[939, 205, 140], [512, 512, 512]]], np.uint16), DISPLAY_P3, bits=10)
    fitted = fit(ten, info(wide_gamut=False, depths=(10,))).image
    assert np.abs(fitted.pixels[0].astype(int) - [[1023, 0, 0], [512, 512, 512]]).max() <= 4

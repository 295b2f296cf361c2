"""What is compared with what: size, alpha, grey, depth."""

from __future__ import annotations

import numpy as np
import pytest

from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, ColorSpec
from engine.errors import Unsupported, UsageError
from engine.image import Alpha, Image
from engine.metrics.align import align

RNG = np.random.default_rng(3)


def test_pictures_of_different_size_are_refused_with_both_sizes() -> None:
    with pytest.raises(UsageError, match="4×3 and 3×4"):
        align(Image(np.zeros((3, 4, 3), np.uint8)), Image(np.zeros((4, 3, 3), np.uint8)))


def light(values: list, alpha: Alpha = Alpha.NONE, mask: list | None = None) -> Image:
    return Image(np.array(values, np.float32), LINEAR_SRGB, alpha, mask=None if mask is None else np.array(mask))


def test_code_values_are_brought_to_light_against_a_floating_point_reference() -> None:
    ref, img = align(light([[[0.5, 0.5, 0.5]]]), Image(np.full((1, 1, 3), 188, np.uint8)))
    assert img.is_float
    assert img.pixels == pytest.approx(ref.pixels, abs=0.004)  # sRGB's 188 is half of the light


def test_light_is_brought_to_code_values_against_such_a_reference() -> None:
    ref, img = align(Image(np.full((1, 2), 188, np.uint8)), light([[[0.5, 0.5, 0.5], [np.nan, 2.0, -1.0]]]))
    assert ref.pixels[0, 0] == pytest.approx(img.pixels[0, 0], abs=1)
    assert img.pixels[0, 1].tolist() == [0, 255, 0]


def test_light_of_other_primaries_is_converted_and_never_negative() -> None:
    pure = light([[[1.0, 0.0, 0.0]]])
    _, img = align(pure, Image(pure.pixels, ColorSpec(12, 8)))
    assert img.pixels[0, 0] == pytest.approx([1.2249, 0, 0], abs=1e-3)  # P3's red in linear sRGB, less its negatives


def test_texels_outside_of_mask_coverage_and_numbers_do_not_count() -> None:
    values = [[[1, 1, 1, 1], [1, 1, 1, 0], [np.nan, 1, 1, 1], [1, 1, 1, 1]]]
    ref = light(values, Alpha.PREMULTIPLIED, [[True, True, True, False]])
    ref, img = align(ref, light([[[9.0, 9, 9]] * 4]))
    assert ref.mask is not None
    assert ref.mask.tolist() == [[True, False, False, False]]
    assert (ref.pixels[0, :, 0].tolist(), img.pixels[0, :, 0].tolist()) == ([1, 0, 0, 0], [9, 0, 0, 0])


def test_straight_alpha_is_laid_over_black_in_linear_light() -> None:
    ref, img = align(light([[[4.0, 4, 4, 0.5]]], Alpha.STRAIGHT), light([[[2.0, 2, 2, 0.5]]], Alpha.PREMULTIPLIED))
    assert (ref.pixels == img.pixels).all()


def test_what_is_no_number_in_the_candidate_alone_counts_as_its_error() -> None:
    _, img = align(light([[[1.0, 1, 1]]]), light([[[np.nan, np.inf, -np.inf]]]))
    assert img.pixels[0, 0].tolist() == [0, 65504, 0]


def test_a_reference_of_which_no_texel_counts_is_refused() -> None:
    nothing = light([[[np.nan, 0, 0]]])
    with pytest.raises(Unsupported, match="no texel"):
        align(nothing, nothing)


def test_plain_rgb_of_equal_depth_is_left_as_it_is() -> None:
    ref, img = (Image(RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)) for _ in range(2))
    assert align(ref, img) == (ref, img)


def test_alpha_of_both_pictures_is_flattened() -> None:
    clear = Image(np.array([[[9, 9, 9, 0]]], np.uint8), alpha=Alpha.STRAIGHT)
    white = Image(np.array([[[255, 255, 255]]], np.uint8))
    ref, img = align(clear, white)
    assert (ref.pixels == img.pixels).all()
    ref, img = align(white, clear)
    assert (ref.pixels == img.pixels).all()


def test_the_candidate_takes_the_references_colour() -> None:
    red = np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8)
    as_p3 = [[234, 51, 35], [255, 255, 255]]  # sRGB's red as CSS Color 4 gives it in display-p3
    ref, img = align(Image(red, DISPLAY_P3), Image(red, SRGB))
    assert img.color == ref.color == DISPLAY_P3
    assert np.abs(img.pixels[0].astype(int) - as_p3).max() <= 1
    assert (ref.pixels == red).all()


def test_colours_outside_the_references_gamut_are_clipped() -> None:
    pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    _, img = align(Image(pure, SRGB), Image(pure, DISPLAY_P3))
    assert (img.pixels == pure).all()


@pytest.mark.parametrize("swap", [False, True])
def test_grey_against_rgb_becomes_rgb(swap: bool) -> None:
    grey, rgb = Image(np.array([[7]], np.uint8)), Image(np.array([[[7, 8, 9]]], np.uint8))
    ref, img = align(*((rgb, grey) if swap else (grey, rgb)))
    assert ref.channels == img.channels == 3
    assert (grey.pixels == (img if swap else ref).pixels).all()


@pytest.mark.parametrize(
    ("ref_bits", "img_bits", "value", "want"),
    [(16, 8, 200, 200 * 257), (8, 16, 200 * 257 + 128, 200), (8, 10, 1023, 255)],
)
def test_the_candidate_takes_the_references_depth(ref_bits: int, img_bits: int, value: int, want: int) -> None:
    def make(bits: int, code: int) -> Image:
        return Image(np.array([[code]], np.uint8 if bits == 8 else np.uint16), bits=bits)

    ref, img = align(make(ref_bits, 1), make(img_bits, value))
    assert img.pixels.dtype == ref.pixels.dtype
    assert (img.bits, img.pixels.item(), ref.pixels.item()) == (ref_bits, want, 1)

"""What is compared with what: size, alpha, grey, depth."""

from __future__ import annotations

import numpy as np
import pytest

from engine.color import DISPLAY_P3, SRGB
from engine.errors import Unsupported, UsageError
from engine.image import Alpha, Image
from engine.metrics.align import align

RNG = np.random.default_rng(3)


def test_pictures_of_different_size_are_refused_with_both_sizes() -> None:
    with pytest.raises(UsageError, match="4×3 and 3×4"):
        align(Image(np.zeros((3, 4, 3), np.uint8)), Image(np.zeros((4, 3, 3), np.uint8)))


def test_floating_point_pictures_are_refused() -> None:
    flat = Image(np.zeros((2, 2, 3), np.float32))
    with pytest.raises(Unsupported, match="code values"):
        align(flat, flat)


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

"""What is compared with what: size, alpha, grey, depth."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import Unsupported, UsageError
from engine.image import Alpha, Image
from engine.metrics.align import align, over_white

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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_straight_alpha_is_laid_over_white_to_the_nearest_code_value(dtype: type) -> None:
    peak = np.iinfo(dtype).max
    pixels = RNG.integers(0, peak, (40, 50, 4), dtype=dtype, endpoint=True)
    pixels[0, :3, 3] = 0, peak, peak // 2
    flat = over_white(Image(pixels, alpha=Alpha.STRAIGHT))
    cover = pixels[:, :, 3:].astype(np.float64) / peak
    want = pixels[:, :, :3] * cover + peak * (1 - cover)
    assert flat.alpha is Alpha.NONE
    assert np.abs(flat.pixels - want).max() <= 0.5 + 1e-6
    assert (flat.pixels[0, 0] == peak).all()
    assert (flat.pixels[0, 1] == pixels[0, 1, :3]).all()


def test_premultiplied_alpha_adds_the_white_that_shows_through() -> None:
    flat = over_white(Image(np.array([[[10, 100], [0, 0], [255, 255]]], np.uint8), alpha=Alpha.PREMULTIPLIED))
    assert flat.pixels.ravel().tolist() == [165, 255, 255]


def test_alpha_of_both_pictures_is_flattened() -> None:
    clear = Image(np.array([[[9, 9, 9, 0]]], np.uint8), alpha=Alpha.STRAIGHT)
    white = Image(np.array([[[255, 255, 255]]], np.uint8))
    ref, img = align(clear, white)
    assert (ref.pixels == img.pixels).all()
    ref, img = align(white, clear)
    assert (ref.pixels == img.pixels).all()


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

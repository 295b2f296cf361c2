"""`Image`: what it accepts, and what makes two pictures different."""

from __future__ import annotations

import numpy as np
import pytest

from engine.color import DISPLAY_P3
from engine.errors import EngineError
from engine.image import Alpha, Image

PIXELS = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)


def test_whatever_changes_the_meaning_changes_the_digest() -> None:
    base = Image(PIXELS, alpha=Alpha.STRAIGHT)
    other = PIXELS.copy()
    other[2, 3, 3] ^= 1
    mask = np.ones((3, 4), bool)
    holed = mask.copy()
    holed[0, 0] = False
    variants = [
        base,
        Image(other, alpha=Alpha.STRAIGHT),
        Image(PIXELS, alpha=Alpha.PREMULTIPLIED),
        Image(PIXELS, DISPLAY_P3, Alpha.STRAIGHT),
        Image(PIXELS, alpha=Alpha.STRAIGHT, bits=7),
        Image(PIXELS, alpha=Alpha.STRAIGHT, icc=b"profile"),
        Image(PIXELS, alpha=Alpha.STRAIGHT, mask=mask),
        Image(PIXELS, alpha=Alpha.STRAIGHT, mask=holed),
        Image(PIXELS.reshape(4, 3, 4), alpha=Alpha.STRAIGHT),
        Image(PIXELS.astype(np.uint16), alpha=Alpha.STRAIGHT),
    ]
    assert len({image.digest for image in variants}) == len(variants)
    assert Image(PIXELS.copy(), alpha=Alpha.STRAIGHT).digest == base.digest


def test_pixels_cannot_be_written() -> None:
    pixels = PIXELS.copy()
    image = Image(pixels, alpha=Alpha.STRAIGHT)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    pixels[0, 0, 0] = 1  # the array that was given stays its owner's


@pytest.mark.parametrize(
    "make",
    [
        lambda: Image(PIXELS),
        lambda: Image(PIXELS[:, :, :3], alpha=Alpha.STRAIGHT),
        lambda: Image(PIXELS[:, :, :2]),
        lambda: Image(PIXELS[:0, :, :3]),
        lambda: Image(PIXELS[:, :, :3].astype(np.float64)),
        lambda: Image(PIXELS[:, :, :3], bits=9),
        lambda: Image(PIXELS[:, :, :3], mask=np.ones((4, 3), bool)),
    ],
)
def test_what_contradicts_itself_is_refused(make: object) -> None:
    with pytest.raises(EngineError):
        make()  # type: ignore[operator]


def test_a_picture_says_what_it_holds() -> None:
    rgba = Image(PIXELS, alpha=Alpha.STRAIGHT)
    assert (rgba.height, rgba.width, rgba.channels) == (3, 4, 4)
    assert (rgba.has_alpha, rgba.is_gray, rgba.is_float, rgba.bits, rgba.peak) == (True, False, False, 8, 255.0)
    np.testing.assert_array_equal(rgba.colour_pixels, PIXELS[:, :, :3])
    np.testing.assert_array_equal(rgba.alpha_plane, PIXELS[:, :, 3])
    grey = Image(PIXELS[:, :, 0].astype(np.uint16), bits=10)
    assert (grey.channels, grey.has_alpha, grey.is_gray, grey.bits, grey.peak) == (1, False, True, 10, 1023.0)
    assert grey.colour_pixels is grey.pixels and grey.alpha_plane is None
    assert Image(PIXELS[:, :, :2], alpha=Alpha.STRAIGHT).is_gray
    light = Image(PIXELS[:, :, :3].astype(np.float32))
    assert (light.is_float, light.bits, light.peak) == (True, 32, 1.0)
    assert Image(PIXELS[:, :, :3].astype(np.uint16)).bits == 16


@pytest.mark.parametrize(
    ("dtype", "bits", "fit"),
    [
        (np.uint8, 1, True),
        (np.uint8, 8, True),
        (np.uint8, 9, False),
        (np.uint8, -1, False),
        (np.uint16, 9, True),
        (np.uint16, 1, True),
        (np.uint16, 16, True),
        (np.uint16, 17, False),
        (np.float32, 32, True),
        (np.float32, 16, False),
    ],
)
def test_significant_bits_are_no_more_than_a_sample_has(dtype: type, bits: int, fit: bool) -> None:
    pixels = np.zeros((1, 1, 3), dtype)
    if fit:
        assert Image(pixels, bits=bits).bits == bits
    else:
        with pytest.raises(EngineError, match=f"{bits} significant bits do not fit"):
            Image(pixels, bits=bits)


@pytest.mark.parametrize(
    ("pixels", "alpha", "message"),
    [
        (np.zeros((2, 2, 2, 2), np.uint8), Alpha.NONE, "a picture is H×W×C"),
        (np.zeros(4, np.uint8), Alpha.NONE, "a picture is H×W×C"),
        (np.zeros((2, 2, 3), np.int16), Alpha.NONE, "not int16"),
        (np.zeros((2, 0, 3), np.uint8), Alpha.NONE, "at least one pixel"),
        (np.zeros((2, 2, 5), np.uint8), Alpha.NONE, "5 channels do not fit alpha 'none'"),
        (np.zeros((2, 2, 1), np.uint8), Alpha.PREMULTIPLIED, "1 channels do not fit alpha 'premultiplied'"),
    ],
)
def test_a_refusal_says_what_does_not_fit(pixels: np.ndarray, alpha: Alpha, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        Image(pixels, alpha=alpha)


def test_a_mask_is_of_bool() -> None:
    with pytest.raises(EngineError, match="a mask is H×W of bool"):
        Image(PIXELS[:, :, :3], mask=np.ones((3, 4), np.uint8))


def test_a_digest_is_the_same_on_every_machine() -> None:
    assert Image(PIXELS, alpha=Alpha.STRAIGHT).digest == "afa3afd1ea5066e7e6e38798412818c9"


def test_other_pixels_keep_the_meaning() -> None:
    image = Image(PIXELS, DISPLAY_P3, Alpha.STRAIGHT, 7, b"profile")
    other = image.with_pixels(PIXELS[::-1], alpha=Alpha.PREMULTIPLIED)
    assert (other.color, other.bits, other.icc, other.alpha) == (DISPLAY_P3, 7, b"profile", Alpha.PREMULTIPLIED)
    np.testing.assert_array_equal(other.pixels, PIXELS[::-1])
    assert other.pixels.flags.c_contiguous

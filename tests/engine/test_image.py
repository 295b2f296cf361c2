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

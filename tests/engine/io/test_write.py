"""What is written as PNG comes back the same: samples, bits, alpha, colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, recognise
from engine.errors import EngineError, Unsupported
from engine.image import Alpha, Image
from engine.io import png_bytes, read, write_png


@st.composite
def pictures(draw: st.DrawFn) -> Image:
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    channels, bits = draw(st.integers(1, 4)), draw(st.sampled_from([8, 9, 10, 12, 15, 16]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pixels = rng.integers(0, 2**bits, (height, width, channels)).astype(np.uint8 if bits == 8 else np.uint16)
    alpha = Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE
    return Image(pixels, draw(st.sampled_from([SRGB, DISPLAY_P3])), alpha, bits)


@given(image=pictures())
def test_a_written_picture_comes_back_the_same(tmp_path_factory, image):
    path = tmp_path_factory.getbasetemp() / "round-trip.png"
    write_png(path, image)
    back = read(path).image
    np.testing.assert_array_equal(back.pixels, image.pixels)
    assert (back.alpha, back.bits) == (image.alpha, image.bits)
    assert back.digest == image.digest or image.is_gray  # a grey picture has no primaries to keep


def test_a_grey_picture_gets_no_rgb_profile():
    data = png_bytes(Image(np.zeros((2, 2, 1), np.uint8), DISPLAY_P3))
    assert b"iCCP" not in data and b"sRGB" in data


def test_other_programs_see_the_profile(tmp_path):
    data = png_bytes(Image(np.zeros((2, 2, 3), np.uint8), DISPLAY_P3))
    with Pillow.open(io.BytesIO(data)) as picture:
        assert recognise(picture.info["icc_profile"]) == DISPLAY_P3
    with Pillow.open(io.BytesIO(png_bytes(Image(np.zeros((2, 2, 3), np.uint8))))) as picture:
        assert "icc_profile" not in picture.info and picture.info["srgb"] == 0


def test_what_png_cannot_hold_is_refused_by_name(tmp_path):
    path = tmp_path / "out.png"
    with pytest.raises(Unsupported, match=r"out\.png: .*floating"):
        write_png(path, Image(np.zeros((2, 2, 3), np.float32), LINEAR_SRGB))
    with pytest.raises(Unsupported, match="premultiplied"):
        write_png(path, Image(np.zeros((2, 2, 4), np.uint8), alpha=Alpha.PREMULTIPLIED))
    with pytest.raises(EngineError, match="folder does not exist"):
        write_png(tmp_path / "absent" / "out.png", Image(np.zeros((2, 2, 3), np.uint8)))
    assert list(tmp_path.iterdir()) == []

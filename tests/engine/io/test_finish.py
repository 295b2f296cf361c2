"""From samples as they lie in a file to a picture: colours, ink, orientation, and the words for each step."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, ColorSpec, profile_bytes
from engine.image import Alpha, Image
from engine.io.finish import finish
from engine.io.source import Raw

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14
ADOBE = bytes(imagecodecs.cms_profile("adobergb"))
GRAY = bytes(imagecodecs.cms_profile("gray", gamma=1.0))
HDR = "HDR code values ({}) are taken as they are: colours look flat"
KEPT = "Display P3 colours kept"


def raw(pixels: np.ndarray = RGB, channels: str = "RGB", bits: int = 8, **more: object) -> Raw:
    return Raw(pixels, channels, bits, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("orientation", "rows", "note"),
    [
        (1, [[0, 1, 2], [3, 4, 5]], None),
        (2, [[2, 1, 0], [5, 4, 3]], "mirrored left to right"),
        (3, [[5, 4, 3], [2, 1, 0]], "turned by 180°"),
        (4, [[3, 4, 5], [0, 1, 2]], "mirrored top to bottom"),
        (5, [[0, 3], [1, 4], [2, 5]], "mirrored and turned by 90°"),
        (6, [[3, 0], [4, 1], [5, 2]], "turned by 90° clockwise"),
        (7, [[5, 2], [4, 1], [3, 0]], "mirrored and turned by 90°"),
        (8, [[2, 5], [1, 4], [0, 3]], "turned by 90° counter-clockwise"),
        (9, [[0, 1, 2], [3, 4, 5]], None),
    ],
)
def test_a_picture_is_turned_upright(orientation: int, rows: list[list[int]], note: str | None) -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    image, notes = finish(raw(pixels, "L", orientation=orientation))
    assert image.pixels[:, :, 0].tolist() == rows
    assert notes == ((f"{note}, as the file asks",) if note else ())


@pytest.mark.parametrize(
    ("cicp", "color", "note"),
    [
        ((1, 13), SRGB, None),
        ((1, 1), SRGB, None),
        ((1, 6), SRGB, None),
        ((1, 14), SRGB, None),
        ((1, 15), SRGB, None),
        ((1, 2), SRGB, None),
        ((12, 13), DISPLAY_P3, KEPT),
        ((12, 1), DISPLAY_P3, KEPT),
        ((9, 16), SRGB, HDR.format("PQ")),
        ((9, 18), SRGB, HDR.format("HLG")),
        ((12, 16), SRGB, HDR.format("PQ")),
        ((9, 14), SRGB, "converted from “BT.2020, sRGB” to sRGB"),
        ((1, 8), SRGB, None),
        ((5, 13), SRGB, None),
        ((2, 2), SRGB, None),
    ],
)
def test_code_points_decide_the_colours(cicp: tuple[int, int], color: ColorSpec, note: str | None) -> None:
    image, notes = finish(raw(cicp=cicp))
    assert (image.color, notes) == (color, (note,) if note else ())
    assert np.array_equal(image.pixels, RGB) == (note is None or "converted" not in note)


@pytest.mark.parametrize("cicp", [None, (2, 2), (2, 13), (1, 8), (5, 13)])
def test_code_points_that_say_nothing_leave_the_matter_to_the_profile(cicp: tuple[int, int] | None) -> None:
    image, notes = finish(raw(cicp=cicp, icc=profile_bytes(DISPLAY_P3)))
    assert (image.color, notes) == (DISPLAY_P3, (KEPT,))


def test_a_profile_that_is_srgb_is_not_mentioned() -> None:
    image, notes = finish(raw(icc=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))
    assert (image.color, notes) == (SRGB, ())
    assert np.array_equal(image.pixels, RGB)


def test_alpha_stays_when_the_colours_are_converted() -> None:
    rgba = np.dstack([RGB, np.arange(6, dtype=np.uint8).reshape(2, 3)])
    image, notes = finish(raw(rgba, "RGBA", icc=ADOBE))
    plain, _ = finish(raw(icc=ADOBE))
    assert notes[0].startswith("converted from “") and notes[0].endswith("” to sRGB")
    np.testing.assert_array_equal(image.pixels[:, :, 3], rgba[:, :, 3])
    np.testing.assert_array_equal(image.pixels[:, :, :3], plain.pixels)
    assert not np.array_equal(plain.pixels, RGB)


@pytest.mark.parametrize("channels", ["L", "LA"])
def test_grey_is_converted_as_grey(channels: str) -> None:
    levels = np.array([[0, 14, 64, 128, 200, 255]], np.uint8)[:, :, None].repeat(len(channels), 2)
    image, notes = finish(raw(levels, channels, icc=GRAY))
    assert image.pixels.shape == levels.shape
    assert np.abs(image.pixels[0, :, 0].astype(int) - [0, 66, 137, 188, 229, 255]).max() <= 2
    assert len(notes) == 1 and "to sRGB" in notes[0]
    assert channels == "L" or np.array_equal(image.pixels[:, :, 1], levels[:, :, 1])


@pytest.mark.parametrize(
    ("channels", "icc"),
    [
        ("L", ADOBE),
        ("RGB", GRAY),
        ("RGB", profile_bytes(LINEAR_SRGB).replace(b"cicp", b"none").replace(b"RGB XYZ", b"LAB XYZ")),
    ],
)
def test_a_profile_of_another_kind_of_picture_is_ignored_and_named(channels: str, icc: bytes) -> None:
    pixels = RGB[:, :, : len(channels)].copy()
    image, notes = finish(raw(pixels, channels, icc=icc))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert len(notes) == 1
    assert notes[0].endswith("does not fit the picture and was ignored: colours taken as sRGB")


def test_a_damaged_profile_is_ignored_and_named() -> None:
    icc = bytearray(ADOBE)
    icc[128:132] = (1).to_bytes(4, "big")
    image, notes = finish(raw(icc=bytes(icc)))
    np.testing.assert_array_equal(image.pixels, RGB)
    assert notes == ("the profile “unnamed profile” is damaged and was ignored: colours taken as sRGB",)


PLAIN_FORMULA = "CMYK without a usable profile was converted by the plain formula: colours are approximate"


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535)])
def test_ink_takes_light_away(dtype: type, peak: int) -> None:
    half = peak // 2
    inks = np.array(
        [[[0, 0, 0, 0], [peak, 0, 0, 0], [0, peak, half, 0], [0, 0, 0, peak], [half, half, half, half]]], dtype
    )
    image, notes = finish(raw(inks, "CMYK", dtype().itemsize * 8, icc=ADOBE))
    light = peak - half
    dark = round(light * light / peak)
    wanted = [[peak] * 3, [0, peak, peak], [peak, 0, light], [0] * 3, [dark] * 3]
    np.testing.assert_array_equal(image.pixels[0], wanted)
    assert (image.color, image.alpha, notes) == (SRGB, Alpha.NONE, (PLAIN_FORMULA,))


def test_ink_is_converted_in_strips_without_seams() -> None:
    inks = np.random.default_rng(1).integers(0, 256, (150, 3, 4), np.uint8)
    whole, _ = finish(raw(inks, "CMYK"))
    for row in (0, 63, 64, 127, 128, 149):
        alone, _ = finish(raw(inks[row : row + 1], "CMYK"))
        np.testing.assert_array_equal(whole.pixels[row], alone.pixels[0])


@pytest.mark.parametrize(
    ("channels", "premultiplied", "alpha"),
    [
        ("L", False, Alpha.NONE),
        ("LA", False, Alpha.STRAIGHT),
        ("RGBA", True, Alpha.PREMULTIPLIED),
        ("RGB", True, Alpha.NONE),
    ],
)
def test_alpha_is_what_the_file_says(channels: str, premultiplied: bool, alpha: Alpha) -> None:
    image, _ = finish(raw(np.zeros((1, 1, len(channels)), np.uint8), channels, premultiplied=premultiplied))
    assert image.alpha is alpha


def test_only_deep_samples_have_other_than_eight_bits() -> None:
    assert finish(raw(RGB.astype(np.uint16), bits=10))[0].bits == 10
    assert finish(raw(RGB, bits=5))[0].bits == 8


def test_a_picture_is_contiguous_after_its_turn() -> None:
    image, _ = finish(raw(orientation=6))
    assert isinstance(image, Image) and image.pixels.flags.c_contiguous

"""Code points, conversions and ICC profiles agree with LittleCMS and with each other."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from engine.color import (
    DISPLAY_P3,
    LINEAR_SRGB,
    SRGB,
    ColorSpec,
    convert,
    describe,
    from_linear,
    profile_bytes,
    recognise,
    rgb_matrix,
    to_linear,
)
from engine.errors import Unsupported

BT2020 = ColorSpec(9, 13)


def test_code_values_survive_the_way_through_linear_light():
    codes = np.linspace(-0.2, 1.2, 1001)
    np.testing.assert_allclose(from_linear(to_linear(codes, SRGB), SRGB), codes, atol=1e-12)
    assert to_linear(np.float32([0.5]), SRGB).dtype == np.float32


def test_srgb_has_the_published_fixed_points():
    np.testing.assert_allclose(
        to_linear(np.array([0.0, 0.04045, 0.5, 1.0]), SRGB), [0, 0.0031308, 0.2140411, 1], atol=1e-6
    )


def test_white_stays_white_between_primaries():
    for source in (SRGB, DISPLAY_P3, BT2020):
        for target in (SRGB, DISPLAY_P3, BT2020):
            np.testing.assert_allclose(rgb_matrix(source, target).sum(axis=1), 1, atol=1e-9)


def test_p3_red_in_srgb_is_the_published_colour():
    # CSS Color 4: color(display-p3 1 0 0) = color(srgb 1.0930 -0.2268 -0.1501)
    red = convert(np.array([[[1.0, 0.0, 0.0]]]), DISPLAY_P3, SRGB)
    np.testing.assert_allclose(red[0, 0], [1.0930, -0.2268, -0.1501], atol=2e-3)


def test_conversion_there_and_back_is_the_identity():
    values = np.random.default_rng(1).random((8, 9, 3))
    np.testing.assert_allclose(convert(convert(values, DISPLAY_P3, BT2020), BT2020, DISPLAY_P3), values, atol=1e-9)


@pytest.mark.parametrize("spec", [SRGB, DISPLAY_P3, BT2020, LINEAR_SRGB])
def test_our_profiles_are_valid_small_and_say_who_they_are(spec):
    icc = profile_bytes(spec)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    assert len(icc) < 700
    assert profile.profile.version >= 4
    assert str(spec) in ImageCms.getProfileDescription(profile)
    assert describe(icc) == str(spec)


def test_littlecms_converts_with_our_profile_as_we_do():
    codes = np.random.default_rng(2).integers(25_000, 45_000, (16, 16, 3), dtype=np.uint16)
    theirs = imagecodecs.cms_transform(
        codes, profile_bytes(DISPLAY_P3), profile_bytes(SRGB), colorspace="rgb", outcolorspace="rgb"
    )
    ours = convert(codes / 65535, DISPLAY_P3, SRGB).clip(0, 1) * 65535
    assert np.abs(ours - theirs).max() < 40


@pytest.mark.parametrize("spec", [SRGB, DISPLAY_P3])
def test_our_own_profiles_are_recognised(spec):
    assert recognise(profile_bytes(spec)) == spec


def test_srgb_profiles_of_others_are_recognised():
    pillow = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert recognise(pillow) == SRGB
    assert recognise(imagecodecs.cms_profile("srgb")) == SRGB


def test_a_p3_profile_without_a_cicp_tag_is_recognised():
    nameless = profile_bytes(DISPLAY_P3).replace(b"cicp", b"none")
    assert recognise(nameless) == DISPLAY_P3


def test_a_grey_profile_with_the_curve_of_srgb_is_srgb():
    srgb = profile_bytes(SRGB).replace(b"RGB XYZ ", b"GRAYXYZ ").replace(b"gTRC", b"kTRC")
    assert recognise(srgb) == SRGB
    assert recognise(imagecodecs.cms_profile("gray", gamma=2.2)) is None


@pytest.mark.parametrize("name", ["adobergb", "xyz"])
def test_other_spaces_are_not_mistaken_for_ours(name):
    assert recognise(imagecodecs.cms_profile(name)) is None


def test_srgb_primaries_with_another_curve_are_not_srgb():
    linear = profile_bytes(LINEAR_SRGB).replace(b"cicp", b"none")
    assert recognise(linear) is None


def test_damaged_profiles_are_none_and_never_an_exception():
    icc = profile_bytes(DISPLAY_P3)
    rng = np.random.default_rng(3)
    for _ in range(300):
        damaged = bytearray(icc)
        for place in rng.integers(0, len(icc), 6):
            damaged[place] = rng.integers(256)
        cut = bytes(damaged[: rng.integers(1, len(icc))])
        for data in (bytes(damaged), cut):
            assert recognise(data) in (None, SRGB, DISPLAY_P3)
            assert describe(data)


def test_unknown_code_points_are_refused():
    with pytest.raises(Unsupported, match="22"):
        profile_bytes(ColorSpec(22, 13))
    with pytest.raises(Unsupported, match="16"):
        to_linear(np.zeros(1), ColorSpec(9, 16))

"""Code points, conversions and ICC profiles agree with LittleCMS and with each other."""

from __future__ import annotations

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from engine import color
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
    rgb_to_xyz,
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


# CSS Color 4, section "Sample code for Color Conversions".
PUBLISHED = {
    1: [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]],
    9: [[0.6369580, 0.1446169, 0.1688810], [0.2627002, 0.6779981, 0.0593017], [0.0, 0.0280727, 1.0609851]],
    12: [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0.0, 0.0451134, 1.0439444]],
}


@pytest.mark.parametrize("primaries", PUBLISHED)
def test_primaries_are_the_published_ones(primaries):
    np.testing.assert_allclose(rgb_to_xyz(primaries), PUBLISHED[primaries], atol=1e-6)


def test_unknown_primaries_are_refused():
    with pytest.raises(Unsupported, match="primaries 22"):
        rgb_to_xyz(22)


def test_a_spec_is_srgb_unless_said_otherwise():
    assert ColorSpec() == SRGB
    assert (SRGB.code_points, LINEAR_SRGB.code_points, DISPLAY_P3.code_points) == ((1, 13), (1, 8), (12, 13))
    assert (SRGB.is_linear, LINEAR_SRGB.is_linear) == (False, True)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (SRGB, "sRGB"),
        (DISPLAY_P3, "Display P3"),
        (LINEAR_SRGB, "BT.709, linear"),
        (BT2020, "BT.2020, sRGB"),
        (ColorSpec(12, 8), "Display P3, linear"),
        (ColorSpec(5, 16), "primaries 5, transfer 16"),
    ],
)
def test_a_spec_has_a_name(spec, text):
    assert str(spec) == text


def test_the_curve_is_mirrored_below_zero():
    np.testing.assert_allclose(to_linear(np.array([-0.5, -0.02]), SRGB), [-0.2140411, -0.0015480], atol=1e-6)
    np.testing.assert_allclose(from_linear(np.array([-0.5, -0.001]), SRGB), [-0.7353570, -0.01292], atol=1e-6)


def test_linear_light_is_what_it_is_and_keeps_its_type():
    values = np.float32([[-1, 0.5, 40]])
    assert to_linear(values, LINEAR_SRGB) is values
    assert from_linear(values, LINEAR_SRGB) is values
    assert convert(values, SRGB, SRGB) is values
    assert from_linear(values, SRGB).dtype == np.float32


def test_grey_has_no_primaries_to_convert():
    grey = np.array([[[0.25], [0.5]]])
    np.testing.assert_allclose(convert(grey, DISPLAY_P3, SRGB), grey, atol=1e-12)


@pytest.mark.parametrize(
    ("spec", "checksum"),
    [(SRGB, 0x88BFDD4E), (DISPLAY_P3, 0x31D8CBB4), (BT2020, 0x13B117B3), (LINEAR_SRGB, 0x32179340)],
    ids=str,
)
def test_a_profile_has_the_same_bytes_always(spec, checksum):
    assert zlib.crc32(profile_bytes(spec)) == checksum


def icc(tags, space=b"RGB "):
    """A profile of just these tags, by the book (ICC.1:2022, 7.2 and 7.3)."""
    table, body = b"", b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(tag))
        body += tag
    header = bytearray(128)
    header[16:20], header[36:40] = space, b"acsp"
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


COLORANTS = [(0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)]  # of sRGB, under D50


def rgb_profile(curve, off=0.0, **more):
    xyz = [tuple(value + off for value in colorant) for colorant in COLORANTS]
    named = {
        name: b"XYZ " + bytes(4) + fixed(*each) for name, each in zip((b"rXYZ", b"gXYZ", b"bXYZ"), xyz, strict=True)
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return icc({**named, **curves, **{name.encode(): tag for name, tag in more.items()}})


def para(kind, *parameters):
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed(*parameters)


def table(values):
    return b"curv" + bytes(4) + struct.pack(">I", len(values)) + np.asarray(values, ">u2").tobytes()


SRGB_CURVE = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def sampled(change=lambda codes: codes, count=1024):
    return table(np.rint(to_linear(change(np.linspace(0, 1, count)), SRGB).clip(0, 1) * 65535))


@pytest.mark.parametrize(
    ("curve", "same"),
    [
        (SRGB_CURVE, True),
        (para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0), True),
        (para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.1, 0), False),
        (para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.3, 0, 0.1), False),
        (para(0, 2.2), False),
        (para(0, 1.0), False),
        (para(1, 2.4, 1 / 1.055, 0.055 / 1.055), False),
        (para(2, 2.4, 1 / 1.055, 0.055 / 1.055, 0.2), False),
        (sampled(), True),
        (sampled(lambda codes: codes + 1.4 / 255 * (codes > 0.02) * (codes < 0.98)), True),
        (sampled(lambda codes: codes + 1.6 / 255 * (codes > 0.02) * (codes < 0.98)), False),
        (table([]), False),
        (table([563]), False),
        (b"para" + bytes(8), False),
        (b"lin " + bytes(40), False),
    ],
)
def test_a_profile_is_srgb_if_its_curve_is_within_one_and_a_half_codes(curve, same):
    assert (recognise(rgb_profile(curve)) == SRGB) == same


@pytest.mark.parametrize(("off", "same"), [(0.0, True), (0.0035, True), (-0.0035, True), (0.0045, False)])
def test_a_profile_is_srgb_if_its_colorants_are_near(off, same):
    assert (recognise(rgb_profile(SRGB_CURVE, off)) == SRGB) == same


@pytest.mark.parametrize(
    ("more", "spec"),
    [
        ({"cicp": b"cicp" + bytes(4) + bytes([12, 13, 0, 1])}, DISPLAY_P3),
        ({"cicp": b"cicp" + bytes(4) + bytes([1, 13, 0, 1])}, SRGB),
        ({"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1])}, None),
        ({"cicp": b"cicp"}, None),
        ({"A2B0": bytes(8)}, None),
    ],
)
def test_code_points_outrank_curves_and_tables_are_beyond_us(more, spec):
    assert recognise(rgb_profile(SRGB_CURVE, **more)) == spec


def test_gammas_and_powers_are_read_as_the_standard_says():
    codes = np.array([0.0, 0.1, 0.25, 0.5, 1.0])
    assert color._curve(table([]), codes).tolist() == codes.tolist()
    np.testing.assert_allclose(color._curve(table([512]), codes), codes**2)
    np.testing.assert_allclose(color._curve(table([0, 0, 65535]), codes), [0, 0, 0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(color._curve(table([0, 13107, 65535]), codes), [0, 0.04, 0.1, 0.2, 1], atol=1e-9)
    np.testing.assert_allclose(color._curve(para(0, 2), codes), codes**2)
    np.testing.assert_allclose(color._curve(para(1, 2, 1, -0.25), codes), [0, 0, 0, 0.0625, 0.5625])
    np.testing.assert_allclose(color._curve(para(2, 2, 1, -0.25, 0.5), codes), [0.5, 0.5, 0.5, 0.5625, 1.0625])
    np.testing.assert_allclose(color._curve(para(3, 2, 1, 0, 0.5, 0.25), codes), [0, 0.05, 0.0625, 0.25, 1], atol=1e-4)
    np.testing.assert_allclose(
        color._curve(para(4, 2, 1, 0, 0.5, 0.25, 0.125, 0.25), codes), [0.25, 0.3, 0.1875, 0.375, 1.125], atol=1e-4
    )


def test_too_many_tags_are_no_profile():
    whole = rgb_profile(SRGB_CURVE)
    assert recognise(whole[:128] + struct.pack(">I", 257) + whole[132:] + bytes(4000)) is None


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (b"desc" + bytes(4) + struct.pack(">I", 5) + b"Plain and more", "Plain"),
        (b"desc" + bytes(4) + struct.pack(">I", 6) + b"a\x01b\x02c\0", "abc"),
        (
            b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 8, 28) + "Deep".encode("utf-16-be"),
            "Deep",
        ),
        (b"desc" + bytes(4) + struct.pack(">I", 100) + b"x" * 100, "x" * 80),
        (b"desc" + bytes(4) + struct.pack(">I", 2) + b"  ", "unnamed profile"),
        (b"desc", "unnamed profile"),
    ],
)
def test_a_profile_says_its_name(tag, text):
    assert describe(icc({b"desc": tag})) == text
    assert describe(icc({})) == "unnamed profile"

"""Tones: exposure, offset, gamma and curves against their formulas, one table for every picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.color import LINEAR_SRGB, ColorSpec
from engine.display import displayable, to_display
from engine.errors import UsageError
from engine.film import ZEBRA, Film, Print, auto_exposure
from engine.image import Alpha, Image
from engine.tone import CURVES, Tone, tone_table

RNG = np.random.default_rng(5)


def light(values: object, color: ColorSpec = LINEAR_SRGB, mask: np.ndarray | None = None) -> Image:
    return Image(np.array(values, np.float32), color, mask=mask)


def code(value: float) -> float:
    """sRGB's 8-bit code of light 0…1, unrounded (IEC 61966-2-1)."""
    value = min(1.0, max(0.0, value))
    return 255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def shown(value: float, tone: Tone) -> int:
    return int(to_display(light([[[value]]]), tone=tone)[0, 0, 0])


@pytest.mark.parametrize("value", [0.0, 0.001, 0.02, 0.18, 0.5, 0.99, 1.0, 3.0, 100.0])
def test_curves_are_their_formulas(value: float) -> None:
    want = {
        "clip": value,
        "reinhard": value / (1 + value),
        "aces": (2.51 * value**2 + 0.03 * value) / (2.43 * value**2 + 0.59 * value + 0.14),
    }
    for curve, result in want.items():
        assert shown(value, Tone(curve=curve)) == pytest.approx(code(result), abs=0.6), curve


def test_filmic_keeps_black_and_brings_its_white_to_white() -> None:
    assert shown(0.0, Tone(curve="filmic")) == 0
    assert shown(11.2 / 2, Tone(curve="filmic")) == 255
    assert shown(11.2 / 2 * 0.9, Tone(curve="filmic")) < 255


@pytest.mark.parametrize("curve", list(CURVES))
def test_more_light_is_never_darker(curve: str) -> None:
    table = tone_table(Tone(curve=curve))
    rising = table[: np.float16(np.inf).view(np.uint16) + 1].astype(int)  # the positive halves, in order
    assert (np.diff(rising) >= 0).all()
    assert (rising[0], rising[-1]) == (0, 255)


def test_exposure_comes_before_offset_and_both_before_the_curve() -> None:
    tone = Tone(exposure=2.0, offset=0.1, curve="reinhard")
    value = 0.3 * 4 + 0.1
    assert shown(0.3, tone) == pytest.approx(code(value / (1 + value)), abs=0.6)


def test_gamma_bends_the_coded_value() -> None:
    assert shown(0.2, Tone(gamma=2.0)) == pytest.approx(255 * (code(0.2) / 255) ** 0.5, abs=0.6)


def test_what_is_no_proper_light_is_black_or_white_in_every_tone() -> None:
    for curve in CURVES:
        pixels = to_display(
            light([[[np.nan, np.inf, -np.inf], [-1.0, 1e30, -0.0]]]), tone=Tone(exposure=3, curve=curve)
        )
        assert pixels[0].tolist() == [[0, 255, 0], [0, 255, 0]], curve


def test_an_unknown_curve_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="reinhard"):
        Tone(curve="sepia")


def test_wide_primaries_are_brought_to_srgb_before_the_tone() -> None:
    red = to_display(light([[[0.25, 0.0, 0.0]]], ColorSpec(12, 8)), tone=Tone(exposure=1))
    assert red[0, 0].tolist() == [round(code(0.5 * 1.2249)), 0, 0]


def test_coverage_is_not_shown_as_transparency() -> None:
    values = RNG.random((4, 5, 4)).astype(np.float32)
    assert (to_display(Image(values, LINEAR_SRGB, Alpha.STRAIGHT)) == to_display(light(values[:, :, :3]))).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_crops_and_drafts_of_a_film_are_parts_of_the_whole(channels: int) -> None:
    film = Film(light(RNG.lognormal(-1, 2, (150, 90, channels))))
    tone = Tone(exposure=-0.7, curve="aces")
    whole = film.develop(tone)
    assert whole.shape == film.shape == (150, 90, 3)
    assert whole.flags.c_contiguous
    assert (film.develop(tone, 4) == whole[::4, ::4]).all()
    assert (Print(film, tone)[70:150, 3:20] == whole[70:150, 3:20]).all()


def test_a_film_is_shown_as_to_display_shows_its_picture() -> None:
    image = light(RNG.lognormal(-1, 2, (20, 30, 3)))
    film = displayable(image)
    assert isinstance(film, Film)
    assert (film.develop(Tone(exposure=1.5)) == to_display(image, tone=Tone(exposure=1.5))).all()


def test_a_picture_of_code_values_needs_no_film() -> None:
    pixels = RNG.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    assert (displayable(Image(pixels)) == pixels).all()


# --- automatic exposure -------------------------------------------------------------------------


def test_the_log_average_becomes_middle_grey() -> None:
    values = np.full((10, 10, 3), 0.04)
    values[:5] = 0.64  # their log-average is 0.16, and 0.64 · 0.18 / 0.16 is not beyond white
    assert auto_exposure(light(values)) == pytest.approx(math.log2(0.18 / 0.16), abs=0.05)


def test_hardly_anything_is_taken_beyond_white() -> None:
    values = np.full((10, 10, 3), 2.0**-8)
    values[:2] = 8.0  # a fifth in the sun: the log-average alone would ask for +3.5 stops
    assert auto_exposure(light(values)) == -3.0


def test_only_texels_that_count_and_have_light_are_averaged() -> None:
    values = [[[0.18] * 3, [90.0] * 3, [0.0] * 3, [np.nan] * 3, [-1.0] * 3]]
    assert auto_exposure(light(values, mask=np.array([[True, False, True, True, True]]))) == 0.0


def test_a_picture_without_light_is_left_as_it_is() -> None:
    assert auto_exposure(light(np.zeros((3, 3, 3)))) == 0.0


def test_a_large_picture_is_sampled() -> None:
    row = np.full((2000, 1500, 1), 0.09)
    assert auto_exposure(light(row)) == 1.0


# --- looks --------------------------------------------------------------------------------------


def test_zebra_stripes_what_is_clipped_negative_infinite_or_no_number_and_nothing_else() -> None:
    pixels = np.full((8, 32, 3), 0.2)
    kinds = {"clipped": 3.0, "below 0": -0.5, "infinite": np.inf, "not a number": np.nan}
    for place, value in enumerate(kinds.values()):
        pixels[:, 8 * place : 8 * place + 6, 1] = value
    film = Film(light(pixels))
    plain, zebra = film.develop(Tone()), film.develop(Tone(look="zebra"))
    changed = (plain != zebra).any(axis=2)
    for place, kind in enumerate(kinds):
        columns = slice(8 * place, 8 * place + 6)
        assert 0.2 < changed[:, columns].mean() < 0.8
        assert (zebra[:, columns][changed[:, columns]] == ZEBRA[kind]).all()
        assert not changed[:, 8 * place + 6 : 8 * place + 8].any()
    assert not (film.develop(Tone(exposure=-4, look="zebra"))[:, :6] == ZEBRA["clipped"]).all(axis=2).any()


def test_stripes_stay_where_they_are_whatever_part_is_asked_for() -> None:
    film, tone = Film(light(np.full((90, 70, 3), 9.0))), Tone(look="zebra")
    whole = film.develop(tone)
    assert np.array_equal(film.crop(slice(13, 80), slice(7, 31), tone), whole[13:80, 7:31])
    assert np.array_equal(film.develop(tone, 3), whole[::3, ::3])


def test_false_colour_has_one_colour_a_stop() -> None:
    values = [[[2.0**stop * 1.5] for stop in range(-8, 8)]]
    film = Film(light(values))
    colours = [tuple(each) for each in film.develop(Tone(look="stops"))[0].tolist()]
    assert len(set(colours)) == 16
    brighter = [tuple(each) for each in film.develop(Tone(exposure=1, look="stops"))[0].tolist()]
    assert brighter[:-1] == colours[1:] and brighter[-1] == colours[-1]
    ends = Film(light([[[2.0**-12], [2.0**12], [0.0], [-1.0], [np.nan], [1.999]]])).develop(Tone(look="stops"))[0]
    assert ends.tolist() == [[*colours[0]], [*colours[-1]], [0, 0, 0], [0, 0, 0], [0, 0, 0], [*colours[8]]]
    wide = Film(light(np.full((1, 1, 3), 1.5))).develop(Tone(look="stops"))
    assert tuple(wide[0, 0]) == colours[8]


def test_an_unknown_look_is_refused() -> None:
    with pytest.raises(UsageError, match="known are picture, zebra, stops"):
        Tone(look="x")

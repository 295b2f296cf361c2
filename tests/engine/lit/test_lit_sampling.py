"""Filters and mipmaps against scipy and figures worked out by hand; light and albedo in, display values out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from engine.color import LINEAR_SRGB
from engine.errors import UsageError
from engine.film import Film
from engine.image import Image
from engine.light import HALF_MAX
from engine.lit.albedo import Albedo, albedo_of
from engine.lit.flat import LightSource, LitFilm
from engine.lit.look import Lit
from engine.lit.measure import counted, error
from engine.lit.texture import Texture, halved, light_of
from engine.metrics import error_map
from engine.native import lit
from engine.tone import NEUTRAL, Tone, tone_table

RNG = np.random.default_rng(11)


def light(height: int = 20, width: int = 28) -> np.ndarray:
    return RNG.lognormal(-1, 1.5, (height, width, 3)).astype(np.float32)


def film(pixels: np.ndarray, look: Lit, albedo: Albedo | None = None) -> LitFilm:
    return LitFilm(LightSource(Image(pixels, LINEAR_SRGB)), look, albedo or Albedo())


def reference(pixels: np.ndarray, texels: np.ndarray, order: int, mode: str) -> np.ndarray:
    """scipy's interpolation, without the prefilter that would make a B-spline pass through the texels."""
    places = [texels[..., 1], texels[..., 0]]
    channels = [
        ndimage.map_coordinates(pixels[:, :, c].astype(float), places, order=order, mode=mode, prefilter=False)
        for c in range(3)
    ]
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize(("cubic", "order"), [(False, 1), (True, 3)])
@pytest.mark.parametrize(("repeat", "mode"), [(False, "nearest"), (True, "grid-wrap")])
def test_filters_are_those_of_scipy_and_so_are_edges(cubic: bool, order: int, repeat: bool, mode: str) -> None:
    pixels = light()
    texels = RNG.integers(-2500, 9000, (40, 30, 2)) / 256  # cards mix texels in 256ths
    uv = ((texels + 0.5) / (28, 20)).astype(np.float32)
    got = Texture(pixels.reshape(-1, 3), ((28, 20),), repeat).sample(uv, cubic=cubic)
    assert got == pytest.approx(reference(pixels, texels, order, mode), abs=1e-4)


def test_between_two_levels_light_is_mixed_by_the_level_of_detail() -> None:
    texture = Texture.of(light(16, 16))
    uv = RNG.random((50, 2)).astype(np.float32)
    fine, coarse = (Texture(texture.level(n).reshape(-1, 3), (texture.sizes[n],)).sample(uv) for n in (1, 2))
    got = texture.sample(uv, np.full(50, 1.25, np.float32))
    assert got == pytest.approx(0.75 * fine + 0.25 * coarse, rel=1e-5)
    ends = texture.sample(uv, np.array([-3.0, 99.0] * 25, np.float32))
    assert ends[0::2] == pytest.approx(texture.sample(uv)[0::2])
    assert ends[1::2] == pytest.approx(np.tile(texture.level(4)[0], (25, 1)))


def test_levels_are_means_of_four_texels_and_of_odd_sides_weighted_ones() -> None:
    even = light(4, 6)
    assert halved(even) == pytest.approx(even.reshape(2, 2, 3, 2, 3).mean(axis=(1, 3)), rel=1e-6)
    row = np.repeat(np.array([[1.0], [2.0], [4.0], [8.0], [16.0]], np.float32)[:, :, None], 3, axis=2)
    assert halved(row)[:, 0, 0] == pytest.approx([(2 * 1 + 2 * 2 + 4) / 5, (4 + 2 * 8 + 2 * 16) / 5])
    texture = Texture.of(light(37, 10))
    assert texture.sizes == ((10, 37), (5, 18), (2, 9), (1, 4), (1, 2), (1, 1))
    assert texture.level(5)[0, 0] == pytest.approx(texture.level(0).mean(axis=(0, 1)), rel=1e-4)


def test_places_and_levels_that_are_no_numbers_are_read_as_the_first_texel() -> None:
    texture = Texture.of(light(8, 8))
    odd = np.array([[np.nan, np.inf], [-np.inf, 1e30]], np.float32)
    got = texture.sample(odd, np.array([np.nan, np.nan], np.float32))
    assert np.isfinite(got).all()


def test_what_lies_beside_the_mesh_is_black() -> None:
    texture = Texture.of(np.ones((2, 2, 3), np.float32))
    got = texture.sample(np.full((3, 2), 0.5, np.float32), owner=np.array([4, -1, 0], np.int32))
    assert got[:, 0].tolist() == [1, 0, 1]


def test_sizes_that_do_not_fit_the_texels_are_refused() -> None:
    with pytest.raises(Exception, match="sampling"):
        lit.sample(np.zeros((15, 3), np.float32), [(4, 4)], np.zeros((1, 2), np.float32))


def test_a_card_holds_no_light_below_0_beyond_a_half_float_or_that_is_no_number() -> None:
    held = light_of(Image(np.array([[[np.nan], [-1.0], [1e6], [0.25]]], np.float32), LINEAR_SRGB))
    assert held[0, :, 0].tolist() == [0, 0, HALF_MAX, 0.25]
    assert held.shape == (1, 4, 3)


def test_developing_is_that_of_films_to_the_last_bit() -> None:
    values = np.concatenate([RNG.lognormal(0, 8, 30_000), [0, -1, np.nan, np.inf, 65519, 65520, 3e-8, 6e-8]])
    pixels = values.astype(np.float32)[: len(values) // 4 * 4].reshape(4, -1, 1)
    tone = Tone(exposure=1.5, curve="aces")
    wanted = Film(Image(pixels, LINEAR_SRGB)).develop(tone)[:, :, :1]
    assert np.array_equal(lit.develop(pixels, tone_table(tone)), wanted)
    for k in range(0, 16, 8):  # the whole bit pattern, not only what a tone tells apart
        table = (np.arange(65536) >> k).astype(np.uint8)
        with np.errstate(over="ignore"):
            bits = pixels.astype(np.float16).view(np.uint16)
        same = lit.develop(pixels, table) == table[bits]
        assert (same | np.isnan(pixels)).all()


@pytest.mark.parametrize("look", ["picture", "zebra", "stops"])
def test_one_pixel_a_texel_in_white_is_the_map_itself(look: str) -> None:
    pixels, tone = light(), Tone(exposure=0.7, look=look)
    assert np.array_equal(
        film(pixels, Lit(albedo="white")).develop(tone), Film(Image(pixels, LINEAR_SRGB)).develop(tone)
    )


def test_albedo_is_a_share_of_the_light() -> None:
    pixels = light()
    half = film(pixels, Lit(albedo="grey"), albedo_of(Lit(albedo="grey"))).develop(Tone(exposure=1.0))
    assert np.array_equal(half, film(pixels, Lit(albedo="white")).develop(NEUTRAL))
    checker = albedo_of(Lit(albedo="checker"))
    lit_checker = film(np.ones((64, 64, 3), np.float32), Lit(albedo="checker"), checker)
    shown = lit_checker.light(np.arange(64), np.arange(64))[4, 4::8, 0]  # a square is eight texels of the map
    assert shown == pytest.approx([0.8, 0.2] * 4, abs=1e-6)


def test_a_picture_as_albedo_covers_the_flat_map_once() -> None:
    picture = Image(np.array([[[0, 0, 0]] * 2 + [[255, 255, 255]] * 2], np.uint8))
    albedo = albedo_of(Lit(albedo="image"), picture)
    got = film(np.full((8, 8, 3), 2.0, np.float32), Lit(albedo="image"), albedo).light(np.arange(8), np.arange(8))
    assert got[3, 2, 0] == pytest.approx(0) and got[3, 6, 0] == pytest.approx(2)


def test_far_away_a_map_is_its_smaller_level_and_gutters_bleed() -> None:
    pixels = np.zeros((8, 8, 3), np.float32)
    pixels[:, :3] = 1.0  # the chart's border cuts a texel of level 1 in two
    far = film(pixels, Lit(density=0.5, albedo="white")).light(np.arange(4), np.arange(4))
    assert far[0, :, 0] == pytest.approx([1, 0.5, 0, 0])
    near = film(pixels, Lit(density=0.5, albedo="white", mips="off")).light(np.arange(4), np.arange(4))
    assert near[0, :, 0] == pytest.approx([1, 0.5, 0, 0])  # between two texels, by chance the same
    deep = film(pixels, Lit(mips="2", albedo="white")).light(np.arange(8), np.arange(8))
    assert deep[0, 0, 0] == pytest.approx(0.75)


def test_drafts_and_parts_are_of_the_same_picture() -> None:
    lit_film = film(light(), Lit(density=4.0, filter="bicubic"))
    whole = lit_film.develop(NEUTRAL)
    assert whole.shape == lit_film.shape == (80, 112, 3)
    assert np.array_equal(lit_film.develop(NEUTRAL, 3), whole[::3, ::3])
    assert np.array_equal(lit_film.crop(slice(7, 30), slice(50, 61), NEUTRAL), whole[7:30, 50:61])


def test_a_large_map_is_not_magnified_beyond_what_can_be_drawn() -> None:
    assert Lit(density=8.0).drawn_size(512, 512) == (4096, 4096)
    assert Lit(density=8.0).drawn_size(2048, 1024) == (4096, 2048)
    assert Lit(density=1.0).drawn_size(9000, 9000) == (9000, 9000)


@pytest.mark.parametrize("wrong", [{"filter": "best"}, {"mips": "16"}, {"density": 3.0}, {"albedo": "pink"}])
def test_looks_that_there_are_not_are_refused(wrong: dict) -> None:
    with pytest.raises(UsageError):
        Lit(**wrong)


def test_only_what_counts_is_measured() -> None:
    mask = np.zeros((20, 28), bool)
    mask[:, 6:] = True
    source = LightSource(Image(light(), LINEAR_SRGB, mask=mask))
    counts = LitFilm(source, Lit(density=2.0), Albedo()).counts()
    assert counts.shape == (40, 56) and not counts[:, :12].any() and counts[:, 12:].all()
    a = RNG.integers(0, 200, (40, 56, 3), dtype=np.uint8)
    b = a + np.uint8(10)
    b[:, :12] = 255
    ref, img = counted(a, counts), counted(b, counts)
    found = error(ref, img, error_map(ref, img, "flip"), counts)
    assert found.psnr == pytest.approx(20 * math.log10(255 / 10))
    assert found.flip > 0 and not found.map[:, :12].any()
    equal = error(ref, ref, error_map(ref, ref, "flip"), counts)
    assert equal.psnr == math.inf and equal.flip == 0
    assert math.isnan(error(ref, img, found.map, np.zeros_like(counts)).flip)

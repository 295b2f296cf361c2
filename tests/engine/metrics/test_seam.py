"""The seam score: what a bilinear filter shows at the borders of charts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.color import LINEAR_SRGB
from engine.errors import Unsupported
from engine.image import Image
from engine.metrics import error_map, metric, refusal, scores

MASK = np.zeros((24, 32), bool)
MASK[4:20, 4:14] = MASK[4:20, 18:28] = True
BORDER = MASK & ~(np.roll(MASK, 1, 0) & np.roll(MASK, -1, 0) & np.roll(MASK, 1, 1) & np.roll(MASK, -1, 1))


def atlas(inside: float, outside: float) -> Image:
    pixels = np.where(MASK, inside, outside)[:, :, None] * np.ones(3)
    return Image(pixels.astype(np.float32), LINEAR_SRGB, mask=MASK)


def seam(ref: Image, img: Image) -> float:
    return scores(ref, img, ["seam"])["seam"]


def test_equal_pictures_have_no_seams() -> None:
    assert seam(atlas(1.0, 0.0), atlas(1.0, 0.0)) == 0
    assert seam(atlas(1.0, 1.0), atlas(1.0, 1.0)) == 0


def test_a_gutter_that_lost_its_fill_shows_half_of_it() -> None:
    want = 1 + math.log2(1 + 2**-10) - math.log2(1 + 2**-9)  # half the light is one stop, less the toe
    assert seam(atlas(1.0, 1.0), atlas(1.0, 0.0)) == pytest.approx(want, rel=1e-5)


def test_brighter_gutters_are_worse() -> None:
    found = [seam(atlas(1.0, 1.0), atlas(1.0, outside)) for outside in (1.0, 1.1, 2.0, 8.0)]
    assert found[0] == 0 and found == sorted(found) and found[3] == pytest.approx(math.log2(4.5), rel=1e-3)


def test_filling_an_empty_gutter_is_no_fault_and_neither_is_leaving_it_empty() -> None:
    empty = atlas(1.0, 0.0)
    assert seam(empty, atlas(1.0, 1.0)) == 0
    assert seam(empty, atlas(1.0, 0.4)) == 0
    assert seam(empty, atlas(1.0, 3.0)) == pytest.approx(1, rel=1e-2)


def test_errors_of_the_outermost_texels_count_and_others_do_not() -> None:
    ref, inner, outer = atlas(1.0, 1.0), np.ones((24, 32, 3), np.float32), np.ones((24, 32, 3), np.float32)
    inner[MASK & ~BORDER] = 4.0
    outer[BORDER] = 4.0
    assert seam(ref, Image(inner, LINEAR_SRGB)) == 0
    assert seam(ref, Image(outer, LINEAR_SRGB)) == pytest.approx(2, rel=1e-2)


def test_what_the_filter_does_not_reach_does_not_count() -> None:
    pixels = np.ones((24, 32, 3), np.float32)
    near = MASK | np.roll(MASK, 1, 0) | np.roll(MASK, -1, 0) | np.roll(MASK, 1, 1) | np.roll(MASK, -1, 1)
    pixels[~near] = 100.0
    assert seam(atlas(1.0, 1.0), Image(pixels, LINEAR_SRGB)) == 0


def test_the_map_shows_where() -> None:
    errors = error_map(atlas(1.0, 1.0), atlas(1.0, 0.0), "seam")
    assert ((errors > 0) == BORDER).all()


def test_a_picture_without_charts_has_no_such_score() -> None:
    whole = Image(np.ones((8, 8, 3), np.float32), LINEAR_SRGB)
    assert "borders of charts" in str(refusal(metric("seam").info, whole))
    assert scores(whole, whole, ["seam", "log2_psnr"]) == {"log2_psnr": math.inf}
    with pytest.raises(Unsupported, match="borders of charts"):
        error_map(whole, whole, "seam")


def test_scores_keep_the_order_in_which_they_were_asked_for() -> None:
    ref = atlas(1.0, 0.5)
    assert list(scores(ref, ref, ["seam", "log2_psnr", "rel_max"])) == ["seam", "log2_psnr", "rel_max"]

"""The input doctor: every finding on the picture that has it, none on one that has not, and what each fix does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.color import LINEAR_SRGB, SRGB, to_linear
from engine.doctor import FIXES, Finding, examine, mend, ordered
from engine.errors import UsageError
from engine.image import Alpha, Image
from engine.io import read, write
from tests.engine.test_charts import CHARTS, baked

RNG = np.random.default_rng(9)


def light(height: int = 24, width: int = 30) -> np.ndarray:
    return np.exp2(RNG.normal(0, 1, (height, width, 3))).astype(np.float32)


def found(pixels: np.ndarray, alpha: np.ndarray | None = None) -> dict[str, Finding]:
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha[:, :, None].astype(np.float32)], axis=2)
    kind = Alpha.NONE if alpha is None else Alpha.STRAIGHT
    return {each.kind: each for each in examine(Image(pixels, LINEAR_SRGB, kind))}


def test_proper_light_has_no_findings() -> None:
    assert found(light()) == {}
    assert found(light(), np.ones((24, 30))) == {}
    assert examine(Image(np.zeros((4, 4, 3), np.uint8))) == ()


@pytest.mark.parametrize(
    ("value", "kind", "fix"),
    [
        (np.nan, "nan", "fill"),
        (np.inf, "infinite", "fill"),
        (-np.inf, "infinite", "fill"),
        (-0.25, "negative", "raise"),
        (70000.0, "beyond_half", "limit"),
    ],
)
def test_a_bad_texel_is_found_counted_and_placed(value: float, kind: str, fix: str) -> None:
    pixels = light()
    pixels[3, 5, 1] = pixels[3, 5, 2] = pixels[7, 2, 0] = value
    got = found(pixels)
    assert list(got) == [kind]
    assert (got[kind].count, got[kind].first, got[kind].fix) == (2, (5, 3), fix)
    assert got[kind].title.startswith("2 texels") and got[kind].words.endswith(".")


def test_codes_that_pass_for_light_are_suspected_and_light_is_not() -> None:
    codes = RNG.integers(0, 256, (24, 30, 3))
    for stored in (np.float32, np.float16):
        assert list(found((codes / 255).astype(stored).astype(np.float32))) == ["srgb"]
    assert found(to_linear((codes / 255).astype(np.float32), SRGB).astype(np.float16).astype(np.float32)) == {}
    assert found(RNG.random((24, 30, 3)).astype(np.float32)) == {}
    assert found((codes > 128).astype(np.float32)) == {}  # black and white


def test_alpha_that_is_no_coverage_is_found_where_it_decides_something() -> None:
    shares = RNG.random((24, 30))
    shares[:, :4] = 0
    assert found(light(), shares)["alpha"].fix == "uncover"
    assert found(light(), np.where(shares > 0, 2.0, 0.0))["alpha"].count == 24 * 26
    assert "alpha" not in found(light(), (shares > 0).astype(float))
    assert found(light(), 0.5 + shares / 2) == {}  # never 0: all texels count anyway


def test_gutters_are_found_by_their_looks_and_empty_ones_by_the_mask() -> None:
    got = found(baked(CHARTS))
    assert list(got) == ["gutters", "empty"]
    assert got["gutters"].count == (~CHARTS).sum()
    assert list(found(baked(CHARTS), CHARTS)) == ["empty"]
    assert found(np.where(CHARTS[:, :, None], baked(CHARTS), 0.5), CHARTS) == {}


def test_charts_that_are_closer_than_a_block_are_said() -> None:
    close = np.zeros((24, 30), bool)
    close[2:22, 2:14] = close[2:22, 16:28] = True
    assert found(light(), close)["padding"].count == 2
    close[:, 12:14] = False
    assert "padding" not in found(light(), close)


def test_fixes_are_applied_in_one_order_each_once() -> None:
    assert ordered(["fill", "raise", "fill"]) == ("raise", "fill")
    with pytest.raises(UsageError, match="unknown fix 'x'; known are decode"):
        ordered(["x"])


def test_every_fix_leaves_nothing_of_what_it_mends() -> None:
    pixels = light()
    pixels[3, 5] = -1
    pixels[4, 5] = 1e5
    image = Image(pixels, LINEAR_SRGB)
    out = mend(image, ("raise", "limit")).pixels
    assert (out[3, 5] == 0).all() and (out[4, 5] == 65504).all() and examine(mend(image, ("raise", "limit"))) == ()
    codes = (RNG.integers(0, 256, (24, 30, 3)) / 255).astype(np.float32)
    assert mend(Image(codes, LINEAR_SRGB), ["decode"]).pixels == pytest.approx(to_linear(codes, SRGB), abs=1e-6)
    masked = Image(light(), LINEAR_SRGB, mask=RNG.random((24, 30)) > 0.5)
    assert mend(masked, ["uncover"]).mask is None
    atlas = Image(baked(CHARTS), LINEAR_SRGB)
    assert np.array_equal(mend(atlas, ["gutters"]).mask, CHARTS)
    assert examine(mend(atlas, ["gutters", "fill"])) == ()
    assert mend(atlas, ["fill"]).digest == mend(atlas, ["gutters", "fill"]).digest


@pytest.mark.parametrize("name", FIXES)
def test_a_fix_is_pure_and_done_at_once(name: str) -> None:
    for image in (Image(baked(CHARTS), LINEAR_SRGB), Image(light(64, 80) - 0.5, LINEAR_SRGB, mask=CHARTS)):
        before = image.digest
        once = mend(image, [name])
        assert image.digest == before and mend(image, [name]).digest == once.digest
        assert name == "decode" or mend(once, [name]).digest == once.digest
    codes = Image(np.zeros((4, 4, 3), np.uint8))
    assert mend(codes, [name]) is codes


def test_what_a_file_holds_is_examined_before_reading_repairs_it(tmp_path: Path) -> None:
    pixels = light()
    pixels[3, 5] = np.nan
    covered = np.ones((24, 30), bool)
    covered[:, -6:] = False
    path = tmp_path / "map.exr"
    write(path, Image(pixels, LINEAR_SRGB, mask=covered))
    loaded = read(path)
    (nan,) = [each for each in loaded.findings if each.kind == "nan"]
    assert (nan.count, nan.first) == (1, (5, 3)) and np.isfinite(loaded.image.pixels).all()
    mended = mend(loaded.image, [nan.fix])
    assert (mended.pixels[3, 5] > 0).all() and mended.mask is not None and not mended.mask[3, 5]

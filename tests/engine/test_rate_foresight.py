"""The search by forecasts: few encodes, also where the forecast is off, and never above the target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_codec import STEP, SyntheticCodec, inverse

from engine.codec import Ctx, Encoded, Forecast, Settings
from engine.image import Image
from engine.learned.sample import FEWEST, TILE, sample
from engine.rate import solve_rate
from engine.trial import Target, TargetKind

IMAGE = Image(np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8))
PIXELS = 300 * 400


@dataclass(frozen=True)
class Bpp:
    """A forecast by a formula."""

    bpp: Callable[[float], float]

    def size(self, value: Any, ctx: Ctx) -> float:
        return self.bpp(value) * PIXELS / 8


@dataclass
class ForecastingCodec(SyntheticCodec):
    forecast: Callable[[float], float] = inverse

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        return replace(super().encode(image, settings, ctx), forecast=Bpp(self.forecast))


@dataclass
class SlowCodec(ForecastingCodec):
    off: float = 1.1

    def outlook(self, image: Image, settings: Settings, ctx: Ctx) -> Forecast | None:
        return Bpp(lambda value: self.off * self.bpp(value))


def bumpy(value: float) -> float:
    return inverse(value) * (1 + 0.05 * math.sin(0.7 * value))


@settings(max_examples=40)
@given(st.floats(0.25, 10.0), st.floats(0.5, 2.0), st.booleans())
def test_a_forecast_that_is_off_alike_everywhere_takes_two_encodes(bpp: float, off: float, in_bytes: bool) -> None:
    codec = ForecastingCodec(STEP, bumpy, forecast=lambda value: off * bumpy(value))
    size = int(bpp * PIXELS / 8)
    target = Target(TargetKind.BYTES, size) if in_bytes else Target(TargetKind.BPP, 8 * size / PIXELS)
    result = solve_rate(codec, IMAGE, target, Ctx())
    assert result.reached
    assert 0.995 * size - 1 <= result.best.size <= size
    assert result.encodes == len(codec.encodes) <= 2


@settings(max_examples=40)
@given(st.floats(0.25, 10.0), st.floats(0.6, 1.6))
def test_a_forecast_of_a_wrong_slope_costs_encodes_but_not_truth(bpp: float, slope: float) -> None:
    codec = ForecastingCodec(STEP, inverse, forecast=lambda value: inverse(value) ** slope)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, bpp), Ctx())
    assert result.reached
    assert 0.995 * bpp - 8 / PIXELS <= result.best.bpp <= bpp
    assert result.encodes <= 8


@pytest.mark.parametrize("bpp", [0.3, 1.0, 5.0])
def test_a_slow_codec_begins_where_a_part_of_the_picture_says(bpp: float) -> None:
    codec = SlowCodec(STEP, inverse, off=1.1)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, bpp), Ctx())
    first = inverse(float(str(codec.encodes[0])))
    assert first == pytest.approx(bpp / 1.1, rel=0.01)
    assert result.encodes == 2
    assert 0.995 * bpp <= result.best.bpp <= bpp


def test_the_drift_of_a_forecast_is_seen_on_a_part_of_the_picture() -> None:
    """The forecast holds near the first encode only; the part knows what it leaves out."""

    @dataclass
    class Drifting(SlowCodec):
        def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
            at = float(settings["step"])
            drifting = Bpp(lambda value: inverse(value) * (value / at) ** 0.06)
            return replace(super().encode(image, settings, ctx), forecast=drifting)

        def outlook(self, image: Image, settings: Settings, ctx: Ctx) -> Forecast | None:
            at = float(settings["step"])
            return Bpp(lambda value: 1.3 * inverse(value) * (value / at) ** 0.06)

    codec = Drifting(STEP, inverse)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, 1.0), Ctx())
    assert result.encodes == 2
    assert 0.995 <= result.best.bpp <= 1.0


def test_a_quality_is_searched_without_forecasts() -> None:
    def refuse(_value: float) -> float:
        raise AssertionError("a forecast tells nothing of quality")

    codec = ForecastingCodec(STEP, inverse, forecast=refuse)
    result = solve_rate(codec, IMAGE, Target(TargetKind.PSNR, 25.0), Ctx())
    assert result.reached


def test_a_rate_out_of_reach_is_said_of_a_codec_that_forecasts() -> None:
    codec = ForecastingCodec(STEP, inverse)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, 0.01), Ctx())
    assert not result.reached
    assert result.best.settings["step"] == 128
    assert result.encodes <= 4


@pytest.mark.parametrize(("height", "width"), [(512, 768), (2000, 3000), (384, 128 * 9), (400, 600)])
def test_a_sample_is_of_whole_tiles_from_all_over(height: int, width: int) -> None:
    rows, columns = np.mgrid[: height // TILE, : width // TILE]
    number = (rows * 97 + columns).astype(np.uint16).repeat(TILE, 0).repeat(TILE, 1)
    number = np.pad(number, ((0, height - number.shape[0]), (0, width - number.shape[1])))
    part = sample(number[:, :, None].repeat(3, 2))
    assert part is not None
    tiles = part[::TILE, ::TILE, 0]
    assert tiles.size == len(np.unique(tiles)) >= FEWEST
    assert tiles.size <= max(rows.size / 2, 2 * 24)
    assert len({int(tile) // 97 for tile in tiles.flat}) >= min(rows.shape[0], 6)
    assert len({int(tile) % 97 for tile in tiles.flat}) >= 3


def test_a_small_picture_has_no_sample() -> None:
    assert sample(np.zeros((300, 450, 3), np.uint8)) is None

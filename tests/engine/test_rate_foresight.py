"""The search by forecasts: few tries, also where the forecast is off, and never above the target."""

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

from engine.codec import Ctx, Encoded, Prepared, Settings
from engine.image import Image
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
    """Its `encodes` are tries, too. off: by how much its outlook is, None where it has none."""

    forecast: Callable[[float], float] = inverse
    off: float | None = None

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        return replace(super().encode(image, settings, ctx), forecast=Bpp(self.forecast))

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        off = self.off
        outlook = None if off is None else Bpp(lambda value: off * self.bpp(value))
        return Prepared(lambda value: self.encode(image, {**settings, "step": value}, ctx), outlook)


def bumpy(value: float) -> float:
    return inverse(value) * (1 + 0.05 * math.sin(0.7 * value))


@settings(max_examples=40)
@given(st.floats(0.25, 10.0), st.floats(0.5, 2.0), st.booleans())
def test_a_forecast_that_is_off_alike_everywhere_takes_two_tries(bpp: float, off: float, in_bytes: bool) -> None:
    codec = ForecastingCodec(STEP, bumpy, forecast=lambda value: off * bumpy(value))
    size = int(bpp * PIXELS / 8)
    target = Target(TargetKind.BYTES, size) if in_bytes else Target(TargetKind.BPP, 8 * size / PIXELS)
    result = solve_rate(codec, IMAGE, target, Ctx())
    assert result.reached
    assert 0.995 * size - 1 <= result.best.size <= size
    assert len(codec.encodes) <= 2
    assert result.encodes == 1


@settings(max_examples=40)
@given(st.floats(0.25, 10.0), st.floats(0.6, 1.6))
def test_a_forecast_of_a_wrong_slope_costs_tries_but_not_truth(bpp: float, slope: float) -> None:
    codec = ForecastingCodec(STEP, inverse, forecast=lambda value: inverse(value) ** slope)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, bpp), Ctx())
    assert result.reached
    assert 0.995 * bpp - 8 / PIXELS <= result.best.bpp <= bpp
    assert len(codec.encodes) <= 8


@pytest.mark.parametrize("bpp", [0.3, 1.0, 5.0])
def test_a_search_begins_where_the_outlook_says(bpp: float) -> None:
    codec = ForecastingCodec(STEP, inverse, off=1.1)
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, bpp), Ctx())
    first = inverse(float(str(codec.encodes[0])))
    assert first == pytest.approx(bpp / 1.1, rel=0.01)
    assert len(codec.encodes) == 2
    assert 0.995 * bpp <= result.best.bpp <= bpp


def test_where_points_are_known_the_search_begins_between_them() -> None:
    codec = ForecastingCodec(STEP, inverse, off=3.0)
    near = [solve_rate(codec, IMAGE, Target(TargetKind.BPP, bpp), Ctx()).best for bpp in (0.99, 1.01)]
    codec.encodes.clear()
    result = solve_rate(codec, IMAGE, Target(TargetKind.BPP, 1.0), Ctx(), known=near)
    assert len(codec.encodes) == 1
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
    assert len(codec.encodes) <= 4

"""The log transfer: black is black, ratios are kept, the range is no wider than the picture needs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.light import MAX_QUARTERS, TOE, LogTransfer, log_codes, repaired


def stops(light: np.ndarray) -> np.ndarray:
    return np.log2(light.astype(np.float64) + TOE)


@pytest.mark.parametrize("bits", [12, 16])
@given(brightest=st.floats(1e-6, 1e15))
def test_light_comes_back_within_half_a_step_of_code(bits: int, brightest: float) -> None:
    transfer = LogTransfer.reaching(brightest)
    light = np.geomspace(brightest * 1e-6, brightest, 50).astype(np.float32)[None, :, None]
    back = transfer.light(transfer.codes(light, bits), bits)
    step = transfer.span / (2**bits - 1)
    assert np.abs(stops(back) - stops(light)).max() <= 0.5 * step + 2e-6


@given(brightest=st.floats(0, 1e15))
def test_the_range_reaches_the_brightest_texel_and_no_quarter_stop_more(brightest: float) -> None:
    transfer = LogTransfer.reaching(brightest)
    assert transfer.brightest >= brightest * (1 - 1e-6)
    assert transfer.quarters == 1 or LogTransfer(transfer.quarters - 1).brightest < brightest


def test_what_is_brighter_than_any_range_is_clipped() -> None:
    transfer = LogTransfer.reaching(1e30)
    assert transfer.quarters == MAX_QUARTERS
    assert transfer.codes(np.full((1, 1, 1), 1e30, np.float32), 16).item() == 65535


def test_black_is_black_and_below_0_too() -> None:
    transfer = LogTransfer(52)
    assert transfer.codes(np.array([[[0.0, -0.0, -5.0]]], np.float32), 16).tolist() == [[[0, 0, 0]]]
    assert transfer.light(np.zeros(3, np.uint16), 16).tolist() == [0, 0, 0]


def test_every_code_comes_back_as_itself() -> None:
    transfer = LogTransfer(104)
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert (transfer.codes(transfer.light(codes, 16), 16) == codes).all()


def test_equal_ratios_of_light_are_equal_steps_of_code() -> None:
    transfer = LogTransfer.reaching(1024.0)
    codes = transfer.codes(np.exp2(np.arange(4, 10)).astype(np.float32)[None, :, None], 16)[0, :, 0].astype(int)
    assert np.ptp(np.diff(codes)) <= 2
    assert math.isclose(np.diff(codes).mean(), 65535 / transfer.span, rel_tol=1e-3)


def test_the_codes_of_a_picture_span_all_of_their_range() -> None:
    image = Image(np.array([[[0, 0.5, 15.999]]], np.float32), LINEAR_SRGB)  # 14 stops above the toe
    codes, transfer = log_codes(image, 12)
    assert (codes.bits, transfer.quarters) == (12, 56)
    assert codes.pixels[0, 0].tolist()[::2] == [0, 4095]


def test_what_is_not_finite_is_replaced_and_marked() -> None:
    pixels = np.array([[[1.0, 2, 3], [np.nan, 7, -np.inf], [np.inf, 0, 0]]], np.float32)
    clean, wrong = repaired(pixels)
    assert clean.tolist() == [[[1, 2, 3], [0, 7, 0], [7, 0, 0]]]
    assert wrong is not None and wrong.tolist() == [[False, True, True]]
    assert repaired(clean) == (clean, None)
    assert repaired(np.full((1, 1, 1), np.inf, np.float32))[0].item() == 0

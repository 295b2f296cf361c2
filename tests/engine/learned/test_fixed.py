"""Integer arithmetic that depends on the rate: near the truth, and the same on every machine."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.learned import fixed
from engine.learned.entropy import LOG_FLOOR, LOG_ROW, LOGISTIC


@given(st.integers(-12 << 24, 20 << 24))
def test_powers_of_two_are_right_to_30_bits(log: int) -> None:
    mantissas, exponents = fixed.powers_of_two(np.array([log]))
    mantissa, exponent = int(mantissas[0]), int(exponents[0])
    assert 1 << 29 <= mantissa <= 1 << 30
    with localcontext() as context:
        context.prec = 40
        exact = (Decimal(log) / (1 << 24) * Decimal(2).ln()).exp()
        assert abs(Decimal(mantissa) * Decimal(2) ** exponent / exact - 1) < Decimal(2) ** -30


def test_whole_powers_are_exact() -> None:
    mantissas, exponents = fixed.powers_of_two(np.array([-3 << 24, 0, 5 << 24]))
    assert (mantissas * 2.0**exponents).tolist() == [0.125, 1, 32]


@pytest.mark.parametrize("count", [1, 2, 64, 700, 1400])
def test_thresholds_are_where_asinh_rounds_up(count: int) -> None:
    with localcontext() as context:
        context.prec = 60
        power = (Decimal(2 * count - 1) / 128).exp()
        exact = (power - 1 / power) / 2 * 2**28
        assert int(fixed.feature_thresholds()[count - 1]) == math.ceil(exact)


def test_thresholds_rise_and_reach_any_coefficient() -> None:
    thresholds = fixed.feature_thresholds()
    assert (np.diff(thresholds) > 0).all()
    # The largest value, 2²⁰ sixteenths, in units of the least spread, 2⁻¹².
    assert thresholds[-1] > (2**20 / 8 * 2**12) * 2**28
    assert len(thresholds) < 2047


def test_tables_and_constants_never_change() -> None:
    """Streams depend on them: a new value is a new version of the stream."""
    grid = np.arange(-12 << 24, 20 << 24, 123_457)
    content = b"".join(
        part.astype("<i8").tobytes() for part in (fixed.feature_thresholds(), *fixed.powers_of_two(grid))
    )
    assert hashlib.sha256(content).hexdigest()[:16] == "13ab5c14cef2bba3"
    assert round(2**24 / LOG_ROW) == fixed.ROWS_PER_NAT
    assert round((math.log(LOGISTIC) - LOG_FLOOR) / LOG_ROW * 2**24) == fixed.ROW_OF_UNIT_SPREAD


def test_rates_between_points_are_interpolated_exactly() -> None:
    table = np.array([[10, -7], [30, 1], [31, 2_000_000_000]], np.int32)
    assert fixed.interpolate(table, 0).tolist() == [2560, -1792]
    assert fixed.interpolate(table, 256 + 64).tolist() == [30 * 192 + 31 * 64, 192 + 2_000_000_000 * 64]
    assert fixed.interpolate(table, 512).tolist() == [31 * 256, 2_000_000_000 * 256]


def test_rounding_takes_halves_up() -> None:
    assert fixed.rounded(np.array([-12, -8, -4, 4, 8, 12]), 4).tolist() == [-1, 0, 0, 0, 1, 1]

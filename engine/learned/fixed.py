"""Integer arithmetic that every machine agrees on, for what depends on the rate.

Rates are whole numbers of 1/256 of a step between two points of a model's range. Tables over the points hold
multiples of 2⁻¹⁶, so interpolated values are multiples of 2⁻²⁴. Powers of two of these come as a 30-bit mantissa and
an exponent, by multiplying square roots of roots of two (H. Briggs, Arithmetica Logarithmica, 1624).
"""

from __future__ import annotations

from functools import cache
from math import isqrt

import numpy as np

RATE_STEPS = 256  # between two points of the range of rates
TABLE_BITS = 16
FINE_BITS = 24  # of interpolated values: those of the table and of the rate
MANTISSA_BITS = 30
FEATURE_BITS = 28  # what coefficients are compared with the thresholds of features in
FEATURE_LIMIT = 59  # bits of the largest threshold: more than any coefficient comes to
ACTIVATION_STEPS = 64
MEAN_STEPS = 16  # coefficients and their means are multiples of 1/16 of a quantisation step
FACTOR_BITS = 8  # of the scales of activations by rate
SCALE_ROWS = 64  # of the coder's tables: scale 0.05 · 2^(row/5), up to 310
ROWS_PER_OCTAVE = 5
# In 2⁻²⁴: rows for a factor of e, 5/ln 2; and the row of the scale of a logistic density of deviation 1.
ROWS_PER_NAT = 121022032
ROW_OF_UNIT_SPREAD = 290490215
_WORK_BITS = 64


def interpolate(table: np.ndarray, rate: int) -> np.ndarray:
    """The row between two of `table` (points×C, whole numbers of 2⁻¹⁶) at `rate`, C i64 of 2⁻²⁴."""
    point = min(rate // RATE_STEPS, len(table) - 2)
    part = rate - RATE_STEPS * point
    rows = table[point : point + 2].astype(np.int64)
    return rows[0] * (RATE_STEPS - part) + rows[1] * part


def rate_of(quality: float, points: int) -> int:
    """The rate of a quality of 0…100, from end to end of a range of so many points."""
    return round(quality / 100 * (points - 1) * RATE_STEPS)


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """values / 2^bits to the nearest whole number, halves up. i64."""
    return (values.astype(np.int64) + (1 << (bits - 1))) >> bits


def powers_of_two(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """2^(log/2²⁴) as mantissas within 2²⁹…2³⁰ and exponents, i64 both: mantissa · 2^exponent."""
    pairs = [_power_of_two(int(log)) for log in logs]
    mantissas, exponents = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    return mantissas, exponents


def _power_of_two(log: int) -> tuple[int, int]:
    whole, part = log >> FINE_BITS, log & ((1 << FINE_BITS) - 1)
    value = 1 << _WORK_BITS
    for bit, root in zip(range(FINE_BITS - 1, -1, -1), _roots(), strict=True):
        if part >> bit & 1:
            value = value * root >> _WORK_BITS
    mantissa = (value + (1 << (_WORK_BITS - MANTISSA_BITS))) >> (_WORK_BITS - MANTISSA_BITS + 1)
    return mantissa, whole - MANTISSA_BITS + 1


@cache
def _roots() -> tuple[int, ...]:
    """2^(1/2), 2^(1/4), … 2^(2⁻²⁴) in 64 fractional bits."""
    roots, root = [], 2 << _WORK_BITS
    for _ in range(FINE_BITS):
        root = isqrt(root << _WORK_BITS)
        roots.append(root)
    return tuple(roots)


@cache
def feature_thresholds() -> np.ndarray:
    """From which |x| on a feature asinh(x) is n/64 or more after rounding, n = 1, 2, …, in 2⁻²⁸: i64, rising.

    That is sinh((n - ½)/64), by powers of the one number e^(1/128).
    """
    bits = 256
    grow = _exponential(128, bits)
    odd, square = grow, grow * grow >> bits
    thresholds: list[int] = []
    while True:
        sinh = (odd - (1 << 2 * bits) // odd) >> 1
        threshold = -(-sinh >> (bits - FEATURE_BITS))
        if threshold.bit_length() > FEATURE_LIMIT:
            return np.array(thresholds, np.int64)
        thresholds.append(threshold)
        odd = odd * square >> bits


def _exponential(divisor: int, bits: int) -> int:
    """e^(1/divisor) in so many fractional bits, by its series."""
    total = term = 1 << bits
    count = 1
    while term:
        term //= divisor * count
        total += term
        count += 1
    return total

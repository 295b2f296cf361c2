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
OCTAVE_PARTS = 32  # of a logit, in a mixture's weights
OCTAVE_PARTS_PER_NAT = 774541002  # 32/ln 2, in 2⁻²⁴
LOGISTIC_STEPS, LOGISTIC_END, LOGISTIC_BITS = 64, 24, 30  # of the logistic function: 1/64 up to 24, in 2⁻³⁰
INVERSE_SCALES = 20480 << 12  # over 2^(row/5): see csrc/latent_mixture.h
WEIGHT_BITS = 15  # of a mixture's weights
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


@cache
def logistic_table() -> np.ndarray:
    """The logistic function at 0, 1/64, … 24, in 2⁻³⁰: i32."""
    bits = 256
    grow, power, values = _exponential(LOGISTIC_STEPS, bits), 1 << bits, []
    for _ in range(LOGISTIC_STEPS * LOGISTIC_END + 1):
        values.append(((power << LOGISTIC_BITS + 1) // (power + (1 << bits)) + 1) >> 1)
        power = power * grow >> bits
    return np.array(values, np.int32)


@cache
def mixing_scales() -> np.ndarray:
    """What a distance in 1/16 of a step is multiplied by for each row of scales: i32, in 2⁻¹² of 2⁻¹⁴."""
    return np.array([_root_fraction(INVERSE_SCALES, row, ROWS_PER_OCTAVE) for row in range(SCALE_ROWS)], np.int32)


@cache
def mixing_powers() -> np.ndarray:
    """2^(-n/32) in 2⁻¹⁵ for n = 0, 1, … until nothing is left: i32."""
    return np.array([_root_fraction(1 << WEIGHT_BITS, n, OCTAVE_PARTS) for n in range(16 * OCTAVE_PARTS + 1)], np.int32)


@cache
def reaches() -> np.ndarray:
    """How far symbols of each scale reach before they are escapes: what is beyond 2⁻¹² of a density, i32."""
    # scale · ln(2 · 2¹²), rounded up, in whole numbers: scales are 1/20 · 2^(row/5).
    per_scale = 151178040 << 20  # ln 8192 in 2⁻⁴⁴
    octaves = [-(-row // ROWS_PER_OCTAVE) for row in range(SCALE_ROWS)]
    whole = [
        _root_fraction(per_scale << octave, ROWS_PER_OCTAVE * octave - row, ROWS_PER_OCTAVE)
        for row, octave in enumerate(octaves)
    ]
    return np.array([-(-value // (20 << FINE_BITS + 20)) for value in whole], np.int32)


def _root_fraction(value: int, numerator: int, denominator: int) -> int:
    """value · 2^(-numerator/denominator) to the nearest whole number, halves up."""
    # The power of the result's double that is not above, by bisection in whole numbers.
    low, high = 0, 2 * value + 1
    while high - low > 1:
        middle = (low + high) // 2
        if middle**denominator << numerator <= (2 * value) ** denominator:
            low = middle
        else:
            high = middle
    return (low + 1) // 2


def _exponential(divisor: int, bits: int) -> int:
    """e^(1/divisor) in so many fractional bits, by its series."""
    total = term = 1 << bits
    count = 1
    while term:
        term //= divisor * count
        total += term
        count += 1
    return total

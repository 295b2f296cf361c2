"""Wavelet transforms: inverse of each other at any size, the right basis, the right place for every band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.native import wavelet as native

SIDES = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 127, 130]))


@settings(deadline=None, max_examples=60)
@given(height=SIDES, width=SIDES, levels=st.integers(0, 8), seed=st.integers(0, 2**32 - 1))
def test_5_3_is_reversible_at_any_size(height: int, width: int, levels: int, seed: int) -> None:
    plane = np.random.default_rng(seed).integers(-(2**17), 2**17, (height, width)).astype(np.int32)
    work = plane.copy()
    native.dwt(work, levels)
    native.dwt(work, levels, inverse=True)
    assert np.array_equal(work, plane)


@settings(deadline=None, max_examples=60)
@given(height=SIDES, width=SIDES, levels=st.integers(0, 8), seed=st.integers(0, 2**32 - 1))
def test_9_7_comes_back_to_float_precision_at_any_size(height: int, width: int, levels: int, seed: int) -> None:
    plane = np.random.default_rng(seed).uniform(-1000, 1000, (height, width)).astype(np.float32)
    work = plane.copy()
    native.dwt(work, levels)
    native.dwt(work, levels, inverse=True)
    assert np.abs(work - plane).max() < 0.01


def test_5_3_of_a_line_is_as_the_standard_says() -> None:
    # d0 = 4 - (1+7)//2, d1 = 2 - (7+7)//2 (mirrored); s0 = 1 + (d0+d0+2)//4, s1 = 7 + (d0+d1+2)//4
    line = np.array([[1, 4, 7, 2]], np.int32)
    native.dwt(line, 1)
    assert line.tolist() == [[1, 6, 0, -5]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_a_constant_has_no_detail(dtype: type) -> None:
    plane = np.full((21, 34), 100, dtype)
    native.dwt(plane, 3)
    corner = plane[:3, :5].copy()
    plane[:3, :5] = 0
    assert np.abs(plane).max() < 1e-3
    # 9/7 gains sqrt 2 a level and direction, 5/3 nothing.
    assert np.allclose(corner, 100 if dtype is np.int32 else 800, rtol=1e-5)


def test_9_7_has_no_detail_for_a_cubic_away_from_the_border() -> None:
    # Four vanishing moments: the high-pass filter of the 9/7 kills polynomials up to degree three.
    x = np.arange(64, dtype=np.float32) / 16
    line = (x**3 - 2 * x**2 + x)[None, :].copy()
    native.dwt(line, 1)
    assert np.abs(line[0, 36:60]).max() < 2e-4


@pytest.mark.parametrize(("orientation", "row", "column"), [(1, 0, 1), (2, 1, 0), (3, 1, 1)])
def test_bands_lie_in_nested_order(orientation: int, row: int, column: int) -> None:
    y, x = np.mgrid[0:32, 0:32]
    plane = ((-1.0) ** (y * (orientation >> 1) + x * (orientation & 1))).astype(np.float32)
    native.dwt(plane, 1)
    energy = (plane.reshape(2, 16, 2, 16) ** 2).sum((1, 3))
    assert energy[row, column] > 0.999 * energy.sum()


@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("orientation", [0, 1, 2, 3])
def test_weights_are_inverse_norms_of_the_synthesis_basis(level: int, orientation: int) -> None:
    side = 32 << level
    plane = np.zeros((side, side), np.float32)
    part = side >> level
    plane[(orientation >> 1) * part + part // 2, (orientation & 1) * part + part // 2] = 1
    native.dwt(plane, level, inverse=True)
    assert np.sqrt((plane.astype(float) ** 2).sum()) * native.weight(level, orientation) == pytest.approx(1, rel=1e-4)


def test_a_size_beyond_the_limit_is_an_error() -> None:
    with pytest.raises(Exception, match="RS_ERR_ARGUMENT"):
        native.dwt(np.zeros((4, 4), np.float32), 31)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("levels", [-1, 31, 64])
def test_levels_beyond_the_limit_are_an_error(levels: int, inverse: bool) -> None:
    with pytest.raises(EngineError, match="RS_ERR_ARGUMENT"):
        native.dwt(np.zeros((4, 4), np.int32), levels, inverse=inverse)


@pytest.mark.parametrize("level", range(1, 11))
def test_weights_of_deep_levels_are_inverse_norms_too(level: int) -> None:
    def norm(place: int) -> float:
        """Of one coefficient's response along a line: the basis in two dimensions is the product of two of these."""
        line = np.zeros((1, 32 << level), np.float32)
        line[0, place] = 1
        native.dwt(line, level, inverse=True)
        return float(np.sqrt((line.astype(float) ** 2).sum()))

    low, high = norm(16), norm(48)
    for orientation, expected in enumerate((low * low, low * high, low * high, high * high)):
        assert native.weight(level, orientation) * expected == pytest.approx(1, rel=1e-5)


def test_weights_go_on_as_they_end_and_are_one_where_there_is_no_band() -> None:
    for orientation in range(4):
        assert native.weight(11, orientation) == native.weight(30, orientation) == native.weight(10, orientation)
    assert native.weight(9, 3) != native.weight(10, 3)
    assert (native.weight(0, 0), native.weight(1, 4), native.weight(1, -1)) == (1.0, 1.0, 1.0)


def test_planes_are_rounded_half_up_within_24_bits() -> None:
    values = [0.5, 1.5, -0.5, -1.5, -0.5000001, 0.4999999, 16_777_215.0, 1e9, -1e9, np.inf, -np.inf, np.nan]
    rounded = native.round_plane(np.array([values], np.float32))[0].tolist()
    assert rounded == [1, 2, 0, -1, -1, 0, 2**24 - 1, 2**24, -(2**24), 2**24, -(2**24), -(2**24)]

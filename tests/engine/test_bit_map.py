"""Bits of cells on the pixel grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bit_map import BitMap, spread


def test_a_cell_s_bits_lie_evenly_on_its_pixels() -> None:
    got = spread(np.array([[8.0, 4.0]]), (2, 2), (2, 4))
    assert got.dtype == np.float32
    assert (got == [[2, 2, 1, 1], [2, 2, 1, 1]]).all()


def test_a_cell_at_the_border_spends_all_on_what_it_has_inside() -> None:
    assert (spread(np.array([[8.0, 4.0]]), (2, 2), (1, 3)) == [[4, 4, 4]]).all()


def test_padding_is_paid_by_the_last_cell_inside() -> None:
    cells = np.array([[8.0, 4.0, 1.0], [2.0, 2.0, 2.0]])
    assert (spread(cells, (1, 2), (1, 3)) == [[5, 5, 9]]).all()


def test_pixels_behind_the_last_cell_get_nothing() -> None:
    assert (spread(np.array([[4.0]]), (1, 2), (1, 3)) == [[2, 2, 0]]).all()
    assert (spread(np.empty((0, 3)), (2, 2), (1, 6)) == 0).all()


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_no_bit_is_lost(grid: tuple[int, int], cell: tuple[int, int], size: tuple[int, int]) -> None:
    cells = np.random.default_rng(5).random(grid) * 100
    got = spread(cells, cell, size)
    assert got.shape == size
    assert got.sum(dtype=np.float64) == pytest.approx(cells.sum(), rel=1e-5)


def test_what_is_apart_adds_up() -> None:
    assert BitMap(np.zeros((1, 1), np.float32), {"headers": 30, "tables": 12}).apart_bytes == 42

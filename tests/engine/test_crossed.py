"""Bits and error in one picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.crossed import (
    CELL,
    FEW_LARGE,
    FEW_SMALL,
    MANY_LARGE,
    MANY_SMALL,
    cell_means,
    cross_table,
    crossed,
    region_mean,
    region_means,
)
from engine.display import rgb_of


def full(height: int, width: int, value: float) -> np.ndarray:
    return np.full((height, width), value, np.float32)


@pytest.mark.parametrize(
    ("bits", "error", "colour"),
    [
        (0.0, 0.0, FEW_SMALL),
        (0.25, 0.05, FEW_SMALL),
        (4.0, 0.05, MANY_SMALL),
        (0.25, 0.2, FEW_LARGE),
        (4.0, 0.2, MANY_LARGE),
        (90.0, 7.0, MANY_LARGE),
    ],
)
def test_what_is_far_from_the_middle_has_the_colour_of_a_corner(bits: float, error: float, colour: str) -> None:
    rgb = crossed(full(33, 40, bits), full(33, 40, error), 1.0, 0.1)
    assert rgb.shape == (33, 40, 3) and rgb.dtype == np.uint8
    assert (np.abs(rgb.astype(int) - rgb_of(colour)) <= 1).all()


def test_the_middles_have_the_middle_colour() -> None:
    rgb = crossed(full(16, 16, 0.3), full(16, 16, 0.05), 0.3, 0.05)
    near = cross_table()[31:33, 31:33].reshape(-1, 3).astype(int)
    assert (np.abs(near - rgb[0, 0]).sum(1) == 0).any()


def test_maps_without_anything_are_dark() -> None:
    assert (np.abs(crossed(full(5, 7, 0), full(5, 7, 0), 0.0, 0.0).astype(int) - rgb_of(FEW_SMALL)) <= 1).all()


def test_cells_at_the_border_are_means_of_what_they_have() -> None:
    values = np.zeros((CELL + 1, CELL + 2), np.float32)
    values[CELL:, CELL:] = 6
    values[0, 0] = CELL * CELL
    assert cell_means(values).tolist() == [[1, 0], [0, 6]]


def test_a_checkerboard_of_cells_is_level_within_a_region() -> None:
    cells = np.indices((6, 8)).sum(0) % 2 * 2.0
    inside = region_means(cells.repeat(CELL, 0).repeat(CELL, 1).astype(np.float32))[1:-1, 1:-1]
    assert inside == pytest.approx(1.0)


def test_a_single_place_reads_as_the_whole_map_is_drawn() -> None:
    values = np.random.default_rng(4).random((70, 53)).astype(np.float32)
    whole = region_means(values)
    for x, y in ((0, 0), (52, 69), (17, 30), (31, 64), (50, 3)):
        assert region_mean(values, x, y) == pytest.approx(whole[y // CELL, x // CELL])


def test_the_table_gets_lighter_both_ways() -> None:
    light = cross_table().astype(int).sum(2)
    assert (np.diff(light, axis=0) >= 0).all() and (np.diff(light, axis=1) >= 0).all()
    assert light[0, 0] < 100 and light[-1, -1] > 700

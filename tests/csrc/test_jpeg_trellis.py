"""The trellis finds the cheapest way to code a block: compared with trying every way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from engine.errors import EngineError
from engine.native import jpeg

ONE_BLOCK = (1, 1), (8, 8)


def symbols(levels: np.ndarray) -> list[int]:
    """AC symbols of a block in a sequential scan, by the book (T.81 F.1.2.2)."""
    out, run = [], 0
    for level in levels[1:]:
        if level == 0:
            run += 1
            continue
        out += [0xF0] * (run // 16) + [(run % 16) << 4 | int(abs(level)).bit_length()]
        run = 0
    return out + ([0x00] if run else [])


def cost(levels: np.ndarray, exact: np.ndarray, bits: np.ndarray, strength: float) -> float:
    rate = sum(bits[s] + (s & 15) for s in symbols(levels))
    return float(((np.abs(exact[1:]) - np.abs(levels[1:])) ** 2).sum() + strength * rate)


def least_cost(places: np.ndarray, exact: np.ndarray, bits: np.ndarray, strength: float) -> float:
    """Of every way to take each level at `places` as it is, one smaller, or zero."""
    nearest = np.floor(np.abs(exact[places]) + 0.5).astype(int)
    least = np.inf
    for choice in product(*({0, max(n - 1, 0), n} for n in nearest)):
        levels = np.zeros(64, np.int16)
        levels[places] = choice
        least = min(least, cost(levels, exact, bits, strength))
    return least


@pytest.mark.parametrize("seed", range(40))
def test_no_other_choice_of_levels_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 40, 64).astype(np.uint8)
    bits = rng.integers(1, 16, 256).astype(np.float32)
    strength = float(rng.choice([0.02, 0.1, 0.5]))
    exact = np.zeros(64)
    places = rng.choice(np.arange(1, 64), 6, replace=False)
    exact[places] = rng.uniform(0.3, 2.6, 6) * rng.choice([-1, 1], 6)
    coefs = np.rint(exact * 16 * table).astype(np.int16)[None]
    exact = coefs[0] / (16.0 * table)
    out = np.full((1, 64), 7, np.int16)
    jpeg.trellis(coefs, *ONE_BLOCK, table=table, bits=bits, strength=strength, out=out)
    assert out[0, 0] == 7
    assert cost(out[0], exact, bits, strength) <= least_cost(places, exact, bits, strength) + 1e-4
    assert np.all(out[0, 1:] * np.sign(exact[1:]) >= 0)


@pytest.mark.parametrize("seed", range(12))
def test_errors_of_light_weight_give_way_to_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 8, 64).astype(np.uint8)
    bits = rng.integers(1, 16, 256).astype(np.float32)
    weight, exact = 1 / 16, np.zeros(64)
    places = rng.choice(np.arange(1, 64), 4, replace=False)
    exact[places] = rng.uniform(0.3, 20, 4)
    coefs = np.rint(exact * 16 * table).astype(np.int16)[None]
    exact = coefs[0] / (16.0 * table)
    out = np.zeros((1, 64), np.int16)
    weights = np.full((1, 1), weight, np.float32)
    jpeg.trellis(coefs, *ONE_BLOCK, table=table, bits=bits, strength=0.14, out=out, weights=weights)
    choices = []
    for place in places:
        near = int(abs(exact[place]) + 0.5)
        choices.append({0, near, max(near - 1, 0), *(2**k - 1 for k in range(near.bit_length()))})
    least = np.inf
    for choice in product(*choices):
        levels = np.zeros(64, np.int16)
        levels[places] = choice
        least = min(least, cost(levels, exact, bits, 0.14 / weight))
    assert cost(out[0], exact, bits, 0.14 / weight) <= least * (1 + 1e-5)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, 2.0**21])
def test_weights_that_make_no_sense_are_refused(weight: float) -> None:
    out = np.zeros((1, 64), np.int16)
    steps, bits = np.ones(64, np.uint8), np.ones(256, np.float32)
    with pytest.raises(EngineError):
        jpeg.trellis(
            out,
            *ONE_BLOCK,
            table=steps,
            bits=bits,
            strength=0.1,
            out=out.copy(),
            weights=np.full((1, 1), weight, np.float32),
        )
    with pytest.raises(ValueError, match="a weight for each block"):
        jpeg.trellis(
            out, *ONE_BLOCK, table=steps, bits=bits, strength=0.1, out=out.copy(), weights=np.ones((2, 1), np.float32)
        )


@pytest.mark.parametrize("seed", [33, 50, 71, 84, 94, 96])
def test_large_levels_go_where_that_saves_two_dear_symbols(seed: int) -> None:
    # Free and very dear symbols side by side: to drop a level may change the next symbol too, from dear to free.
    rng = np.random.default_rng(seed)
    table = np.full(64, 8, np.uint8)
    bits = np.where(rng.random(256) < 0.5, 0, 24).astype(np.float32)
    exact = np.zeros(64)
    places = rng.integers(1, 56) + np.arange(5)
    exact[places] = rng.uniform(1.5, 2.5, 5)
    coefs = np.rint(exact * 16 * table).astype(np.int16)[None]
    exact = coefs[0] / (16.0 * table)
    out = np.zeros((1, 64), np.int16)
    jpeg.trellis(coefs, *ONE_BLOCK, table=table, bits=bits, strength=0.1, out=out)
    assert cost(out[0], exact, bits, 0.1) <= least_cost(places, exact, bits, 0.1) + 1e-4


def test_symbols_are_counted_as_they_are_coded() -> None:
    rng = np.random.default_rng(0)
    levels = (rng.laplace(0, 4, (12, 64)) * (rng.random((12, 64)) < 0.1)).astype(np.int16)
    levels[3, 63], levels[5, 1:] = 5, 0
    counts = jpeg.count_symbols(levels, (4, 3), (32, 24))
    expected = np.bincount([s for block in levels for s in symbols(block)], minlength=256)
    assert np.array_equal(counts, expected)


def test_free_bits_leave_every_level_at_its_nearest_value() -> None:
    rng = np.random.default_rng(8)
    table = np.full(64, 5, np.uint8)
    coefs = rng.integers(-900, 901, (1, 64)).astype(np.int16)
    out = np.zeros((1, 64), np.int16)
    jpeg.trellis(coefs, *ONE_BLOCK, table=table, bits=np.ones(256, np.float32), strength=0.0, out=out)
    assert np.abs(out[0, 1:] - coefs[0, 1:] / 80).max() <= 0.5

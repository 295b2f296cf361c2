"""Coding under mixtures of densities, and the mixtures from a head's sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.learned import fixed
from engine.learned.slice_networks import mixing
from engine.native.latent import SYMBOL_MAX, Reader, Writer
from engine.native.mixture import Mixed, MixedUnits, Mixing, mixed_costs, predict_mixed

MIXING = mixing()
WHOLE = 1 << 15


def mixtures(rng: np.random.Generator, count: int, densities: int) -> Mixed:
    """Of scales and shifts of all sizes; one weight may be nothing."""
    parts = rng.integers(0, 1000, (count, densities)).astype(np.int64)
    parts[:, 0] += 1
    weights = parts * WHOLE // parts.sum(1, keepdims=True)
    weights[:, 0] += WHOLE - weights.sum(1)
    shifts = np.rint(rng.standard_t(1.5, (count, densities - 1)) * 40).clip(-32767, 32767)
    rows = rng.integers(0, fixed.SCALE_ROWS, (count, densities))
    return Mixed(rows.astype(np.uint8), shifts.astype(np.int16), weights.astype(np.uint16))


def logistic(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(x / 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 300))
def test_a_stream_gives_back_what_was_coded(seed: int, densities: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    mixed = mixtures(rng, count, densities)
    values = np.rint(rng.standard_t(1, count) * 3).clip(-SYMBOL_MAX, SYMBOL_MAX).astype(np.int32)
    writer = Writer(count, 77)
    writer.write_mixed(values, mixed, MIXING)
    data = writer.finish()
    reader = Reader(data)
    half = count // 2
    first = Mixed(mixed.rows[:half], mixed.shifts[:half], mixed.weights[:half])
    last = Mixed(mixed.rows[half:], mixed.shifts[half:], mixed.weights[half:])
    read = np.concatenate([reader.read_mixed(part, MIXING) for part in (first, last)])
    assert (read == values).all()
    assert reader.finish() == 77
    ideal = float(mixed_costs(values, mixed, MIXING).sum())
    assert ideal / 8 - 1 <= len(data) <= ideal / 8 + 12 + 0.001 * count


def test_costs_are_those_of_the_densities() -> None:
    rng = np.random.default_rng(3)
    mixed = mixtures(rng, 2000, 3)
    scale = 0.05 * 2 ** (mixed.rows / 5)
    shift = np.concatenate([np.zeros((2000, 1)), mixed.shifts / 16], 1)
    value = np.rint(shift[:, 0] + rng.logistic(size=2000) * scale[:, 0]).astype(np.int32)
    upper, lower = (logistic((value[:, None] + half - shift) / scale) for half in (0.5, -0.5))
    exact = ((upper - lower) * mixed.weights / WHOLE).sum(1)
    likely = (exact > 1e-3) & (np.abs(value) < 200) & (mixed.rows.max(1) < 45)
    bits = mixed_costs(value, mixed, MIXING)
    assert likely.sum() > 100
    assert (bits[likely] + np.log2(exact[likely])).mean() < 0.05
    assert np.abs(bits[likely] + np.log2(exact[likely])).max() < 0.6


def test_one_density_costs_what_its_table_does() -> None:
    rows = np.arange(40, dtype=np.uint8)[:, None]
    mixed = Mixed(rows, np.zeros((40, 0), np.int16), np.full((40, 1), WHOLE, np.uint16))
    bits = mixed_costs(np.zeros(40, np.int32), mixed, MIXING)
    scale = 0.05 * 2 ** (np.arange(40) / 5)
    assert bits == pytest.approx(-np.log2(2 * logistic(0.5 / scale) - 1), abs=0.02)


@pytest.mark.parametrize("densities", [1, 2, 3])
def test_predictions_are_what_heads_say(densities: int) -> None:
    rng = np.random.default_rng(densities)
    channels, shift = 5, 9
    outputs = channels * (3 * densities - 1)
    said = rng.normal(0, 1.5, (7, outputs))
    sums = np.rint(said * 2 ** (shift + 6)).astype(np.int32)
    spread = 2.0 ** rng.uniform(-3, 6, channels)
    mantissas, exponents = fixed.powers_of_two(np.rint(np.log2(spread) * 2**24).astype(np.int64))
    offsets = np.rint(fixed.ROWS_PER_OCTAVE * np.log2(spread) * 2**24).astype(np.int64) + fixed.ROW_OF_UNIT_SPREAD
    units = MixedUnits(
        np.full(outputs, shift, np.uint8),
        mantissas.astype(np.int32),
        (2 - exponents).astype(np.uint8),
        offsets,
        fixed.ROWS_PER_NAT,
        fixed.OCTAVE_PARTS_PER_NAT,
        True,
    )
    means, mixed = predict_mixed(sums, units, MIXING, densities)
    parts = said.reshape(7, -1, channels)
    assert means == pytest.approx(16 * parts[:, 0] * spread, abs=1 + 1e-3 * spread.max() * 16)
    row_of_unit = fixed.ROW_OF_UNIT_SPREAD / 2**24
    scales = np.stack([parts[:, 1], *(parts[:, 3 * k] for k in range(1, densities))], 2)
    rows = 5 * (np.log2(spread)[:, None] + scales / np.log(2)) + row_of_unit
    assert mixed.rows == pytest.approx(rows.clip(0, 63), abs=0.51)
    logits = np.stack([np.zeros((7, channels)), *(parts[:, 3 * k + 1] for k in range(1, densities))], 2)
    shares = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    assert mixed.weights.sum(2).tolist() == np.full((7, channels), WHOLE).tolist()
    assert mixed.weights / WHOLE == pytest.approx(shares, abs=0.02)
    for k in range(1, densities):
        assert mixed.shifts[..., k - 1] == pytest.approx(
            (16 * parts[:, 3 * k - 1] * spread).clip(-32767, 32767), abs=1 + 1e-3 * spread.max() * 16
        )


def test_damage_is_noticed_or_bounded() -> None:
    rng = np.random.default_rng(4)
    mixed = mixtures(rng, 400, 3)
    values = rng.integers(-9, 9, 400).astype(np.int32)
    writer = Writer(400, 5)
    writer.write_mixed(values, mixed, MIXING)
    data = writer.finish()
    for cut in range(0, len(data), 7):
        mutant = bytearray(data[: len(data) - cut // 2])
        mutant[cut % len(mutant)] ^= 1 << cut % 8
        try:
            reader = Reader(bytes(mutant))
            assert np.abs(reader.read_mixed(mixed, MIXING)).max() <= SYMBOL_MAX
            assert reader.finish() != 5 or bytes(mutant) == data
        except EngineError:
            pass


def test_what_cannot_be_is_refused() -> None:
    mixed = mixtures(np.random.default_rng(5), 10, 2)
    values = np.zeros(10, np.int32)
    falling = MIXING.logistic.copy()
    falling[5] = 0
    for bad, tables in (
        (Mixed(mixed.rows + np.uint8(fixed.SCALE_ROWS), mixed.shifts, mixed.weights), MIXING),
        (Mixed(mixed.rows, mixed.shifts, mixed.weights // 2), MIXING),
        (mixed, Mixing(MIXING.inverse * 0, MIXING.reach, MIXING.logistic, MIXING.powers)),
        (mixed, Mixing(MIXING.inverse, MIXING.reach, falling, MIXING.powers)),
    ):
        with pytest.raises(EngineError):
            Writer(10).write_mixed(values, bad, tables)
    with pytest.raises(EngineError):
        Writer(10).write_mixed(values[:5], mixed, MIXING)
    with pytest.raises(EngineError):
        Writer(10).write_mixed(values + SYMBOL_MAX + 1, mixed, MIXING)

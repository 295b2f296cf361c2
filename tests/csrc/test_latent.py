"""The integer networks of learned codecs, exact on every path of the processor; and the coder of their symbols."""

from __future__ import annotations

import contextlib
import math
import zlib
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import native
from engine.errors import CorruptStream, EngineError
from engine.native import latent
from engine.native.entropy import Tables
from engine.native.latent import ALL, Convolution, Every

PATHS = [mask for mask in (0, 1, 2) if mask & native.processor() == mask]


@contextlib.contextmanager
def only(mask: int) -> Iterator[None]:
    """The library on one path of the processor."""
    assert native.use_processor(mask) == mask
    try:
        yield
    finally:
        native.use_processor(-1)


def bordered(rng: np.random.Generator, rows: int, columns: int, channels: int) -> np.ndarray:
    """Activations of the whole range amid zeros."""
    values = latent.plane(rows, columns, channels)
    values[:] = rng.integers(-2048, 2048, values.shape)
    return values


def convolution(rng: np.random.Generator, outputs: int, inputs: int, taps: int) -> tuple[Convolution, np.ndarray]:
    weights = rng.integers(-127, 128, (outputs, inputs, taps)).astype(np.int8)
    biases = rng.integers(-(1 << 20), 1 << 20, outputs).astype(np.int32)
    shifts = rng.integers(0, 19, outputs).astype(np.uint8)
    return Convolution(weights, biases, shifts), weights


def by_numpy(values: np.ndarray, weights: np.ndarray, biases: np.ndarray, every: Every) -> np.ndarray:
    """What `Convolution.sums` should give, in 64 bits."""
    rows, columns, _ = values.shape
    outputs, _, taps = weights.shape
    whole = np.pad(values.astype(np.int64), ((1, 1), (1, 1), (0, 0)))
    places = {
        1: [(0, 0)],
        4: [(-1, 0), (0, -1), (0, 1), (1, 0)],
        9: [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)],
    }[taps]
    sums = np.zeros((rows, columns, outputs), np.int64) + biases
    for tap, (dy, dx) in enumerate(places):
        sums += whole[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns] @ weights[:, :, tap].T.astype(np.int64)
    if every.step == 1:
        return sums
    chosen = [[x for x in range(columns) if (x + y) % 2 == every.phase] for y in range(rows)]
    return np.stack([sums[y, chosen[y]] for y in range(rows)])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 1 << 30),
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 40)),
    st.sampled_from([1, 4, 9]),
    st.sampled_from([ALL, Every(2, 0), Every(2, 1)]),
)
def test_sums_are_exact_on_every_path(number: int, shape: tuple[int, ...], taps: int, every: Every) -> None:
    rng = np.random.default_rng(number)
    rows, columns, pairs, outputs = shape
    columns *= every.step
    layer, weights = convolution(rng, outputs, 2 * pairs, taps)
    values = bordered(rng, rows, columns, 2 * pairs)
    expected = by_numpy(values, weights, layer.biases, every)
    for mask in PATHS:
        out = np.empty((rows, columns // every.step, outputs), np.int32)
        with only(mask):
            layer.sums(values, out, every)
        assert (out == expected).all()


@pytest.mark.parametrize("mask", PATHS)
def test_the_largest_sums_are_exact(mask: int) -> None:
    weights = np.full((17, 914, 9), 127, np.int8)  # 127 · 2048 · 8226 is just below 2³¹
    layer = Convolution(weights, np.zeros(17, np.int32), np.zeros(17, np.uint8))
    values = latent.plane(3, 3, 914)
    values[:] = -2048
    out = np.empty((3, 3, 17), np.int32)
    with only(mask):
        layer.sums(values, out)
    assert (out[1, 1] == -127 * 2048 * 914 * 9).all()


def settled(total: int, shift: int, factor: int, leaky: bool, add: int) -> int:
    """A layer's formula in exact fractions."""
    value = Fraction(total, 1 << shift) * Fraction(factor, 256)
    if leaky and total < 0:
        value /= 8
    return min(max(math.floor(value + Fraction(1, 2)) + add, -2048), 2047)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1 << 30), st.booleans(), st.booleans(), st.sampled_from([ALL, Every(2, 1)]))
def test_layers_round_as_documented(number: int, leaky: bool, adding: bool, every: Every) -> None:
    rng = np.random.default_rng(number)
    layer, weights = convolution(rng, 19, 6, 1)
    values = bordered(rng, 3, 4, 6)
    values >>= rng.integers(0, 11)
    factors = rng.integers(-600, 900, 19).astype(np.int32)
    shape = (3, 4 // every.step, 19)
    add = rng.integers(-2048, 2048, shape).astype(np.int16) if adding else None
    sums = by_numpy(values, weights, layer.biases, every)
    for mask in PATHS:
        out = np.empty(shape, np.int16)
        with only(mask):
            layer.layer(values, out, every, leaky=leaky, factors=factors, add=add)
        for place, total in np.ndenumerate(sums):
            channel = place[2]
            more = 0 if add is None else int(add[place])
            wanted = settled(int(total), int(layer.shifts[channel]), int(factors[channel]), leaky, more)
            assert out[place] == wanted


def test_a_layer_may_write_into_a_part_of_an_array_and_over_what_it_adds() -> None:
    rng = np.random.default_rng(3)
    layer, _ = convolution(rng, 8, 4, 9)
    values, plain = bordered(rng, 4, 6, 4), np.empty((4, 6, 8), np.int16)
    before = rng.integers(-99, 99, plain.shape).astype(np.int16)
    layer.layer(values, plain, add=before)
    inside = latent.plane(4, 6, 20)
    part = inside[:, :, 7:15]
    part[:] = before
    layer.layer(values, part, add=part)
    assert (part == plain).all()
    assert not inside[:, :, :7].any() and not inside[:, :, 15:].any()


def test_bands_of_rows_give_what_the_whole_gives() -> None:
    rng = np.random.default_rng(4)
    layer, _ = convolution(rng, 5, 4, 9)
    values = bordered(rng, 7, 6, 4)
    whole, bands = (np.empty((7, 3, 5), np.int32) for _ in range(2))
    layer.sums(values, whole, Every(2, 1))
    for first in range(0, 7, 3):
        layer.sums(values[first : first + 3], bands[first : first + 3], Every(2, 1).rows(first))
    assert (bands == whole).all()


def test_what_does_not_fit_is_refused() -> None:
    rng = np.random.default_rng(5)
    layer, _ = convolution(rng, 5, 4, 9)
    out = np.empty((2, 2, 5), np.int16)
    with pytest.raises(ValueError, match="border"):
        layer.layer(np.zeros((2, 2, 4), np.int16), out)
    with pytest.raises(ValueError, match="channels"):
        layer.layer(latent.plane(2, 2, 6), out)
    with pytest.raises(ValueError, match="result"):
        layer.layer(latent.plane(2, 3, 4), out)
    with pytest.raises(TypeError):
        layer.layer(np.zeros((4, 4, 4), np.int32)[1:-1, 1:-1], out)
    with pytest.raises(EngineError):
        layer.layer(latent.plane(2, 2, 4), out, factors=np.full(5, 1 << 20, np.int32))
    with pytest.raises(EngineError):
        convolution(rng, 5, 3, 9)
    with pytest.raises(ValueError, match="even"):
        layer.layer(latent.plane(2, 3, 4), out, Every(2, 0))


def test_features_count_thresholds() -> None:
    thresholds = np.array([10, 20, 35], np.int64)
    values = np.array([[[0, 9], [10, -19], [-20, 36], [-1000, 1 << 30]]], np.int32)
    out = latent.plane(1, 8, 4)
    mantissas, shifts = np.array([4, 1], np.int32), np.array([2, 0], np.int8)
    latent.features(values, mantissas, shifts, thresholds, out=out, every=Every(2, 1))
    assert out[0, 1::2, :2].tolist() == [[0, 0], [1, -1], [-2, 3], [-3, 3]]
    assert (out[0, 1::2, 2:] == np.abs(out[0, 1::2, :2])).all()
    assert not out[0, ::2].any()


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_means_and_rows_follow_their_formulas(data: st.DataObject) -> None:
    sums = data.draw(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=2, max_size=2))
    shifts = [data.draw(st.integers(0, 18)) for _ in range(2)]
    mantissa, mean_shift = data.draw(st.integers(1 << 29, 1 << 30)), data.draw(st.integers(11, 61))
    offset = data.draw(st.integers(-(1 << 34), 1 << 34))
    units = latent.Units(
        shifts=np.array(shifts, np.uint8),
        mantissas=np.array([mantissa], np.int32),
        mean_shifts=np.array([mean_shift], np.uint8),
        rows_per_nat=121022032,
        offsets=np.array([offset], np.int64),
        rows=64,
    )
    means, index = latent.predict(np.array(sums, np.int32).reshape(1, 2), units)
    half = Fraction(1, 2)
    mean = math.floor(Fraction(sums[0] * mantissa, 1 << mean_shift) + half)
    row = math.floor((Fraction(sums[1] * 121022032, 1 << (shifts[1] + 6)) + offset) / (1 << 24) + half)
    assert means.item() == min(max(mean, -(1 << 19)), 1 << 19)
    assert index.item() == min(max(row, 0), 63)


# --- The coder ------------------------------------------------------------------------------------------------------

TABLES = Tables(
    np.array([0, 20000, 40000, 65000, 0, 65530, 0, 300, 64000, 65535], np.uint16),
    np.array([0, 4, 6, 10], np.uint32),
    np.array([-1, 0, 4], np.int32),
)


def symbols(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    index = rng.integers(0, 3, count).astype(np.uint16)
    values = rng.integers(-2, 6, count).astype(np.int32)
    wild = rng.random(count) < 0.02
    values[wild] = rng.integers(-32767, 32768, wild.sum())
    return values, index


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1 << 30), st.integers(0, 400))
def test_symbols_come_back_in_portions(number: int, count: int) -> None:
    rng = np.random.default_rng(number)
    values, index = symbols(rng, count)
    mark = int(rng.integers(0, 1 << latent.MARK_BITS))
    reader = latent.Reader(latent.encode(values, index, TABLES, mark))
    cut = int(rng.integers(0, count + 1))
    read = [reader.read(part, TABLES) for part in (index[:cut], index[cut:])]
    assert reader.finish() == mark
    assert (np.concatenate(read) == values).all()


@pytest.mark.parametrize("value", [-32767, -5, -2, 3, 4, 77, 32767])
def test_escapes_reach_the_bounds_and_no_further(value: int) -> None:
    values, index = np.array([value], np.int32), np.zeros(1, np.uint16)
    data = latent.encode(values, index, TABLES)
    assert latent.Reader(data).read(index, TABLES).item() == value
    assert len(data) <= 16
    with pytest.raises(EngineError):
        latent.encode(values + 40_000 * int(np.sign(value)), index, TABLES)


@pytest.mark.parametrize("value", [-32767, -9, 0, 1, 9, 32767])
def test_costs_are_what_a_symbol_adds_to_a_stream(value: int) -> None:
    """A thousand of them, so that the state of the coder does not count."""
    tables = Tables(np.array([0, 100, 60000], np.uint16), np.array([0, 3], np.uint32), np.array([0], np.int32))
    values, index = np.full(1000, value, np.int32), np.zeros(1000, np.uint16)
    costs = latent.costs(values, index, tables)
    escape = 16 - math.log2(5536)
    code = 4 + (2 * abs(value) + (value > 0) + (value == 0)).bit_length() - 1
    expected = {0: 16 - math.log2(100), 1: 16 - math.log2(59900)}.get(value, escape + code)
    assert costs == pytest.approx(expected, rel=1e-6)
    data = latent.encode(values, index, tables, 5)
    assert float(costs.sum(dtype=np.float64)) / 8 + latent.state_bytes(data, 5) == pytest.approx(len(data), abs=1)


def test_size_is_near_the_entropy() -> None:
    rng = np.random.default_rng(1)
    index = np.zeros(20_000, np.uint16)
    values = rng.choice([-1, 0, 1, 9], 20_000, p=np.array([20000, 20000, 25000, 536]) / 65536).astype(np.int32)
    share = np.array([20000, 20000, 25000, 536]) / 65536
    ideal = sum(-np.log2(share[k]) * (values == v).sum() for k, v in enumerate((-1, 0, 1, 9)))
    ideal += (values == 9).sum() * (4 + 4)  # 9 is the code 19: four bits below the leading one, four for that
    assert ideal / 8 <= len(latent.encode(values, index, TABLES)) <= ideal / 8 + 12


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_streams_are_refused_or_give_bounded_symbols(data: st.DataObject) -> None:
    def mark(of: np.ndarray) -> int:  # as the codec does: without it, raw bits of an escape may change unnoticed
        return zlib.crc32(of.tobytes()) & ((1 << latent.MARK_BITS) - 1)

    values, index = symbols(np.random.default_rng(2), 200)
    stream = bytearray(latent.encode(values, index, TABLES, mark(values)))
    for _ in range(data.draw(st.integers(1, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStream):
        reader = latent.Reader(bytes(stream))
        read = reader.read(index, TABLES)
        assert np.abs(read).max() <= 32767
        assert reader.finish() != mark(read) or (read == values).all(), "a change that nobody notices"


def test_truncated_and_extended_streams_are_refused() -> None:
    values, index = symbols(np.random.default_rng(3), 300)
    stream = latent.encode(values, index, TABLES)
    for bad in (stream[:4], stream[:-1], stream[:-4], stream + b"\0\0\0\0"):
        with pytest.raises(CorruptStream):
            reader = latent.Reader(bad)
            reader.read(index, TABLES)
            if reader.finish() != 0:
                raise CorruptStream("the mark is another")


def test_impossible_tables_and_rows_are_refused() -> None:
    values, index = symbols(np.random.default_rng(4), 10)
    with pytest.raises(EngineError):
        latent.encode(values, index + np.uint16(3), TABLES)
    with pytest.raises(EngineError):
        latent.encode(values, index, TABLES, 1 << latent.MARK_BITS)
    falling = Tables(np.array([0, 9, 3], np.uint16), np.array([0, 3], np.uint32), np.array([0], np.int32))
    with pytest.raises(EngineError):
        latent.encode(values, np.zeros(10, np.uint16), falling)
    reader = latent.Reader(latent.encode(values, index, TABLES))
    with pytest.raises(EngineError):
        reader.read(index + np.uint16(3), TABLES)

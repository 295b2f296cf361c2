"""dct-rans in C: exact inverse, small beside the plain levels, damage found, arguments checked."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CorruptStream, EngineError
from engine.native import dct_rans, jpeg

SAMPLINGS = [(1, 1), (2, 1), (1, 2), (2, 2)]


def tables_for(where: jpeg.Layout, step: int = 16) -> np.ndarray:
    return np.full((min(where.components, 2), 64), step, np.uint8)


def levels_for(where: jpeg.Layout, seed: int, spread: float) -> np.ndarray:
    """Levels that shrink as the frequency grows, as those of pictures do."""
    rng = np.random.default_rng(seed)
    values = rng.laplace(0, spread / (1 + np.arange(64)), (where.blocks, 64))
    return np.rint(values).clip(-1023, 1023).astype(np.int16)


def holding_samples(where: jpeg.Layout) -> np.ndarray:
    """Which blocks hold samples, in the order of the levels."""
    parts = []
    for i, (across, down) in enumerate(where.grids):
        width, height = where.plane_size(i)
        inside = np.zeros((down, across), bool)
        inside[: -(-height // 8), : -(-width // 8)] = True
        parts.append(inside.ravel())
    return np.concatenate(parts)


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        lambda size, components, sampling: jpeg.layout(*size, components, *sampling),
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        st.sampled_from([1, 3]),
        st.sampled_from(SAMPLINGS),
    ),
    st.floats(0.01, 3000),
    st.integers(0, 2**31),
)
def test_levels_of_every_layout_come_back(where: jpeg.Layout, spread: float, seed: int) -> None:
    levels = levels_for(where, seed, spread)
    tables = np.random.default_rng(seed).integers(1, 256, (min(where.components, 2), 64)).astype(np.uint8)
    decoded, decoded_tables = dct_rans.decode(dct_rans.encode(levels, where, tables), where)
    levels[~holding_samples(where)] = 0
    assert (decoded == levels).all() and (decoded_tables == tables).all()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_costs_add_up_to_the_stream(sampling: tuple[int, int]) -> None:
    where = jpeg.layout(205, 137, 3, *sampling)
    levels, tables = levels_for(where, 4, 40), tables_for(where)
    data = dct_rans.encode(levels, where, tables)
    costs, of_tables = dct_rans.costs(levels, where, tables)
    assert [part.shape[::-1] for part in costs] == list(where.grids)
    flat = np.concatenate([part.ravel() for part in costs])
    assert (flat[~holding_samples(where)] == 0).all() and (flat[holding_samples(where)] > 0).all()
    told = flat.sum(dtype=np.float64) + of_tables + 8 * dct_rans.state_bytes(data)
    assert told == pytest.approx(8 * len(data), rel=2e-3, abs=8), "later chunks have a state each"


def test_a_busy_block_is_the_dear_one() -> None:
    where = jpeg.layout(64, 64, 1, 1, 1)
    levels = np.zeros((where.blocks, 64), np.int16)
    levels[19] = np.random.default_rng(1).integers(-200, 200, 64)
    costs, _ = dct_rans.costs(levels, where, tables_for(where))
    assert costs[0].argmax() == 19 and costs[0].max() > costs[0].sum() / 2


def test_costs_of_impossible_levels_are_refused() -> None:
    where = jpeg.layout(8, 8, 1, 1, 1)
    with pytest.raises(EngineError, match="RANGE"):
        dct_rans.costs(np.full((1, 64), 1024, np.int16), where, tables_for(where))
    with pytest.raises(EngineError, match="RANGE"):
        dct_rans.costs(np.zeros((1, 64), np.int16), where, tables_for(where, 0))


def test_levels_at_the_ends_of_their_range_come_back() -> None:
    where = jpeg.layout(24, 24, 3, 1, 1)
    for levels in (
        np.full((27, 64), 1023),
        np.full((27, 64), -1023),
        1023 * (1 - 2 * (np.indices((27, 64)).sum(0) % 2)),
    ):
        given_levels = levels.astype(np.int16)
        assert (dct_rans.decode(dct_rans.encode(given_levels, where, tables_for(where, 255)), where)[0] == levels).all()


def test_more_decisions_than_a_chunk_holds_come_back() -> None:
    where = jpeg.layout(160, 128, 3, 1, 1)
    levels = np.random.default_rng(2).integers(-200, 201, (where.blocks, 64)).astype(np.int16)
    stream = dct_rans.encode(levels, where, tables_for(where))
    assert (dct_rans.decode(stream, where)[0] == levels).all()
    assert len(stream) < 1.15 * levels.size * np.log2(401) / 8


def test_black_costs_next_to_nothing() -> None:
    where = jpeg.layout(1024, 1024, 3, 2, 2)
    assert len(dct_rans.encode(np.zeros((where.blocks, 64), np.int16), where, tables_for(where))) < 200


@pytest.fixture(scope="module")
def sound() -> tuple[bytes, jpeg.Layout]:
    where = jpeg.layout(50, 41, 3, 2, 2)
    return dct_rans.encode(levels_for(where, 5, 30), where, tables_for(where)), where


def test_every_truncation_is_refused(sound: tuple[bytes, jpeg.Layout]) -> None:
    stream, where = sound
    for size in range(0, len(stream), 7):
        with pytest.raises(CorruptStream):
            dct_rans.decode(stream[:size], where)


def test_what_follows_the_stream_is_refused(sound: tuple[bytes, jpeg.Layout]) -> None:
    stream, where = sound
    for extra in (b"\0", b"\0\0", bytes(6)):
        with pytest.raises(CorruptStream):
            dct_rans.decode(stream + extra, where)


def test_nearly_all_damage_is_noticed(sound: tuple[bytes, jpeg.Layout]) -> None:
    """Not all: a bit that stands for a decision of even chances changes that one. The container has a checksum."""
    stream, where = sound
    bits = range(0, 8 * len(stream), 11)
    unnoticed = 0
    for bit in bits:
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(CorruptStream):
            dct_rans.decode(bytes(damaged), where)
            unnoticed += 1
    assert unnoticed < 0.1 * len(bits), unnoticed


@pytest.mark.parametrize("wrong", [1024, -1024, -32768])
def test_levels_out_of_range_are_refused(wrong: int) -> None:
    where = jpeg.layout(8, 8, 1, 1, 1)
    levels = np.zeros((1, 64), np.int16)
    levels[0, 63] = wrong
    with pytest.raises(EngineError):
        dct_rans.encode(levels, where, tables_for(where))


def test_a_step_of_zero_is_refused() -> None:
    where = jpeg.layout(8, 8, 3, 1, 1)
    tables = tables_for(where)
    tables[1, 63] = 0
    with pytest.raises(EngineError):
        dct_rans.encode(np.zeros((3, 64), np.int16), where, tables)


def test_arrays_that_do_not_fit_the_layout_are_refused() -> None:
    where = jpeg.layout(9, 8, 3, 1, 1)
    with pytest.raises(ValueError):
        dct_rans.encode(np.zeros((3, 64), np.int16), where, tables_for(where))
    with pytest.raises(ValueError):
        dct_rans.encode(np.zeros((where.blocks, 64), np.int16), where, np.ones((1, 64), np.uint8))

"""rANS: exact inverse, size near the entropy, damaged data and impossible tables refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import CorruptStream, EngineError, UsageError
from engine.native import entropy
from engine.native.entropy import Tables

TABLE_BYTES = 2 * 256 + 16
MANY_STATES, FEW_STATES = 128, 16


def entropy_bytes(data: bytes) -> float:
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    used = counts[counts > 0]
    return float(-(used * np.log2(used / used.sum())).sum() / 8)


def sample(kind: str, size: int) -> bytes:
    rng = np.random.default_rng(size)
    draws = {
        "flat": lambda: rng.integers(0, 256, size),
        "peaked": lambda: rng.geometric(0.3, size).clip(0, 255),
        "rare": lambda: (rng.random(size) < 0.001) * 7,
        "one": lambda: np.full(size, 200),
        "laplace": lambda: rng.laplace(128, 6, size).clip(0, 255),
    }
    return draws[kind]().astype(np.uint8).tobytes()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=600))
def test_any_bytes_come_back(data: bytes) -> None:
    assert entropy.rans_decode(entropy.rans_encode(data), len(data)) == data


@pytest.mark.parametrize("kind", ["flat", "peaked", "rare", "one", "laplace"])
@pytest.mark.parametrize("size", [1, 5, 127, 16_383, 16_384, 16_415, 200_003])
def test_size_is_near_the_entropy(kind: str, size: int) -> None:
    data = sample(kind, size)
    stream = entropy.rans_encode(data)
    assert entropy.rans_decode(stream, size) == data
    states = FEW_STATES if size < 16_384 else MANY_STATES
    assert len(stream) <= 1.004 * entropy_bytes(data) + 0.0002 * size + TABLE_BYTES + states


def test_one_symbol_alone_takes_no_room() -> None:
    assert len(entropy.rans_encode(bytes(10_000))) <= FEW_STATES + 4


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_streams_are_refused_or_decode_to_as_many_bytes(data: st.DataObject) -> None:
    original = sample("peaked", 300)
    stream = bytearray(entropy.rans_encode(original))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStream):
        assert len(entropy.rans_decode(bytes(stream), len(original))) == len(original)


@pytest.mark.parametrize("size", [300, 40_000])
def test_truncation_extension_and_a_wrong_count_are_refused(size: int) -> None:
    stream = entropy.rans_encode(sample("peaked", size))
    for bad, count in (
        (stream[:-1], size),
        (stream[:9], size),
        (b"", size),
        (stream + b"\0", size),
        (stream, size - 1),
    ):
        with pytest.raises(CorruptStream):
            entropy.rans_decode(bad, count)
    with pytest.raises(CorruptStream):
        entropy.rans_decode(b"x", 0)


def test_a_changed_word_is_noticed() -> None:
    stream = bytearray(entropy.rans_encode(sample("laplace", 5000)))
    for at in range(len(stream) - 200, len(stream)):
        bad = bytearray(stream)
        bad[at] ^= 0x40
        with pytest.raises(CorruptStream):
            entropy.rans_decode(bytes(bad), 5000)


def test_a_table_whose_sum_is_wrong_is_refused() -> None:
    # Absent 0, present 2: frequencies 3000 and 2000, which add up to more than 4096.
    table = bytes([0, 1]) + bytes([(2999 & 127) | 128, 2999 >> 7]) + bytes([(1999 & 127) | 128, 1999 >> 7])
    with pytest.raises(CorruptStream):
        entropy.rans_decode(table + bytes([0, 0x80, 0, 0] * 4), 1)


def test_more_symbols_than_the_limit_are_refused() -> None:
    with pytest.raises(UsageError):
        entropy.rans_decode(b"", 1 << 31)


# --- With a table a symbol --------------------------------------------------------------------------


def gaussian_tables(scales: tuple[float, ...] = (0.2, 1.0, 5.0, 40.0)) -> Tables:
    """Rows of discretised Laplacians around 0, with an escape of one slot."""
    cdfs, rows, offsets = [], [0], []
    for scale in scales:
        reach = max(1, int(5 * scale))
        weights = np.exp(-np.abs(np.arange(-reach, reach + 1)) / scale)
        free = 65536 - weights.size - 1
        widths = 1 + np.floor(weights / weights.sum() * free).astype(int)
        widths[reach] += 65535 - widths.sum()
        cdfs.append(np.concatenate([[0], np.cumsum(widths)]).astype(np.uint16))
        rows.append(rows[-1] + cdfs[-1].size)
        offsets.append(-reach)
    return Tables(np.concatenate(cdfs), np.array(rows, np.uint32), np.array(offsets, np.int32))


TABLES = gaussian_tables()


@settings(deadline=None, max_examples=150)
@given(
    hnp.arrays(np.int32, st.integers(0, 200), elements=st.one_of(st.integers(-8, 8), st.integers(-(2**31), 2**31 - 1))),
    st.integers(0, 1000),
)
def test_any_integers_under_any_tables_come_back(values: np.ndarray, seed: int) -> None:
    index = np.random.default_rng(seed).integers(0, 4, values.size).astype(np.uint16)
    assert np.array_equal(entropy.ranx_decode(entropy.ranx_encode(values, index, TABLES), index, TABLES), values)


@pytest.mark.parametrize("count", [10, 4095, 4096, 60_001])
def test_indexed_size_is_what_the_tables_say(count: int) -> None:
    rng = np.random.default_rng(count)
    index = rng.integers(0, 4, count).astype(np.uint16)
    values = np.rint(rng.laplace(0, np.array([0.2, 1, 5, 40])[index])).clip(-1, 1).astype(np.int32)
    starts = TABLES.rows[index] + (values - TABLES.offsets[index])
    widths = TABLES.cdfs[starts + 1].astype(int) - TABLES.cdfs[starts]
    stream = entropy.ranx_encode(values, index, TABLES)
    assert np.array_equal(entropy.ranx_decode(stream, index, TABLES), values)
    assert len(stream) <= np.sum(16 - np.log2(widths)) / 8 * 1.0001 + 4 + (8 if count < 4096 else 32)


def test_shape_is_kept() -> None:
    index = np.zeros((3, 4, 5), np.uint16)
    values = np.ones(index.shape, np.int32)
    assert np.array_equal(entropy.ranx_decode(entropy.ranx_encode(values, index, TABLES), index, TABLES), values)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_indexed_streams_are_refused_or_decode(data: st.DataObject) -> None:
    index = np.arange(400).astype(np.uint16) % 4
    values = np.random.default_rng(2).integers(-60, 60, 400).astype(np.int32)
    stream = bytearray(entropy.ranx_encode(values, index, TABLES))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStream):
        entropy.ranx_decode(bytes(stream[: data.draw(st.integers(0, len(stream)))]), index, TABLES)


def test_truncated_and_extended_indexed_streams_are_refused() -> None:
    index = np.zeros(500, np.uint16) + 1
    values = np.random.default_rng(4).integers(-9, 9, 500).astype(np.int32)
    stream = entropy.ranx_encode(values, index, TABLES)
    for bad in (*(stream[:n] for n in range(len(stream))), stream + b"\0"):
        with pytest.raises(CorruptStream):
            entropy.ranx_decode(bad, index, TABLES)


def test_an_escape_that_stands_for_a_value_of_its_row_is_refused() -> None:
    index = np.array([1], np.uint16)
    stream = bytearray(entropy.ranx_encode(np.array([50], np.int32), index, TABLES))
    assert stream[-1] == 100
    stream[-1] = 2  # the value 1, which the row holds
    with pytest.raises(CorruptStream):
        entropy.ranx_decode(bytes(stream), index, TABLES)


@pytest.mark.parametrize(
    "cdfs", [[1, 2, 3], [0, 5, 5], [0, 9, 4], [0]], ids=["no zero", "empty symbol", "falling", "no escape"]
)
def test_tables_that_are_no_distribution_are_refused(cdfs: list[int]) -> None:
    tables = Tables(np.array(cdfs, np.uint16), np.array([0, len(cdfs)], np.uint32), np.array([0], np.int32))
    with pytest.raises(EngineError):
        entropy.ranx_encode(np.zeros(1, np.int32), np.zeros(1, np.uint16), tables)


def test_rows_that_do_not_fill_the_tables_are_refused() -> None:
    with pytest.raises(UsageError):
        Tables(np.arange(4, dtype=np.uint16), np.array([0, 9], np.uint32), np.array([0], np.int32))
    with pytest.raises(EngineError):
        entropy.ranx_encode(np.zeros(1, np.int32), np.full(1, 4, np.uint16), TABLES)


# --- Tables and states made by hand -------------------------------------------------------------------

LOW = 1 << 15


def states(first: int) -> bytes:
    return b"".join(state.to_bytes(4, "little") for state in (first, LOW, LOW, LOW))


# Absent 0, present 1: symbol 0 has all 4096 slots, so that a state stays as it is.
ALONE = bytes([0, 0, 0xFF, 0x1F])
# Absent 255, then symbols from 255 on with 2048 slots each; one step leads from 2^16 to 2^15.
HALVES = bytes([0xFF, 0x0F, 0xFF, 0x0F])


def test_streams_made_by_hand_decode() -> None:
    assert entropy.rans_decode(ALONE + states(LOW), 1) == bytes([0])
    assert entropy.rans_decode(bytes([0x80 | 126, 1, 1]) + HALVES + states(1 << 16), 1) == bytes([254])


def test_a_table_of_more_than_256_symbols_is_refused() -> None:
    with pytest.raises(CorruptStream):
        entropy.rans_decode(bytes([0x80 | 127, 1, 1]) + HALVES + states(1 << 16), 1)


def test_a_frequency_one_slot_too_large_is_refused() -> None:
    # 4097 of 4096 slots, and the state from which such a table would lead to a good end.
    with pytest.raises(CorruptStream):
        entropy.rans_decode(bytes([0, 0, 0x80, 0x20]) + states((LOW - 1) << 12), 1)


def test_a_state_out_of_range_is_refused_though_it_would_end_well() -> None:
    with pytest.raises(CorruptStream):
        entropy.rans_decode(ALONE + states(0) + LOW.to_bytes(2, "little"), 1)


def test_an_escape_of_more_than_32_bits_is_refused() -> None:
    index = np.array([1], np.uint16)
    stream = entropy.ranx_encode(np.array([50], np.int32), index, TABLES)
    assert entropy.ranx_decode(stream[:-1] + bytes([0xE4, 0x80, 0x80, 0x80, 0x00]), index, TABLES) == [50]
    with pytest.raises(CorruptStream):
        entropy.ranx_decode(stream[:-1] + bytes([0xE4, 0x80, 0x80, 0x80, 0x10]), index, TABLES)


def test_words_that_claim_to_go_on_beyond_the_stream_end_too_early() -> None:
    index = np.zeros(500, np.uint16) + 1
    stream = entropy.ranx_encode(np.random.default_rng(4).integers(-4, 5, 500).astype(np.int32), index, TABLES)
    more = int.from_bytes(stream[:4], "little") + 1
    with pytest.raises(CorruptStream, match="ends too early"):
        entropy.ranx_decode(more.to_bytes(4, "little") + stream[4:], index, TABLES)


def test_a_state_that_is_just_full_sheds_a_word() -> None:
    # With two symbols of 2048 slots each step doubles a state: the sixteenth finds 2^30, from which it would leave
    # its range. Symbols 0 and 1, two of the four states each.
    data = bytes([0, 0, 1, 1]) * 16
    assert entropy.rans_decode(entropy.rans_encode(data), len(data)) == data

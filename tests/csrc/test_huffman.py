"""Huffman codes: optimal under their limit, exact inverse, damaged data refused."""

from __future__ import annotations

import contextlib
import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CorruptStream, EngineError
from engine.native import entropy


def huffman_cost(frequencies: list[int]) -> int:
    """Bits of an unlimited Huffman code: the sum of all inner nodes of its tree."""
    heap = [f for f in frequencies if f]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        total += joined
        heapq.heappush(heap, joined)
    return total


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=60).filter(lambda f: sum(x > 0 for x in f) > 1))
def test_without_pressure_the_code_is_huffmans(frequencies: list[int]) -> None:
    lengths = entropy.huffman_lengths(np.array(frequencies, np.uint32), 16)
    assert int((lengths * np.array(frequencies)).sum()) == huffman_cost(frequencies)


@pytest.mark.parametrize("limit", [5, 6, 9, 12, 16])
def test_fibonacci_frequencies_meet_the_limit_with_a_complete_code(limit: int) -> None:
    frequencies = [1, 1]
    while len(frequencies) < 32:
        frequencies.append(frequencies[-1] + frequencies[-2])
    lengths = entropy.huffman_lengths(np.array(frequencies, np.uint32), limit)
    assert lengths.max() <= limit
    assert sum(2.0 ** -int(n) for n in lengths) == 1.0
    assert all(a >= b for a, b in itertools.pairwise(lengths))


def test_a_limit_costs_as_little_as_can_be() -> None:
    # Five symbols in three bits: by hand, the lengths 3 3 3 3 1 are the best.
    lengths = entropy.huffman_lengths(np.array([1, 2, 4, 8, 16], np.uint32), 3)
    assert lengths.tolist() == [3, 3, 3, 3, 1]


def test_too_many_symbols_for_the_limit_are_refused() -> None:
    with pytest.raises(EngineError):
        entropy.huffman_lengths(np.ones(9, np.uint32), 3)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=600))
def test_any_bytes_come_back(data: bytes) -> None:
    assert entropy.huffman_decode(entropy.huffman_encode(data), len(data)) == data


def test_bytes_of_very_uneven_frequency_come_back() -> None:
    data = b"".join(bytes([i]) * (1 << i) for i in range(18)) + bytes(range(256))
    assert entropy.huffman_decode(entropy.huffman_encode(data), len(data)) == data


@pytest.mark.parametrize("size", [1, 100, 5000, 200_003])
def test_size_is_the_codes_and_little_more(size: int) -> None:
    rng = np.random.default_rng(size)
    data = rng.geometric(0.1, size).clip(0, 255).astype(np.uint8)
    counts = np.bincount(data, minlength=256).astype(np.uint32)
    bits = int((entropy.huffman_lengths(counts, 12).astype(int) * counts).sum())
    assert len(entropy.huffman_encode(data.tobytes())) <= bits / 8 + 256 + 16


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_streams_are_refused_or_decode_to_as_many_bytes(data: st.DataObject) -> None:
    original = np.random.default_rng(1).geometric(0.2, 300).clip(0, 255).astype(np.uint8).tobytes()
    stream = bytearray(entropy.huffman_encode(original))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStream):
        assert len(entropy.huffman_decode(bytes(stream), len(original))) == len(original)


def test_truncated_extended_and_miscounted_streams_are_refused() -> None:
    data = np.random.default_rng(6).geometric(0.2, 400).clip(0, 255).astype(np.uint8).tobytes()
    stream = entropy.huffman_encode(data)
    for bad in (*(stream[:n] for n in range(len(stream))), stream + b"\0"):
        with pytest.raises(CorruptStream):
            entropy.huffman_decode(bad, len(data))
    with pytest.raises(CorruptStream):
        entropy.huffman_decode(stream, len(data) + 40)


def test_lengths_that_make_no_complete_code_are_refused() -> None:
    # Symbol 0 of length 1, symbol 1 of length 2, 254 absent: a quarter of the code space is unused.
    with pytest.raises(CorruptStream):
        entropy.huffman_decode(bytes([0x21, 0xD0, 0x0F]) + bytes(16), 1)


# Symbols 0 and 1 of one bit each, 254 absent; three sizes of one byte; four bytes of which the lowest bit counts.
TWO = bytes([0x11, 0xD0, 0x0F]) + bytes([1, 0, 0, 0] * 3) + bytes([0, 1, 1, 0])


def test_a_stream_made_by_hand_decodes() -> None:
    assert entropy.huffman_decode(TWO, 4) == bytes([0, 1, 1, 0])


def test_lengths_of_more_than_256_symbols_are_refused() -> None:
    with pytest.raises(CorruptStream):
        entropy.huffman_decode(bytes([0x11, 0xE0]) + TWO[2:], 4)


def test_bits_that_fill_the_last_byte_must_be_zero() -> None:
    for at in range(len(TWO) - 4, len(TWO)):
        with pytest.raises(CorruptStream):
            entropy.huffman_decode(TWO[:at] + bytes([TWO[at] | 0x80]) + TWO[at + 1 :], 4)


@pytest.mark.parametrize("part", range(3))
def test_a_part_that_claims_more_bytes_than_there_are_ends_too_early(part: int) -> None:
    bad = bytearray(TWO)
    bad[3 + 4 * part] = 5 - part
    with pytest.raises(CorruptStream, match="ends too early"):
        entropy.huffman_decode(bytes(bad), 4)


def test_a_code_with_unused_room_is_refused_though_nothing_meets_it() -> None:
    # Codes 0 and 01: the data hold only the first.
    with pytest.raises(CorruptStream):
        entropy.huffman_decode(bytes([0x21]) + TWO[1:-4] + bytes(4), 4)

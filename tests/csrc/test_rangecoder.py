"""The adaptive binary range coder: exact inverse, size near the entropy, damaged data refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import CorruptStream
from engine.native import wavelet as native
from engine.native._base import const, lib, mutable

CONTEXTS = 5


def test_no_bits_make_a_stream_that_decodes_to_no_bits() -> None:
    none = np.empty(0, np.uint16)
    assert native.binary_decode(native.binary_encode(none.astype(np.uint8), none, 1), none, 1).size == 0


@settings(deadline=None, max_examples=60)
@given(bits=hnp.arrays(np.uint8, st.integers(0, 400), elements=st.integers(0, 1)), seed=st.integers(0, 2**32 - 1))
def test_any_bits_under_any_contexts_come_back(bits: np.ndarray, seed: int) -> None:
    contexts = np.random.default_rng(seed).integers(0, CONTEXTS, bits.size).astype(np.uint16)
    data = native.binary_encode(bits, contexts, CONTEXTS)
    assert np.array_equal(native.binary_decode(data, contexts, CONTEXTS), bits)


@pytest.mark.parametrize("p", [0.0005, 0.02, 0.3, 0.5, 0.9, 0.999])
def test_the_size_is_within_two_percent_of_the_entropy(p: float) -> None:
    count = 200_000
    bits = (np.random.default_rng(7).random(count) < p).astype(np.uint8)
    contexts = np.zeros(count, np.uint16)
    data = native.binary_encode(bits, contexts, 1)
    share = bits.mean()
    entropy = -count * (share * np.log2(share) + (1 - share) * np.log2(1 - share)) / 8
    # Half a bit per doubling of the count is the price of learning one probability; forgetting costs the rest.
    assert len(data) <= 1.02 * entropy + 24
    assert np.array_equal(native.binary_decode(data, contexts, 1), bits)


def test_contexts_of_different_bias_are_learnt_apart() -> None:
    contexts = np.tile(np.arange(2, dtype=np.uint16), 20_000)
    bits = contexts.astype(np.uint8)
    assert len(native.binary_encode(bits, contexts, 2)) < 60
    assert len(native.binary_encode(bits, contexts * 0, 1)) > 4000


def test_a_run_of_carries_is_handed_on() -> None:
    # Long runs at one bias put low next to 2^32 again and again: every carry must reach the bytes written.
    for seed in range(40):
        bits = (np.random.default_rng(seed).random(3000) < 0.01).astype(np.uint8)
        contexts = np.zeros(bits.size, np.uint16)
        assert np.array_equal(native.binary_decode(native.binary_encode(bits, contexts, 1), contexts, 1), bits)


def test_a_truncated_stream_is_refused() -> None:
    bits = np.random.default_rng(3).integers(0, 2, 4000).astype(np.uint8)
    contexts = np.zeros(bits.size, np.uint16)
    data = native.binary_encode(bits, contexts, 1)
    for size in (0, 1, len(data) // 2, len(data) - 8):
        with pytest.raises(CorruptStream):
            native.binary_decode(data[:size], contexts, 1)


def test_bytes_left_over_are_refused() -> None:
    bits = np.ones(50, np.uint8)
    contexts = np.zeros(bits.size, np.uint16)
    with pytest.raises(CorruptStream):
        native.binary_decode(native.binary_encode(bits, contexts, 1) + bytes(8), contexts, 1)


def test_a_context_beyond_the_models_is_an_error() -> None:
    with pytest.raises(Exception, match="RS_ERR_ARGUMENT"):
        native.binary_encode(np.ones(1, np.uint8), np.full(1, 9, np.uint16), 2)


def test_short_streams_end_well_wherever_their_interval_lies() -> None:
    # One in 256 ends across a multiple of 2^32, with a last carry.
    rng = np.random.default_rng(2)
    contexts = np.zeros(24, np.uint16)
    for _ in range(3000):
        bits = rng.integers(0, 2, 24).astype(np.uint8)
        assert np.array_equal(native.binary_decode(native.binary_encode(bits, contexts, 1), contexts, 1), bits)


def test_an_encoder_without_room_says_so_and_writes_nothing_beyond() -> None:
    bits = (np.random.default_rng(1).random(9000) < 0.3).astype(np.uint8)  # some hundred carries
    contexts, models, room = np.zeros(bits.size, np.uint16), np.zeros(1, np.uint32), np.zeros(4096, np.uint8)
    given = const("uint8_t", bits), const("uint16_t", contexts), bits.size, mutable("uint32_t", models), 1
    assert lib.rs_binary_encode(*given, mutable("uint8_t", room), 16) == lib.RS_ERR_SPACE
    assert room[:16].any() and not room[16:].any()


def test_a_stream_fits_into_a_buffer_of_just_its_size() -> None:
    bits = (np.random.default_rng(1).random(900) < 0.3).astype(np.uint8)
    contexts, models, room = np.zeros(bits.size, np.uint16), np.zeros(1, np.uint32), np.zeros(4096, np.uint8)
    given = const("uint8_t", bits), const("uint16_t", contexts), bits.size, mutable("uint32_t", models), 1
    size = len(native.binary_encode(bits, contexts, 1))
    assert lib.rs_binary_encode(*given, mutable("uint8_t", room), size) == size
    assert lib.rs_binary_encode(*given, mutable("uint8_t", room), size - 1) == lib.RS_ERR_SPACE


def test_decoding_returns_0_where_the_stream_was_used_up() -> None:
    bits, contexts = np.ones(50, np.uint8), np.zeros(50, np.uint16)
    data = np.frombuffer(native.binary_encode(bits, contexts, 1), np.uint8)
    models, out = np.zeros(1, np.uint32), np.zeros(50, np.uint8)
    given = const("uint16_t", contexts), 50, mutable("uint32_t", models), 1, mutable("uint8_t", out)
    assert lib.rs_binary_decode(const("uint8_t", data), data.size, *given) == 0

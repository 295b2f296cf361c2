"""Damage of every kind: bits, words that mean sizes and places, cuts, moved and foreign parts."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

WORDS = (0, 1, 2, 7, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
HEAD = 500  # bytes: where headers are


def mutant(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """`data` with one to three kinds of damage; `others` are files of the same kind."""
    out = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if len(out) < 16:
            break
        _KINDS[rng.integers(len(_KINDS))](out, others, rng)
    return bytes(out)


def _place(out: bytearray, rng: np.random.Generator, room: int = 1) -> int:
    reach = max(len(out) - room, 1)
    return int(rng.integers(min(reach, HEAD) if rng.random() < 0.6 else reach))


def _bytes(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 6)):
        out[_place(out, rng)] = int(rng.choice([0, 1, 127, 128, 254, 255, rng.integers(256)]))


def _bits(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 4)):
        out[_place(out, rng)] ^= 1 << int(rng.integers(8))


def _word(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(out, rng, 8) & (-1 if rng.random() < 0.5 else -4)
    value = int(rng.choice([*WORDS, len(out), len(out) - 1, len(out) + 1, rng.integers(1 << 32)]))
    kind = rng.choice(["<I", ">I", "<Q", "<H"])
    struct.pack_into(str(kind), out, at, value & 0xFFFF if kind == "<H" else value)


def _nudge(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    """A number that is a little off."""
    at = _place(out, rng, 4)
    value = int.from_bytes(out[at : at + 4], "little") + int(rng.choice([-256, -8, -1, 1, 8, 256, 65536]))
    out[at : at + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")


def _cut(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    del out[_place(out, rng) + 1 :]


def _leave_out(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(out, rng)
    del out[at : at + int(rng.integers(1, 40))]


def _repeat(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    at, size = _place(out, rng), int(rng.integers(1, 200))
    where = _place(out, rng)
    out[where:where] = out[at : at + size]


def _fill(out: bytearray, _others: Sequence[bytes], rng: np.random.Generator) -> None:
    at = _place(out, rng)
    size = min(int(rng.integers(1, 64)), len(out) - at)
    out[at : at + size] = bytes([int(rng.choice([0, 255, 65]))]) * size


def _splice(out: bytearray, others: Sequence[bytes], rng: np.random.Generator) -> None:
    """The beginning of this file and the end of another, or a part of it in place."""
    other = others[rng.integers(len(others))]
    at = _place(out, rng)
    if rng.random() < 0.5:
        out[at:] = other[at:]
    else:
        out[at : at + 64] = other[at : at + 64]


_KINDS = (_bytes, _bytes, _bits, _word, _word, _word, _nudge, _cut, _leave_out, _repeat, _fill, _splice)

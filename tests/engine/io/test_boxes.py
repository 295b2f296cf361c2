"""Boxes of ISO media files: walked to their end, and never by a lie."""

from __future__ import annotations

import struct

import pytest

from engine.io.boxes import boxes, find


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


INNER = box(b"colr", b"abc")
FILE = box(b"ftyp", b"avif") + box(b"meta", bytes(4) + box(b"iprp", INNER)) + box(b"mdat", bytes(9))


def test_boxes_come_in_order_with_their_content() -> None:
    assert [(kind, FILE[first:last]) for kind, first, last in boxes(FILE)] == [
        (b"ftyp", b"avif"),
        (b"meta", bytes(4) + box(b"iprp", INNER)),
        (b"mdat", bytes(9)),
    ]


def test_a_path_leads_into_boxes_and_past_the_version_of_meta() -> None:
    found = find(FILE, (b"meta", b"iprp", b"colr"))
    assert found is not None and FILE[slice(*found)] == b"abc"
    assert find(FILE, (b"meta", b"colr")) is None


def test_a_long_size_and_a_size_to_the_end_are_understood() -> None:
    long = struct.pack(">I4sQ", 1, b"long", 20) + b"1234"
    assert list(boxes(long + box(b"next"))) == [(b"long", 16, 20), (b"next", 28, 28)]
    assert list(boxes(struct.pack(">I4s", 0, b"last") + bytes(5))) == [(b"last", 8, 13)]


@pytest.mark.parametrize(
    "head",
    [struct.pack(">I4s", 7, b"tiny"), struct.pack(">I4sQ", 1, b"long", 15), struct.pack(">I4sQ", 1, b"none", 0)],
    ids=["below eight", "long below sixteen", "long of nothing"],
)
def test_a_box_shorter_than_its_own_head_ends_the_walk(head: bytes) -> None:
    assert list(boxes(head + FILE)) == []


def test_a_box_that_claims_more_than_the_file_ends_with_it() -> None:
    assert list(boxes(struct.pack(">I4s", 1 << 31, b"huge") + bytes(6))) == [(b"huge", 8, 14)]


def test_a_file_of_nothing_but_boxes_is_not_walked_for_ever() -> None:
    assert len(list(boxes(box(b"free") * 20_000))) == 10_000

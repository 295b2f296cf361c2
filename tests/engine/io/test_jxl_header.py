"""The size in a JPEG XL header is that of the picture, however it is coded."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from engine.errors import CorruptStream
from engine.io.jxl_header import SIGNATURE, Header, parse

# The seven ratios that have a code of their own, then others; sides that are multiples of 8 have a short form too.
RATIOS = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)]


def header(width: int, height: int) -> tuple[int, int]:
    data = bytes(imagecodecs.jpegxl_encode(np.zeros((height, width, 3), np.uint8)))
    found = parse(data)
    return found.width, found.height


def bits(*fields: tuple[int, int]) -> bytes:
    """(value, bits) fields, least significant first, as a codestream with some bytes to spare."""
    value = at = 0
    for field, count in fields:
        value, at = value | field << at, at + count
    return SIGNATURE + (value | 1 << at).to_bytes(at // 8 + 4, "little")


@pytest.mark.parametrize("size", [(1, 1), (53, 37), (64, 40), (600, 400), (513, 9), (100, 75), (128, 72), (160, 90)])
def test_the_size_is_the_one_that_was_encoded(size: tuple[int, int]) -> None:
    assert header(*size) == size


@pytest.mark.parametrize(("code", "ratio"), list(enumerate(RATIOS, 1)))
def test_each_coded_ratio_gives_the_width(code: int, ratio: tuple[int, int]) -> None:
    height = 7 * ratio[1]
    found = parse(bits((0, 1), (0, 2), (height - 1, 9), (code, 3), (1, 1)))
    assert (found.width, found.height) == (7 * ratio[0], height)


@pytest.mark.parametrize(("choice", "count"), [(0, 9), (1, 13), (2, 18), (3, 30)])
def test_each_length_of_a_side_is_read(choice: int, count: int) -> None:
    side = 1 << (count - 1)
    found = parse(bits((0, 1), (choice, 2), (side - 1, count), (0, 3), (0, 2), (6, 9), (1, 1)))
    assert (found.width, found.height) == (7, side)


def test_a_header_that_is_cut_off_is_refused() -> None:
    with pytest.raises(CorruptStream, match="cut off"):
        parse(SIGNATURE + b"\x00")


SIZE = [(0, 1), (0, 2), (36, 9), (0, 3), (0, 2), (52, 9)]  # 53 × 37
DEPTH = [(0, 1), (0, 2)]  # 8 bits
TAIL = [(1, 1), (0, 2), (1, 1)]  # 16-bit buffers, no extra channel, XYB
SRGB = [(1, 1)]
PLAIN = [*SIZE, (0, 1), (0, 1), *DEPTH, *TAIL]
RGB_D65 = [(0, 1), (0, 1), (0, 2), (1, 2)]  # not sRGB, no profile, RGB, D65


def test_the_shortest_header_is_8_bit_srgb() -> None:
    found = parse(bits(*SIZE, (1, 1)))
    assert found == Header(53, 37)
    assert (found.bits, found.orientation, found.xyb, found.cicp) == (8, 1, True, None)


@pytest.mark.parametrize("value", range(8))
def test_an_orientation_from_five_on_swaps_the_sides(value: int) -> None:
    found = parse(bits(*SIZE, (0, 1), (1, 1), (value, 3), (0, 3), *DEPTH, *TAIL, *SRGB))
    assert found.orientation == value + 1
    assert (found.width, found.height) == ((53, 37) if value < 4 else (37, 53))


@pytest.mark.parametrize(
    ("fields", "depth"),
    [
        ([(0, 1), (0, 2)], (False, 8)),
        ([(0, 1), (1, 2)], (False, 10)),
        ([(0, 1), (2, 2)], (False, 12)),
        ([(0, 1), (3, 2), (15, 6)], (False, 16)),
        ([(1, 1), (0, 2), (8, 4)], (True, 32)),
        ([(1, 1), (1, 2), (5, 4)], (True, 16)),
        ([(1, 1), (2, 2), (5, 4)], (True, 24)),
        ([(1, 1), (3, 2), (20, 6), (5, 4)], (True, 21)),
    ],
)
def test_each_depth_is_read(fields: list[tuple[int, int]], depth: tuple[bool, int]) -> None:
    # What follows tells whether all bits were used: no extra channels, no XYB, and P3.
    tail = [(1, 1), (0, 2), (0, 1), *RGB_D65, (2, 2), (9, 4), (0, 1), (2, 2), (11, 4)]
    found = parse(bits(*SIZE, (0, 1), (0, 1), *fields, *tail))
    assert (found.is_float, found.bits) == depth
    assert (found.xyb, found.cicp) == (False, (12, 13))


EXTRA = {
    "intrinsic size": [(1, 1), (1, 1), (4, 5), (1, 3), (0, 1), (0, 1)],
    "intrinsic sides": [(1, 1), (0, 1), (1, 2), (99, 13), (0, 3), (3, 2), (77, 30), (0, 1), (0, 1)],
    "preview in eighths": [(0, 1), (1, 1), (1, 1), (2, 2), (3, 5), (0, 3), (3, 2), (5, 9), (0, 1)],
    "small preview": [(0, 1), (1, 1), (0, 1), (0, 2), (63, 6), (0, 3), (1, 2), (9, 8), (0, 1)],
    "square preview": [(0, 1), (1, 1), (0, 1), (3, 2), (9, 12), (1, 3), (0, 1)],
    "large preview": [(0, 1), (1, 1), (0, 1), (2, 2), (9, 10), (0, 3), (3, 2), (9, 12), (0, 1)],
    "fixed sides": [(0, 1), (1, 1), (1, 1), (0, 2), (0, 3), (1, 2), (0, 1)],
    "animation": [(0, 1), (0, 1), (1, 1), (0, 2), (0, 2), (0, 2), (1, 1)],
    "timed animation": [(0, 1), (0, 1), (1, 1), (2, 2), (9, 10), (2, 2), (9, 8), (2, 2), (9, 16), (0, 1)],
    "long animation": [(0, 1), (0, 1), (1, 1), (3, 2), (9, 30), (3, 2), (9, 10), (3, 2), (9, 32), (1, 1)],
    "short animation": [(0, 1), (0, 1), (1, 1), (1, 2), (1, 2), (1, 2), (5, 3), (1, 1)],
}
P3 = [(1, 1), (0, 2), (1, 1), *RGB_D65, (2, 2), (9, 4), (0, 1), (2, 2), (11, 4)]


@pytest.mark.parametrize("kind", EXTRA)
def test_fields_that_do_not_matter_are_passed_over(kind: str) -> None:
    found = parse(bits(*SIZE, (0, 1), (1, 1), (0, 3), *EXTRA[kind], *DEPTH, *P3))
    assert (found.width, found.height, found.cicp) == (53, 37, (12, 13))
    assert found.animated == ("animation" in kind)


CHANNEL = {  # kinds of extra channels: fields, then whether colours are multiplied by it
    "default alpha": ([(1, 1)], False),
    "straight alpha": ([(0, 1), (0, 2), *DEPTH, (0, 2), (0, 2), (0, 1)], False),
    "associated alpha": ([(0, 1), (0, 2), *DEPTH, (0, 2), (0, 2), (1, 1)], True),
    "depth": ([(0, 1), (1, 2), *DEPTH, (1, 2), (0, 2)], False),
    "named": ([(0, 1), (1, 2), *DEPTH, (3, 2), (7, 3), (1, 2), (2, 4), (0xABCD, 16)], False),
    "long name": ([(0, 1), (1, 2), *DEPTH, (2, 2), (2, 2), (1, 5), (0xAB, 136)], False),
    "longer name": ([(0, 1), (1, 2), *DEPTH, (0, 2), (3, 2), (2, 10), (0xAB, 400)], False),
    "spot colour": ([(0, 1), (2, 2), (0, 4), *DEPTH, (0, 2), (0, 2), (1 << 63 | 1, 64)], False),
    "colour filter": ([(0, 1), (2, 2), (3, 4), *DEPTH, (0, 2), (0, 2), (2, 2), (9, 4)], False),
    "other filter": ([(0, 1), (2, 2), (3, 4), *DEPTH, (0, 2), (0, 2), (3, 2), (9, 8)], False),
    "first filter": ([(0, 1), (2, 2), (3, 4), *DEPTH, (0, 2), (0, 2), (1, 2), (3, 2)], False),
    "from 18 on": ([(0, 1), (3, 2), (5, 6), *DEPTH, (0, 2), (0, 2)], False),
}


@pytest.mark.parametrize("kind", CHANNEL)
def test_extra_channels_are_passed_over_but_for_their_alpha(kind: str) -> None:
    fields, premultiplied = CHANNEL[kind]
    found = parse(bits(*SIZE, (0, 1), (0, 1), *DEPTH, (1, 1), (1, 2), *fields, (1, 1), *P3[3:]))
    assert (found.premultiplied, found.cicp) == (premultiplied, (12, 13))


@pytest.mark.parametrize(
    ("choice", "count"), [([(0, 2)], 0), ([(1, 2)], 1), ([(2, 2), (0, 4)], 2), ([(3, 2), (2, 12)], 3)]
)
def test_as_many_extra_channels_are_read_as_there_are(choice: list[tuple[int, int]], count: int) -> None:
    found = parse(bits(*SIZE, (0, 1), (0, 1), *DEPTH, (1, 1), *choice, *[(1, 1)] * count, (0, 1), *P3[3:]))
    assert (found.xyb, found.cicp) == (False, (12, 13))


@pytest.mark.parametrize(
    ("fields", "cicp", "profile"),
    [
        ([(1, 1)], None, False),
        ([(0, 1), (1, 1), (0, 2)], None, True),
        ([(0, 1), (0, 1), (2, 2), (0, 4)], None, False),  # XYB
        ([*RGB_D65, (1, 2), (0, 1), (1, 2)], (1, 1), False),
        ([*RGB_D65, (1, 2), (0, 1), (2, 2), (6, 4)], (1, 8), False),
        ([*RGB_D65, (2, 2), (7, 4), (0, 1), (2, 2), (14, 4)], (9, 16), False),
        ([*RGB_D65, (2, 2), (9, 4), (0, 1), (3, 2), (0, 6)], (12, 18), False),
        ([*RGB_D65, (1, 2), (1, 1), (45455, 24)], (1, 2), False),
        ([(0, 1), (0, 1), (1, 2), (1, 2), (0, 1), (2, 2), (11, 4)], (1, 13), False),  # grey has no primaries
        ([(0, 1), (0, 1), (0, 2), (2, 2), (8, 4), (1, 2), (0, 1), (2, 2), (11, 4)], None, False),  # E
        (
            [(0, 1), (0, 1), (0, 2), (2, 2), (0, 4), (0, 2), (1, 19), (1, 2), (1, 19), (1, 2), (0, 1), (2, 2), (11, 4)],
            None,
            False,
        ),  # a white of its own
        (
            [*RGB_D65, (2, 2), (0, 4), *[(2, 2), (1, 20), (3, 2), (1, 21)] * 3, (0, 1), (2, 2), (11, 4)],
            (2, 13),
            False,
        ),  # primaries of its own
    ],
)
def test_each_way_to_say_the_colours_is_read(
    fields: list[tuple[int, int]], cicp: tuple[int, int] | None, profile: bool
) -> None:
    found = parse(bits(*PLAIN, *fields))
    assert (found.cicp, found.has_profile) == (cicp, profile)


def test_what_is_no_codestream_is_refused() -> None:
    with pytest.raises(CorruptStream, match="damaged"):
        parse(b"\xff\x0b" + bytes(40))


def test_the_short_form_of_a_side_is_in_eighths() -> None:
    found = parse(bits((1, 1), (4, 5), (0, 3), (6, 5), (1, 1)))
    assert (found.width, found.height) == (56, 40)

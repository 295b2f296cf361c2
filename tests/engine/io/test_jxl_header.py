"""The size in a JPEG XL header is that of the picture, however it is coded."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from engine.errors import CorruptStream
from engine.io.jxl_header import SIGNATURE, parse

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

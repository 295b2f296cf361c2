"""Binary Netpbm files: any largest value, and none believed that the data do not bear out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import CorruptStream
from engine.image import Image
from engine.io import read
from engine.io.netpbm import netpbm_bytes


def load(tmp_path: Path, data: bytes) -> Image:
    path = tmp_path / "picture.pnm"
    path.write_bytes(data)
    return read(path).image


def test_values_are_spread_over_the_range_and_held_at_its_end(tmp_path: Path) -> None:
    image = load(tmp_path, b"P5\n4 1\n100\n" + bytes([0, 50, 100, 200]))
    assert image.pixels.ravel().tolist() == [0, 128, 255, 255]
    assert image.bits == 8


def test_sixteen_bits_come_high_byte_first_and_keep_their_depth(tmp_path: Path) -> None:
    image = load(tmp_path, b"P5\n3 1\n1023\n" + bytes([0, 0, 2, 1, 3, 255]))
    assert (image.pixels.ravel().tolist(), image.bits) == ([0, 513, 1023], 10)
    image = load(tmp_path, b"P5\n2 1\n1000\n" + bytes([3, 232, 255, 255]))
    assert (image.pixels.ravel().tolist(), image.bits) == ([1023, 1023], 10)


def test_255_is_the_last_value_of_one_byte(tmp_path: Path) -> None:
    assert load(tmp_path, b"P5 2 1 255\n" + bytes([7, 255])).pixels.ravel().tolist() == [7, 255]
    assert load(tmp_path, b"P5 1 1 256\n" + bytes([1, 0])).pixels.item() == 511


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 10, 16])
def test_what_is_written_is_read(tmp_path: Path, channels: int, bits: int) -> None:
    dtype = np.uint8 if bits == 8 else np.uint16
    pixels = np.random.default_rng(bits).integers(0, 2**bits, (5, 7, channels)).astype(dtype)
    image = load(tmp_path, netpbm_bytes(Image(pixels, bits=bits)))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.bits == bits


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"P5\n4 2\n255\n" + bytes(7), "before its last row"),
        (b"P5\n4 2\n65535\n" + bytes(15), "before its last row"),
        (b"P6\n2 2\n255\n" + bytes(11), "before its last row"),
        (b"P5\n4 2\n0\n" + bytes(8), "largest value"),
        (b"P5\n4 2\n65536\n" + bytes(16), "largest value"),
        (b"P5\n0 2\n255\n" + bytes(8), "no pixels"),
        (b"P5\n4 x\n255\n" + bytes(8), "header is damaged"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(CorruptStream, match=why):
        load(tmp_path, data)

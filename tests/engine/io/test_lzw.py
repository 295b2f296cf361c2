"""LZW strips are looked through: what leads the decoder out of its memory is refused, all else is let through."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from engine.errors import CorruptStream
from engine.io import lzw


def packed(*codes: tuple[int, int]) -> bytes:
    """Codes with their widths in bits, highest bit first."""
    text = "".join(f"{code:0{width}b}" for code, width in codes)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 4000, 100_000])
@pytest.mark.parametrize("colours", [1, 3, 256])
def test_what_an_encoder_makes_is_let_through(size: int, colours: int) -> None:
    pixels = np.random.default_rng(size).integers(0, colours, size, np.uint8).tobytes()
    data = imagecodecs.lzw_encode(pixels)
    for cut in (len(data), len(data) - 1, len(data) // 2, 2):
        lzw.require_sound(data[:cut])


@pytest.mark.parametrize("code", [258, 300, 511])
def test_a_code_of_a_cleared_table_is_refused(code: int) -> None:
    for before in ((), ((65, 9), (66, 9), (256, 9)), ((65, 9), (256, 9), (256, 9))):
        with pytest.raises(CorruptStream, match="LZW"):
            lzw.require_sound(packed((256, 9), *before, (code, 9), (65, 9), (257, 9)))


@pytest.mark.parametrize("count", [5, 252, 253, 254, 764, 765, 766, 1788, 1789, 1790, 3000])
def test_a_clear_code_is_found_at_every_width(count: int) -> None:
    """After so many codes behind the first, each of the width that the table asks for."""
    codes = [(65, 9 + (258 + n >= 511) + (258 + n >= 1023) + (258 + n >= 2047)) for n in range(count)]
    clear = (256, 9 + (258 + count >= 511) + (258 + count >= 1023) + (258 + count >= 2047))
    lzw.require_sound(packed((256, 9), (65, 9), *codes, clear, (65, 9), (257, 9)))
    with pytest.raises(CorruptStream):
        lzw.require_sound(packed((256, 9), (65, 9), *codes, clear, (400, 9), (257, 9)))


def test_codes_of_the_order_before_tiff_6_are_read_from_their_lowest_bit() -> None:
    def turned(*codes: int) -> bytes:
        value = sum(code << 9 * place for place, code in enumerate(codes))
        return value.to_bytes(-(-9 * len(codes) // 8), "little")

    lzw.require_sound(turned(256, 65, 66, 256, 65, 257))
    with pytest.raises(CorruptStream):
        lzw.require_sound(turned(256, 65, 66, 256, 300, 257))


def test_a_file_of_clear_codes_takes_no_time_to_refuse() -> None:
    with pytest.raises(CorruptStream):
        lzw.require_sound(packed(*[(256, 9), (65, 9)] * 100_000))

"""What a JPEG file has around its coefficients: ICC profiles in segments, fill bits at the end of a scan."""

from __future__ import annotations

import os

import numpy as np
import pytest

from engine.codec import Ctx
from engine.codecs.dct import DctCodec
from engine.codecs.jfif import icc_profile, icc_segments
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from tests.pictures import photo_like

SOI, REST = b"\xff\xd8", b"\xff\xda\x00\x02"


def pieces(segments: bytes) -> list[bytes]:
    found = []
    while segments:
        size = 2 + int.from_bytes(segments[2:4], "big")
        found.append(segments[:size])
        segments = segments[size:]
    return found


def test_a_long_profile_comes_back_from_its_pieces_in_any_order() -> None:
    profile = os.urandom(150_000)
    parts = pieces(icc_segments(profile))
    assert len(parts) == 3
    assert icc_profile(SOI + b"".join(parts) + REST) == profile
    assert icc_profile(SOI + b"".join(reversed(parts)) + REST) == profile


def test_a_profile_with_a_piece_missing_or_twice_is_none() -> None:
    parts = pieces(icc_segments(os.urandom(150_000)))
    assert icc_profile(SOI + parts[0] + parts[2] + REST) is None
    assert icc_profile(SOI + parts[0] + parts[0] + parts[2] + REST) is None
    assert icc_profile(SOI + REST) is None


def test_a_profile_of_more_than_255_pieces_is_refused() -> None:
    with pytest.raises(Unsupported):
        icc_segments(bytes(17_000_000))


def test_a_scan_is_filled_up_with_ones() -> None:
    """T.81, F.1.2.3; a last byte of a scan that is full by chance may end in either bit."""
    rng = np.random.default_rng(5)
    ends = []
    for _ in range(32):
        image = Image(rng.integers(0, 256, (8, 8, 1), np.uint8))
        data = DctCodec().encode(image, {"scans": "sequential", "quality": 60}, Ctx()).data
        assert data.endswith(b"\xff\xd9")
        last = data[:-2].removesuffix(b"\x00") if data[:-2].endswith(b"\xff\x00") else data[:-2]  # without stuffing
        ends.append(last[-1] & 1)
    assert sum(ends) >= 26


def test_a_refinement_that_skips_a_bit_is_refused() -> None:
    """T.81, G.1.1.1.2: a scan refines by one bit; here first scans leave two bits and one scan brings both."""
    image = Image(photo_like(160, 200)[:, :, :1])
    data = bytearray(DctCodec().encode(image, {"scans": "progressive", "quality": 92}, Ctx()).data)
    changed = 0
    at = data.find(b"\xff\xda")
    while at >= 0:
        bits = at + 7 + 2 * data[at + 4]
        if data[bits] in (0x01, 0x10):
            data[bits] *= 2
            changed += 1
        at = data.find(b"\xff\xda", at + 2)
    assert changed >= 2, "the encoder's plan of scans has a first and a refining one"
    with pytest.raises(CorruptStream):
        DctCodec().decode(bytes(data), Ctx())

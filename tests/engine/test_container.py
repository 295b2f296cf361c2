"""The container: what is written is read back, every byte counts, and no header is believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import container
from engine.codec import Ctx
from engine.codecs.wavelet import WaveletCodec
from engine.color import DISPLAY_P3, SRGB, ColorSpec
from engine.container import Picture, Section
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Alpha, Image
from engine.light import LogTransfer
from engine.native import crc32c

PLAIN = Picture(768, 512, 3)
PAYLOAD = bytes(range(40))


def sealed(body: bytes) -> bytes:
    """`body` with a checksum that fits, so that only the parser behind it can object."""
    return body + crc32c(body).to_bytes(4, "little")


def stream(picture: Picture = PLAIN, payload: bytes = PAYLOAD) -> bytes:
    return container.write("wavelet", picture, {Section.WAVELET: payload})


PICTURES = st.builds(
    Picture,
    width=st.integers(1, 16_384),
    height=st.integers(1, 16_384),
    channels=st.sampled_from([1, 3]),
    bits=st.integers(1, 16),
    color=st.builds(ColorSpec, st.integers(0, 255), st.integers(0, 255)),
    icc=st.one_of(st.none(), st.binary(min_size=1, max_size=300)),
)


@given(picture=PICTURES, payload=st.binary(max_size=300))
def test_any_picture_and_payload_come_back(picture: Picture, payload: bytes) -> None:
    parsed = container.read(stream(picture, payload))
    assert (parsed.codec, parsed.picture, parsed.section(Section.WAVELET)) == ("wavelet", picture, payload)


@pytest.mark.parametrize("picture", [Picture(container.MAX_SIDE, 16, 1), Picture(16, container.MAX_SIDE, 3)])
def test_the_largest_sides_and_a_section_of_megabytes_come_back(picture: Picture) -> None:
    payload = bytes(5 << 20)
    parsed = container.read(stream(picture, payload))
    assert (parsed.picture, len(parsed.section(Section.WAVELET))) == (picture, len(payload))


@pytest.mark.parametrize("alpha", [Alpha.STRAIGHT, Alpha.PREMULTIPLIED])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_comes_back(alpha: Alpha, channels: int) -> None:
    picture = Picture(5, 4, channels, alpha)
    assert container.read(stream(picture)).picture == picture


@pytest.mark.parametrize("quarters", [1, 51, 255])
def test_a_float_picture_names_its_transfer_and_range(quarters: int) -> None:
    picture = Picture(5, 4, 3, bits=32, transfer=LogTransfer(quarters), color=ColorSpec(1, 8))
    assert container.read(stream(picture)).picture == picture
    with pytest.raises(EngineError):
        stream(Picture(5, 4, 3, bits=32))


@pytest.mark.parametrize(("payload", "cost"), [(40, 16), (5000, 17), (50_000, 18)])
def test_a_plain_picture_costs_at_most_eighteen_bytes(payload: int, cost: int) -> None:
    assert len(stream(payload=bytes(payload))) - payload == cost


def test_a_plain_header_is_these_bytes() -> None:
    assert stream()[:-4].hex(" ", -4).startswith("8b525301 01018006 80040128")


def test_sections_beyond_the_codec_are_kept_or_skipped() -> None:
    extra = container.write("wavelet", PLAIN, {Section.WAVELET: PAYLOAD, 0x90: b"later"})
    assert container.read(extra).section(Section.WAVELET) == PAYLOAD
    with pytest.raises(Unsupported, match="0x02"):
        container.read(container.write("wavelet", PLAIN, {Section.WAVELET: PAYLOAD, 0x02: b"must be known"}))


def test_a_missing_section_is_named() -> None:
    with pytest.raises(CorruptStream, match="no wavelet section"):
        container.read(container.write("wavelet", PLAIN, {})).section(Section.WAVELET)


def test_every_single_byte_change_is_noticed() -> None:
    data = stream()
    for at in range(len(data)):
        for flip in (1, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[at] ^= flip
            with pytest.raises((CorruptStream, Unsupported)):
                container.read(bytes(damaged))


def test_every_truncation_is_noticed() -> None:
    data = stream()
    for size in range(len(data)):
        with pytest.raises(CorruptStream):
            container.read(data[:size])


HEAD = bytes([0x8B, 0x52, 0x53, 1, 1])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (HEAD[:4] + b"\x63" + b"\x01\x05\x04" + bytes(9), Unsupported),  # codec 99
        (HEAD[:3] + b"\x02" + b"\x01" + b"\x01\x05\x04" + bytes(9), Unsupported),  # container version 2
        (HEAD + b"\x41\x05\x04" + bytes(9), Unsupported),  # a reserved bit of the picture byte
        (HEAD + b"\x07\x05\x04" + bytes(9), CorruptStream),  # alpha kind 3
        (HEAD + b"\x19\x05\x04" + bytes(9), CorruptStream),  # sample kind 3
        (HEAD + b"\x01\x00\x04" + bytes(9), CorruptStream),  # no width
        (HEAD + b"\x01\x80\x80\x80\x08\x80\x80\x80\x08" + bytes(9), CorruptStream),  # 2^24 × 2^24
        (HEAD + b"\x01\xff\xff\xff\xff\xff\x01\x04" + bytes(9), CorruptStream),  # a number without end
        (HEAD + b"\x01\x85\x00\x04" + bytes(9), CorruptStream),  # 5 in a long form
        (HEAD + b"\x09\x05\x04\x11" + bytes(9), CorruptStream),  # 17 bits
        (HEAD + b"\x11\x05\x04\x09" + bytes(9), Unsupported),  # float transfer 9
        (HEAD + b"\x11\x05\x04\x01\x00" + bytes(8), CorruptStream),  # a range of nothing
        (HEAD + b"\x01\x05\x04\x01\xff\xff\xff\xff\x0f" + bytes(5), CorruptStream),  # a section of 4 GiB
        (HEAD + b"\x01\x05\x04\x01\x01\x00\x01\x01\x00" + b"\x90\x00", CorruptStream),  # the same section twice
        (HEAD + b"\x01\x05\x04\x01\x04", CorruptStream),  # a section that reaches into the checksum
    ],
)
def test_a_header_that_lies_is_refused_though_its_checksum_fits(body: bytes, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        container.read(sealed(body))


def test_a_picture_beyond_the_format_is_not_written() -> None:
    with pytest.raises(Unsupported):
        stream(Picture(2**15, 2**14, 3))
    with pytest.raises(Unsupported):
        stream(Picture(5, 4, 3, icc=bytes(container.MAX_ICC + 1)))


def test_what_is_not_ours_is_said_to_be_so() -> None:
    assert not container.is_ours(b"\x89PNG") and container.is_ours(stream())
    with pytest.raises(CorruptStream, match="not a Ratescope stream"):
        container.read(b"\x89PNG\r\n\x1a\n" + bytes(40))


def test_colour_and_profile_travel_with_the_picture() -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    codec = WaveletCodec()
    for color, icc in ((SRGB, None), (DISPLAY_P3, None), (SRGB, b"a profile")):
        decoded = codec.decode(codec.encode(Image(pixels, color, icc=icc), {}, Ctx()).data, Ctx())
        assert (decoded.color, decoded.icc) == (color, icc)


def test_the_checksum_is_crc_32c() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of RFC 3720's polynomial
    assert crc32c(b"") == 0
    assert crc32c(b"56789", crc32c(b"1234")) == crc32c(b"123456789")

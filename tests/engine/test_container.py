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
    with pytest.raises(Unsupported, match="0x7f"):
        container.read(container.write("wavelet", PLAIN, {Section.WAVELET: PAYLOAD, 0x7F: b"must be known"}))


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


# --- Exact bytes and limits


def header(**fields: object) -> str:
    """The bytes between the codec and the first section."""
    picture = Picture(**{"width": 300, "height": 5, "channels": 3, **fields})  # type: ignore[arg-type]
    return container.write("wavelet", picture, {})[5:-4].hex(" ")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "01 ac 02 05"),
        ({"channels": 1}, "00 ac 02 05"),
        ({"channels": 2, "alpha": Alpha.STRAIGHT}, "02 ac 02 05"),
        ({"channels": 4, "alpha": Alpha.PREMULTIPLIED}, "05 ac 02 05"),
        ({"bits": 10}, "09 ac 02 05 0a"),
        ({"bits": 7}, "09 ac 02 05 07"),
        ({"bits": 32, "transfer": LogTransfer(80)}, "11 ac 02 05 01 50"),
        ({"color": DISPLAY_P3}, "21 ac 02 05 0c 0d"),
        ({"bits": 16, "color": ColorSpec(9, 8)}, "29 ac 02 05 10 09 08"),
    ],
)
def test_a_header_has_these_bytes(fields: dict, expected: str) -> None:
    assert header(**fields) == expected


@pytest.mark.parametrize(("codec", "byte"), [("wavelet", 1), ("dct-rans", 2), ("hyperprior", 3)])
def test_a_codec_keeps_its_number(codec: str, byte: int) -> None:
    data = container.write(codec, PLAIN, {})
    assert data[:5] == bytes([0x8B, 0x52, 0x53, 1, byte])
    assert container.read(data).codec == codec


def test_sections_are_in_the_order_of_their_numbers() -> None:
    data = container.write("wavelet", Picture(1, 1, 1, icc=b"profile"), {0x90: b"z", Section.WAVELET: b"a"})
    assert list(container.read(data).sections) == [Section.WAVELET, Section.ICC, 0x90]
    assert data[8:-4] == b"\x01\x01a\x80\x07profile\x90\x01z"


@pytest.mark.parametrize(("size", "cost"), [(0, 2), (127, 129), (128, 131), (16_383, 16_386), (16_384, 16_388)])
def test_a_section_costs_its_number_and_its_length(size: int, cost: int) -> None:
    assert container.section_bytes(bytes(size)) == cost
    whole = container.write("wavelet", PLAIN, {Section.WAVELET: bytes(size)})
    assert len(whole) == len(container.write("wavelet", PLAIN, {})) + cost


def test_a_section_has_a_name_whatever_it_is() -> None:
    names = [container.section_name(kind) for kind in (1, 0x80, 0x7F, 0x90)]
    assert names == ["wavelet", "icc", "section 0x7f", "section 0x90"]


@pytest.mark.parametrize(
    ("width", "height", "fits"),
    [
        (1, 1, True),
        (2**14, 2**14, True),
        (2**14 + 1, 2**14, False),
        (2**24, 16, True),
        (2**24 + 1, 1, False),
        (1, 2**24 + 1, False),
        (0, 1, False),
        (1, 0, False),
    ],
)
def test_a_picture_has_2_to_the_28_pixels_and_sides_of_2_to_the_24_at_most(width: int, height: int, fits: bool) -> None:
    if fits:
        assert container.read(container.write("wavelet", Picture(width, height, 1), {Section.WAVELET: b""}))
    else:
        with pytest.raises(Unsupported, match="beyond the format: at most 268,435,456 pixels"):
            container.write("wavelet", Picture(width, height, 1), {})


def test_a_profile_has_four_mebibytes_at_most() -> None:
    largest = bytes(2**22)
    data = container.write("wavelet", Picture(1, 1, 3, icc=largest), {Section.WAVELET: b""})
    assert container.read(data).picture.icc == largest
    with pytest.raises(Unsupported, match="the colour profile of 4194305 bytes is too long"):
        container.write("wavelet", Picture(1, 1, 3, icc=bytes(2**22 + 1)), {})
    body = HEAD + b"\x01\x05\x04" + b"\x80\x81\x80\x80\x02" + bytes(2**22 + 1)
    with pytest.raises(CorruptStream, match="the colour profile is too long"):
        container.read(sealed(body))


@pytest.mark.parametrize(
    ("data", "fault", "message"),
    [
        (b"\x8bRS\x01\x01" + bytes(8), CorruptStream, "the stream is cut off"),
        (sealed(HEAD[:3] + b"\x02" + bytes(9)), Unsupported, "container version 2; this program reads version 1"),
        (sealed(HEAD[:3] + b"\x00" + bytes(9)), Unsupported, "container version 0"),
        (sealed(HEAD)[:-1] + b"\x99" * 9, CorruptStream, "checksum does not match"),
        (sealed(HEAD[:4] + b"\xc8\x01\x05\x04" + bytes(4)), Unsupported, "names codec 200"),
        (sealed(HEAD[:4] + b"\x00\x01\x05\x04" + bytes(4)), Unsupported, "names codec 0"),
        (sealed(HEAD + b"\x81\x05\x04" + bytes(4)), Unsupported, "bits of a later version"),
        (sealed(HEAD + b"\x09\x05\x04\x00" + bytes(4)), CorruptStream, "claims 0 bits per sample"),
        (sealed(HEAD + b"\x09\x05\x04\x08" + bytes(4)), CorruptStream, "claims 8 bits per sample"),
        (sealed(HEAD + b"\x11\x05\x04\x00" + bytes(4)), Unsupported, "codes floats by transfer 0"),
        (sealed(HEAD + b"\x11\x05\x04\x02\x05" + bytes(4)), Unsupported, "codes floats by transfer 2"),
        (sealed(HEAD + b"\x11\x05\x04\x01\x00" + bytes(4)), CorruptStream, "a range of no light"),
        (sealed(HEAD + b"\x01\x05\x04\x01\x05abcd"), CorruptStream, "the stream is cut off"),
        (sealed(HEAD + b"\x01\x05\x04\x01\x01a\x01\x01b"), CorruptStream, "section 0x01 appears twice"),
        (sealed(HEAD + b"\x01\x05\x04\x7f\x01abb"), Unsupported, "a section of type 0x7f"),
        (sealed(HEAD + b"\x01\x85\x80\x00\x04" + bytes(4)), CorruptStream, "not in its shortest form"),
        (sealed(HEAD + b"\x01\xff\xff\xff\xff\x80\x04" + bytes(4)), CorruptStream, "too long"),
    ],
)
def test_each_fault_of_a_stream_has_its_words(data: bytes, fault: type[Exception], message: str) -> None:
    with pytest.raises(fault, match=message):
        container.read(data)


def test_a_number_may_take_five_bytes() -> None:
    body = HEAD + b"\x01\x05\x04\x01\x80\x80\x80\x80\x01"  # a section of 2^28 bytes, which are not there
    with pytest.raises(CorruptStream, match="cut off"):
        container.read(sealed(body))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_header_of_a_picture_is_taken_from_it(channels: int) -> None:
    alpha = Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE
    image = Image(np.zeros((3, 5, channels), np.uint16), DISPLAY_P3, alpha, 12, icc=b"x")
    picture = Picture.of(image)
    assert picture == Picture(5, 3, channels, alpha, 12, DISPLAY_P3, b"x", None)
    assert (picture.is_gray, picture.pixels) == (channels <= 2, 15)

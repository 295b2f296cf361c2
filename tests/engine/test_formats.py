"""Files told by their content, and their sections."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine import container
from engine.errors import CorruptStream, EngineError, UnknownFormat
from engine.formats import identify, sections

GRADIENT = np.add.outer(np.arange(24), 3 * np.arange(40)).astype(np.uint8)
PICTURE = np.stack((GRADIENT, GRADIENT.T.reshape(24, 40), 255 - GRADIENT), axis=2)


def pillow(form: str, **options: Any) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(PICTURE).save(sink, form, **options)
    return sink.getvalue()


FILES = {
    "jpeg": pillow("JPEG", quality=80),
    "progressive": pillow("JPEG", quality=80, progressive=True, comment=b"hello"),
    "webp": pillow("WEBP", quality=80),
    "webp-alpha": pillow("WEBP", lossless=True, exif=b"Exif\0\0MM"),
    "avif": pillow("AVIF", quality=60),
    "jp2": pillow("JPEG2000"),
    "j2k": pillow("JPEG2000", no_jp2=True),
    "jxl": imagecodecs.jpegxl_encode(PICTURE, distance=1.0),
    "jxl-boxes": imagecodecs.jpegxl_encode(PICTURE, distance=1.0, usecontainer=True),
    "png": pillow("PNG"),
    "bmp": pillow("BMP"),
}
CODECS = {"jpeg": "jpeg", "webp": "webp", "avif": "avif", "jp2": "jpeg2000", "j2k": "jpeg2000", "jxl": "jxl"}


@pytest.mark.parametrize("name", FILES)
def test_the_sections_cover_the_file_without_a_gap(name: str) -> None:
    data, at = FILES[name], 0
    for part in sections(data):
        assert part.offset == at
        assert part.size > 0
        at += part.size
    assert at == len(data)


@pytest.mark.parametrize(("name", "codec"), [*CODECS.items(), ("png", None), ("bmp", None), ("jxl-boxes", "jxl")])
def test_the_codec_is_told_by_content(name: str, codec: str | None) -> None:
    assert identify(FILES[name]).codec == codec


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("progressive", {"SOI", "APP0", "COM", "DQT", "SOF2", "DHT", "SOS", "scan", "EOI"}),
        ("jpeg", {"SOI", "APP0", "DQT", "SOF0", "DHT", "SOS", "scan", "EOI"}),
        ("webp", {"RIFF", "VP8"}),
        ("avif", {"ftyp", "meta", "mdat"}),
        ("jp2", {"jP", "ftyp", "jp2h", "jp2c"}),
        ("j2k", {"SOC", "SIZ", "COD", "QCD", "COM", "tile-part", "EOC"}),
        ("png", {"signature", "IHDR", "IDAT", "IEND"}),
    ],
)
def test_the_sections_carry_the_names_of_the_standard(name: str, expected: set[str]) -> None:
    assert {part.name for part in sections(FILES[name])} == expected


def test_neighbouring_sections_of_one_name_are_counted_together() -> None:
    quantisation = next(part for part in sections(FILES["jpeg"]) if part.name == "DQT")
    assert (quantisation.count, quantisation.size) == (2, 2 * 69)


def test_bytes_after_the_end_of_a_jpeg_are_shown_as_such() -> None:
    last = sections(FILES["jpeg"] + b"junk")[-1]
    assert (last.name, last.size) == ("trailing", 4)


@pytest.mark.parametrize("name", ["avif", "jp2", "png", "jxl-boxes"])
def test_a_file_that_is_cut_off_is_refused(name: str) -> None:
    with pytest.raises(CorruptStream, match=r"ends? (too early|in the middle)"):
        sections(FILES[name][:-5])


def test_content_of_no_known_format_is_refused() -> None:
    with pytest.raises(UnknownFormat):
        identify(b"plain text, nothing else")


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_is_walked_or_refused_but_never_breaks(name: str, data: Any) -> None:
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(12, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(12, len(content)))
    try:
        parts = sections(bytes(content[:cut]))
    except EngineError:
        return
    assert sum(part.size for part in parts) == cut


# --- Files written by hand


def parts(data: bytes) -> list[tuple[str, int, int]]:
    return [(part.name, part.size, part.count) for part in sections(data)]


def segment(marker: int, size: int = 0) -> bytes:
    return bytes([0xFF, marker]) + (size + 2).to_bytes(2, "big") + bytes(size)


def box(kind: bytes, size: int, head: bytes | None = None) -> bytes:
    return (head or (8 + size).to_bytes(4, "big")) + kind + bytes(size)


def test_a_jpeg_is_walked_segment_by_segment() -> None:
    scan = b"\x12\xff\x00\x34\xff\xd0\x56\xff\xd7\xff\xff\x00"
    data = (
        b"\xff\xd8"
        + segment(0xE0, 5)
        + segment(0xEF)
        + segment(0xC4, 3)
        + segment(0xC4, 4)
        + segment(0xC8)
        + segment(0xCC)
    )
    data += segment(0xC1) + segment(0xCF) + segment(0xDD, 2) + segment(0xFE) + segment(0xF0) + segment(0xDB)
    data += segment(0xDA, 6) + scan + segment(0xDA) + b"\x01" + b"\xff\xd9" + b"\xff\xd9" + b"tail"
    assert parts(data) == [
        ("SOI", 2, 1),
        ("APP0", 9, 1),
        ("APP15", 4, 1),
        ("DHT", 15, 2),
        ("marker 0xc8", 4, 1),
        ("marker 0xcc", 4, 1),
        ("SOF1", 4, 1),
        ("SOF15", 4, 1),
        ("DRI", 6, 1),
        ("COM", 4, 1),
        ("marker 0xf0", 4, 1),
        ("DQT", 4, 1),
        ("SOS", 10, 1),
        ("scan", len(scan), 1),
        ("SOS", 4, 1),
        ("scan", 1, 1),
        ("EOI", 4, 2),
        ("trailing", 4, 1),
    ]


@pytest.mark.parametrize("end", [b"", b"\xff", b"\x01\xff\x00"])
def test_a_scan_without_an_end_goes_to_the_end_of_the_file(end: bytes) -> None:
    data = b"\xff\xd8" + segment(0xE0) + segment(0xDA) + b"\x12" + end
    assert parts(data)[-1] == ("scan", 1 + len(end), 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xd8" + segment(0xE0, 9)[:-1], "the section 'APP0' ends too early"),
        (b"\xff\xd8\xff\xe0\x00", "the data end in the middle of a header"),
        (b"\xff\xd8" + segment(0xE0) + b"\xff", "the data end in the middle of a header"),
        (b"\xff\xd8" + segment(0xE0) + segment(0xDA), "the section 'scan' ends too early"),
        (FILES["avif"] + box(b"free", 0, (7).to_bytes(4, "big")), "the box 'free' has an impossible size of 7 bytes"),
        (FILES["avif"] + box(b"free", 0, (9).to_bytes(4, "big")), "the section 'free' ends too early"),
    ],
)
def test_each_fault_of_a_file_has_its_words(data: bytes, message: str) -> None:
    with pytest.raises(CorruptStream) as refused:
        sections(data)
    assert refused.value.message == message


def test_boxes_of_every_kind_of_length_are_walked() -> None:
    whole = len(parts(FILES["avif"]))
    long = (1).to_bytes(4, "big") + b"long" + (20).to_bytes(8, "big") + bytes(4)
    rest = box(b"rest", 5, bytes(4))
    assert parts(FILES["avif"] + box(b"free", 0) + long + box(b"jP  ", 1) + rest)[whole:] == [
        ("free", 8, 1),
        ("long", 20, 1),
        ("jP", 9, 1),
        ("rest", 13, 1),
    ]


def test_chunks_of_riff_are_padded_to_even_sizes() -> None:
    def chunk(name: bytes, size: int, pad: bytes = b"") -> bytes:
        return name + size.to_bytes(4, "little") + bytes(size) + pad

    head = b"RIFF" + bytes(4) + b"WEBP"
    assert parts(head + chunk(b"VP8 ", 3, b"\0") + chunk(b"EXIF", 4) + chunk(b"XMP ", 5)) == [
        ("RIFF", 12, 1),
        ("VP8", 12, 1),
        ("EXIF", 12, 1),
        ("XMP", 13, 1),
    ]
    with pytest.raises(CorruptStream, match="'EXIF' ends too early"):
        sections(head + chunk(b"EXIF", 5)[:-1])


def test_chunks_of_a_png_have_twelve_bytes_around_them() -> None:
    data = FILES["png"] + (3).to_bytes(4, "big") + b"abcd" + bytes(7)
    assert parts(data)[0] == ("signature", 8, 1)
    assert parts(data)[1] == ("IHDR", 25, 1)
    assert parts(data)[-1] == ("abcd", 15, 1)


def codestream(*segments: bytes) -> bytes:
    return b"\xff\x4f" + bytes([0xFF, 0x51, 0, 4, 0, 0]) + b"".join(segments)


def tile_part(length: int, size: int) -> bytes:
    return b"\xff\x90\x00\x0a\x00\x00" + length.to_bytes(4, "big") + bytes(size)


def test_a_codestream_is_walked_marker_by_marker() -> None:
    markers = b"".join(segment(each) for each in (0x52, 0x53, 0x5C, 0x5D, 0x64, 0x55, 0x5F, 0x60))
    data = codestream(markers, tile_part(15, 5), tile_part(0, 9), b"\xff\xd9")
    names = [name for name, _, _ in parts(data)]
    assert names == [
        "SOC", "SIZ", "COD", "COC", "QCD", "QCC", "COM", "TLM", "POC", "marker 0xff60", "tile-part", "EOC",
    ]  # fmt: skip
    assert parts(data)[-2:] == [("tile-part", 34, 2), ("EOC", 2, 1)]
    assert parts(codestream(tile_part(12, 2), b"tail"))[-1] == ("trailing", 4, 1)
    with pytest.raises(CorruptStream, match="'tile-part' ends too early"):
        sections(codestream(tile_part(15, 4)))


def test_a_stream_of_ours_is_its_header_its_sections_and_its_checksum() -> None:
    sides = container.Picture(300, 200, 3, icc=b"profile")
    data = container.write("wavelet", sides, {container.Section.WAVELET: bytes(130)})
    assert parts(data) == [("header", 10, 1), ("wavelet", 133, 1), ("icc", 9, 1), ("checksum", 4, 1)]
    assert (identify(data).name, identify(data).codec, identify(data).ours) == ("Ratescope", "wavelet", True)


@pytest.mark.parametrize("name", CODECS)
def test_files_of_others_are_not_ours(name: str) -> None:
    assert not identify(FILES[name]).ours


@pytest.mark.parametrize("name", ["jxl", "bmp"])
def test_what_has_no_outer_parts_is_one_piece(name: str) -> None:
    assert parts(FILES[name]) == [("data", len(FILES[name]), 1)]

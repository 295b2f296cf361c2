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

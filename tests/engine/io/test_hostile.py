"""Files that lie about their size, or ask for work without end, are refused before a decoder believes them."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from engine.errors import CorruptStream, LimitExceeded, Unsupported
from engine.io import read

SMALL = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
LARGE = np.zeros((600, 800, 3), np.uint8)


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, "JPEG", **options)
    return out.getvalue()


def claiming(data: bytes, width: int, height: int) -> bytes:
    """A JPEG file with another size in its frame header."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def tiff(compression: int, strip: bytes) -> bytes:
    """A TIFF file of 64 × 48 RGB pixels whose one strip is `strip`."""
    fields = [(256, 64), (257, 48), (258, 8), (259, compression), (262, 2), (273, 8), (277, 3), (278, 48)]
    fields.append((279, len(strip)))
    body = strip + b"\0" * (len(strip) % 2)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(fields)) + entries + bytes(4)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "hostile"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_too_short_for_the_pixels_that_it_claims_is_refused(tmp_path: Path, progressive: bool) -> None:
    data = claiming(jpeg(SMALL, progressive=progressive), 16_000, 16_000)
    with pytest.raises(CorruptStream, match="too short for the 16000 × 16000 pixels"):
        read(written(tmp_path, data))


@pytest.mark.parametrize("options", [{"progressive": True, "optimize": True, "quality": 1}, {"optimize": True}])
def test_the_emptiest_honest_jpeg_is_read(tmp_path: Path, options: dict[str, object]) -> None:
    black = np.zeros((2000, 1600), np.uint8)
    assert read(written(tmp_path, jpeg(black, **options))).image.pixels.shape == (2000, 1600, 1)


def test_a_jpeg_of_endless_scans_is_refused(tmp_path: Path) -> None:
    data = jpeg(SMALL, progressive=True)
    last = data.rfind(b"\xff\xda")
    with pytest.raises(CorruptStream, match="goes over its pixels"):
        read(written(tmp_path, data[:-2] + data[last:-2] * 600 + data[-2:]))


@pytest.mark.parametrize(
    ("compression", "strip"),
    [
        (7, jpeg(LARGE)),
        (34712, imagecodecs.jpeg2k_encode(LARGE)),
        (34933, imagecodecs.png_encode(LARGE)),
        (50001, imagecodecs.webp_encode(LARGE)),
        (50002, imagecodecs.jpegxl_encode(LARGE, effort=1)),
    ],
    ids=["jpeg", "jpeg2000", "png", "webp", "jxl"],
)
def test_a_strip_that_is_a_larger_picture_than_is_allowed_is_not_decoded(
    tmp_path: Path, compression: int, strip: bytes
) -> None:
    with pytest.raises(LimitExceeded, match="800 × 600"):
        read(written(tmp_path, tiff(compression, strip)), max_pixels=400_000)


def test_a_strip_compressed_in_an_unknown_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="JPEGXR"):
        read(written(tmp_path, tiff(34934, bytes(16))))


def test_a_tiled_tiff_with_fewer_tiles_than_its_size_needs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiles.tif"
    tifffile.imwrite(path, SMALL, tile=(16, 16), compression="zlib")
    with tifffile.TiffFile(path) as file:
        places = [file.pages.first.tags[name].offset for name in ("ImageWidth", "ImageLength")]  # type: ignore[attr-defined]
    data = bytearray(path.read_bytes())
    for place in places:
        struct.pack_into("<HII", data, place + 2, 4, 1, 9000)
    path.write_bytes(data)
    with pytest.raises(CorruptStream, match="ends before its pixels"):
        read(path)


def test_a_damaged_header_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(CorruptStream) as refused:
        read(written(tmp_path, b"RIFF\0\0\0\0WEBP"))
    assert str(refused.value).endswith("its header is damaged")

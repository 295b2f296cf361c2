"""What readers find in a file's own fields: AVIF properties, JPEG 2000 boxes, PNG chunks, TIFF tags; their limits."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from engine import io as pictures
from engine.codec import Ctx
from engine.color import DISPLAY_P3, SRGB, profile_bytes
from engine.errors import Cancelled, CorruptStream, EngineError, LimitExceeded, UnknownFormat, Unsupported
from engine.image import Alpha
from engine.io import avif, jpeg2000, jxl, pillow, png
from engine.io.exif import orientation
from engine.io.jxl_header import Header
from engine.io.source import Raw, Source, as_planes, full_bytes

RGB = np.random.default_rng(3).integers(0, 256, (6, 9, 3), np.uint8)
MANY = 10**9


def load(tmp_path: Path, data: bytes, **options: int) -> pictures.Loaded:
    path = tmp_path / "picture.bin"
    path.write_bytes(data)
    return pictures.read(path, **options)


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


# --- What any reader relies on


@pytest.mark.parametrize(
    ("bits", "spread"), [(1, [0, 255]), (2, [0, 85, 170, 255]), (3, [0, 36, 73, 109, 146, 182, 219, 255])]
)
def test_few_bits_are_spread_over_eight(bits: int, spread: list[int]) -> None:
    pixels, depth = full_bytes(np.arange(2**bits, dtype=np.uint8), bits)
    assert (pixels.tolist(), depth, pixels.dtype) == (spread, 8, np.uint8)


def test_eight_bits_and_more_stay_as_they_are() -> None:
    for bits, dtype in ((8, np.uint8), (9, np.uint16), (16, np.uint16)):
        pixels = np.zeros(3, dtype)
        same, depth = full_bytes(pixels, bits)
        assert same is pixels and depth == bits


def test_planes_have_three_dimensions() -> None:
    assert as_planes(np.zeros((2, 3))).shape == (2, 3, 1)
    assert as_planes(np.zeros((2, 3, 4))).shape == (2, 3, 4)


def test_a_picture_of_just_as_many_pixels_as_allowed_is_taken() -> None:
    source = Source(b"", 2_500_000)
    source.check_size(2500, 1000)
    source.check_size(1, 1)
    with pytest.raises(LimitExceeded, match=r"^the picture has 2501 × 1000 pixels, the limit is 2\.5 megapixels"):
        source.check_size(2501, 1000)
    for size in ((0, 5), (5, 0), (-1, -1)):
        with pytest.raises(CorruptStream, match="has no pixels"):
            source.check_size(*size)


def test_a_reader_refuses_what_is_not_its_own() -> None:
    with pytest.raises(CorruptStream, match=r"^not a PNG file$"):
        pictures.decode(b"hello", png.READER, Ctx())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\x18ftypqt  " + bytes(20), "files of the kind 'qt' (video …) cannot be read"),
        (b"%PDF-1.7", "PDF files cannot be read"),
        (b"  \n<?xml version", "vector graphics cannot be read"),
        (b"<svg xmlns", "vector graphics cannot be read"),
        (b"hello, world", "not a picture in a known format"),
    ],
)
def test_what_people_often_try_is_named(data: bytes, message: str) -> None:
    with pytest.raises(UnknownFormat) as refused:
        pictures.reader_of(data)
    assert refused.value.message == message
    names = "PNG, JPEG, WebP, AVIF, HEIC, TIFF, JPEG XL, JPEG 2000, OpenEXR, Radiance, DDS, KTX2, Netpbm, BMP, GIF, QOI"
    assert refused.value.hint == f"known are {names}"


@pytest.mark.parametrize(("length", "shown"), [(160, 160), (161, 160), (500, 160)])
def test_a_long_complaint_of_a_decoder_is_cut(monkeypatch: pytest.MonkeyPatch, length: int, shown: int) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("x" * length)

    monkeypatch.setattr(imagecodecs, "png_decode", fail)
    with pytest.raises(CorruptStream) as refused:
        pictures.decode(bytes(imagecodecs.png_encode(RGB)), png.READER, Ctx())
    said = refused.value.message.removeprefix("damaged or incomplete PNG file: ")
    assert len(said) == shown
    assert said.endswith("…") == (length > 160)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (MemoryError(), LimitExceeded, "decoding this PNG file ran out of memory"),
        (ValueError(), CorruptStream, "damaged or incomplete PNG file: ValueError"),
        (ValueError("two\n  lines"), CorruptStream, "damaged or incomplete PNG file: two lines"),
        (Unsupported("no"), Unsupported, "no"),
    ],
)
def test_a_failing_decoder_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[EngineError], message: str
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(imagecodecs, "png_decode", fail)
    with pytest.raises(EngineError) as refused:
        pictures.decode(bytes(imagecodecs.png_encode(RGB)), png.READER, Ctx())
    assert (type(refused.value), refused.value.message) == (kind, message)


@pytest.mark.parametrize("checks", [1, 2])
def test_reading_is_given_up_before_and_after_the_decoder(tmp_path: Path, checks: int) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(RGB))
    answers = iter([False] * (checks - 1) + [True])
    with pytest.raises(Cancelled):
        pictures.read(path, Ctx(cancel=lambda: next(answers)))


def test_bytes_are_read_whole_and_refusals_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    assert pictures.read_bytes(path) == b"abc"
    with pytest.raises(EngineError, match=r"b\.bin: no such file"):
        pictures.read_bytes(tmp_path / "b.bin")


# --- EXIF


def exif(value: int, kind: int = 3) -> bytes:
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, kind, 1, value, 0, 0)


@pytest.mark.parametrize(("value", "turn"), [(0, 1), (1, 1), (2, 2), (6, 6), (8, 8), (9, 1), (65535, 1)])
def test_an_orientation_from_one_to_eight_is_taken(value: int, turn: int) -> None:
    assert orientation(exif(value)) == turn


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0nothing at all", exif(6)[:-9]])
def test_a_damaged_exif_block_means_upright(block: bytes) -> None:
    assert orientation(block) == 1


# --- AVIF


def properties(*contents: bytes) -> tuple[Raw, list[tuple[int, int]]]:
    raw = Raw(np.empty((0, 0, 0), np.uint8), "RGB", 8)
    data = box(b"ftyp", b"avif") + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", *contents)))
    return raw, avif._properties(data, raw)


def test_every_size_that_an_avif_claims_is_found() -> None:
    _, sizes = properties(
        box(b"ispe", bytes(4), struct.pack(">II", 7, 9)),
        box(b"ispe", bytes(7)),
        box(b"ispe", bytes(4), struct.pack(">II", 1, 2)),
    )
    assert sizes == [(7, 9), (1, 2)]


def test_depth_and_colours_of_an_avif_are_found() -> None:
    raw, _ = properties(
        box(b"pixi", bytes(4), bytes([3, 10, 10, 10])),
        box(b"pixi", bytes(4), bytes([1, 8])),
        box(b"colr", b"nclx", struct.pack(">HHHB", 12, 13, 0, 0x80)),
        box(b"colr", b"prof", b"a profile"),
    )
    assert (raw.bits, raw.cicp, raw.icc) == (10, (12, 13), b"a profile")
    raw, _ = properties(
        box(b"colr", b"rICC", b"another"), box(b"colr", b"nclx", bytes(3)), box(b"pixi", bytes(4), b"\1")
    )
    assert (raw.bits, raw.cicp, raw.icc) == (8, None, b"another")
    raw, _ = properties(box(b"colr", b"nclx", struct.pack(">HH", 1, 13)))
    assert raw.cicp == (1, 13)


TURNS = [(None, 0, 1), (None, 1, 8), (None, 2, 3), (None, 3, 6), (0, 0, 4), (0, 1, 5), (0, 2, 2), (0, 3, 7)]
TURNS += [(1, 0, 2), (1, 1, 7), (1, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize(("mirror", "turns", "exif_number"), TURNS)
def test_turns_and_mirrors_of_an_avif_are_an_orientation(mirror: int | None, turns: int, exif_number: int) -> None:
    mirrored = [] if mirror is None else [box(b"imir", bytes([mirror]))]
    raw, _ = properties(*([box(b"irot", bytes([turns]))] if turns else []), *mirrored)
    assert raw.orientation == exif_number


def test_an_avif_is_known_by_any_of_its_brands() -> None:
    assert avif.READER.sniff(box(b"ftyp", b"avif", bytes(4)))
    assert avif.READER.sniff(box(b"ftyp", b"avis", bytes(4)))
    assert avif.READER.sniff(box(b"ftyp", b"mif1", bytes(4), b"miaf", b"avif"))
    assert not avif.READER.sniff(box(b"ftyp", b"heic", bytes(4), b"mif1"))
    assert not avif.READER.sniff(box(b"ftyp", b"heic", bytes(4)) + b"avif")
    assert not avif.READER.sniff(box(b"free", b"avif"))


def test_an_avif_without_a_size_is_refused() -> None:
    with pytest.raises(CorruptStream, match="states no picture size"):
        pictures.decode(box(b"ftyp", b"avif") + box(b"mdat", bytes(9)), avif.READER, Ctx())


# --- JPEG 2000


def jp2(pixels: np.ndarray, *header: bytes) -> bytes:
    """A JP2 file with further boxes at the front of its header."""
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, "JPEG2000")
    data = out.getvalue()
    at = data.index(b"jp2h") - 4
    more = b"".join(header)
    size = int.from_bytes(data[at : at + 4], "big") + len(more)
    return data[:at] + size.to_bytes(4, "big") + b"jp2h" + more + data[at + 8 :]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ([box(b"colr", bytes([2, 0, 0]), b"profile")], (b"profile", 0)),
        ([box(b"colr", bytes([1, 0, 0]), struct.pack(">I", 17))], (None, 17)),
        ([box(b"colr", bytes([3, 0, 0]), b"else")], (None, 16)),
        ([box(b"colr", bytes([2, 0]))], (None, 16)),
        ([], (None, 16)),
    ],
)
def test_the_first_colours_of_a_jp2_that_we_know_are_taken(
    header: list[bytes], found: tuple[bytes | None, int]
) -> None:
    assert jpeg2000._colour(jp2(RGB, *header)) == found
    assert jpeg2000._colour(b"\xff\x4f\xff\x51" + bytes(100)) == (None, 0)


def test_a_profile_in_a_jp2_is_ours_to_apply() -> None:
    icc = profile_bytes(DISPLAY_P3)
    image = pictures.decode(jp2(RGB, box(b"colr", bytes([2, 0, 0]), icc)), jpeg2000.READER, Ctx())
    np.testing.assert_array_equal(image.pixels, RGB)
    assert image.color == DISPLAY_P3


def test_four_inks_are_told_from_alpha_by_the_colour_space() -> None:
    four, three = np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2, 3), np.uint8)
    assert jpeg2000._raw(four, 8, None, 12).channels == "CMYK"
    assert jpeg2000._raw(four, 8, None, 16).channels == "RGBA"
    assert jpeg2000._raw(three, 8, None, 12).channels == "RGB"
    with pytest.raises(Unsupported, match="int16"):
        jpeg2000._raw(three.astype(np.int16), 16, None, 16)


def changed(data: bytes, at: int, new: bytes) -> bytes:
    start = data.index(b"\xff\x4f\xff\x51")
    return data[: start + at] + new + data[start + at + len(new) :]


@pytest.mark.parametrize(
    ("at", "new", "kind", "message"),
    [
        (40, b"\0\5", Unsupported, "of 5 components"),
        (42, b"\x08", Unsupported, "different depths, or deeper than 16"),
        (42, b"\x10\1\1\x10\1\1\x10", Unsupported, "deeper than 16 bits"),
        (8, bytes(8), CorruptStream, "no pixels"),
        (0, b"\xff\x4e", CorruptStream, "missing or cut off"),
    ],
)
def test_a_jpeg_2000_beyond_us_says_why(at: int, new: bytes, kind: type[EngineError], message: str) -> None:
    with pytest.raises(kind, match=message):
        pictures.decode(changed(jp2(RGB), at, new), jpeg2000.READER, Ctx())


def test_the_size_of_a_jpeg_2000_is_without_its_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    data = changed(jp2(RGB), 8, struct.pack(">4I", 1009, 506, 1000, 500))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(Source, "check_size", lambda _self, width, height: asked.append((width, height)))
    with pytest.raises(EngineError):
        pictures.decode(data, jpeg2000.READER, Ctx())
    assert asked == [(9, 6)]


# --- JPEG XL


def test_what_a_jpeg_xl_header_says_is_handed_on() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    raw = jxl._raw(pixels, Header(2, 2, premultiplied=True, cicp=(12, 13)))
    assert (raw.channels, raw.bits, raw.cicp, raw.premultiplied, raw.notes) == ("RGBA", 8, (12, 13), True, [])
    assert jxl._raw(pixels, Header(2, 2, bits=4)).bits == 8


@pytest.mark.parametrize(
    ("header", "note"),
    [
        (Header(2, 2, has_profile=True, xyb=False), "its packed ICC profile cannot be read: colours taken as sRGB"),
        (Header(2, 2, has_profile=True, xyb=True), None),
        (Header(2, 2, orientation=6), "turned upright, as the file asks"),
        (Header(2, 2, animated=True), "animated: the first frame"),
    ],
)
def test_what_a_jpeg_xl_loses_is_said(header: Header, note: str | None) -> None:
    raw = jxl._raw(np.zeros((2, 2, 3), np.uint8), header)
    assert raw.notes == ([note] if note else [])
    assert raw.orientation == 1  # libjxl has turned it


def test_a_codestream_is_found_in_its_box_or_in_parts() -> None:
    start = b"\0\0\0\x0cJXL \r\n\x87\n"
    stream = b"\xff\x0a" + bytes(range(200)) * 30
    assert jxl._codestream(stream) == stream[:4096]
    assert jxl._codestream(start + box(b"ftyp") + box(b"jxlc", stream)) == stream[:4096]
    assert jxl._codestream(start + box(b"jxlc", stream[:50]) + box(b"Exif")) == stream[:50]
    assert jxl._codestream(start + box(b"jxlp", bytes(4), stream)) == stream[:4096]
    assert jxl._codestream(start + box(b"jxlp", bytes(4), stream[:50]) + box(b"jxlp", bytes(9))) == stream[:50]
    with pytest.raises(CorruptStream, match="holds no codestream"):
        jxl._codestream(start + box(b"Exif"))


# --- PNG


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


PNG = bytes(imagecodecs.png_encode(RGB))


def with_chunks(*chunks: tuple[bytes, bytes], data: bytes = PNG) -> bytes:
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def test_the_chunks_of_a_png_say_what_its_samples_mean() -> None:
    found = png._header(
        with_chunks(
            (b"sBIT", b"\5\5\5"),
            (b"cICP", bytes([12, 13, 0, 1])),
            (b"iCCP", b"name\0\0" + zlib.compress(b"profile")),
            (b"eXIf", exif(6)[6:]),
            (b"acTL", struct.pack(">II", 7, 0)),
        )
    )
    assert (found.width, found.height, found.depth, found.kind) == (9, 6, 8, 2)
    assert (found.significant, found.cicp, found.icc, found.orientation, found.frames) == (
        5,
        (12, 13),
        b"profile",
        6,
        7,
    )


@pytest.mark.parametrize(
    "chunks",
    [
        (b"sBIT", b""),
        (b"sBIT", b"\5\6\5"),
        (b"cICP", bytes(3)),
        (b"cICP", bytes(5)),
        (b"iCCP", b"name"),
        (b"iCCP", b"name\0\0" + zlib.compress(b"")),
        (b"iCCP", b"name\0\0not packed"),
        (b"acTL", bytes(4)),
        (b"teXt", b"anything"),
    ],
)
def test_a_chunk_that_makes_no_sense_says_nothing(chunks: tuple[bytes, bytes]) -> None:
    assert png._header(with_chunks(chunks)) == png._header(PNG)


def test_a_profile_of_a_png_may_have_four_megabytes() -> None:
    for size, kept in (((1 << 22) - 1, (1 << 22) - 1), (1 << 22, 1 << 22), ((1 << 22) + 9, 1 << 22)):
        icc = png._header(with_chunks((b"iCCP", b"n\0\0" + zlib.compress(bytes(size))))).icc
        assert icc is not None and len(icc) == kept


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PNG[:8] + PNG[33:], "header is missing"),
        (PNG[:8] + chunk(b"IHDR", PNG[16:28]) + PNG[33:], "header is missing"),
        (PNG[:40], "ends within a chunk"),
        (PNG[:-1], "ends within a chunk"),
        (PNG[:33] + chunk(b"tEXt", b"abcdef")[:-5], "ends within its tEXt chunk"),
        (PNG[:-12] + chunk(b"tEXt", b"abc"), "ends before its IEND chunk"),
        (PNG[:33] + struct.pack(">I4s", 999_999, b"tE\0t") + PNG[33:], "ends within its unnamed chunk"),
        (PNG[:20] + b"\7" + PNG[21:], "checksum of the IHDR chunk is wrong"),
    ],
)
def test_a_broken_png_says_where(data: bytes, message: str) -> None:
    with pytest.raises(CorruptStream, match=message):
        png._header(data)


def test_a_chunk_that_a_png_can_do_without_may_be_damaged() -> None:
    data = bytearray(with_chunks((b"cICP", bytes([12, 13, 0, 1]))))
    data[41] ^= 1
    assert png._header(bytes(data)).cicp is None


def test_an_animated_png_says_how_many_frames_it_has(tmp_path: Path) -> None:
    assert load(tmp_path, with_chunks((b"acTL", struct.pack(">II", 2, 0)))).notes == (
        "animated: the first of 2 frames",
    )
    assert load(tmp_path, with_chunks((b"acTL", struct.pack(">II", 1, 0)))).notes == ()


@pytest.mark.parametrize(
    ("significant", "value", "kept"),
    [
        (10, 1023 * 65535 // 1023, (1023, 10)),
        (10, 12345, (12345, 16)),
        (16, 65535, (65535, 16)),
        (8, 65535, (65535, 16)),
        (9, 65535, (511, 9)),
        (15, 65535, (32767, 15)),
    ],
)
def test_fewer_significant_bits_are_given_their_own_range(significant: int, value: int, kept: tuple[int, int]) -> None:
    raw = Raw(np.full((1, 1, 1), value, np.uint16), "L", 16)
    png._restore_bits(raw, significant)
    assert (int(raw.pixels[0, 0, 0]), raw.bits) == kept


# --- What Pillow reads


def saved(picture: Pillow.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def test_a_palette_is_spread_and_said(tmp_path: Path) -> None:
    picture = Pillow.fromarray(RGB).quantize(8)
    loaded = load(tmp_path, saved(picture, "GIF"))
    np.testing.assert_array_equal(loaded.image.pixels, np.asarray(picture.convert("RGB")))
    assert loaded.notes == ("palette colours spread to RGB",)
    clear = load(tmp_path, saved(picture, "GIF", transparency=2))
    assert clear.image.alpha is Alpha.STRAIGHT and clear.image.channels == 4


def test_two_levels_are_grey(tmp_path: Path) -> None:
    image = load(tmp_path, saved(Pillow.fromarray(RGB).convert("1"), "BMP")).image
    assert image.channels == 1 and set(np.unique(image.pixels)) <= {0, 255}


def test_the_frames_of_an_animation_are_counted(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(RGB // (1 + n)) for n in range(3)]
    loaded = load(tmp_path, saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert loaded.notes == ("animated: the first of 3 frames",)


@pytest.mark.parametrize(("scans", "taken"), [(500, True), (501, False)])
def test_a_jpeg_of_up_to_500_scans_is_believed(scans: int, taken: bool) -> None:
    data = b"\xff\xd8" + b"\xff\xda" * scans
    if taken:
        pillow._check_jpeg(data, 8, 8)
    else:
        with pytest.raises(CorruptStream, match="goes over its pixels 501 times"):
            pillow._check_jpeg(data, 8, 8)


@pytest.mark.parametrize(
    ("size", "width", "height", "taken"),
    [(10, 80, 64, True), (10, 81, 64, False), (10, 80, 65, False), (10, 73, 57, True), (10, 72, 71, False)],
)
def test_a_jpeg_has_a_bit_at_least_for_every_block(size: int, width: int, height: int, taken: bool) -> None:
    data = bytes(size)
    if taken:
        pillow._check_jpeg(data, width, height)
    else:
        with pytest.raises(CorruptStream, match=f"too short for the {width} × {height} pixels"):
            pillow._check_jpeg(data, width, height)
        pillow._check_jpeg(data[:-2] + b"\xff\xc9", width, height)  # arithmetic codes may be shorter


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"RIFF\1\2\3\4WEBP", "WebP"),
        (b"BM\1\2\3", "BMP"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"qoif", "QOI"),
        (b"P5\n", "Netpbm"),
        (b"P6\n", "Netpbm"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"\xff\x0a\0", "JPEG XL"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
    ],
)
def test_a_format_is_known_by_its_first_bytes(data: bytes, name: str) -> None:
    assert pictures.reader_of(data).format == name


@pytest.mark.parametrize(
    "data", [b"RIFF\1\2\3\4WAVE", b"FORM\1\2\3\4WEBP", b"\xff\xd8\xfe", b"GIF88a", b"P4\n", b"P7\n"]
)
def test_what_only_resembles_a_format_is_none(data: bytes) -> None:
    with pytest.raises(UnknownFormat):
        pictures.reader_of(data)


# --- TIFF


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **options)
    return out.getvalue()


def test_further_pages_are_counted(tmp_path: Path) -> None:
    loaded = load(tmp_path, tiff(np.stack([RGB, RGB, RGB]), photometric="rgb"))
    assert loaded.notes == ("the first of 3 pages",)
    np.testing.assert_array_equal(loaded.image.pixels, RGB)


def test_further_channels_are_left_out_and_said(tmp_path: Path) -> None:
    five = np.dstack([RGB, RGB[:, :, :2]])
    kept = load(tmp_path, tiff(five, photometric="rgb", planarconfig="contig", extrasamples=["unspecified"] * 2))
    assert kept.notes == ("2 further channels left out",)
    assert kept.image.alpha is Alpha.NONE
    alpha = load(
        tmp_path, tiff(five, photometric="rgb", planarconfig="contig", extrasamples=["unassalpha", "unspecified"])
    )
    assert alpha.notes == ("1 further channels left out",)
    assert alpha.image.alpha is Alpha.STRAIGHT
    np.testing.assert_array_equal(alpha.image.pixels, five[:, :, :4])


def test_a_colour_map_is_read_by_its_high_bytes(tmp_path: Path) -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 5], colours[:, 9] = (0x1234, 0xFF00, 0x00FF), (0xFFFF, 0x8080, 1)
    loaded = load(tmp_path, tiff(np.array([[5, 9, 0]], np.uint8), photometric="palette", colormap=colours))
    assert loaded.image.pixels[0].tolist() == [[0x12, 0xFF, 0], [0xFF, 0x80, 0], [0, 0, 0]]
    assert loaded.notes == ("palette colours spread to RGB",)


def test_sixteen_bit_white_is_zero_is_inverted(tmp_path: Path) -> None:
    deep = np.array([[0, 1, 65535]], np.uint16)
    image = load(tmp_path, tiff(deep, photometric="miniswhite")).image
    assert image.pixels[0, :, 0].tolist() == [65535, 65534, 0]


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (np.zeros((4, 4), np.int16), {}, "int16"),
        (np.zeros((4, 4), np.uint32), {}, "uint32"),
        (np.zeros((4, 5, 17), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}, "17 samples a pixel"),
        (np.zeros((4, 4, 3), np.uint8), {"photometric": "cielab"}, "CIELAB"),
        (np.zeros((16, 16, 16), np.uint8), {"volumetric": True, "tile": (16, 16, 16)}, "volume"),
    ],
)
def test_a_tiff_beyond_us_says_why(tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        load(tmp_path, tiff(pixels, **options))


def test_a_tiff_of_sixteen_samples_a_pixel_is_read(tmp_path: Path) -> None:
    sixteen = np.zeros((4, 5, 16), np.uint8)
    loaded = load(tmp_path, tiff(sixteen, photometric="minisblack", planarconfig="contig"))
    assert loaded.notes == ("15 further channels left out",)


def test_profile_and_turn_of_a_tiff_are_found(tmp_path: Path) -> None:
    turned = tiff(RGB, photometric="rgb", iccprofile=profile_bytes(DISPLAY_P3), extratags=[(274, "H", 1, 8, True)])
    loaded = load(tmp_path, turned)
    assert (loaded.image.color, loaded.image.width, loaded.image.height) == (DISPLAY_P3, 6, 9)
    assert loaded.notes == ("Display P3 colours kept", "turned by 90° counter-clockwise, as the file asks")
    assert load(tmp_path, tiff(RGB, photometric="rgb")).image.color == SRGB

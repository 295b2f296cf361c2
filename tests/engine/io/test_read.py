"""Every format in, told by its content; depth, alpha, colour and orientation kept or said."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from engine.color import DISPLAY_P3, SRGB, ColorSpec, profile_bytes
from engine.errors import CorruptStream, EngineError, LimitExceeded, UnknownFormat, Unsupported
from engine.image import Alpha
from engine.io import READERS, Loaded, read, suffixes

H, W = 37, 53


@pytest.fixture
def rgb() -> np.ndarray:
    """A smooth ramp with a different slope in each channel: survives lossy formats nearly unchanged."""
    y, x = np.mgrid[0:H, 0:W]
    return np.stack([40 + 2 * x, 220 - 3 * y, 60 + x + y], axis=2).astype(np.uint8)


@pytest.fixture
def rgb16() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 65536, (H, W, 3), dtype=np.uint16)


def load(tmp_path: Path, data: bytes, name: str = "picture.bin", **options: int) -> Loaded:
    path = tmp_path / name
    path.write_bytes(data)
    return read(path, **options)


def saved(pixels: np.ndarray, form: str, mode: str | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    picture = Pillow.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(out, form, **options)
    return out.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


END = chunk(b"IEND", b"")


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    return png[:33] + chunk(name, body) + png[33:]


# --- Formats ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "expected", "options"),
    [
        ("PNG", "PNG", {}),
        ("WEBP", "WebP", {"lossless": True}),
        ("BMP", "BMP", {}),
        ("TIFF", "TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("QOI", "QOI", {}),
        ("PPM", "Netpbm", {}),
        ("JPEG2000", "JPEG 2000", {}),
    ],
)
def test_lossless_formats_give_the_very_pixels(tmp_path, rgb, form, expected, options):
    loaded = load(tmp_path, saved(rgb, form, **options))
    assert loaded.format == expected
    np.testing.assert_array_equal(loaded.image.pixels, rgb)
    assert (loaded.image.color, loaded.image.bits, loaded.notes) == (SRGB, 8, ())


@pytest.mark.parametrize("form", ["JPEG", "AVIF"])
def test_lossy_formats_give_nearly_the_pixels(tmp_path, rgb, form):
    loaded = load(tmp_path, saved(rgb, form, quality=95))
    assert np.abs(loaded.image.pixels.astype(int) - rgb).mean() < 2


def test_a_jpeg_xl_file_is_read_bit_for_bit(tmp_path, rgb, rgb16):
    for pixels in (rgb, rgb16):
        for container in (False, True):
            data = imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=container)
            loaded = load(tmp_path, data)
            np.testing.assert_array_equal(loaded.image.pixels, pixels)
            assert loaded.image.bits == pixels.dtype.itemsize * 8


def test_content_decides_and_not_the_suffix(tmp_path, rgb):
    assert load(tmp_path, saved(rgb, "PNG"), "liar.jpg").format == "PNG"


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_and_alpha_are_kept(tmp_path, rgb, mode, form):
    wanted = np.asarray(Pillow.fromarray(rgb).convert(mode))
    image = load(tmp_path, saved(rgb, form, mode)).image
    np.testing.assert_array_equal(image.pixels.squeeze(), wanted)
    assert image.alpha is (Alpha.STRAIGHT if mode.endswith("A") else Alpha.NONE)


def test_sixteen_bit_rgb_stays_sixteen_bit(tmp_path, rgb16):
    netpbm = b"P6\n# made here\n%d %d\n65535\n" % (W, H) + rgb16.astype(">u2").tobytes()
    files = [imagecodecs.png_encode(rgb16), tiff(rgb16), tiff(rgb16, compression="zlib", predictor=True), netpbm]
    files += [imagecodecs.jpeg2k_encode(rgb16, reversible=True, level=0)]
    for data in files:
        image = load(tmp_path, data).image
        np.testing.assert_array_equal(image.pixels, rgb16)
        assert image.bits == 16


def test_sixteen_bit_grey_with_alpha_stays_so(tmp_path, rgb16):
    pixels = np.ascontiguousarray(rgb16[:, :, :2])
    image = load(tmp_path, imagecodecs.png_encode(pixels)).image
    np.testing.assert_array_equal(image.pixels, pixels)


def test_ten_bit_avif_keeps_its_bits(tmp_path, rgb16):
    data = imagecodecs.avif_encode(rgb16 >> 6, 100, bitspersample=10, speed=8, pixelformat="444")
    image = load(tmp_path, data).image
    assert (image.bits, image.pixels.dtype) == (10, np.uint16)
    assert np.abs(image.pixels.astype(int) - (rgb16 >> 6)).max() <= 8


def test_a_palette_with_transparency_becomes_rgba_and_says_so(tmp_path, rgb):
    palette = Pillow.fromarray(rgb).quantize(16)
    out = io.BytesIO()
    palette.save(out, "PNG", transparency=3)
    loaded = load(tmp_path, out.getvalue())
    wanted = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(loaded.image.colour_pixels, wanted)
    np.testing.assert_array_equal(loaded.image.alpha_plane == 0, np.asarray(palette) == 3)
    assert any("palette" in note for note in loaded.notes)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bit_grey_is_spread_over_the_whole_range(tmp_path, bits):
    row = bytes(range(0, 256, 17)) * 2
    width = len(row) * 8 // bits
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" + row)) + END
    pixels = load(tmp_path, data).image.pixels
    assert (pixels.min(), pixels.max(), len(np.unique(pixels))) == (0, 255, 2**bits)


def test_an_animation_gives_its_first_frame_and_says_so(tmp_path, rgb):
    frames = [Pillow.fromarray(rgb), Pillow.fromarray(255 - rgb)]
    for form, options in (("WEBP", {"lossless": True}), ("GIF", {}), ("PNG", {}), ("AVIF", {"quality": 95})):
        out = io.BytesIO()
        frames[0].save(out, form, save_all=True, append_images=frames[1:], **options)
        loaded = load(tmp_path, out.getvalue())
        assert np.abs(loaded.image.pixels[:, :, :3].astype(int) - rgb).mean() < 12
        assert any("animated: the first" in note for note in loaded.notes), form


# --- TIFF's many ways ---------------------------------------------------------------------------


def test_tiff_layouts_give_the_same_pixels(tmp_path, rgb16):
    planar = tiff(rgb16.transpose(2, 0, 1).copy(), planarconfig="separate", photometric="rgb")
    for data in (planar, tiff(rgb16, tile=(16, 16)), tiff(rgb16, bigtiff=True), tiff(rgb16, byteorder=">")):
        np.testing.assert_array_equal(load(tmp_path, data).image.pixels, rgb16)


def test_white_is_zero_tiffs_are_inverted(tmp_path, rgb):
    gray = rgb[:, :, 0].copy()
    image = load(tmp_path, tiff(gray, photometric="miniswhite")).image
    np.testing.assert_array_equal(image.pixels[:, :, 0], 255 - gray)


def test_bilevel_tiff_is_black_and_white(tmp_path, rgb):
    image = load(tmp_path, saved(rgb, "TIFF", "1")).image
    assert set(np.unique(image.pixels)) == {0, 255}


def test_associated_alpha_is_premultiplied(tmp_path, rgb):
    rgba = np.dstack([rgb // 2, np.full((H, W), 128, np.uint8)])
    assert load(tmp_path, tiff(rgba, extrasamples=["assocalpha"])).image.alpha is Alpha.PREMULTIPLIED
    assert load(tmp_path, tiff(rgba, extrasamples=["unassalpha"])).image.alpha is Alpha.STRAIGHT


def test_a_tiff_of_wide_numbers_is_refused_in_plain_words(tmp_path):
    with pytest.raises(Unsupported, match="uint32"):
        load(tmp_path, tiff(np.zeros((4, 4), np.uint32)))


# --- Colour and orientation ---------------------------------------------------------------------

ICC_FORMATS = [("PNG", {}), ("TIFF", {}), ("JPEG", {"quality": 95, "subsampling": 0}), ("WEBP", {"lossless": True})]
ICC_FORMATS += [("AVIF", {"quality": 95})]


@pytest.mark.parametrize(("form", "options"), ICC_FORMATS)
def test_display_p3_is_recognised_and_its_code_values_kept(tmp_path, rgb, form, options):
    loaded = load(tmp_path, saved(rgb, form, icc_profile=profile_bytes(DISPLAY_P3), **options))
    assert loaded.image.color == DISPLAY_P3
    assert np.abs(loaded.image.pixels.astype(int) - rgb).mean() < 2
    assert loaded.notes == ("Display P3 colours kept",)


@pytest.mark.parametrize(("form", "options"), ICC_FORMATS)
def test_other_profiles_are_converted_to_srgb_and_named(tmp_path, rgb, form, options):
    adobe = imagecodecs.cms_profile("adobergb")
    loaded = load(tmp_path, saved(rgb, form, icc_profile=adobe, **options))
    assert loaded.image.color == SRGB
    assert np.abs(loaded.image.pixels.astype(int) - rgb).mean() > 2
    assert len(loaded.notes) == 1 and loaded.notes[0].startswith("converted from “")


def test_a_profile_is_applied_at_sixteen_bits(tmp_path, rgb16):
    wide = profile_bytes(ColorSpec(9, 13))
    png = imagecodecs.png_encode(rgb16 // 4 + 20000)
    loaded = load(tmp_path, with_chunk(png, b"iCCP", b"wide\0\0" + zlib.compress(wide)))
    assert loaded.image.bits == 16
    assert len(np.unique(loaded.image.pixels)) > 1000
    assert loaded.notes == ("converted from “BT.2020, sRGB” to sRGB",)


def test_code_points_outrank_the_profile(tmp_path, rgb):
    png = saved(rgb, "PNG", icc_profile=imagecodecs.cms_profile("adobergb"))
    loaded = load(tmp_path, with_chunk(png, b"cICP", bytes([12, 13, 0, 1])))
    assert loaded.image.color == DISPLAY_P3
    np.testing.assert_array_equal(loaded.image.pixels, rgb)


def test_a_damaged_profile_is_ignored_and_said(tmp_path, rgb):
    broken = profile_bytes(DISPLAY_P3)[:140] + b"\xff" * 300
    loaded = load(tmp_path, saved(rgb, "PNG", icc_profile=broken))
    np.testing.assert_array_equal(loaded.image.pixels, rgb)
    assert any("ignored" in note for note in loaded.notes)


def jxl_header(*fields: tuple[int, int]) -> bytes:
    """A codestream's first bytes from (value, bits), least significant bit first, filled up to a whole byte."""
    value = at = 0
    for field, count in fields:
        value, at = value | field << at, at + count
    return b"\xff\x0a" + value.to_bytes(-(-at // 8), "little")


def test_a_jpeg_xl_header_gives_size_and_display_p3(tmp_path, rgb):
    size = [(0, 1), (0, 2), (H - 1, 9), (0, 3), (0, 2), (W - 1, 9)]
    plain = bytes(imagecodecs.jpegxl_encode(rgb, distance=0.5))
    # Not all by default, no extra fields; 8 whole bits; 16-bit buffers; no extra channels; XYB.
    depth = [(0, 1), (0, 1), (0, 1), (0, 2), (1, 1), (0, 2), (1, 1)]
    # Not sRGB, no profile, RGB, D65, P3 (2 + 9), no gamma, sRGB's curve (2 + 11), relative intent.
    colours = [(0, 1), (0, 1), (0, 2), (1, 2), (2, 2), (9, 4), (0, 1), (2, 2), (11, 4), (1, 2)]
    tail = [(0, 2), (1, 1)]  # no extensions, default transforms
    by_default = jxl_header(*size, (1, 1), (1, 1))
    assert plain.startswith(by_default)
    tagged = jxl_header(*size, *depth, *colours, *tail) + plain[len(by_default) :]
    loaded = load(tmp_path, tagged)
    assert (loaded.image.width, loaded.image.height, loaded.image.color) == (W, H, DISPLAY_P3)
    assert loaded.notes == ("Display P3 colours kept",)


def test_a_jpeg_xl_of_ten_bits_keeps_them(tmp_path, rgb16):
    data = imagecodecs.jpegxl_encode(rgb16 >> 6, lossless=True, bitspersample=10)
    image = load(tmp_path, data).image
    np.testing.assert_array_equal(image.pixels, rgb16 >> 6)
    assert image.bits == 10


def test_a_jpeg_2000_in_luma_and_chroma_becomes_rgb(tmp_path, rgb):
    ycc = np.asarray(Pillow.fromarray(rgb).convert("YCbCr"))
    data = bytearray(saved(ycc, "JPEG2000"))
    place = data.index(b"colr") + 7
    assert data[place : place + 4] == b"\0\0\0\x10"  # says sRGB
    data[place + 3] = 18  # sYCC
    image = load(tmp_path, bytes(data)).image
    assert np.abs(image.pixels.astype(int) - rgb).max() <= 3


def test_cmyk_without_a_profile_is_converted_and_said(tmp_path, rgb):
    for data in (saved(rgb, "JPEG", "CMYK", quality=98), saved(rgb, "TIFF", "CMYK")):
        loaded = load(tmp_path, data)
        assert np.abs(loaded.image.pixels.astype(int) - rgb).mean() < 6
        assert any("CMYK" in note for note in loaded.notes)


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_rotation_is_applied_and_said(tmp_path, rgb, turn):
    exif = Pillow.Exif()
    exif[0x0112] = turn
    for form, options in (("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        if form == "TIFF":
            data = tiff(rgb, extratags=[(274, "H", 1, turn, True)], metadata=None)
        else:
            data = saved(rgb, form, exif=exif, **options)
        upright = np.asarray(upright_by_pillow(Pillow.fromarray(rgb), turn))
        loaded = load(tmp_path, data)
        assert np.abs(loaded.image.pixels.astype(int) - upright).mean() <= (0 if form != "JPEG" else 2)
        assert bool(loaded.notes) == (turn != 1)


def upright_by_pillow(picture: Pillow.Image, turn: int) -> Pillow.Image:
    """Pillow's own table of turns, applied by hand so that it holds for every format alike."""
    turns = Pillow.Transpose
    method = {
        2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE,
        6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90,
    }.get(turn)  # fmt: skip
    return picture.copy() if method is None else picture.transpose(method)


@pytest.mark.parametrize("turn", range(1, 9))
def test_avif_turns_are_applied(tmp_path, rgb, turn):
    exif = Pillow.Exif()
    exif[0x0112] = turn
    data = saved(rgb, "AVIF", quality=98, subsampling="4:4:4", exif=exif)
    upright = np.asarray(upright_by_pillow(Pillow.fromarray(rgb), turn))
    loaded = load(tmp_path, data)
    assert np.abs(loaded.image.pixels.astype(int) - upright).mean() < 3


# --- Bad input ----------------------------------------------------------------------------------


def every_format(rgb: np.ndarray) -> dict[str, bytes]:
    files = {form: saved(rgb, form) for form in ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "QOI", "PPM", "JPEG2000")}
    files["TIFF"] = tiff(rgb, compression="zlib")
    files["JXL"] = imagecodecs.jpegxl_encode(rgb)
    files["PNG16"] = imagecodecs.png_encode(rgb.astype(np.uint16) * 257)
    return files


FORMATS = ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "QOI", "PPM", "JPEG2000", "TIFF", "JXL", "PNG16"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_file_is_refused_by_name(tmp_path, rgb, form):
    data = every_format(rgb)[form]
    for share in (0.9, 0.5, 0.1):
        with pytest.raises(EngineError, match=r"cut\.bin"):
            load(tmp_path, data[: max(12, int(len(data) * share))], "cut.bin")


def test_a_tiff_that_lacks_the_end_of_a_strip_is_refused(tmp_path, rgb):
    data = tiff(rgb, compression="jpeg", rowsperstrip=16)  # whose decoder makes up what is missing
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        end = max(a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=True))
    assert load(tmp_path, data[:end]).format == "TIFF"
    with pytest.raises(CorruptStream, match="ends before its pixels do"):
        load(tmp_path, data[: end - 1])


def test_a_file_larger_than_the_memory_allowed_is_not_read(tmp_path, rgb, monkeypatch):
    data = saved(rgb, "BMP")
    monkeypatch.setenv("RATESCOPE_MEMORY_LIMIT", str(len(data) - 1))
    with pytest.raises(LimitExceeded, match="reading this file"):
        load(tmp_path, data)


@pytest.mark.parametrize("form", FORMATS)
def test_mutated_files_are_read_or_refused_and_never_crash(tmp_path, rgb, form):
    data = every_format(rgb)[form]
    rng = np.random.default_rng(11)
    for _ in range(25):
        damaged = bytearray(data)
        for place in rng.integers(0, min(len(data), 400), 4):
            damaged[place] = rng.integers(256)
        try:
            loaded = load(tmp_path, bytes(damaged), max_pixels=1_000_000)
        except EngineError as error:
            assert "picture.bin" in str(error) and "\n" not in str(error)
        else:
            assert loaded.image.width * loaded.image.height <= 1_000_000


@pytest.mark.parametrize("form", FORMATS)
def test_more_pixels_than_allowed_are_refused_before_decoding(tmp_path, rgb, form):
    with pytest.raises(LimitExceeded, match=f"{W} × {H}"):
        load(tmp_path, every_format(rgb)[form], max_pixels=H * W - 1)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 0))
    with pytest.raises(LimitExceeded):
        load(tmp_path, b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + END)


def test_a_profile_that_swells_is_not_unpacked_whole(tmp_path, rgb):
    bomb = with_chunk(saved(rgb, "PNG"), b"iCCP", b"icc\0\0" + zlib.compress(bytes(256 << 20), 9))
    tracemalloc.start()
    try:
        loaded = load(tmp_path, bomb)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(loaded.image.pixels, rgb)


def test_a_damaged_file_prints_nothing(tmp_path, rgb):
    damaged = {
        "png": b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"x")
        + END,
        "tif": tiff(rgb)[:200],
    }
    for name, data in damaged.items():
        (tmp_path / f"a.{name}").write_bytes(data)
    program = """if True:
        import sys
        from engine.errors import CorruptStream
        from engine.io import read
        for path in sys.argv[1:]:
            try: read(path)
            except CorruptStream: pass
            else: raise SystemExit("was read")
    """
    files = [str(tmp_path / f"a.{name}") for name in damaged]
    run = subprocess.run([sys.executable, "-c", program, *files], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_png_without_pixels_is_refused(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0))
    with pytest.raises(CorruptStream, match="no pixels"):
        load(tmp_path, b"\x89PNG\r\n\x1a\n" + header + END)


def test_what_is_no_picture_is_said_to_be_none(tmp_path):
    for data in (
        b"hello, world\n" * 20,
        b"%PDF-1.7 ...",
        b"\0" * 64,
        b"<svg xmlns='x'/>",
        b"\0\0\0\x18ftypqt  " + b"\0" * 40,
    ):
        with pytest.raises(UnknownFormat, match=r"picture\.bin"):
            load(tmp_path, data)


def test_paths_that_hold_no_file_are_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(CorruptStream, match=r"empty\.png: the file is empty"):
        read(tmp_path / "empty.png")
    with pytest.raises(EngineError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(EngineError, match="no such file"):
        read(tmp_path / "absent.png")
    with pytest.raises(EngineError, match="could not be read"):
        read("nul\0byte.png")


def test_no_two_readers_want_the_same_content(rgb):
    for form, data in every_format(rgb).items():
        assert sum(reader.sniff(data) for reader in READERS) == 1, form
    assert len(suffixes()) == len(set(suffixes()))

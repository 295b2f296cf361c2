"""DDS and KTX2 files: ours and those of others are read; what is damaged or unknown is said, never believed."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow

from engine import formats
from engine.color import LINEAR_SRGB, SRGB
from engine.errors import CorruptStream, LimitExceeded, Unsupported
from engine.image import Alpha, Image
from engine.io import Loaded, read, write
from engine.textures import dds, ktx2
from engine.textures.formats import BY_NAME, FORMATS, TexelFormat, Texture

W, H = 13, 9
LEGACY = struct.Struct("<4s7I44x8I5I")


def texels(form: TexelFormat) -> bytes:
    """Texels that are proper light where they are floats: bytes of an exponent below Inf and NaN."""
    data = np.random.default_rng(form.vk or form.dxgi).integers(0, 100, form.size(W, H), np.uint8)
    return data.tobytes()


def load(folder: Path, data: bytes) -> Loaded:
    path = folder / "texture"
    path.write_bytes(data)
    return read(path)


def legacy(flags: int, fourcc: bytes, bits: int, masks: tuple[int, ...], data: bytes) -> bytes:
    """A DDS file without DX10 header."""
    code = int.from_bytes(fourcc, "little")
    return LEGACY.pack(b"DDS ", 124, 0x1007, H, W, 0, 0, 1, 32, flags, code, bits, *masks, 0x1000, 0, 0, 0, 0) + data


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_is_read_from_every_file_that_has_a_name_for_it(tmp_path: Path, form: TexelFormat) -> None:
    texture = Texture(form, W, H, texels(form))
    files = [dds.write(texture)] if form.dxgi is not None else []
    files += [ktx2.write(texture), ktx2.write(texture, packed=True)] if form.vk is not None else []
    expected = np.nan_to_num(form.decode(texture.data, W, H), nan=0)  # what ASTC blocks that mean nothing decode to
    assert files and expected.shape == (H, W, len(form.channels))
    for data in files:
        loaded = load(tmp_path, data)
        image = loaded.image
        assert (image.width, image.height, image.is_float) == (W, H, form.is_light)
        assert image.color == (LINEAR_SRGB if form.is_light else SRGB)
        count = min(image.channels, expected.shape[2])
        np.testing.assert_array_equal(image.pixels[:, :, :count], expected[:, :, :count])
        assert loaded.notes[0].startswith(f"{form.name}, {len(texture.data)} bytes in video memory")


@pytest.mark.parametrize("kind", ["DXT1", "DXT5", "BC5", None])
def test_what_pillow_writes_is_read_as_pillow_reads_it(tmp_path: Path, kind: str | None) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (32, 24, 4), np.uint8)
    picture = Pillow.fromarray(codes if kind != "BC5" else codes[:, :, :3])
    out = io.BytesIO()
    picture.save(out, "DDS", **({"pixel_format": kind} if kind else {}))
    theirs = np.asarray(Pillow.open(io.BytesIO(out.getvalue())))
    ours = load(tmp_path, out.getvalue()).image.pixels
    count = 2 if kind == "BC5" else 3
    assert np.abs(ours[:, :, :count].astype(int) - theirs[:, :, :count]).max() <= 1  # thirds are rounded in two ways


@pytest.mark.parametrize(
    ("masks", "order"),
    [
        ((0xFF, 0xFF00, 0xFF0000, 0xFF000000), [0, 1, 2, 3]),
        ((0xFF0000, 0xFF00, 0xFF, 0xFF000000), [2, 1, 0, 3]),
        ((0xFF0000, 0xFF00, 0xFF, 0), [2, 1, 0]),
    ],
)
def test_old_dds_files_name_their_channels_by_masks(tmp_path: Path, masks: tuple[int, ...], order: list[int]) -> None:
    codes = np.random.default_rng(4).integers(0, 255, (H, W, 4), np.uint8)
    data = legacy(0x41 if masks[3] else 0x40, b"", 32, masks, codes.tobytes())
    np.testing.assert_array_equal(load(tmp_path, data).image.pixels, codes[:, :, order])


def test_old_dds_files_of_floats_and_grey_are_read(tmp_path: Path) -> None:
    light = np.random.default_rng(4).uniform(0, 9, (H, W, 4)).astype(np.float16)
    half = legacy(4, struct.pack("<I", 113), 0, (0, 0, 0, 0), light.tobytes())
    np.testing.assert_array_equal(load(tmp_path, half).image.pixels, light[:, :, :3])
    grey = legacy(0x20000, b"", 8, (255, 0, 0, 0), bytes(range(W * H)))
    assert load(tmp_path, grey).image.pixels.ravel().tolist() == list(range(W * H))


def test_premultiplied_alpha_is_known_by_its_name(tmp_path: Path) -> None:
    data = legacy(4, b"DXT4", 0, (0, 0, 0, 0), texels(BY_NAME["BC3"]))
    assert load(tmp_path, data).image.alpha is Alpha.PREMULTIPLIED
    texture = Texture(BY_NAME["RGBA8 sRGB"], W, H, texels(BY_NAME["RGBA8"]), premultiplied=True)
    assert load(tmp_path, dds.write(texture)).image.alpha is Alpha.PREMULTIPLIED
    assert load(tmp_path, ktx2.write(texture)).image.alpha is Alpha.PREMULTIPLIED


def test_smaller_copies_and_further_pictures_are_left_out_and_said(tmp_path: Path) -> None:
    data = bytearray(dds.write(Texture(BY_NAME["RGBA8 sRGB"], W, H, bytes(4 * W * H))))
    data[28] = 5
    data[140] = 3  # pictures of an array
    notes = load(tmp_path, bytes(data)).notes
    assert "4 smaller copies (mipmaps) left out" in notes
    assert "the first picture of a cube map, an array or a volume" in notes


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dds.write(Texture(BY_NAME["BC7"], W, H, texels(BY_NAME["BC7"])))[:-1], "ends before its texels do"),
        (dds.write(Texture(BY_NAME["BC7"], W, H, texels(BY_NAME["BC7"])))[:100], "header is cut off"),
        (ktx2.write(Texture(BY_NAME["BC7"], W, H, texels(BY_NAME["BC7"])))[:-1], "ends before its texels do"),
        (ktx2.MAGIC + bytes(20), "header is cut off"),
        (legacy(4, b"DX10", 0, (0, 0, 0, 0), struct.pack("<5I", 98, 9, 0, 1, 0)), "header is damaged"),
    ],
)
def test_damaged_files_are_refused_with_the_reason(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(CorruptStream, match=message):
        load(tmp_path, data)


def with_word(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack("<I", value) + data[at + 4 :]


PLAIN = ktx2.write(Texture(BY_NAME["RGBA8 sRGB"], W, H, bytes(4 * W * H)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_word(PLAIN, 12, 0), "Basis Universal"),
        (with_word(PLAIN, 12, 140), "Vulkan format 140 cannot be read .BC1 to BC7, ASTC"),
        (with_word(PLAIN, 44, 9), "packed by scheme 9 cannot be read"),
        (legacy(4, b"DX10", 0, (0, 0, 0, 0), struct.pack("<5I", 84, 3, 0, 1, 0)), "DXGI format 84 cannot be read"),
        (legacy(4, b"ATC ", 0, (0, 0, 0, 0), b""), "DDS files of the format '.*' cannot be read"),
        (legacy(0x40, b"", 16, (0xF800, 0x7E0, 0x1F, 0), bytes(2 * W * H)), "16-bit texels like these"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        load(tmp_path, data)


def test_a_small_file_that_claims_much_is_refused_before_room_is_made_for_it(tmp_path: Path) -> None:
    wide = with_word(with_word(PLAIN, 20, 60_000), 24, 60_000)
    with pytest.raises(LimitExceeded, match="60000 × 60000"):
        load(tmp_path, wide)
    packed = bytearray(ktx2.write(Texture(BY_NAME["RGBA8 sRGB"], W, H, bytes(4 * W * H)), packed=True))
    packed[96:104] = struct.pack("<Q", 1 << 50)  # of unpacked bytes
    with pytest.raises(LimitExceeded, match="unpacking this KTX2 file"):
        load(tmp_path, bytes(packed))


def test_a_packed_level_that_is_longer_than_it_claims_is_refused(tmp_path: Path) -> None:
    bomb = imagecodecs.zstd_encode(bytes(1 << 24))
    data = bytearray(ktx2.write(Texture(BY_NAME["RGBA8 sRGB"], W, H, bytes(4 * W * H)), packed=True))
    offset = struct.unpack_from("<Q", data, 80)[0]
    data[88:96] = struct.pack("<Q", len(bomb))
    with pytest.raises(CorruptStream, match="packed texels of the KTX2 file are damaged"):
        load(tmp_path, bytes(data[:offset]) + bomb)


def test_a_texture_file_is_told_by_its_texels() -> None:
    told = {
        "BC6H": "bc6h",
        "BC7": "bc7",
        "ASTC 8×8 HDR": "astc",
        "ASTC 4×4 sRGB": "astc",
        "BC1": None,
        "RGBA16F": None,
    }
    for name, codec_id in told.items():
        found = formats.identify(ktx2.write(Texture(BY_NAME[name], W, H, texels(BY_NAME[name]))))
        assert (found.name, found.codec) == ("KTX2", codec_id)
    packed = ktx2.write(Texture(BY_NAME["BC3 sRGB"], W, H, texels(BY_NAME["BC3"]), light="rgbm"))
    assert formats.identify(packed).codec == "rgbm"


def test_light_packed_in_an_unknown_way_is_refused_by_name(tmp_path: Path) -> None:
    data = ktx2.write(Texture(BY_NAME["RGBA8"], W, H, bytes(4 * W * H), light="logluv"))
    with pytest.raises(Unsupported, match="logluv"):
        load(tmp_path, data)


def test_the_data_format_descriptor_is_that_of_the_specification() -> None:
    """RGBA8 sRGB, byte by byte (Khronos Data Format Specification 1.3, section 5)."""
    at, size = struct.unpack_from("<2I", PLAIN, 48)
    words = struct.unpack_from(f"<{size // 4}I", PLAIN, at)
    assert words[:7] == (92, 0, 2 | 88 << 16, 1 | 1 << 8 | 2 << 16, 0, 4, 0)
    assert [words[7 + 4 * n] for n in range(4)] == [0x00070000, 0x01070008, 0x02070010, 0x1F070018]
    assert [words[10 + 4 * n] for n in range(4)] == [255] * 4
    bc6h = ktx2.write(Texture(BY_NAME["BC6H"], W, H, texels(BY_NAME["BC6H"])))
    words = struct.unpack_from("<11I", bc6h, struct.unpack_from("<I", bc6h, 48)[0])
    assert words == (44, 0, 2 | 40 << 16, 133 | 1 << 8 | 1 << 16, 0x0303, 16, 0, 0x807F0000, 0, 0, 0x3F800000)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_light_is_written_as_ktx2_and_comes_back_exactly(tmp_path: Path, half: bool, masked: bool) -> None:
    light = np.random.default_rng(3).uniform(0, 50, (H, W, 3)).astype(np.float16 if half else np.float32)
    mask = np.arange(H * W).reshape(H, W) % 3 > 0 if masked else None
    path = tmp_path / "out.ktx2"
    assert write(path, Image(light.astype(np.float32), LINEAR_SRGB, mask=mask)) == ()
    loaded = read(path)
    np.testing.assert_array_equal(loaded.image.pixels, light)
    assert (loaded.image.mask is None) == (mask is None) and (mask is None or (loaded.image.mask == mask).all())
    assert loaded.notes[0].startswith("RGBA16F" if half else "RGBA32F")


def test_codes_are_written_as_ktx2_and_deeper_ones_as_light(tmp_path: Path) -> None:
    path = tmp_path / "out.ktx2"
    codes = np.random.default_rng(3).integers(0, 256, (H, W, 4), np.uint8)
    assert write(path, Image(codes, alpha=Alpha.STRAIGHT)) == ()
    np.testing.assert_array_equal(read(path).image.pixels, codes)
    assert write(path, Image(np.full((H, W), 65535, np.uint16))) == (
        "out.ktx2: code values were converted to linear light",
    )
    assert (read(path).image.pixels == 1).all() and read(path).image.channels == 3

"""Texel formats: what is written decodes the same in other programs, and takes the memory that it should."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
import pytest
import texture2ddecoder
from PIL import Image as Pillow

from engine import registry
from engine.codec import Ctx
from engine.color import LINEAR_SRGB
from engine.errors import CodecUnavailable, CorruptStream
from engine.image import Alpha, Image
from engine.io import textures
from engine.textures import blocks
from engine.textures.formats import ASTC_BLOCKS, BY_NAME, astc_format

CTX = Ctx()


def codes(height: int, width: int, channels: int = 3) -> np.ndarray:
    y, x, c = np.mgrid[:height, :width, :channels]
    noise = np.random.default_rng(5).integers(-9, 10, (height, width, channels))
    return (128 + 90 * np.sin(x / 7 + c) * np.cos(y / 5) + noise).clip(0, 255).astype(np.uint8)


def light(height: int, width: int) -> np.ndarray:
    """Over some stops around white: half of it is what 8-bit decoders clip."""
    return (np.exp2(codes(height, width) / 32 - 5)).astype(np.float32)


def texels_of(data: bytes) -> bytes:
    reader = textures.dds.read if textures.dds.sniff(data) else textures.ktx2.read
    return reader(data).data


def elsewhere(decode: Callable[..., bytes], data: bytes, width: int, height: int, *block: int) -> np.ndarray:
    """H×W×4 u8 from texture2ddecoder, which gives BGRA."""
    flat = np.frombuffer(decode(texels_of(data), width, height, *block), np.uint8)
    return flat.reshape(height, width, 4)[:, :, [2, 1, 0, 3]]


@pytest.mark.parametrize("channels", [3, 4])
def test_bc7_decodes_the_same_elsewhere(channels: int) -> None:
    image = Image(codes(45, 70, channels), alpha=Alpha.STRAIGHT if channels == 4 else Alpha.NONE)
    codec = registry.codec("bc7")
    data = codec.encode(image, {"effort": "veryfast"}, CTX).data
    decoded = codec.decode(data, CTX).pixels
    assert (elsewhere(texture2ddecoder.decode_bc7, data, 70, 45)[:, :, :channels] == decoded).all()
    assert (np.asarray(Pillow.open(io.BytesIO(data)))[:, :, :channels] == decoded).all()


def test_bc6h_decodes_the_same_elsewhere() -> None:
    """In Pillow, which clips at 1 and cuts off to 8 bits. texture2ddecoder 1.0.6 gets single texels of three modes
    wrong, on which Pillow, bcdec and the original agree."""
    codec = registry.codec("bc6h")
    data = codec.encode(Image(light(45, 70), LINEAR_SRGB), {}, CTX).data
    decoded = codec.decode(data, CTX).pixels
    shown = decoded.clip(0, 1) * 255
    assert decoded.max() > 2
    assert np.abs(np.asarray(Pillow.open(io.BytesIO(data)))[:, :, :3] - shown).max() < 1


@pytest.mark.parametrize("block", ["4x4", "6x5", "12x12"])
@pytest.mark.parametrize("kind", ["codes", "light"])
def test_astc_decodes_the_same_elsewhere(block: str, kind: str) -> None:
    image = Image(codes(45, 70)) if kind == "codes" else Image(light(45, 70), LINEAR_SRGB)
    codec = registry.codec("astc")
    data = codec.encode(image, {"block": block, "effort": "fast"}, CTX).data
    decoded = codec.decode(data, CTX).pixels
    sides = (int(side) for side in block.split("x"))
    found = elsewhere(texture2ddecoder.decode_astc, data, 70, 45, *sides)[:, :, :3]
    if kind == "codes":
        assert np.abs(found.astype(int) - decoded).max() <= 1  # 16-bit steps, rounded in two ways
    else:
        assert np.abs(found - decoded.clip(0, 1) * 255).max() <= 0.501


@pytest.mark.parametrize(("block", "bpp"), [((4, 4), 8.0), ((6, 6), 3.56), ((8, 8), 2.0), ((12, 12), 0.89)])
def test_the_size_of_an_astc_block_is_its_rate(block: tuple[int, int], bpp: float) -> None:
    assert astc_format(block, "HDR").bpp == pytest.approx(bpp, abs=0.005)


def test_blocks_that_stand_out_of_the_picture_are_counted() -> None:
    assert BY_NAME["BC6H"].size(1, 1) == 16 and BY_NAME["BC6H"].size(5, 4) == 32
    encoded = registry.codec("astc").encode(Image(codes(13, 17)), {"block": "12x12"}, CTX)
    assert encoded.stats["vram_bytes"] == 4 * 16 and encoded.stats["padding"] == [7, 11]


def test_every_astc_block_has_three_formats() -> None:
    assert len({astc_format(block, kind).vk for block in ASTC_BLOCKS for kind in ("", "sRGB", "HDR")}) == 42


def test_a_block_at_an_edge_holds_the_edge_again_and_no_black() -> None:
    """A flat picture stays flat: black in the padding would cost its last blocks their precision."""
    flat = Image(np.full((5, 6, 3), 0.7, np.float32), LINEAR_SRGB)
    decoded = registry.codec("bc6h").decode(registry.codec("bc6h").encode(flat, {}, CTX).data, CTX)
    assert np.abs(decoded.pixels / 0.7 - 1).max() < 0.002


def test_texels_that_are_missing_are_said() -> None:
    with pytest.raises(CorruptStream, match="32 bytes of BC7 texels are expected, 31 are there"):
        BY_NAME["BC7"].decode(bytes(31), 8, 4)


@pytest.mark.parametrize("codec_id", ["bc6h", "astc", "rgbm", "dldr", "rgbe"])
def test_zstandard_makes_files_smaller_and_changes_no_texel(codec_id: str) -> None:
    codec = registry.codec(codec_id)
    image = Image(np.repeat(light(4, 64), 16, axis=0), LINEAR_SRGB)
    plain = codec.encode(image, {"file": "ktx2"}, CTX)
    packed = codec.encode(image, {"file": "ktx2+zstd"}, CTX)
    assert len(packed.data) < len(plain.data) and packed.stats == plain.stats
    assert texels_of(packed.data) == texels_of(plain.data)
    assert codec.decode(packed.data, CTX).digest == codec.decode(plain.data, CTX).digest


def test_a_codec_whose_library_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"ispc_texcomp", "astc_encoder"}
    monkeypatch.setattr(blocks, "find_spec", lambda name: None if name in gone else name)
    assert "pip install ispc_texcomp" in (registry.codec("bc6h").available() or "")
    assert "pip install astc-encoder-py" in (registry.codec("astc").available() or "")
    for name in gone:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CodecUnavailable, match="pip install ispc_texcomp"):
        registry.codec("bc7").encode(Image(codes(4, 4)), {}, CTX)
    with pytest.raises(CodecUnavailable, match="pip install astc-encoder-py"):
        BY_NAME["ASTC 4×4"].decode(bytes(16), 4, 4)

"""OpenEXR DWA as a codec: plain files, told by their content, read as any program reads them."""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
import pytest

from engine import registry
from engine.codec import Ctx
from engine.color import DISPLAY_P3, LINEAR_SRGB, ColorSpec
from engine.errors import CorruptStream
from engine.formats import identify
from engine.image import Image
from engine.io.exr import exr_bytes

CTX = Ctx()


def light(height: int = 70, width: int = 90) -> Image:
    y, x = np.mgrid[0:height, 0:width]
    stops = 3 * np.sin(x / 15)[:, :, None] * np.cos(y / 11)[:, :, None] - np.array([1.0, 1.4, 2.0])
    return Image(np.exp2(stops).astype(np.float32), LINEAR_SRGB)


def encoded(image: Image, **settings: object) -> bytes:
    return registry.codec("exr-dwa").encode(image, settings, CTX).data


def read_plainly(data: bytes) -> tuple[dict, np.ndarray]:
    """Header and texels as the library gives them to any program."""
    file = OpenEXR.File(io.BytesIO(data))
    return file.header(), file.channels()["RGB"].pixels


@pytest.mark.parametrize(("block", "compression"), [("32", "DWAA_COMPRESSION"), ("256", "DWAB_COMPRESSION")])
def test_the_file_is_a_plain_exr_of_half_floats(block: str, compression: str) -> None:
    data = encoded(light(), block=block, level=200.0)
    header, texels = read_plainly(data)
    assert header["compression"] == getattr(OpenEXR, compression) and header["dwaCompressionLevel"] == 200
    assert texels.dtype == np.float16
    decoded = registry.codec("exr-dwa").decode(data, CTX)
    assert (decoded.pixels == np.maximum(texels.astype(np.float32), 0)).all()


def test_it_is_told_from_other_exr_files_by_its_content() -> None:
    lossless = exr_bytes(light())
    assert identify(encoded(light())).codec == "exr-dwa"
    assert identify(lossless).codec is None
    with pytest.raises(CorruptStream, match="not compressed by DWA"):
        registry.codec("exr-dwa").decode(lossless, CTX)


def test_primaries_are_named_and_light_beyond_half_floats_is_limited() -> None:
    image = light()
    pixels = image.pixels.copy()
    pixels[:8, :8] = 1e9
    wide = Image(pixels, ColorSpec(DISPLAY_P3.primaries, LINEAR_SRGB.transfer))
    header, texels = read_plainly(encoded(wide, level=0.05))
    assert header["chromaticities"][:2] == pytest.approx((0.68, 0.32), abs=1e-4)
    assert np.isfinite(texels).all() and texels[0, 0, 0] > 60000


def test_grey_light_is_luminance_alone() -> None:
    image = light()
    grey = Image(image.pixels[:, :, :1].copy(), LINEAR_SRGB)
    data = encoded(grey, level=10.0)
    assert [channel.name for channel in OpenEXR.File(io.BytesIO(data)).header()["channels"]] == ["Y"]
    assert registry.codec("exr-dwa").decode(data, CTX).channels == 1


def test_levels_trade_bits_for_errors() -> None:
    sizes = [len(encoded(light(), level=level)) for level in (1.0, 30.0, 900.0, 27000.0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 3 * sizes[-1]

"""HEIC where its extra is installed, and what is said where it is not."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.codec import Ctx
from engine.color import DISPLAY_P3, profile_bytes
from engine.errors import CodecUnavailable, CorruptStream, LimitExceeded, Unsupported
from engine.image import Image
from engine.io import read

CTX = Ctx()
FAST = {"preset": "ultrafast"}


@pytest.fixture
def heif():
    return pytest.importorskip("pillow_heif")


def picture(height: int = 40, width: int = 56) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([40 + 2 * x, 220 - 3 * y, 60 + x + y], axis=2).astype(np.uint8)


def saved(heif, pixels: np.ndarray, mode: str, folder: Path, **options: object) -> Path:
    out = io.BytesIO()
    file = heif.from_bytes(mode, pixels.shape[1::-1], pixels.tobytes())
    icc = options.pop("icc", None)
    if icc is not None:
        file.info["icc_profile"] = icc
    file.save(out, quality=90, chroma="444", **options)
    path = folder / "x.heic"
    path.write_bytes(out.getvalue())
    return path


def test_without_the_extra_it_is_greyed_out_and_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    codec = registry.codec("heic")
    why = codec.available()
    assert why is not None and "pip install 'ratescope[heic]'" in why and "GPL" in why
    with pytest.raises(CodecUnavailable, match="extra"):
        codec.encode(Image(picture()), {}, CTX)
    path = tmp_path / "telephone.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(Unsupported, match=r"HEIC pictures cannot be read here .*ratescope\[heic\]"):
        read(path)
    assert codec.version() == "pillow-heif missing"


def test_ten_bits_stay_ten_bits(heif, tmp_path: Path) -> None:
    values = picture().astype(np.uint16) << 8
    loaded = read(saved(heif, values, "RGB;16", tmp_path))
    assert (loaded.format, loaded.image.bits, loaded.image.pixels.dtype) == ("HEIC", 10, np.uint16)
    assert np.abs(loaded.image.pixels.astype(int) - (values >> 6)).mean() < 8


def test_the_colours_of_telephones_are_kept(heif, tmp_path: Path) -> None:
    by_profile = read(saved(heif, picture(), "RGB", tmp_path, icc=profile_bytes(DISPLAY_P3)))
    assert by_profile.image.color == DISPLAY_P3
    by_number = read(saved(heif, picture(), "RGB", tmp_path, color_primaries=12, transfer_characteristics=13))
    assert by_number.image.color == DISPLAY_P3


def test_quality_costs_bits_and_effort_saves_error(heif) -> None:
    codec = registry.codec("heic")
    image = Image(picture(120, 160))
    sizes = [len(codec.encode(image, {**FAST, "quality": q}, CTX).data) for q in (10, 50, 90)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_damaged_and_lying_files_are_refused(heif, tmp_path: Path) -> None:
    data = registry.codec("heic").encode(Image(picture()), FAST, CTX).data
    path = tmp_path / "x.heic"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CorruptStream):
        read(path)
    path.write_bytes(data)
    with pytest.raises(LimitExceeded):
        read(path, max_pixels=1000)

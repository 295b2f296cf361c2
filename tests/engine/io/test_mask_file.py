"""A mask file beside a map of light says which of its texels count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.color import LINEAR_SRGB
from engine.errors import EngineError
from engine.image import Image
from engine.io import mask_file, read, write, write_png
from tests.engine.test_charts import CHARTS, baked


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    path = tmp_path / "room.exr"
    write(path, Image(baked(CHARTS), LINEAR_SRGB))
    return path


def write_mask(path: Path, mask: np.ndarray) -> Path:
    write_png(path, Image((mask * 255).astype(np.uint8)))
    return path


@pytest.mark.parametrize("name", ["room.mask.png", "room_mask.png"])
def test_white_texels_of_a_mask_file_count(atlas: Path, name: str) -> None:
    assert read(atlas).image.mask is None and "gutters" in {each.kind for each in read(atlas).findings}
    beside = write_mask(atlas.with_name(name), CHARTS)
    loaded = read(atlas)
    assert mask_file(atlas) == beside
    assert np.array_equal(loaded.image.mask, CHARTS)
    assert any(name in note for note in loaded.notes)
    assert {each.kind for each in loaded.findings} == {"empty"}


def test_alpha_and_mask_file_must_both_let_a_texel_count(tmp_path: Path) -> None:
    path = tmp_path / "room.exr"
    write(path, Image(baked(CHARTS), LINEAR_SRGB, mask=CHARTS))
    half = np.zeros_like(CHARTS)
    half[:, :40] = True
    write_mask(tmp_path / "room.mask.png", half)
    assert np.array_equal(read(path).image.mask, CHARTS & half)


@pytest.mark.parametrize(("mask", "why"), [(CHARTS[:-1], "80×63"), (CHARTS & False, "black")])
def test_a_mask_file_that_cannot_be_one_is_said_and_not_used(atlas: Path, mask: np.ndarray, why: str) -> None:
    write_mask(atlas.with_name("room.mask.png"), mask)
    loaded = read(atlas)
    assert loaded.image.mask is None
    assert any("room.mask.png" in note and why in note for note in loaded.notes)


def test_a_damaged_mask_file_is_named(atlas: Path) -> None:
    atlas.with_name("room_mask.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(EngineError, match=r"room_mask\.png"):
        read(atlas)


def test_pictures_of_code_values_take_no_mask_file(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.png", CHARTS)
    write_mask(tmp_path / "a.mask.png", CHARTS)
    assert read(tmp_path / "a.png").image.mask is None


def test_a_name_too_long_for_a_mask_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 251}.exr"
    write(tmp_path / "a.exr", Image(baked(CHARTS), LINEAR_SRGB))
    (tmp_path / "a.exr").rename(path)
    assert read(path).image.mask is None

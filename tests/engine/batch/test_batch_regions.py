"""Painted masks in a batch: which goes with which picture, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import io, memory, registry
from engine.batch.job import Goal, Job, difference
from engine.batch.pictures import find
from engine.batch.work import Terms, Unit, compress, load
from engine.cli import main
from engine.errors import EngineError, UsageError
from engine.image import Image
from tests.pictures import photo_like


@pytest.fixture(autouse=True)
def own_limit() -> Iterator[None]:
    """The work runs in this process here, and sets its limit."""
    yield
    memory.set_limit(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, and a mask for one of them."""
    made, mask = tmp_path / "pictures", np.full((48, 64), 128, np.uint8)
    mask[:16] = 255
    for path, image in (("a", photo_like(48, 64)), ("deep/b", photo_like(48, 64)), ("masks/deep/b", mask)):
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        io.write_png(made / f"{path}.png", Image(image))
    return made


def test_masks_go_by_the_names_of_pictures_and_are_none_themselves(folder: Path) -> None:
    masks, out = folder / "masks", folder / "out"
    found = find(folder, out, roi=masks)
    assert [(each.name, each.mask) for each in found] == [("a.png", None), ("deep/b.png", masks / "deep" / "b.png")]
    os.utime(masks / "deep" / "b.png", (1, 1))
    assert find(folder, out, roi=masks)[1].stamp != found[1].stamp, "another mask makes other rows"
    assert {each.mask for each in find(folder, out, roi=folder / "a.png")} == {folder / "a.png"}
    with pytest.raises(EngineError, match="no such painted mask"):
        find(folder, out, roi=folder / "none")


def test_a_row_has_what_the_region_got(folder: Path) -> None:
    picture = find(folder, folder / "out", roi=folder / "masks")[1]
    assert picture.mask is not None
    loaded = load(picture.path.read_bytes(), picture.path, Terms(), (picture.mask.read_bytes(), picture.mask))
    unit = Unit("dct", registry.codec("dct").version(), {}, (Goal("quality", 50),), ("psnr",))
    (row,) = compress(loaded, unit, Terms()).rows
    assert row["psnr_inside"] > row["psnr_outside"]


def test_a_mask_of_another_size_is_the_picture_s_error(folder: Path) -> None:
    small = folder / "small.png"
    io.write_png(small, Image(np.zeros((8, 8), np.uint8)))
    with pytest.raises(UsageError, match=r"small\.png: the mask has 8 × 8 pixels"):
        load((folder / "a.png").read_bytes(), folder / "a.png", Terms(), (small.read_bytes(), small))


def test_results_of_other_masks_are_others(folder: Path) -> None:
    plain, painted = (Job(folder, folder / "out", {"dct": {}}, (Goal("bpp", 1),), roi=roi) for roi in (None, folder))
    assert "the painted masks then: none" in difference(plain.described(), painted.described())
    before = {name: value for name, value in plain.described().items() if name != "roi"}
    assert difference(before, plain.described()) == ""


def test_the_command_takes_masks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["batch", str(folder), "--out", str(folder / "out"), "--codecs", "dct", "--bpp", "1"]
    assert main([*words, "--roi", str(folder / "none")]) == 1
    assert "no such painted mask" in capsys.readouterr().err

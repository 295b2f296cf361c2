"""`ratescope lit`: pictures of a lightmap on the bundled mesh and flat, and the error of what is seen."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.cli import main
from engine.io import read, write
from engine.samples import samples

ROOM = str(next(s.path for s in samples() if s.name == "room_lightmap"))


@pytest.fixture(scope="module")
def dimmed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The room with nine tenths of its light."""
    image = read(ROOM).image
    path = tmp_path_factory.mktemp("lit") / "dimmed.exr"
    write(path, image.with_pixels(image.pixels * np.float32(0.9)))
    return str(path)


def test_a_mesh_is_drawn_split_and_its_error_told(
    dimmed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = {}
    view = ["--mesh", "room", "--size", "160x100", "--exposure", "-1", "--json"]
    for shown, files in (("first", [ROOM]), ("second", [dimmed]), ("split", [ROOM, dimmed])):
        out = tmp_path / f"{shown}.png"
        assert main(["lit", *files, *view, "--out", str(out)]) == 0
        pictures[shown] = read(out).image.pixels
        told = json.loads(capsys.readouterr().out)
        assert ("psnr" in told) == (shown == "split")
    assert pictures["split"].shape == (100, 160, 3)
    assert np.array_equal(pictures["split"][:, :80], pictures["first"][:, :80])
    assert np.array_equal(pictures["split"][:, 80:], pictures["second"][:, 80:])
    difference = pictures["first"].astype(int) - pictures["second"]
    assert pictures["first"].any(axis=2).sum() <= told["covered"] < 160 * 100
    assert told["psnr"] == pytest.approx(10 * math.log10(255**2 * 3 * told["covered"] / np.square(difference).sum()))
    assert 0 < told["flip"] < 0.2


def test_a_flat_view_has_so_many_pixels_a_texel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "flat.png"
    command = ["lit", ROOM, "--density", "0.25", "--filter", "bicubic", "--albedo", "checker", "--out", str(out)]
    assert main(command) == 0
    assert read(out).image.width == 128
    assert "128×128" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--mips", "99"], "mips"),
        (["--size", "0x5"], "size"),
        (["--mesh", ROOM], "no mesh"),
        (["--mesh", "none.glb"], "none.glb"),
        (["--density", "3"], "pixels a texel"),
        (["--albedo", "none.png"], "none.png"),
        (["--exposure", "99"], "stops"),
        ([ROOM, ROOM], "two files"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lit", ROOM, *more, "--out", str(tmp_path / "out.png")]) in (1, 2)
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

"""Light through the command line: OpenEXR and Radiance in, four codecs, each file decoded by a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.cli import main
from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.io import read, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def exr(tmp_path: Path) -> Path:
    """A small lightmap of half floats, a quarter of it not covered."""
    y, x = np.mgrid[0:48, 0:64]
    light = np.exp2(4 * np.sin(x / 17)[:, :, None] * np.cos(y / 13)[:, :, None] - [1, 1.5, 2]).astype(np.float16)
    path = tmp_path / "room.exr"
    write(path, Image(light.astype(np.float32), LINEAR_SRGB, mask=(x >= 32) | (y >= 24)))
    return path


def ratescope(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[dict, str]:
    """The answer of a command that succeeds, and what it noted."""
    code = main([*map(str, words), "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out), err


@pytest.mark.parametrize("codec", ["wavelet", "jpeg2000", "jxl", "avif"])
def test_light_goes_out_and_comes_back_in_another_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path, codec: str
) -> None:
    coded, back = tmp_path / "room.rsh", tmp_path / "back.exr"
    store = ("--store", tmp_path / "store")
    said, notes = ratescope(capsys, "encode", exr, coded, "--codec", codec, "--bpp", 2, *store)
    assert said["bpp"] <= 2 and said["log2_psnr"] > 35 and "psnr" not in said
    assert "alpha became the mask" in notes and "codes light as log2" in notes
    alone = [sys.executable, "-m", "engine.cli", "decode", str(coded), str(back), "--json"]
    run = subprocess.run(
        alone, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path
    )
    assert json.loads(run.stdout)["pixels"] == said["pixels"]
    assert read(back).image.pixels.shape == (48, 64, 3)
    measured, _ = ratescope(capsys, "measure", exr, back, "--metrics", "log2_psnr")
    assert measured["log2_psnr"] == pytest.approx(said["log2_psnr"], abs=1e-6)
    told, _ = ratescope(capsys, "info", coded)
    assert told["codec"] == codec and told["light"]["transfer"] == "log2(x + 2^-10)"
    assert told["light"]["file"] == {"wavelet": None, "jpeg2000": "JPEG 2000", "jxl": "JPEG XL", "avif": "AVIF"}[codec]


def test_radiance_in_and_out_at_a_quality(capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path) -> None:
    hdr, coded, back = tmp_path / "room.hdr", tmp_path / "room.rsw", tmp_path / "back.hdr"
    write(hdr, Image(read(exr).image.pixels, LINEAR_SRGB))
    store = ("--store", tmp_path / "store")
    said, _ = ratescope(capsys, "encode", hdr, coded, "--codec", "wavelet", "--psnr", 50, *store)
    assert said["reached"] and said["log2_psnr"] >= 50
    ratescope(capsys, "decode", coded, back)
    measured, _ = ratescope(capsys, "measure", hdr, back, "--metrics", "log2_psnr,hdr_flip")
    assert measured["log2_psnr"] == pytest.approx(said["log2_psnr"], abs=1)


def test_a_plain_suffix_for_what_is_no_plain_file_is_noted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path
) -> None:
    store = ("--store", tmp_path / "store")
    _, notes = ratescope(capsys, "encode", exr, tmp_path / "room.jxl", "--codec", "jxl", *store)
    assert "within a container that only Ratescope reads; .rsh is its suffix" in notes
    plain = ("--set", "light=float")
    _, notes = ratescope(capsys, "encode", exr, tmp_path / "room.jxl", "--codec", "jxl", *plain, *store)
    assert ".rsh" not in notes


@pytest.mark.parametrize("codec", ["dct", "jpeg", "webp"])
def test_codecs_of_8_bits_refuse_light_and_write_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path, codec: str
) -> None:
    out = tmp_path / "room.out"
    assert main(["encode", str(exr), str(out), "--codec", codec, "--store", str(tmp_path / "store")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"ratescope: {exr}: ") and "carries 8-bit pictures only; this one holds light" in error
    assert not out.exists()


def test_rd_measures_light_by_log2_psnr(capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path) -> None:
    store = ("--store", tmp_path / "store")
    said, _ = ratescope(capsys, "rd", exr, "--codecs", "wavelet,avif", "--bpp", "1,3", "--workers", 1, *store)
    for codec in ("wavelet", "avif"):
        points = said["codecs"][codec]["points"]
        assert len(points) == 2 and points[0]["log2_psnr"] < points[1]["log2_psnr"]


def test_info_lists_what_the_doctor_finds_and_a_fix_mends_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exr: Path
) -> None:
    light = read(exr).image.pixels.copy()
    light[30, 5] = -0.5
    ill, coded, store = tmp_path / "ill.exr", tmp_path / "a.rsw", ("--store", tmp_path / "store")
    write(ill, Image(light, LINEAR_SRGB))
    told, _ = ratescope(capsys, "info", ill)
    (finding,) = told["findings"]
    assert (finding["kind"], finding["count"], finding["first"], finding["fix"]) == ("negative", 1, [5, 30], "raise")
    assert main(["info", str(ill)]) == 0
    assert "1 texel below 0, the first at x 5, y 30: Down to −0.5." in capsys.readouterr().out
    said, notes = ratescope(capsys, "encode", ill, coded, "--codec", "wavelet", "--bpp", 2, "--fix", "raise", *store)
    assert "raised to 0" in notes and not any("below 0" in note for note in said["notes"])
    plain, _ = ratescope(capsys, "measure", ill, exr, "--metrics", "rel_max")
    fixed, _ = ratescope(capsys, "measure", ill, exr, "--metrics", "rel_max", "--fix", "raise")
    assert plain == {**fixed, "reference": plain["reference"]}  # light below 0 counts as 0 anyway
    assert main(["measure", str(ill), str(exr), "--fix", "pills"]) == 2
    assert "unknown fix 'pills'" in capsys.readouterr().err

"""Kinds, bakes and write-back at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import io
from engine.cli import main
from engine.color import LINEAR_SRGB
from engine.image import Alpha, Image
from tests.engine.test_channels import directions


@pytest.fixture
def bake(tmp_path: Path) -> Path:
    folder = tmp_path / "Scene"
    folder.mkdir()
    io.write(folder / "Lightmap-0_comp_light.exr", Image(np.full((32, 32, 3), 0.5, np.float32), LINEAR_SRGB))
    io.write_png(folder / "Lightmap-0_comp_dir.png", Image(directions().pixels, alpha=Alpha.STRAIGHT))
    return folder


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    assert main([*words, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_info_names_the_kind_and_the_bake_and_kind_overrules_the_name(
    bake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(bake / "Lightmap-0_comp_dir.png")
    found = told(["info", path], capsys)
    assert (found["kind"], found["layers"], found["bake"]["engine"]) == ("direction", 1, "Unity")
    assert [each["kind"] for each in found["bake"]["maps"]] == ["light", "direction"]
    assert told(["info", path, "--kind", "mask"], capsys)["kind"] == "mask"
    assert told(["info", path, "--kind", "colour"], capsys)["kind"] == "colour"
    assert main(["info", path, "--kind", "light"]) == 1
    assert "cannot be read as light" in capsys.readouterr().err


def test_a_direction_map_goes_through_encode_decode_and_measure_by_its_kind(
    bake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file, out = bake / "Lightmap-0_comp_dir.png", tmp_path / "d.jpg", tmp_path / "d.png"
    store = ["--store", str(tmp_path / "store")]
    encoded = told(["encode", str(path), str(file), "--codec", "jpeg", "--psnr", "40", *store], capsys)
    assert encoded["psnr"] >= 40 and "one under the other" in encoded["notes"][0]
    decoded = told(["decode", str(file), str(out), "--planes", "4", "--kind", "direction"], capsys)
    assert decoded["pixels"] == encoded["pixels"] and (decoded["height"], decoded["channels"]) == (32, 4)
    apart, together = (told(["measure", str(path), str(test)], capsys) for test in (file, out))
    assert apart["angle_mean"] == together["angle_mean"] > 0 and set(apart) >= {
        "angle_p99",
        "directionality",
        "rebalance",
    }
    assert "ssim" not in apart
    assert main(["decode", str(file), str(out), "--planes", "3"]) == 1
    assert "does not hold 3 planes" in capsys.readouterr().err


def test_write_back_refuses_the_folder_of_the_originals_and_unknown_kinds(
    bake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in bake.iterdir()}
    assert main(["writeback", str(bake), "--out", str(bake), "--codec", "wavelet"]) == 2
    assert "stays alone" in capsys.readouterr().err
    assert main(["writeback", str(bake), "--out", str(tmp_path / "o"), "--codec", "normal=bc7"]) == 2
    assert "kinds are colour, light, direction, mask" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in bake.iterdir()} == before


def test_write_back_stores_a_bake_and_says_what_did_not_go(
    bake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, out = str(bake / "Lightmap-0_comp_dir.png"), tmp_path / "Game"
    words = ["writeback", one, "--bake", "--out", str(out), "--codec", "jpeg", "--as", "encoded", "--workers", "1"]
    report = told(words, capsys, code=1)
    assert (out / "Lightmap-0_comp_dir.jpg").exists() and report["maps"] == 1
    (wrong,) = [row for row in report["rows"] if row["error"]]
    assert wrong["file"] == "Lightmap-0_comp_light.exr" and "8-bit pictures only" in wrong["error"]

"""`ratescope lightmaps` end to end on small maps: rows, gutters, files, and what a second run costs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from engine import io
from engine.cli import main
from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.lightmaps.measure import LoadMapTask
from engine.workers import TaskCtx


def charts() -> np.ndarray:
    """Light of 64 × 64 texels in two charts, black between and around them."""
    y, x = np.mgrid[0:64, 0:64]
    noise = np.random.default_rng(5).normal(0, 0.05, (64, 64, 3))
    light = np.exp2(np.sin(x / 9)[:, :, None] + np.cos(y / 7)[:, :, None] - [1, 1.5, 2] + noise).astype(np.float32)
    light[(x < 6) | (x >= 58) | ((x >= 28) & (x < 36))] = 0
    return light


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    folder.mkdir()
    covered = Image(charts()).pixels.max(axis=2) > 0
    io.write(folder / "alpha.exr", Image(charts(), LINEAR_SRGB, mask=covered))
    io.write(folder / "bare.exr", Image(charts()[::-1].copy(), LINEAR_SRGB))
    return folder


def test_gutters_that_nothing_names_are_found_and_said(maps: Path) -> None:
    loaded = LoadMapTask(maps / "bare.exr").run(TaskCtx())
    assert loaded.image.mask is not None and not loaded.image.mask[:, :6].any()
    assert any("gutters were found" in note for note in loaded.notes)
    named = LoadMapTask(maps / "alpha.exr").run(TaskCtx())
    assert not any("gutters were found" in note for note in named.notes)


def test_the_table_has_every_row_and_a_second_run_encodes_nothing(
    maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [tmp_path / f"table.{form}" for form in ("json", "csv", "svg")]
    words = ["lightmaps", str(maps), "--codecs", "wavelet,bc6h", "--workers", "1", "--times", "1"]
    words += ["--store", str(tmp_path / "store"), *(word for path in outs for word in ("--out", str(path)))]
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert json.loads(outs[0].read_text()) == document and document["maps"] == 2
    rows = document["codecs"]
    assert list(rows) == ["wavelet", "bc6h", "jxl-log", "jpeg2000-log"]
    assert rows["jxl-log"]["against"]["jxl-log"]["percent"] == pytest.approx(0)
    assert rows["wavelet"]["against"]["better"]["whole"] == 2 and rows["bc6h"]["one_rate"]
    assert rows["bc6h"]["vram_bpp"] == pytest.approx(8) and rows["jxl-log"]["times"]["decode"] == 1
    table = list(csv.DictReader(outs[1].read_text().splitlines()))
    assert len(table) == 8 and {"codec", "map", "jxl-log", "jpeg2000-log", "better", "refused"} == set(table[0])
    assert outs[2].read_bytes().startswith(b"<?xml")

    assert main([*words, "--per-map", "--markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("| codec | against jxl-log |") and "| alpha.exr |" in text
    assert json.loads(outs[0].read_text())["points"] == document["points"], "times too: nothing ran again"


def test_a_map_of_directions_is_compared_as_light(maps: Path) -> None:
    path = maps / "Lightmap-0_comp_dir.exr"
    io.write(path, Image(charts(), LINEAR_SRGB))
    assert not io.read(path).image.is_float
    assert LoadMapTask(path).run(TaskCtx()).image.is_float

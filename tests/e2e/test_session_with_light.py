"""A person looks at light: drops a lightmap and a Radiance file, moves the exposure, reads stops, looks at errors."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.io import read, write
from engine.metrics import scores
from engine.tone import Tone
from gui.app import Workbench
from gui.state import ORIGINAL, Phase, View
from tests.e2e.test_workbench import answer_dialog, drop, grab, lane_of

CODECS = ("jpeg", "wavelet", "jpeg2000", "jxl", "avif")
TAKE_LIGHT = CODECS[1:]
Settle = Callable[[Workbench], None]


def scene(height: int = 96, width: int = 136) -> np.ndarray:
    """Light of ten stops: a soft gradient, a sun patch with a hard edge, a coloured wall."""
    y, x = np.mgrid[:height, :width]
    light = 0.05 * 2.0 ** (3 * np.sin(x / 31) * np.cos(y / 23))
    light = np.where((x - 90) ** 2 + (y - 40) ** 2 < 400, 12.0, light)
    return (light[:, :, None] * [1.0, 0.8, 0.5 + 0.3 * (width > 100)]).astype(np.float32)


@pytest.fixture
def lightmap(tmp_path: Path) -> Path:
    """Half floats with uncovered texels, one that is not a number and some below 0."""
    light = scene()
    light[3, 5] = np.nan
    light[7, 8:11, 2] = -0.25
    covered = np.ones(light.shape[:2], bool)
    covered[:, -16:] = False
    path = tmp_path / "lightmap.exr"
    write(path, Image(light, LINEAR_SRGB, mask=covered))
    return path


@pytest.fixture
def radiance(tmp_path: Path) -> Path:
    path = tmp_path / "sky.hdr"
    write(path, Image(scene(64, 96) * 40, LINEAR_SRGB))
    return path


@pytest.fixture
def looked_at(bench: Workbench, lightmap: Path, settle: Settle) -> Workbench:
    """Two codecs on the lightmap."""
    return compared(bench, lightmap, settle, ("wavelet", "jxl"))


def compared(bench: Workbench, path: Path, settle: Settle, codecs: tuple[str, ...]) -> Workbench:
    for codec_id in codecs:
        bench.controller.add_codec(codec_id)
    assert drop(bench.window, path)
    settle(bench)
    return bench


def shown(bench: Workbench, rendition: int) -> np.ndarray:
    return grab(bench.window.compare.visible_panes()[str(rendition)].canvas)


def test_four_codecs_carry_a_lightmap_and_are_judged_in_stops(bench: Workbench, lightmap: Path, settle: Settle) -> None:
    compared(bench, lightmap, settle, CODECS)
    state, window = bench.state, bench.window
    source = state.current
    assert source is not None and source.image is not None and source.image.is_float
    for words in ("NaN", "below 0", "mask"):
        assert words in " ".join(source.notes)
    for codec_id in TAKE_LIGHT:
        outcome = state.outcome(lane_of(bench, codec_id))
        assert outcome.phase is Phase.DONE, outcome.error
        assert outcome.solved is not None and outcome.trial is not None
        assert outcome.trial.bpp <= state.target.value
        own = scores(source.image, outcome.solved.decoded, ["log2_psnr"])
        assert outcome.trial.scores == pytest.approx(own)
        pane = window.compare.visible_panes().get(str(lane_of(bench, codec_id)))
        assert pane is None or "log2-PSNR" in pane.canvas.accessibleDescription()
    assert lane_of(bench, "jpeg") not in state.renditions()
    assert window.plot.metric_combo.currentText() == "log2-PSNR"
    assert window.rate_lock.kind.itemText(window.rate_lock.kind.findData("psnr")) == "log2-PSNR"
    assert all(len(state.curve(lane_of(bench, codec_id))) > 3 for codec_id in TAKE_LIGHT)
    assert "4:4:4" in window.codecs.card(str(lane_of(bench, "avif"))).line.text()
    assert (state.anchor, window.verdict.anchor()) == (lane_of(bench, "jpeg"), str(lane_of(bench, "jpeg2000")))
    assert window.verdict.anchor_combo.count() == len(window.verdict.model.rows) == len(TAKE_LIGHT)
    assert sum(row.bd_rate is not None for row in window.verdict.model.rows) == len(TAKE_LIGHT) - 1


def test_exposure_by_mouse_and_keys_changes_what_is_shown_alike_and_no_score(
    looked_at: Workbench, qtbot: QtBot, settle: Settle
) -> None:
    state, strip = looked_at.state, looked_at.window.tone_strip
    lane = lane_of(looked_at, "jxl")  # it codes gutters as they are: all of the picture is alike
    film = state.current.display
    assert strip.isVisible()
    assert strip.tone == state.tone == Tone(exposure=film.auto_exposure)
    known = dict(state.outcome(lane).trial.scores)
    before = shown(looked_at, ORIGINAL).mean(), shown(looked_at, lane).mean()
    middle = strip.slider.rect().center()
    qtbot.mousePress(strip.slider, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(strip.slider, middle + QPoint(40, 0))
    qtbot.mouseRelease(strip.slider, Qt.MouseButton.LeftButton, pos=middle + QPoint(80, 0))
    settle(looked_at)
    after = shown(looked_at, ORIGINAL).mean(), shown(looked_at, lane).mean()
    assert state.tone.exposure != film.auto_exposure
    assert all(abs(new - old) > 5 for new, old in zip(after, before, strict=True))
    assert abs(after[0] - after[1]) < 3
    qtbot.mouseDClick(strip.slider, Qt.MouseButton.LeftButton, pos=middle + QPoint(80, 0))
    settle(looked_at)
    assert state.tone.exposure == 0
    for name in ("exposure_up", "exposure_up_much", "exposure_down", "exposure_up", "next_curve"):
        looked_at.window.commands.serve(name)
    settle(looked_at)
    qtbot.waitUntil(lambda: not state.tone_moves)
    assert state.tone == Tone(exposure=1.1, curve="reinhard")
    looked_at.window.commands.serve("exposure_auto")
    assert state.tone.exposure == film.auto_exposure
    assert state.outcome(lane).trial.scores == known


def test_map_and_read_out_are_in_stops(looked_at: Workbench, settle: Settle) -> None:
    state, window = looked_at.state, looked_at.window
    state.set_view(view=View.ERROR)
    settle(looked_at)
    errors = state.outcome(state.renditions()[1]).maps["log2_psnr"]
    assert errors.max() > 0 and not errors[:, -16:].any()
    assert "stops" in window.compare._bar.accessibleName()
    assert [window.top_bar.map_metric.itemData(i) for i in range(2)] == ["log2_psnr", "hdr_flip"]
    window.refresher.hovered(90, 40)
    text = window.status.text()
    assert "original 12 9.6" in text
    assert f"{math.log2(12 * (0.2126 + 0.7152 * 0.8 + 0.0722 * 0.8)):+.2f} stops" in text
    assert text.count("stops") == 3  # of the light, of the difference, and of the map


def test_every_picture_keeps_its_tone_and_code_values_have_none(
    looked_at: Workbench, radiance: Path, tmp_path: Path, settle: Settle
) -> None:
    state, strip = looked_at.state, looked_at.window.tone_strip
    first = state.current
    state.set_tone(Tone(exposure=3.0, curve="aces"))
    assert drop(looked_at.window, radiance)
    settle(looked_at)
    assert state.current is not first and state.is_float
    assert state.tone.curve == "clip" and strip.tone.exposure < 0
    plain = tmp_path / "plain.png"
    write(plain, Image(np.full((40, 50, 3), 90, np.uint8)))
    assert drop(looked_at.window, plain)
    settle(looked_at)
    assert not strip.isVisible()
    assert looked_at.window.plot.metric_combo.currentText() == "PSNR"
    assert first is not None
    looked_at.controller.choose_source(first.id)
    settle(looked_at)
    assert strip.isVisible() and strip.tone == Tone(exposure=3.0, curve="aces")


def test_a_saved_file_of_light_decodes_in_a_fresh_process(
    looked_at: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    state = looked_at.state
    lane = lane_of(looked_at, "jxl")
    state.activate(lane)
    packed, decoded = tmp_path / "saved.jxl", tmp_path / "decoded.exr"
    answer_dialog(monkeypatch, packed)
    assert QFileDialog.getSaveFileName() == (str(packed), "")
    looked_at.window.commands.save_file()
    settle(looked_at)
    (packed,) = tmp_path.glob("saved*")
    command = [sys.executable, "-m", "engine.cli", "decode", str(packed), str(decoded)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    solved = state.outcome(lane).solved
    assert solved is not None
    assert np.array_equal(read(decoded).image.pixels, solved.decoded.pixels)

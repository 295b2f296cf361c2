"""A person drops a lightmap that is ill, is told so, mends it with a click each, takes one back, and finds it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.doctor import mend
from engine.image import Image
from engine.io import read, write
from gui.app import Workbench
from gui.session.document import SUFFIX
from tests.e2e.test_session_with_light import scene
from tests.e2e.test_workbench import drop, lane_of

Settle = Callable[[Workbench], None]


@pytest.fixture
def ill(tmp_path: Path) -> Path:
    light = scene()
    light[3, 5] = np.nan
    light[7, 8:11, 2] = -0.25
    covered = np.ones(light.shape[:2], bool)
    covered[:, -16:] = False
    path = tmp_path / "ill.exr"
    write(path, Image(light, LINEAR_SRGB, mask=covered))
    return path


def click(bench: Workbench, fix: str, qtbot: QtBot, settle: Settle) -> None:
    qtbot.mouseClick(bench.window.doctor_bar.buttons[fix], Qt.MouseButton.LeftButton)
    settle(bench)


def test_findings_are_shown_mended_undone_and_kept_in_the_session(
    bench: Workbench, ill: Path, settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    state, bar = bench.state, bench.window.doctor_bar
    bench.controller.add_codec("wavelet")
    assert bar.isHidden()
    assert drop(bench.window, ill)
    settle(bench)
    source = state.current
    assert source is not None and source.image is not None
    assert bar.isVisible() and list(bar.buttons) == ["raise", "fill"]
    assert {each.kind for each in source.findings} == {"nan", "negative"}
    as_read = source.image.digest
    lane = lane_of(bench, "wavelet")
    before = state.outcome(lane).trial
    click(bench, "raise", qtbot, settle)
    assert source.image.pixels.min() == 0 and bar.buttons["raise"].text() == "Undo"
    click(bench, "fill", qtbot, settle)
    assert (source.image.pixels[3, 5] > 0).all() and source.fixes == ("raise", "fill")
    assert source.image.digest == mend(read(ill).image, source.fixes).digest
    trial = state.outcome(lane).trial
    assert before is not None and trial is not None and trial.key.image == source.image.digest != before.key.image
    mended = source.image.digest
    bench.window.sessions.save(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.window.sessions.file is not None, timeout=10_000)
    click(bench, "raise", qtbot, settle)
    click(bench, "fill", qtbot, settle)
    assert source.image.digest == as_read and source.fixes == ()
    bench.window.actions_by_id["new_session"].trigger()
    bench.window.sessions.open(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: bench.state.current is not None, timeout=10_000)
    settle(bench)
    assert state.current is not None and state.current.image is not None
    assert state.current.image.digest == mended and bar.buttons["fill"].text() == "Undo"
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    settle(bench)
    assert bar.isHidden()


def test_a_picture_in_good_health_has_no_bar(bench: Workbench, tmp_path: Path, settle: Settle) -> None:
    path = tmp_path / "well.exr"
    write(path, Image(scene(), LINEAR_SRGB))
    assert drop(bench.window, path)
    settle(bench)
    assert bench.state.is_float and bench.window.doctor_bar.isHidden()

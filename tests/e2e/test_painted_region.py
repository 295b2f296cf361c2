"""A person paints where the bits matter, sees what it buys, takes it back, and finds it again in a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.trial import Target, TargetKind
from gui.app import Workbench
from gui.session.document import SUFFIX
from tests.e2e.test_workbench import drop, lane_of
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Pillow.fromarray(photo_like(192, 256)).save(path)
    return path


def stroke(bench: Workbench, qtbot: QtBot) -> None:
    """With the mouse, through the middle of the original's pane."""
    canvas = bench.window.compare.visible_panes()["0"].canvas
    start = canvas.rect().center() - QPoint(30, 0)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 7):
        qtbot.mouseMove(canvas, start + QPoint(10 * step, 0))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 0))


def test_a_stroke_moves_bits_into_the_region_and_is_undone_and_kept(
    bench: Workbench, photo: Path, settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    state, window = bench.state, bench.window
    for codec in ("wavelet", "jpeg"):
        bench.controller.add_codec(codec)
    bench.controller.set_target(Target(TargetKind.BPP, 0.8))
    assert drop(window, photo)
    settle(bench)
    lane = lane_of(bench, "wavelet")
    plain = state.outcome(lane).trial
    assert plain is not None and "psnr_inside" not in plain.scores
    qtbot.mouseClick(window.top_bar.paint, Qt.MouseButton.LeftButton)
    assert window.region_strip.isVisible()
    assert window.region_strip.says.toolTip() == "Wavelet follows it; JPEG cannot"
    stroke(bench, qtbot)
    assert state.outcome(lane).solved is not None, "old pixels stay until the new ones come"
    settle(bench)
    painted = state.outcome(lane).trial
    source = state.current
    assert painted is not None and source is not None and source.importance is not None
    assert painted.key.image != plain.key.image
    assert painted.bpp <= 0.8
    assert painted.scores["psnr_inside"] > painted.scores["psnr_outside"] + 4
    jpeg = state.outcome(lane_of(bench, "jpeg"))
    assert jpeg.solved is not None
    assert jpeg.solved.result.encodes == 0, "its files are those of the plain picture"
    assert any("cannot be told where its bits matter" in note for note in jpeg.solved.notes)
    window.sessions.save(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: window.sessions.file is not None, timeout=10_000)
    kept = source.importance
    qtbot.mouseClick(window.region_strip.undo, Qt.MouseButton.LeftButton)
    settle(bench)
    back = state.outcome(lane).trial
    assert source.importance is None and back is not None and back.key == plain.key
    window.actions_by_id["cancel"].trigger()
    assert not state.painting and not window.region_strip.isVisible()
    window.actions_by_id["new_session"].trigger()
    window.sessions.open(tmp_path / f"s{SUFFIX}")
    qtbot.waitUntil(lambda: state.current is not None, timeout=10_000)
    settle(bench)
    assert state.current is not None and state.current.importance == kept
    again = state.outcome(lane_of(bench, "wavelet")).trial
    assert again is not None and again.key == painted.key

"""A person looks at a lightmap as the game will show it: flat, on a mesh, turned, wiped, judged there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.io import write
from engine.lit.look import Lit
from engine.tone import Tone
from engine.trial import Target, TargetKind
from gui.app import Workbench
from gui.models.lit import LitView
from gui.session import fields
from gui.state import ORIGINAL, View
from tests.e2e.test_workbench import drop, grab, lane_of

Settle = Callable[[Workbench], None]
POOR, GOOD = "wavelet", "rgbe"


@pytest.fixture
def lightmap(tmp_path: Path) -> Path:
    """A map with a hard shadow, and beside it a square mesh that it lies on."""
    y, x = np.mgrid[:48, :64]
    light = np.where(x + y > 50, 1.2, 0.08)[:, :, None] * np.array([1.0, 0.8, 0.6]) * (0.5 + y / 64)[:, :, None]
    (tmp_path / "wall.obj").write_text(
        "v 0 0 0\nv 4 0 0\nv 4 3 0\nv 0 3 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\n"
    )
    path = tmp_path / "wall.exr"
    write(path, Image(light.astype(np.float32), LINEAR_SRGB))
    return path


@pytest.fixture
def wall(bench: Workbench, lightmap: Path, settle: Settle) -> Workbench:
    """Two codecs on the lightmap, one of them poor."""
    bench.window.resize(1100, 700)
    bench.controller.set_target(Target(TargetKind.BPP, 0.6))
    for codec_id in (POOR, GOOD):
        bench.controller.add_codec(codec_id)
    assert drop(bench.window, lightmap)
    settle(bench)
    return bench


def pane(bench: Workbench, rendition: int) -> np.ndarray:
    return grab(bench.window.compare.visible_panes()[str(rendition)].canvas)


def header(bench: Workbench, rendition: int) -> str:
    return bench.window.compare.visible_panes()[str(rendition)].canvas.accessibleDescription()


def test_lit_panes_follow_exposure_filter_and_albedo_and_say_their_error(wall: Workbench, settle: Settle) -> None:
    state, window = wall.state, wall.window
    poor_lane, good_lane = lane_of(wall, POOR), lane_of(wall, GOOD)
    original = window.compare._renditions[str(ORIGINAL)]
    plain = original.picture
    assert not window.lit_strip.isVisible()
    window.commands.serve("view_lit")
    settle(wall)
    assert window.lit_strip.isVisible() and window.lit_strip.density.isVisible()
    assert original.picture is not plain  # white, one pixel a texel: made anew, and the same
    assert np.array_equal(original.picture.levels[0], plain.levels[0])
    poor, good = (window.refresher._lit.error(lane) for lane in (poor_lane, good_lane))
    assert poor is not None and good is not None and poor.flip > good.flip > 0 and poor.psnr < good.psnr
    assert f"lit FLIP {poor.flip:.4f}" in header(wall, poor_lane)
    before = pane(wall, poor_lane)
    state.set_tone(Tone(exposure=state.tone.exposure + 2))
    settle(wall)
    assert pane(wall, poor_lane).mean() > before.mean() + 10
    brighter = window.refresher._lit.error(poor_lane)
    assert brighter is not None and brighter.flip != poor.flip
    strip = window.lit_strip
    strip.density.setCurrentIndex(strip.density.findData("2.0"))
    strip.filter.setCurrentIndex(strip.filter.findData("bicubic"))
    strip.albedo.setCurrentIndex(strip.albedo.findData("grey"))
    strip.albedo.activated.emit(strip.albedo.currentIndex())
    settle(wall)
    assert window.compare.view.image == (128, 96)
    window.refresher.hovered(127, 0)
    assert "x 63  y 0" in window.status.text()
    window.commands.serve("lit_errors")
    settle(wall)
    assert "Lit FLIP" in window.compare._bar.accessibleName()
    assert not np.array_equal(pane(wall, poor_lane), pane(wall, ORIGINAL))
    window.commands.serve("view_picture")
    settle(wall)
    assert window.compare.view.image == (64, 48) and not window.lit_strip.isVisible()
    assert "log2-PSNR" in header(wall, poor_lane)


def test_a_mesh_is_turned_wiped_and_judged_from_where_one_looks(wall: Workbench, qtbot: QtBot, settle: Settle) -> None:
    state, window = wall.state, wall.window
    scene, poor_lane = window.scene, lane_of(wall, POOR)
    state.activate(poor_lane)
    window.commands.serve("view_scene")
    settle(wall)
    assert scene.isVisible() and scene.hasFocus() and not window.compare.isVisible()
    assert window.lit_strip.mesh.currentText() == "wall.obj"
    assert "lit FLIP" in scene.accessibleDescription() and "Wavelet" in scene.accessibleDescription()
    scene.hovered.emit(0.5, 0.25)
    assert "x 32  y 12" in window.status.text()
    first = grab(scene)
    start = QPoint(240, 120)
    qtbot.mousePress(scene, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(scene, start + QPoint(-60, 20))
    qtbot.mouseRelease(scene, Qt.MouseButton.LeftButton, pos=start + QPoint(-60, 20))
    settle(wall)
    turned, said = grab(scene), scene.accessibleDescription()
    assert (turned != first).any(axis=2).mean() > 0.1
    state.activate(lane_of(wall, GOOD))
    settle(wall)
    assert "RGBE" in scene.accessibleDescription() and scene.accessibleDescription() != said
    right = slice(scene.width() // 2 + 60, None)
    assert np.array_equal(grab(scene)[60:, : scene.width() // 2 - 60], turned[60:, : scene.width() // 2 - 60])
    assert not np.array_equal(grab(scene)[60:, right], turned[60:, right])
    state.set_tone(Tone(exposure=state.tone.exposure - 2))
    settle(wall)
    assert grab(scene).mean() < turned.mean()
    window.commands.serve("lit_errors")
    settle(wall)
    assert window.scene_pane._bar.isVisible()
    window.commands.serve("view_picture")
    settle(wall)
    assert window.compare.isVisible() and not scene.isVisible()


def test_another_map_wants_a_mesh_which_is_dropped_or_found_beside_it(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    state, window = bench.state, bench.window
    path = tmp_path / "quad.exr"
    write(path, Image(np.full((32, 32, 3), 0.3, np.float32), LINEAR_SRGB))
    assert drop(window, path)
    settle(bench)
    window.commands.serve("view_scene")
    settle(bench)
    assert window.scene.frame is None and "Ctrl+Shift+M" in window.scene._lesson
    mesh = tmp_path / "elsewhere.obj"
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")
    assert drop(window, mesh)
    settle(bench)
    assert state.view is View.SCENE and window.scene.frame is not None
    assert window.scene.frame.seen.covered.mean() > 0.05 and len(window.scene.frame.pictures) == 1
    broken = tmp_path / "broken.glb"
    broken.write_bytes(b"glTF\2\0\0\0")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(broken), ""))
    window.commands.serve("open_mesh")
    settle(bench)
    assert any("broken.glb" in toast.text for toast in window.toasts.shown())


def test_a_session_keeps_how_a_map_is_lit_and_pictures_of_codes_have_no_lit_view(
    bench: Workbench, tmp_path: Path, settle: Settle
) -> None:
    state, window = bench.state, bench.window
    plain = tmp_path / "plain.png"
    write(plain, Image(np.full((40, 50, 3), 90, np.uint8)))
    assert drop(window, plain)
    settle(bench)
    window.commands.serve("view_lit")
    assert state.view is View.PICTURE
    assert not window.top_bar.views.button("lit").isEnabled()
    look = Lit("bicubic", "3", 2.0, "checker")
    state.set_view(lit=LitView(look), view=View.SCENE)
    settle(bench)
    assert window.compare.isVisible() and not window.scene.isVisible()  # until light is looked at
    kept = fields.take(window)
    state.set_view(lit=LitView(), view=View.PICTURE)
    assert fields.put(window, {"view": {**kept["view"], "lit_mips": "deep"}}) == [
        "view.lit_mips: not one of off, auto, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
    ]
    assert (state.view, state.lit.look) == (View.SCENE, replace(look, mips="auto"))

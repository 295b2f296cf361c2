"""A person drops one map of a bake, steps through its maps, looks at the set, and writes the bake back elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine import io
from engine.color import LINEAR_SRGB
from engine.image import Alpha, Image, Meaning
from engine.light_sets.write_back import REPORT
from engine.metrics import scores
from engine.trial import Target, TargetKind
from gui.app import Workbench
from gui.light_set.model import QUALITY
from gui.light_set.panel import SetPanel
from gui.light_set.write_back import BAKE, WriteBackDialog
from gui.panels import bake_strip
from gui.panels.sources import _strip
from tests.e2e.test_session_with_light import scene
from tests.e2e.test_workbench import drop, lane_of
from tests.engine.test_channels import directions

Settle = Callable[[Workbench], None]


@pytest.fixture
def bake(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "Scene"
    folder.mkdir()
    paths = [folder / f"Lightmap-0_comp_{each}" for each in ("light.exr", "dir.png", "shadowmask.png")]
    io.write(paths[0], Image(scene(), LINEAR_SRGB))
    for path in paths[1:]:
        io.write_png(path, Image(directions().pixels, alpha=Alpha.STRAIGHT))
    return paths


def test_a_bake_is_one_entry_is_judged_by_its_kinds_and_is_written_back(
    bench: Workbench, bake: list[Path], settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    state, window = bench.state, bench.window
    bench.controller.add_codec("wavelet")
    bench.controller.add_codec("bc6h", {"effort": "fast"})
    bench.controller.set_target(Target(TargetKind.BPP, 2.0))
    assert drop(window, bake[1])
    settle(bench)
    (entry,) = window.sources.items()
    assert [each.label for each in entry.maps] == ["Light", "Direction", "Shadows"] and entry.name == "Lightmap-0"
    assert state.current is not None and state.current.path == bake[1] and state.meaning is Meaning.DIRECTION
    trial = state.outcome(lane_of(bench, "wavelet")).trial
    assert trial is not None and trial.scores["angle_mean"] < 10 and "ssim" not in trial.scores
    assert state.score_metric == "angle_mean" and len(state.renditions()) == 2  # BC6H has no pane
    # the next map, by the key and by a click
    window.compare.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_M)
    settle(bench)
    assert state.current.path == bake[2] and state.score_metric == "mask_worst"
    row = window.sources.list.visualRect(window.sources.list.model().index(0, 0)).adjusted(0, 1, 0, -1)
    cell = bake_strip.cells(_strip(row), 3)[0]
    qtbot.mouseClick(window.sources.list.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
    settle(bench)
    assert state.current.path == bake[0] and state.is_float and len(state.renditions()) == 3
    # the set
    window.actions_by_id["toggle_set"].trigger()
    panel = window.light_set
    qtbot.waitUntil(lambda: panel.model.rowCount() == 3 and "…" not in _cells(panel), timeout=60_000)
    settle(bench)
    assert window.plot.isHidden() and panel.isVisible()
    scored = [each.db for each in panel.model.rows if each.db is not None]
    assert len(scored) == 3 and scored == sorted(scored)
    worst = panel.table.visualRect(panel.model.index(0, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=worst)
    settle(bench)
    assert state.current.id == panel.model.rows[0].source
    before = {path: path.read_bytes() for path in bake}
    out = tmp_path / "Game"
    write_back(bench, bake[0].parent, out, qtbot)
    settle(bench)
    report = json.loads((out / REPORT).read_text())
    assert report["maps"] == 3 and not any(each["error"] for each in report["rows"])
    for path in bake:
        now = io.read(out / path.name).image
        assert now.meaning is io.read(path).image.meaning and path.read_bytes() == before[path]
    written = io.read(out / bake[1].name).image
    assert scores(directions(), written, ["angle_mean"])["angle_mean"] == pytest.approx(trial.scores["angle_mean"])


def write_back(bench: Workbench, home: Path, out: Path, qtbot: QtBot) -> None:
    """By the dialog, which refuses the folder of the originals."""
    bench.window.actions_by_id["write_back"].trigger()
    dialog = bench.window.findChild(WriteBackDialog)
    assert isinstance(dialog, WriteBackDialog)
    dialog.scope.setCurrentIndex(dialog.scope.findData(BAKE))
    dialog.folder.setText(str(home))
    assert not dialog.start.isEnabled() and "originals" in dialog.fault.text()
    dialog.folder.setText(str(out))
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: (out / REPORT).exists() and len(list(out.iterdir())) == 4, timeout=60_000)


def _cells(panel: SetPanel) -> list[object]:
    model = panel.model
    return [model.data(model.index(row, QUALITY)) for row in range(model.rowCount())]

"""A set of maps must fit so many bytes: measured in the window, answered live, carried out into another folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.image import Image
from engine.io import write
from engine.presets import presets
from gui.app import Workbench
from gui.budget.window import BudgetWindow, Page
from tests.e2e.test_session_with_light import scene
from tests.e2e.test_workbench import answer_dialog

LEFT = Qt.MouseButton.LeftButton
FORMATS = ("bc6h", "astc", "wavelet")
Settle = Callable[[Workbench], None]


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A noisy map, a soft one, and a dark one in a folder of its own."""
    folder = tmp_path / "maps"
    (folder / "hall").mkdir(parents=True)
    noise = np.random.default_rng(1).lognormal(0, 0.6, (64, 64, 3))
    for name, light in (("noisy", scene(64, 64) * noise), ("soft", scene(64, 64)), ("hall/dark", scene(32, 32) / 50)):
        write(folder / f"{name}.exr", Image(light.astype(np.float32), LINEAR_SRGB))
    return folder


@pytest.fixture
def window(bench: Workbench, maps: Path, settle: Settle, qtbot: QtBot) -> BudgetWindow:
    """As Ctrl+M opens it over one of the maps."""
    bench.controller.add_codec("wavelet")
    bench.controller.open_paths([maps / "soft.exr"])
    settle(bench)
    qtbot.keyClick(bench.window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(bench.window.budget.isVisible, timeout=5000)
    return bench.window.budget


def spent(window: BudgetWindow) -> int:
    return sum(row.becomes for row in window.model.rows)


def test_a_set_is_measured_once_answered_live_and_carried_out(
    window: BudgetWindow, bench: Workbench, maps: Path, settle: Settle, qtbot: QtBot
) -> None:
    assert window.pages.currentIndex() == Page.LESSON and window.form.folder.edit.text() == str(maps)
    assert [codec for codec, tick in window.form.ticks.items() if tick.isChecked()] == ["wavelet"]
    qtbot.waitUntil(lambda: window.form.count.text() == "3 maps", timeout=5000)
    for codec in FORMATS:
        window.form.ticks[codec].setChecked(True)
    window.form.points.setValue(3)
    qtbot.mouseClick(window.measure, LEFT)
    qtbot.waitUntil(lambda: window.measuring.running, timeout=5000)
    assert window.stop_button.isVisible()
    settle(bench)
    survey = window.measuring.survey
    assert survey is not None and survey.finished and survey.encodes == 3 * 3 * (1 + 3 + 3)

    window.count.setCurrentIndex(window.count.findData("vram"))
    window.field.setText("6 KB")
    window.field.editingFinished.emit()
    settle(bench)
    assert {row.name for row in window.model.rows} == {"noisy.exr", "soft.exr", "hall/dark.exr"}
    assert [row.option.db for row in window.model.rows] == sorted(row.option.db for row in window.model.rows)
    assert 0 < spent(window) <= 6 * 1024
    assert "less error than" in window.beside.text() and "before" in window.beside.text()
    error, encodes = sum(row.option.error for row in window.model.rows), survey.encodes
    qtbot.mouseClick(window.refine, LEFT)
    assert window.measuring.running
    settle(bench)
    assert sum(row.option.error for row in window.model.rows) <= error and survey.encodes > encodes
    mixed, encodes = spent(window), survey.encodes
    assert mixed <= 6 * 1024
    qtbot.mouseClick(window.shown.button("single"), LEFT)
    assert len({row.option.preset for row in window.model.rows}) == 1 and spent(window) <= 6 * 1024
    qtbot.mouseClick(window.shown.button("plan"), LEFT)
    qtbot.keyClick(window.slider, Qt.Key.Key_PageDown)
    settle(bench)
    assert spent(window) < mixed and survey.encodes == encodes
    window.form.scales[1].setChecked(False)
    settle(bench)
    assert {row.option.scale for row in window.model.rows} <= {2, 4}


def test_a_plan_is_carried_out_and_listed(
    window: BudgetWindow, bench: Workbench, maps: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = window.form.add_preset.menu()
    menu.aboutToShow.emit()
    wanted = presets().by_id["unity-mobile-low"].label
    next(action for action in menu.actions() if action.text() == wanted).trigger()
    window.form.ticks["wavelet"].setChecked(False)
    window.begin()
    settle(bench)
    assert {row.option.codec for row in window.model.rows} == {"unity-mobile-low"}
    out = maps.with_name("packed")
    out.mkdir()
    window.carry_out(maps)
    assert "choose another" in window.fault.text()
    window.carry_out(out)
    settle(bench)
    rows = list(csv.DictReader((out / "import.csv").read_text(encoding="utf-8").splitlines()))
    sizes = {row["file"]: (out / row["written"]).stat().st_size for row in rows}
    assert sizes == {row.name: row.option.disk for row in window.model.rows}
    assert any("3 files and import.csv" in toast.text for toast in bench.window.toasts.shown())
    answer_dialog(monkeypatch, out / "plan.json")
    window.save.click()
    settle(bench)
    document = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert document["plan"]["disk_bytes"] == spent(window)


def test_measuring_can_be_given_up_and_goes_on_where_it_was(
    window: BudgetWindow, bench: Workbench, settle: Settle, qtbot: QtBot
) -> None:
    window.form.points.setValue(12)
    qtbot.mouseClick(window.measure, LEFT)
    qtbot.waitUntil(lambda: window.measuring.survey is not None and window.measuring.survey.encodes > 1, timeout=30_000)
    bench.window.commands.serve("cancel")
    assert not window.measuring.running and window.fault.text().startswith("Stopped")
    settle(bench)
    first = window.measuring.survey
    assert first is not None and 0 < first.encodes < 3 * 3 * 12
    qtbot.mouseClick(window.measure, LEFT)
    qtbot.waitUntil(lambda: window.measuring.running, timeout=5000)
    settle(bench)
    again = window.measuring.survey
    assert again is not None and again.finished and len(window.model.rows) == 3
    assert 0 < again.encodes <= 3 * 3 * 12 - first.encodes

"""The training window over a run that grows: followed, charted, started, stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.files import claimed
from engine.learned.run_folder import CHECKPOINT, LOCK, LOG, STEPS, WEIGHTS
from gui.app import Workbench
from gui.training import process
from gui.training.plan import Kind
from gui.training.window import REFERENCE, TrainingWindow
from tests.gui.training_kit import line, lines_of, stand_in, write

PATIENCE_MS = 20_000


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(runs: Path) -> Path:
    """A run of two validations, with a decay that has ended."""
    folder = runs / "hyperprior-3"
    write(folder / LOG, line(0, 9.0), line(100, 8.0), tail='{"steps": 20')
    write(folder / "decay-100" / LOG, line(150, 7.5, decay_minutes=60, decay_from_steps=100, decay_from_seconds=6000.0))
    (folder / "decay-100" / WEIGHTS).touch()
    (folder / CHECKPOINT).touch()
    return folder


def opened(bench: Workbench, qtbot: QtBot) -> TrainingWindow:
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(bench.window, Qt.Key.Key_T, modifiers)
    qtbot.waitUntil(bench.window.training.isVisible, timeout=5000)
    bench.window.training._timer.setInterval(50)
    return bench.window.training


def test_a_run_that_grows_is_followed(bench: Workbench, run: Path, qtbot: QtBot) -> None:
    window = opened(bench, qtbot)
    qtbot.waitUntil(lambda: window.form.values["Steps"].text() == "100", timeout=PATIENCE_MS)
    assert lines_of(window) == {
        "run": [(0.0, 9.0), (6000.0, 8.0)],
        "decay at 100": [(6000.0, 8.0), (9000.0, 7.5)],  # it branches off the run
    }
    assert window.headline.text() == "hyperprior-3: at rest, 1 decay has ended in weights"
    assert window.form.values["Loss"].text() == "8.0000"
    write(run / LOG, tail="0}\n")  # a line that was half written and is none
    write(run / LOG, line(200, 7.8), line(260, 7.7), line(240, 7.6))  # killed after 200, resumed from there
    write(run / STEPS, {"steps": 300, "seconds": 18000.0, "loss": 7.0, "learning_rate": 1.0})
    (run / REFERENCE).write_text(json.dumps({"codecs": {"jpeg": {"points": [{"bpp": 0.2, "psnr": 25.0}]}}}))
    qtbot.waitUntil(lambda: window.form.values["Steps"].text() == "300", timeout=PATIENCE_MS)
    assert [x for x, _ in lines_of(window)["run"]] == [0.0, 6000.0, 12000.0, 14400.0]
    assert window.form.values["Loss"].text() == "7.0000"
    assert window.form.values["Trained for"].text() == "5 h 0 min"
    window.plot.flush()
    assert [tag.label for tag in (each.tag for each in window.plot._lanes.values())] == [
        *("now, 240 steps", "decay at 100", "at first"),
    ]
    assert [reference.name for reference, _ in window.plot._references] == ["jpeg"]
    with claimed(run / LOCK, "taken"):
        qtbot.waitUntil(lambda: window.headline.text() == "hyperprior-3: training", timeout=PATIENCE_MS)
        assert window.stop_button.isVisible()
        window.form.kind.button(Kind.RESUME).click()
        assert not window.start.isEnabled()  # it goes on already
    qtbot.waitUntil(lambda: not window.stop_button.isVisible(), timeout=PATIENCE_MS)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_training_is_started_stopped_politely_and_resumed(
    bench: Workbench, runs: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "command", stand_in)
    window = opened(bench, qtbot)
    window.form.data.edit.setText(str(tmp_path))
    window.form.minutes.setValue(7)
    out = runs / "hyperprior-1"
    begin_and_stop(window, out, qtbot)
    words = json.loads((out / "words.json").read_text())
    assert words == ["train", "--arch", "hyperprior", "--data", str(tmp_path), "--out", str(out), "--minutes", "7"]
    assert any("stopped, and saved" in toast.text for toast in bench.window.toasts.shown())
    assert window.form.plan().folder == runs / "hyperprior-2"  # the next new run has another place
    assert not window.start.isEnabled() or window.form.plan().kind is Kind.NEW

    (out / "saved").unlink()
    window.form.kind.button(Kind.RESUME).click()
    begin_and_stop(window, out, qtbot)
    assert json.loads((out / "words.json").read_text())[-1] == "--resume"
    window.form.kind.button(Kind.DECAY).click()
    assert window.form.plan().words()[-2:] == ["--decay-minutes", "7"]


def begin_and_stop(window: TrainingWindow, out: Path, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    assert window.headline.text() == f"{out.name}: reading the pictures …"
    assert not window.start.isEnabled()
    qtbot.waitUntil(lambda: window.headline.text() == f"{out.name}: training", timeout=PATIENCE_MS)
    qtbot.mouseClick(window.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE_MS)
    assert (out / "saved").exists()
    qtbot.waitUntil(lambda: window.headline.text() == f"{out.name}: at rest", timeout=PATIENCE_MS)

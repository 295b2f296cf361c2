"""A batch from the window: asked for in its dialog, done by a process of its own, stopped, resumed, looked at."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from engine import io
from engine.image import Image
from gui.app import Workbench
from gui.batch.window import BatchWindow
from tests.pictures import photo_like

Settle = Callable[[Workbench], None]
PATIENCE_MS = 120_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(12):
        io.write_png(folder / f"p{index:02}.png", Image(photo_like(48, 64, seed=index)))
    (folder / "p05.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


@pytest.fixture
def window(bench: Workbench, folder: Path, settle: Settle, qtbot: QtBot) -> BatchWindow:
    """The dialog as Ctrl+B opens it over a comparison of two codecs."""
    for codec in ("jpeg", "webp"):
        bench.controller.add_codec(codec)
    bench.controller.open_paths([folder / "p00.png"])
    settle(bench)
    qtbot.keyClick(bench.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(bench.window.batch.isVisible, timeout=5000)
    return bench.window.batch


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_batch_is_asked_for_stopped_resumed_and_charted(
    window: BatchWindow, bench: Workbench, folder: Path, qtbot: QtBot
) -> None:
    assert window.form.plan().folder == str(folder)
    assert [lane.codec for lane in window.form.plan().lanes] == ["jpeg", "webp"]
    qtbot.waitUntil(lambda: window.form.count.text() == "12 pictures, 72 rows", timeout=5000)
    window.form.targets.setText("2, 3")
    window.form.workers.setValue(1)
    out = folder.with_name("pictures-batch")
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.model.rowCount() >= 4, timeout=PATIENCE_MS)
    assert "of 48 rows" in window.figures.text()
    qtbot.mouseClick(window.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE_MS)
    assert window.headline.text().startswith("Stopped")
    assert not (out / "results.csv").exists()

    assert window.start.text() == "Resume"
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE_MS)
    assert window.headline.text().startswith("Done, with errors")
    table = rows(out)
    assert len(table) == 11 * 4 + 1
    assert len({(row["image"], row["codec"], row["target_bpp"]) for row in table}) == len(table)
    assert all(float(row["bpp"]) <= float(row["target_bpp"]) for row in table if row["status"] == "done")

    qtbot.waitUntil(window.shown.button("chart").isEnabled, timeout=5000)
    qtbot.mouseClick(window.shown.button("chart"), Qt.MouseButton.LeftButton)
    assert window.plot.isVisible()
    assert not window.start.isEnabled()  # the same again would do nothing
    assert any("Batch of pictures" in toast.text for toast in bench.window.toasts.shown())


def test_a_batch_that_cannot_go_on_says_why(window: BatchWindow, folder: Path, qtbot: QtBot) -> None:
    window.form.where.setCurrentIndex(1)
    window.form.scheduler.setText("nonsense://nowhere")
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE_MS)
    assert "could not go on" in window.headline.text()
    assert "nonsense://nowhere" in window.fault.text()


def test_closing_the_window_asks_and_may_let_the_batch_go_on(
    window: BatchWindow, bench: Workbench, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.mouseClick(window.start, Qt.MouseButton.LeftButton)
    answers = ["Cancel", "Let it go on"]
    asked: list[str] = []

    def answer(box: QMessageBox) -> int:
        asked.append(box.text())
        wish = answers[len(asked) - 1]
        next(button for button in box.buttons() if button.text().replace("&", "") == wish).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    children = [child for child in psutil.Process().children() if "engine.cli" in " ".join(child.cmdline())]
    assert len(children) == 1
    bench.window.close()
    assert bench.window.isVisible()
    assert window.running
    bench.window.close()
    assert not bench.window.isVisible()
    assert len(asked) == 2
    assert not psutil.wait_procs(children, timeout=PATIENCE_MS / 1000)[1]  # it went on to its end by itself
    assert len(rows(folder.with_name("pictures-batch"))) == 11 * 6 + 1


def test_without_a_folder_nothing_is_counted(bench: Workbench, qtbot: QtBot) -> None:
    qtbot.keyClick(bench.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    window = bench.window.batch
    qtbot.waitUntil(window.isVisible, timeout=5000)
    with qtbot.waitSignal(window._count.timeout, timeout=5000):
        window._count.start()
    assert window.form.plan().folder == "" and window.form.count.text() == ""

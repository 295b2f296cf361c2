"""The whole workbench, offscreen, with a store and preferences of its own; nothing may outlive a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from tests.qt_guard import no_qt_warnings  # isort: skip  (before Qt)

from PySide6.QtWidgets import QApplication

from engine.store import RunStore
from gui import style
from gui.app import Workbench
from gui.theme import DARK

__all__ = ["no_qt_warnings"]

PATIENCE_MS = 120_000


@pytest.fixture
def bench(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_qt_warnings: None
) -> Iterator[Workbench]:
    monkeypatch.setenv("RATESCOPE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("RATESCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RATESCOPE_RUNS", str(tmp_path / "runs"))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    style.apply(qapp, DARK)
    made = Workbench(RunStore(tmp_path / "store"), workers=2)
    made.window.resize(1600, 1000)
    made.window.show()
    qtbot.waitExposed(made.window)
    yield made
    made.close()
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert not left, f"processes outlived the window: {left}"


@pytest.fixture
def settle(qtbot: QtBot) -> Callable[[Workbench], None]:
    """Waits until nothing runs and everything is drawn."""

    def wait(bench: Workbench) -> None:
        qtbot.waitUntil(lambda: bench.window.settled, timeout=PATIENCE_MS)
        bench.window.plot.flush()

    return wait

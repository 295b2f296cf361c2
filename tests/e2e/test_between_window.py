"""The window between two pictures: opened, slid through, drawn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from tiny_model import picture, tiny_vae_weights

from engine import io
from engine.image import Image
from gui.app import Workbench
from gui.between.window import DRAWN, LATENTS, BetweenWindow

PATIENCE_MS = 60_000


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATESCOPE_WEIGHTS", str(tiny_vae_weights(tmp_path)))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in ("one", "two", "three")]
    for seed, path in enumerate(paths):
        io.write_png(path, Image(picture(seed, 128)))
    return paths


def opened(bench: Workbench, qtbot: QtBot) -> BetweenWindow:
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(bench.window, Qt.Key.Key_I, modifiers)
    qtbot.waitUntil(bench.window.between.isVisible, timeout=5000)
    return bench.window.between


def test_a_slider_goes_from_one_picture_to_the_other_and_a_button_draws_one_of_nobody(
    bench: Workbench, pictures: list[Path], qtbot: QtBot, settle: Callable[[Workbench], None]
) -> None:
    bench.controller.open_paths(pictures)
    settle(bench)
    window = opened(bench, qtbot)
    settle(bench)
    assert [window.first.currentText(), window.second.currentText()] == ["one", "two"]
    assert window.latents.picture is not None and window.latents.picture.shape == (128, 128, 3)
    assert not window.words.text()

    qtbot.keyClick(window.share, Qt.Key.Key_Home)
    settle(bench)
    assert (window.pixels.picture == picture(0, 128)).all()
    qtbot.keyClick(window.share, Qt.Key.Key_End)
    settle(bench)
    assert (window.pixels.picture == picture(1, 128)).all()
    before = np.asarray(window.latents.picture)
    qtbot.keyClick(window.quality, Qt.Key.Key_End)
    settle(bench)
    assert (window.latents.picture != before).any()

    window.second.setFocus()
    qtbot.keyClick(window.second, Qt.Key.Key_Down)
    settle(bench)
    assert (window.pixels.picture == picture(2, 128)).all()

    qtbot.mouseClick(window.draw, Qt.MouseButton.LeftButton)
    settle(bench)
    assert window.latents.heading.text() == DRAWN and window.pixels.picture is None
    first = np.asarray(window.latents.picture)
    qtbot.mouseClick(window.draw, Qt.MouseButton.LeftButton)
    settle(bench)
    assert (window.latents.picture != first).any()
    qtbot.keyClick(window.share, Qt.Key.Key_Left)
    settle(bench)
    assert window.latents.heading.text() == LATENTS and window.pixels.picture is not None


def test_one_picture_has_nothing_to_lie_between(
    bench: Workbench, pictures: list[Path], qtbot: QtBot, settle: Callable[[Workbench], None]
) -> None:
    bench.controller.open_paths(pictures[:1])
    settle(bench)
    window = opened(bench, qtbot)
    assert "two pictures" in window.words.text() and not window.share.isEnabled() and window.draw.isEnabled()
    bench.controller.open_paths(pictures[1:2])
    settle(bench)
    assert window.share.isEnabled() and window.latents.picture is not None

"""What the tests of the views share: pictures, models, a shown area, and what a canvas has drawn."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.palette import look
from gui.theme import RADIUS
from gui.views.canvas import PictureCanvas
from gui.views.compare import CompareArea
from gui.views.model import PaneModel

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 160, 30), (30, 30, 200), (90, 90, 90)


def flat(colour: tuple[int, int, int], width: int = 96, height: int = 64) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def noise(width: int, height: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def models(codecs: int = 3) -> dict[str, PaneModel]:
    """The original and as many codecs: keys original, c1, c2, …"""
    found = {"original": PaneModel(1, "Original", rate_text="96 × 64")}
    for n in range(1, codecs + 1):
        colour, marker = look(n - 1).colour, look(n - 1).marker
        figures = {"rate_text": f"0.2{n} bpp", "size_text": f"{n}.0 KB", "score_text": f"3{n}.00 dB"}
        found[f"c{n}"] = PaneModel(n + 1, f"Codec {n}", colour, marker, **figures)
    return found


def pixels(widget: QWidget) -> np.ndarray:
    """What a widget draws, as H×W×3 u8 device pixels."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def drawing(canvas: PictureCanvas) -> np.ndarray:
    """What a canvas draws, less the rows in which its frame has round corners."""
    return pixels(canvas)[: -RADIUS - 1]


def settled(qtbot: QtBot, area: CompareArea) -> None:
    """Wait until all that was asked for is drawn at its best."""

    def at_rest() -> bool:
        for pane in area.visible_panes().values():
            pane.canvas.grab()
        return not area.busy

    qtbot.waitUntil(at_rest, timeout=10_000)

"""The histogram's panel: what it says, and what a pointer on it does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.histogram import Histogram, histogram
from engine.image import Image
from engine.tone import Tone
from gui import style
from gui.panels.histogram import HistogramPanel, Shown
from gui.theme import DARK
from tests.gui.panels_kit import A

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def panel(qtbot: QtBot) -> HistogramPanel:
    made = HistogramPanel()
    qtbot.addWidget(made)
    made.resize(264, 220)
    made.show()
    qtbot.waitExposed(made)
    return made


def of_light(*values: float) -> Histogram:
    return histogram(Image(np.array([values], np.float32)[:, :, None], LINEAR_SRGB))


def test_it_says_what_is_clipped_and_black_at_the_exposure(panel: HistogramPanel) -> None:
    panel.set_histograms(of_light(0.0, 0.1, 0.5, 3.0), None)
    assert (
        panel.words.text()
        == "clipped 25\N{NO-BREAK SPACE}% · black 25\N{NO-BREAK SPACE}% · no light 25\N{NO-BREAK SPACE}%"
    )
    panel.set_tone(Tone(exposure=1))
    assert panel.words.text().startswith("clipped 50")


def test_a_drag_makes_the_light_under_the_pointer_white(panel: HistogramPanel, qtbot: QtBot) -> None:
    panel.set_histograms(of_light(0.01, 0.2, 1.0, 4.0), None)
    heard: list[object] = []
    panel.exposure_moved.connect(heard.append)
    panel.released.connect(lambda: heard.append("rest"))
    panel.reset.connect(lambda: heard.append("reset"))
    y = panel.plot.height() // 2
    places = [QPoint(round(panel.plot.x_of(stops)), y) for stops in (-2.0, 1.0)]
    qtbot.mousePress(panel.plot, LEFT, pos=places[0])
    qtbot.mouseMove(panel.plot, places[1])
    qtbot.mouseRelease(panel.plot, LEFT, pos=places[1])
    step = 1 / panel.plot.width() * (panel.plot.range[1] - panel.plot.range[0])
    assert heard[:2] == [pytest.approx(2.0, abs=step), pytest.approx(-1.0, abs=step)] and heard[2:] == ["rest"]
    qtbot.mouseDClick(panel.plot, LEFT, pos=places[0])
    assert heard[-1] == "reset"


def hover(panel: HistogramPanel, value: float) -> None:
    """Move the pointer over the bin of a value, whatever other window lies there."""
    at = QPointF(panel.plot.x_of(value), 40)
    none, free = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(panel.plot, QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, free))


def test_the_pointer_reads_stops_and_light(panel: HistogramPanel) -> None:
    panel.set_histograms(of_light(0.25, 0.25, 0.25, 2.0), None)
    hover(panel, -1.95)
    words = panel.words.text()
    assert words.startswith("−1.9") and "stops · light 0.2" in words and words.endswith("75\N{NO-BREAK SPACE}%")
    QApplication.sendEvent(panel.plot, QEvent(QEvent.Type.Leave))
    assert panel.words.text().startswith("clipped")


def test_code_values_have_no_exposure(panel: HistogramPanel, qtbot: QtBot) -> None:
    codes = histogram(Image(np.arange(256, dtype=np.uint8).reshape(16, 16)))
    panel.set_histograms(codes, Shown("JPEG", A.look, codes))
    assert panel.what.itemText(0) == "luma" and panel._name.text() == "JPEG over the original"
    heard: list[float] = []
    panel.exposure_moved.connect(heard.append)
    qtbot.mouseClick(panel.plot, LEFT, pos=QPoint(round(panel.plot.x_of(128.5)), 40))
    hover(panel, 200.5)
    assert heard == [] and panel.words.text().startswith("code 200")


def painted(panel: HistogramPanel) -> np.ndarray:
    picture = panel.plot.grab().toImage()
    return np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1, 4)[:, :, :3].astype(int)


def test_rare_light_is_seen_through_the_logarithm_and_colours_apart(panel: HistogramPanel) -> None:
    light = np.full((40, 50, 3), 0.25, np.float32) * [1, 0.5, 0.25]
    light[0, :8] = 4.0
    panel.set_histograms(histogram(Image(light.astype(np.float32), LINEAR_SRGB)), None)
    plain = painted(panel)
    panel.log.setChecked(True)
    rare = slice(round(panel.plot.x_of(2.02)), round(panel.plot.x_of(2.1)) + 1)
    area = slice(int(panel.plot.area.top()) + 10, int(panel.plot.area.bottom()) - 10)
    assert np.abs(painted(panel)[area, rare] - plain[area, rare]).max() > 20
    panel.what.setCurrentIndex(1)
    colours = painted(panel)
    assert (np.ptp(colours, axis=2) > 40).sum() > 10 * (np.ptp(plain[area], axis=2) > 60).sum()

"""A lighting artist's round: look at a bake in zebra and stops, set the exposure on the histogram, bake anew, go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.color import LINEAR_SRGB
from engine.film import ZEBRA
from engine.image import Image
from engine.io import write
from engine.tone import Tone
from gui.app import Workbench
from gui.state import ORIGINAL, View
from tests.e2e.test_session_with_light import compared, scene, shown
from tests.e2e.test_workbench import lane_of

LEFT = Qt.MouseButton.LeftButton
Settle = Callable[[Workbench], None]


@pytest.fixture
def bake(tmp_path: Path) -> Path:
    """A tenth of it, at the right, does not count."""
    return baked(tmp_path / "bake.exr", 1.0)


def baked(path: Path, strength: float) -> Path:
    light = scene()
    covered = np.ones(light.shape[:2], bool)
    covered[:, -13:] = False
    write(path, Image((light * strength).astype(np.float32), LINEAR_SRGB, mask=covered))
    return path


def red(picture: np.ndarray) -> int:
    """How many pixels have the zebra's colour of what is clipped."""
    return int((np.abs(picture.astype(int) - ZEBRA["clipped"]).max(2) < 12).sum())


def test_a_bake_is_looked_at_baked_anew_and_looked_at_again(
    bench: Workbench, bake: Path, settle: Settle, qtbot: QtBot
) -> None:
    compared(bench, bake, settle, ("wavelet", "jxl"))
    state, window = bench.state, bench.window
    lane = lane_of(bench, "wavelet")
    look, panes = window.tone_strip.look, (ORIGINAL, lane)
    assert not any(red(shown(bench, each)) for each in panes)
    look.setCurrentIndex(look.findData("zebra"))
    settle(bench)
    stripes = [red(shown(bench, each)) for each in panes]
    assert min(stripes) > 200 and stripes[0] == pytest.approx(stripes[1], rel=0.1)
    look.setCurrentIndex(look.findData("stops"))
    settle(bench)
    in_stops = [len(np.unique(shown(bench, each).reshape(-1, 3), axis=0)) for each in panes]
    assert all(8 <= colours < 2000 for colours in in_stops)  # flat steps, and what the scaling mixes at their edges
    assert not any(red(shown(bench, each)) for each in panes)

    # The exposure on the histogram: the brightest light becomes white, and nothing is clipped.
    panel = window.histogram
    assert "over the original" in panel._name.text() and panel.words.text().startswith("clipped")
    middle = panel.plot.height() // 2
    places = [QPoint(round(panel.plot.x_of(stops)), middle) for stops in (0.0, 3.7)]
    qtbot.mousePress(panel.plot, LEFT, pos=places[0])
    qtbot.mouseMove(panel.plot, places[1])
    assert state.tone_moves
    qtbot.mouseRelease(panel.plot, LEFT, pos=places[1])
    settle(bench)
    assert not state.tone_moves and state.tone.exposure == pytest.approx(-3.7, abs=0.1)
    assert window.tone_strip.exposure.value() == state.tone.exposure
    assert panel.words.text().startswith("clipped 0\N{NO-BREAK SPACE}%")

    # Baked anew, four times as bright: read, coded, mapped and counted again; view and tone stay.
    state.set_view(view=View.ERROR)
    settle(bench)
    before, tone = state.outcome(lane), state.tone
    file, trial, histogram = before.solved.data, before.trial, panel._original
    bench.watch.look()
    baked(bake, 4.0)
    bench.watch.look()
    bench.watch.look()
    qtbot.waitUntil(lambda: float(state.current.image.pixels.max()) > 40, timeout=30_000)
    settle(bench)
    after = state.outcome(lane)
    assert after.solved.data != file and after.trial.key.image == state.current.image.digest != trial.key.image
    assert "log2_psnr" in after.maps and state.view is View.ERROR and state.tone == tone
    assert panel._original is not histogram and panel._original.total == histogram.total
    assert panel.words.text().startswith("clipped 9") or panel.words.text().startswith("clipped 1")

    window.commands.serve("tone_reset")
    settle(bench)
    assert state.tone == Tone()

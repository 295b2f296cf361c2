"""Painting a region: what a brush covers, what is drawn of it, what the strip tells, and what a session keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.image import Image
from engine.importance import CELL, LIMIT, Importance, mask_from, of_mask
from engine.trial import EncodeKey, Trial
from gui.models.units import NBSP
from gui.painted import brush, importance_of, steps_of, with_region
from gui.panels.region_strip import ERASE, LESS, RegionStrip
from gui.presenters import pane_region
from gui.session.document import SavedSource, Session, dump, parse_bytes
from gui.session.region import json_of, region_of
from gui.state import Source
from gui.views.compare import CompareArea
from tests.gui.views_kit import drawing, flat, models, settled


def blank(rows: int = 4, columns: int = 6) -> np.ndarray:
    return np.zeros((rows, columns), np.int8)


# --- The brush ---------------------------------------------------------------------------------------


def test_a_brush_covers_the_cells_whose_middle_it_reaches() -> None:
    steps = blank()
    assert brush(steps, (40, 24), (40, 24), 17, LIMIT)
    assert np.argwhere(steps).tolist() == [[0, 2], [1, 1], [1, 2], [1, 3], [2, 2]]
    assert not brush(steps, (40, 24), (40, 24), 17, LIMIT)


def test_the_smallest_brush_covers_the_cell_under_it() -> None:
    steps = blank()
    assert brush(steps, (1, 1), (1, 1), 1, -2)
    assert np.argwhere(steps == -2).tolist() == [[0, 0]]


def test_a_fast_stroke_leaves_no_gap() -> None:
    steps = blank(1, 8)
    assert brush(steps, (2, 8), (126, 8), 8, 4)
    assert steps.tolist() == [[4] * 8]


def test_a_stroke_may_leave_the_picture() -> None:
    steps = blank()
    assert not brush(steps, (-90, -90), (-80, 300), 20, 3)
    assert brush(steps, (-90, 8), (300, 8), 9, 3)
    assert steps[0].tolist() == [3] * 6


def test_zero_erases_and_nothing_left_is_no_map() -> None:
    steps = np.full((1, 2), 5, np.int8)
    brush(steps, (0, 8), (32, 8), 10, 0)
    assert importance_of(steps) is None


# --- With a picture -----------------------------------------------------------------------------------


def test_what_is_painted_on_a_row_goes_with_its_picture_unless_its_size_changed() -> None:
    source = Source(1, Path("a.png"), "a", importance=Importance(np.ones((2, 3), np.int8)))
    image = with_region(source, Image(np.zeros((32, 48, 3), np.uint8)))
    assert image.importance is source.importance
    assert np.array_equal(steps_of(image), source.importance.steps) if source.importance else False
    assert with_region(source, Image(np.zeros((64, 48, 3), np.uint8))).importance is None
    assert source.importance is None


def test_a_saved_mask_paints_the_same_map() -> None:
    steps = np.arange(-LIMIT, LIMIT + 1, dtype=np.int8)[None]
    mask = mask_from(Importance(steps), CELL - 3, CELL * steps.shape[1])
    assert of_mask(mask / 255) == Importance(steps)


def test_a_session_keeps_what_is_painted_and_distrusts_it() -> None:
    painted = Importance(np.array([[0, 8, -3]], np.int8))
    session = Session(sources=(SavedSource("/a.png", region=json_of(painted)),))
    remarks: list[str] = []
    again = parse_bytes(dump(session)).sources[0].region
    assert region_of(again, remarks) == painted
    assert region_of(json_of(None), remarks) is None
    assert remarks == []
    for broken in ({"rows": 1}, {**again, "columns": 1 << 30}, {**again, "cells": "?"}, {**again, "cells": "AAAA"}):
        assert region_of(broken, remarks) is None
    assert len(remarks) == 4
    assert session.content() != Session(sources=(SavedSource("/a.png"),)).content()


def test_a_pane_says_what_the_region_has() -> None:
    scores = {"psnr": 30.0, "psnr_inside": 36.381, "psnr_outside": 29.2}
    key = EncodeKey("", "jpeg", "", "{}")
    assert pane_region(Trial(key, 1, 1.0, scores=scores)) == f"inside 36.38 · outside 29.20{NBSP}dB"
    assert pane_region(Trial(key, 1, 1.0, scores={"psnr": 30.0})) == ""


# --- On the panes -------------------------------------------------------------------------------------


@pytest.fixture
def area(qtbot: QtBot) -> CompareArea:
    made = CompareArea()
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.set_renditions(models(1))
    for key in made.keys:
        made.set_picture(key, flat((90, 90, 90)))
    made.show()
    settled(qtbot, made)
    made.brush.set_region(blank(), (96, 64))
    yield made
    made.close_work()


def test_what_is_painted_is_tinted_over_the_original_and_outlined_over_the_others(
    area: CompareArea, qtbot: QtBot
) -> None:
    panes = area.visible_panes()
    before = {key: drawing(pane.canvas) for key, pane in panes.items()}
    steps = blank()
    steps[1:3, 1:3], steps[1:3, 4] = LIMIT, -LIMIT
    area.brush.set_region(steps, (96, 64))
    area.brush.set_on(True)
    changed = {key: (drawing(pane.canvas) != before[key]).any(axis=2) for key, pane in panes.items()}
    assert changed["original"].sum() > 3 * changed["c1"].sum() > 0
    area.brush.set_on(False)
    assert all((drawing(pane.canvas) == before[key]).all() for key, pane in panes.items())


def test_a_drag_paints_with_the_brush_and_pans_without(area: CompareArea, qtbot: QtBot) -> None:
    canvas = area.visible_panes()["original"].canvas
    middle = canvas.rect().center()
    area.brush.set_brush(LIMIT, 4)
    area.brush.set_on(True)
    view = area.view
    with qtbot.waitSignal(area.brush.finished) as told:
        qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
        qtbot.mouseMove(canvas, middle + QPoint(20, 0))
        qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(20, 0))
    assert 1 <= (told.args[0] == LIMIT).sum() <= 4 and area.view == view
    area.brush.set_brush(0, 300)
    with qtbot.waitSignal(area.brush.finished) as told:
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert not told.args[0].any()
    with qtbot.assertNotEmitted(area.brush.finished):
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)


# --- The strip ----------------------------------------------------------------------------------------


def test_the_strip_says_what_the_brush_is(qtbot: QtBot) -> None:
    strip = RegionStrip()
    qtbot.addWidget(strip)
    assert strip.level == LIMIT
    with qtbot.waitSignal(strip.brush_changed):
        strip.set_tool(LESS)
    assert strip.level == -LIMIT
    strip.set_tool(ERASE)
    assert strip.level == 0 and not strip.strength.isEnabled()
    before = strip.radius
    with qtbot.waitSignal(strip.brush_changed):
        strip.resize_brush(1)
    assert strip.radius > before
    strip.set_followers(["Wavelet"], ["JPEG", "AVIF"])
    assert strip.says.toolTip() == "Wavelet follows it; JPEG, AVIF cannot"

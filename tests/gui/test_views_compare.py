"""The compare area, driven by real events and judged by its pixels."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from views_kit import BLUE, GREEN, GREY, RED, drawing, flat, models, noise, pixels, settled

from gui.style import current
from gui.views.canvas import PictureCanvas
from gui.views.compare import CompareArea
from gui.views.layouts import Layout
from gui.views.model import PaneState
from gui.views.overlays import AddPlace
from gui.widgets.colour_bar import ColourBar, Scale
from gui.widgets.colour_square import ColourSquare, CrossScale

COLOURS = {"original": GREY, "c1": RED, "c2": GREEN, "c3": BLUE}


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[CompareArea]:
    """Four panes: grey original, red, green and blue codecs, 96×64 texels, in an area of 800×600."""
    area = CompareArea()
    qtbot.addWidget(area)
    area.resize(800, 600)
    area.show()
    area.set_renditions(models())
    for key, colour in COLOURS.items():
        area.set_picture(key, flat(colour))
    settled(qtbot, area)
    yield area
    area.close_work()


def canvas(area: CompareArea, key: str) -> PictureCanvas:
    return area.visible_panes()[key].canvas


def middle(area: CompareArea, key: str) -> tuple[int, ...]:
    seen = pixels(canvas(area, key))
    return tuple(int(v) for v in seen[seen.shape[0] // 2, seen.shape[1] // 2])


def wheel(target: PictureCanvas, at: QPoint, notches: float) -> None:
    none = (QPoint(), QPoint(0, round(120 * notches)), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    event = QWheelEvent(QPointF(at), QPointF(target.mapToGlobal(at)), *none, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(target, event)


def test_a_grid_shows_each_rendition_in_its_pane(area):
    assert {key: middle(area, key) for key in COLOURS} == COLOURS


def test_the_wheel_zooms_every_pane_around_the_cursor(area):
    target = canvas(area, "c1")
    at = QPoint(150, 120)
    before = target.texel_at(QPointF(at))
    scale = area.view.scale
    wheel(target, at, 2)
    assert area.view.scale > scale
    assert target.texel_at(QPointF(at)) == before
    assert canvas(area, "c3").texel_at(QPointF(at)) == before


def test_a_drag_pans_every_pane(area, qtbot):
    target = canvas(area, "c2")
    origin = area.view.origin(target.device_size())
    qtbot.mousePress(target, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(target, QPoint(130, 90))
    qtbot.mouseRelease(target, Qt.MouseButton.LeftButton, pos=QPoint(130, 90))
    assert area.view.origin(target.device_size()) == (origin[0] + 30, origin[1] - 10)
    assert area.active == "c2"


def test_one_to_one_is_exact_to_the_pixel(area, qtbot):
    rgb = noise(96, 64)
    area.set_picture("c1", rgb)
    qtbot.keyClick(canvas(area, "c1"), Qt.Key.Key_Z)
    settled(qtbot, area)
    target = canvas(area, "c1")
    left, top = area.view.origin(target.device_size())
    assert np.array_equal(pixels(target)[top : top + 64, left : left + 96], rgb)


@pytest.mark.parametrize("scale", [2.0, 3.7, 13.3])
def test_magnified_texels_are_crisp(area, qtbot, scale):
    rgb = noise(96, 64)
    area.set_picture("c1", rgb)
    target = canvas(area, "c1")
    area.linked.set_transform(replace(area.view, scale=scale, centre=(40.3, 30.1)))
    settled(qtbot, area)
    seen = drawing(target)
    left, top = area.view.origin(target.device_size())
    x = np.floor((np.arange(seen.shape[1]) + 0.5 - left) / scale).astype(int)
    y = np.floor((np.arange(seen.shape[0]) + 0.5 - top) / scale).astype(int)
    inside_x, inside_y = (x >= 0) & (x < 96), (y >= 0) & (y < 64)
    expected = rgb[y[inside_y]][:, x[inside_x]]
    drawn = seen[inside_y][:, inside_x]
    assert (drawn == expected).all(axis=2).mean() > 0.9  # a texel's edge may fall one device pixel beside
    known = {tuple(texel) for texel in rgb.reshape(-1, 3).tolist()}
    assert {tuple(texel) for texel in drawn.reshape(-1, 3).tolist()} <= known  # and nothing is blended


def test_a_fitted_checkerboard_keeps_its_mean_light(area, qtbot):
    board = (np.indices((900, 1200)).sum(axis=0) % 2 * 255).astype(np.uint8)
    big = np.repeat(board[:, :, None], 3, axis=2)
    for key in COLOURS:
        area.set_picture(key, big)
    settled(qtbot, area)
    target = canvas(area, "c1")
    left, top = area.view.origin(target.device_size())
    width, height = area.view.drawn_size()
    seen = pixels(target)[top : top + height, left : left + width].astype(int)
    assert width < 400
    assert abs(seen.mean() - 188) < 2  # sRGB 188 is half the light of white
    assert np.ptp(seen) < 30


def test_a_double_click_toggles_fit_and_one_to_one(area, qtbot):
    target = canvas(area, "c1")
    fitted = area.view.scale
    assert fitted == 4
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=QPoint(150, 120))
    assert area.view.scale == 1
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=QPoint(150, 120))
    assert area.view.scale == fitted


def test_shifted_arrows_pan_and_signs_zoom(area, qtbot):
    target = canvas(area, "c1")
    centre, scale = area.view.centre, area.view.scale
    qtbot.keyClick(target, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert area.view.centre[0] > centre[0]
    qtbot.keyClick(target, Qt.Key.Key_Plus)
    assert area.view.scale > scale
    qtbot.keyClick(target, Qt.Key.Key_F)
    assert (area.view.centre, area.view.scale) == (centre, scale)


def test_space_shows_the_original_everywhere_while_held(area, qtbot):
    target = canvas(area, "c1")
    with qtbot.waitSignal(area.flipped_changed):
        QTest.keyPress(target, Qt.Key.Key_Space)
    assert {middle(area, key) for key in COLOURS} == {GREY}
    assert area.visible_panes()["c1"].headers[0].override == "Original"
    QTest.keyRelease(target, Qt.Key.Key_Space)
    assert {key: middle(area, key) for key in COLOURS} == COLOURS
    assert area.visible_panes()["c1"].headers[0].override == ""


def test_a_flip_ends_when_the_focus_leaves(area, qtbot):
    other = QPushButton()
    qtbot.addWidget(other)
    other.show()
    area.set_flipped(True)
    other.setFocus()
    other.activateWindow()
    qtbot.waitUntil(lambda: not area.flipped)


def test_the_wipe_has_the_original_left_and_the_codec_right(area, qtbot):
    area.set_active("c2")
    area.set_layout(Layout.WIPE)
    settled(qtbot, area)
    seen = pixels(canvas(area, "c2"))
    row, half = seen.shape[0] // 4, seen.shape[1] // 2
    assert tuple(seen[row, half - 60]) == GREY
    assert tuple(seen[row, half + 60]) == GREEN


def test_the_wipe_line_follows_the_mouse_and_the_keys(area, qtbot):
    area.set_active("c2")
    area.set_layout(Layout.WIPE)
    settled(qtbot, area)
    target = canvas(area, "c2")
    half, row, scale = target.width() // 2, target.height() // 4, area.view.scale
    qtbot.mousePress(target, Qt.MouseButton.LeftButton, pos=QPoint(half, row))
    qtbot.mouseMove(target, QPoint(half + 100, row))
    qtbot.mouseRelease(target, Qt.MouseButton.LeftButton, pos=QPoint(half + 100, row))
    assert tuple(pixels(target)[row, half + 60]) == GREY
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=QPoint(half + 100, row))
    assert target.split == 0.5 and area.view.scale == scale
    target.set_split(0.9)
    qtbot.keyClick(target, Qt.Key.Key_Backslash)
    assert target.split == 0.5
    qtbot.keyClick(target, Qt.Key.Key_BracketLeft)
    assert target.split == pytest.approx(0.48)


def test_number_keys_choose_a_pane(area, qtbot):
    with qtbot.waitSignal(area.active_changed) as chosen:
        qtbot.keyClick(canvas(area, "original"), Qt.Key.Key_3)
    assert chosen.args == ["c2"]
    assert area.active_codec == "c2"


def test_tab_goes_to_the_next_pane_and_chooses_it(area, qtbot):
    area.activateWindow()
    canvas(area, "original").setFocus()
    qtbot.keyClick(canvas(area, "original"), Qt.Key.Key_Tab)
    assert area.active == "c1"


def test_blink_alternates_between_original_and_codec(area, qtbot):
    area.set_active("c3")
    area.set_layout(Layout.BLINK)
    area.set_blink((), 100)
    seen = set()

    def both() -> bool:
        (key,) = area.visible_panes()
        seen.add(middle(area, key))
        return seen == {GREY, BLUE}

    qtbot.waitUntil(both, timeout=3000)


def test_a_map_replaces_the_picture_and_goes_away_again(area, qtbot):
    area.set_heat("c1", flat((10, 20, 250)))
    settled(qtbot, area)
    assert middle(area, "c1") == (10, 20, 250)
    area.set_heat("c1", flat((0, 0, 0)), 0.5)
    settled(qtbot, area)
    assert middle(area, "c1")[0] == middle(area, "c1")[2] < 60
    area.set_heat("c1", None)
    assert middle(area, "c1") == RED


def test_a_map_of_another_size_is_refused(area):
    with pytest.raises(ValueError, match="does not fit"):
        area.set_heat("c1", flat(RED, 5, 5))


def test_old_pixels_stay_until_the_new_ones_are_ready(area, qtbot):
    area.set_picture("c1", flat(BLUE))
    assert middle(area, "c1") == RED
    settled(qtbot, area)
    assert middle(area, "c1") == BLUE


def test_the_texel_under_the_mouse_is_told_with_its_values(area, qtbot):
    area.set_values("original", flat(GREY))
    area.set_values("c1", flat(RED))
    target = canvas(area, "c1")
    with qtbot.waitSignal(area.hovered) as told:
        qtbot.mouseMove(target, QPoint(target.width() // 2, target.height() // 2))
    assert told.args == list(target.texel_at(QPointF(target.width() // 2, target.height() // 2)))
    assert area.values_at(*told.args) == {"original": GREY, "c1": RED}
    with qtbot.waitSignal(area.unhovered):
        qtbot.mouseMove(target, QPoint(1, 1))


def test_a_cross_marks_the_same_texel_in_the_other_panes(area, qtbot):
    before = pixels(canvas(area, "c3"))
    qtbot.mouseMove(canvas(area, "c1"), QPoint(150, 120))
    changed = np.argwhere((pixels(canvas(area, "c3")) != before).any(axis=2))
    assert len(changed) > 0
    assert np.abs(changed.mean(axis=0) - (120, 150)).max() < 3


def test_values_are_written_into_large_texels(area, qtbot):
    area.set_values("c1", flat(RED))
    target = canvas(area, "c1")
    area.linked.set_transform(replace(area.view, scale=27.0))
    assert len(np.unique(drawing(target).reshape(-1, 3), axis=0)) <= 2
    area.linked.set_transform(replace(area.view, scale=40.0))
    ink = (pixels(target) != RED).any(axis=2)
    left, top = area.view.origin(target.device_size())
    column, row = 4 + (-left) // 40, 3 + (-top) // 40
    cell = ink[top + 40 * row : top + 40 * row + 40, left + 40 * column : left + 40 * column + 40]
    assert 20 < cell.sum() < 800
    assert not cell[:2].any() and not cell[:, :2].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_in_a_map_the_differences_are_written(area, qtbot, dtype):
    """A pane that shows a map draws the same figures whether 7 is told from 5 or 9 from 7, and others for 5 from 7."""
    area.set_heat("c1", flat(GREY))
    settled(qtbot, area)
    area.linked.set_transform(replace(area.view, scale=48.0))

    def drawn(decoded: int, original: int) -> bytes:
        area.set_values("c1", np.full((64, 96, 3), decoded).astype(dtype))
        area.set_values("original", np.full((64, 96, 3), original).astype(dtype))
        return drawing(canvas(area, "c1")).tobytes()

    assert drawn(7, 5) == drawn(9, 7) != drawn(5, 7)
    area.set_heat("c1", None)
    assert drawn(7, 5) != drawn(9, 7)


def test_a_failure_is_said_in_the_pane_and_can_be_retried(area, qtbot):
    reason = "The encoder ran out of memory."
    area.set_model("c1", replace(models()["c1"], state=PaneState.FAILED, message=reason))
    pane = area.visible_panes()["c1"]
    button = next(b for b in pane.findChildren(QPushButton) if b.isVisible())
    assert reason in pane.canvas.accessibleDescription()
    with qtbot.waitSignal(area.retry_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["c1"]
    area.set_model("c1", models()["c1"])
    assert not button.isVisible()


def test_the_empty_state_opens_a_file(qtbot):
    area = CompareArea()
    qtbot.addWidget(area)
    area.resize(700, 500)
    area.show()
    button = next(b for b in area.findChildren(QPushButton) if b.isVisible())
    with qtbot.waitSignal(area.open_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    area.set_renditions(models(1))
    assert not button.isVisible()
    area.set_renditions({})
    assert button.isVisible()
    area.close_work()


def test_the_colour_bar_is_away_while_the_original_is_shown(area):
    table = np.linspace(0, 255, 256).astype(np.uint8)[:, None].repeat(3, axis=1)
    area.set_scale(Scale("FLIP", "", 0, 1, table))
    bar = area.findChild(ColourBar)
    assert bar is not None and bar.isVisible()
    area.set_flipped(True)
    assert not bar.isVisible()
    area.set_flipped(False)
    assert bar.isVisible()


def test_one_legend_is_shown_at_a_time(area):
    bar, square = area.findChild(ColourBar), area.findChild(ColourSquare)
    area.set_scale(Scale("Bits", "bits per pixel", 0, 3, np.zeros((256, 3), np.uint8)))
    assert (bar.isVisible(), square.isVisible()) == (True, False)
    area.set_scale(CrossScale(0.3, 0.1, "FLIP", ""))
    assert (bar.isVisible(), square.isVisible()) == (False, True)
    assert area.rect().contains(square.geometry())
    area.set_scale(None)
    assert (bar.isVisible(), square.isVisible()) == (False, False)


def test_a_drop_is_announced_over_the_whole_area(area):
    before = pixels(area)
    area.set_drop_hint(True)
    assert (pixels(area) != before).any(axis=2).mean() > 0.9
    area.set_drop_hint(False)
    assert np.array_equal(pixels(area), before)


def test_a_new_source_of_other_size_is_fitted(area, qtbot):
    for key, colour in COLOURS.items():
        area.set_picture(key, flat(colour, 1000, 200))
    settled(qtbot, area)
    assert area.view.image == (1000, 200)
    assert {key: middle(area, key) for key in COLOURS} == COLOURS


def test_renditions_that_stay_keep_their_pixels(area, qtbot):
    area.set_renditions({key: model for key, model in models().items() if key != "c2"})
    assert middle(area, "c3") == BLUE
    assert "c2" not in area.keys


def test_pictures_are_where_the_area_says(area):
    whole = pixels(area)
    for key, rect in area.picture_rects().items():
        inside = whole[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1]
        assert (inside == COLOURS[key]).all(axis=2).mean() > 0.99
        assert tuple(whole[rect.center().y(), rect.left() - 2]) == tuple(bytes.fromhex(current().surround[1:]))


def test_linked_panes_agree_to_the_pixel(area, qtbot):
    rgb = noise(500, 400)
    for key in COLOURS:
        area.set_picture(key, rgb)
    settled(qtbot, area)
    for scale in (0.37, 0.8, 1.0, 2.3, 17.0):
        area.linked.set_transform(replace(area.view, scale=scale, centre=(201.37, 133.9)))
        area.linked.pan(-11, 7)
        settled(qtbot, area)
        first, *others = (drawing(canvas(area, key)) for key in COLOURS)
        assert all(np.array_equal(first, other) for other in others), scale


def test_a_flip_compares_pictures_and_never_filters(area, qtbot):
    for seed, key in enumerate(COLOURS):
        area.set_picture(key, noise(1500, 1100, seed))
    settled(qtbot, area)
    assert area.view.scale < 1
    original = drawing(canvas(area, "original"))
    area.set_flipped(True)
    assert np.array_equal(drawing(canvas(area, "c2")), original)  # at once, not after a refinement


@pytest.mark.parametrize("scale", [0.37, 1.0, 3.7])
def test_a_wipe_of_equal_pictures_has_no_seam(area, qtbot, scale):
    rgb = noise(300, 250)
    area.set_picture("original", rgb)
    area.set_picture("c1", rgb)
    area.set_active("c1")
    area.set_layout(Layout.WIPE)
    area.linked.set_transform(replace(area.view, scale=scale, centre=(120.3, 99.1)))
    area.set_split(0.31)
    settled(qtbot, area)
    below = slice(45, 60)  # rows without tags and grip
    wiped = drawing(canvas(area, "c1"))[below]
    area.set_layout(Layout.SINGLE)
    settled(qtbot, area)
    whole = drawing(canvas(area, "c1"))[below]
    assert wiped.shape == whole.shape
    columns = (wiped != whole).any(axis=(0, 2))
    assert columns.sum() <= 3  # the line and its shadow


def test_new_pixels_come_at_their_best_at_once(area, qtbot):
    for key in COLOURS:
        area.set_picture(key, noise(1500, 1100))
    settled(qtbot, area)
    best = drawing(canvas(area, "c1"))
    area.set_picture("c1", noise(1500, 1100, 9))
    settled(qtbot, area)
    seen = []
    qtbot.waitUntil(lambda: not area.busy)
    area.set_picture("c1", noise(1500, 1100))

    def arrived() -> bool:
        seen.append(drawing(canvas(area, "c1")))
        return np.array_equal(seen[-1], best)

    qtbot.waitUntil(arrived)
    assert len({frame.tobytes() for frame in seen}) <= 2  # the old ones, then the best: nothing rough in between


def test_panning_a_minified_picture_only_moves_it(area, qtbot):
    for key in COLOURS:
        area.set_picture(key, noise(2000, 1500))
    settled(qtbot, area)
    area.linked.set_transform(replace(area.view, scale=0.61, centre=(1000, 750)))
    settled(qtbot, area)
    before = drawing(canvas(area, "c1"))
    area.linked.pan(-30, 20)
    after = drawing(canvas(area, "c1"))
    assert np.array_equal(after[20:, :-30], before[:-20, 30:])


def test_a_pinch_zooms_around_the_fingers(area):
    target = canvas(area, "c1")
    at = QPointF(150, 120)
    scale, texel = area.view.scale, target.texel_at(at)
    pad = QPointingDevice.primaryPointingDevice()
    pinch = QNativeGestureEvent(Qt.NativeGestureType.ZoomNativeGesture, pad, 2, at, at, at, 0.5, QPointF())
    QApplication.sendEvent(target, pinch)
    assert area.view.scale == pytest.approx(1.5 * scale)
    assert target.texel_at(at) == texel


def test_handing_over_a_big_picture_costs_the_window_nothing(area, qtbot):
    big = np.zeros((4096, 4096, 3), np.uint8)
    start = time.thread_time()
    for key in COLOURS:
        area.set_picture(key, big)
    assert time.thread_time() - start < 0.02
    settled(qtbot, area)
    assert area.view.image == (4096, 4096)


def test_a_picture_that_does_not_fit_into_memory_is_said(area, qtbot, monkeypatch):
    def no_memory(_rgb: np.ndarray) -> None:
        raise MemoryError

    monkeypatch.setattr("gui.views.rendition.build_picture", no_memory)
    with qtbot.waitSignal(area.problem) as told:
        area.set_picture("c1", noise(9, 9))
    assert told.args == ["c1", "There is not enough memory to show this picture."]
    assert middle(area, "c1") == RED


def test_every_part_has_a_name_for_screen_readers(area):
    for key, model in models().items():
        assert model.label in canvas(area, key).accessibleName()
        assert model.rate_text in canvas(area, key).accessibleDescription()


def test_a_fourth_free_place_offers_one_more_codec(qtbot):
    area = CompareArea()
    qtbot.addWidget(area)
    area.resize(900, 640)
    area.show()
    area.set_renditions(models(2))
    button = area.findChild(AddPlace)
    assert button is not None and button.isVisible()
    with qtbot.waitSignal(area.add_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    area.close_work()


def test_one_to_one_is_exact_on_a_screen_of_two_pixels_a_point():
    """In a process of its own: Qt takes the scale of the screen when it starts."""
    script = """
import sys
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from gui.views.compare import CompareArea
from gui.views.model import PaneModel
app = QApplication([])
area = CompareArea()
area.resize(300, 200)
area.show()
rgb = np.random.default_rng(3).integers(0, 256, (100, 120, 3), dtype=np.uint8)
area.set_renditions({"original": PaneModel(1, "Original")})
area.set_picture("original", rgb)
while area.busy:
    app.processEvents()
area.one_to_one()
canvas = area.visible_panes()["original"].canvas
image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
seen = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
left, top = area.view.origin(canvas.device_size())
assert canvas.device_size() == (image.width(), image.height()) and image.devicePixelRatio() == 2
assert np.array_equal(seen[top : top + 100, left : left + 120], rgb)
area.close_work()
"""
    environment = os.environ | {"QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)

"""The panels at the sides: sources, codecs with their settings, and how the sides fold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.codec import Capabilities, CodecInfo
from gui import style
from gui.panels.codecs import CodecChoice, CodecsPanel, LaneItem, LaneState, Phase
from gui.panels.sources import Badge, SourceItem, SourcesPanel
from gui.theme import DARK
from gui.widgets.combo import Combo
from gui.widgets.fold import FoldingSide
from gui.widgets.param_form import ParamForm
from gui.widgets.switch import Switch
from tests.gui.panels_kit import AVIF, JPEG, LANES, A, B, C

Key = Qt.Key


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


def _item_centre(panel: SourcesPanel, row: int) -> QPoint:
    return panel.list.visualRect(panel.list.model().index(row, 0)).center()


@pytest.fixture
def sources(qtbot: QtBot) -> SourcesPanel:
    panel = SourcesPanel()
    qtbot.addWidget(panel)
    panel.resize(220, 600)
    panel.set_items(
        [
            SourceItem("1", "rocks", "768 × 512 · 8 bit", "/pictures/rocks.png"),
            SourceItem("2", "bark", "768 × 512 · 8 bit", badges=(Badge("Display P3", "converted"),)),
            SourceItem("3", "broken.png", error="the file ends after 12 of 48 bytes"),
        ]
    )
    panel.set_current("1")
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_a_click_chooses_a_picture_once(sources: SourcesPanel, qtbot: QtBot) -> None:
    heard: list[str] = []
    sources.chosen.connect(heard.append)
    for _ in range(2):
        qtbot.mouseClick(sources.list.viewport(), Qt.MouseButton.LeftButton, pos=_item_centre(sources, 1))
    assert (heard, sources.current()) == (["2"], "2")


def test_showing_a_picture_as_current_is_silent(sources: SourcesPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(sources.chosen):
        sources.set_current("2")
        sources.set_items(sources.items()[:2])
    assert sources.current() == "2"


def test_a_picture_that_failed_cannot_be_chosen_but_says_why(sources: SourcesPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(sources.chosen):
        qtbot.mouseClick(sources.list.viewport(), Qt.MouseButton.LeftButton, pos=_item_centre(sources, 2))
    tip = sources.list.model().index(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "the file ends after 12 of 48 bytes" in tip


def test_arrow_keys_choose_and_delete_removes(sources: SourcesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sources.chosen) as chosen:
        qtbot.keyClick(sources.list, Key.Key_Down)
    with qtbot.waitSignal(sources.remove) as removed:
        qtbot.keyClick(sources.list, Key.Key_Delete)
    assert (chosen.args, removed.args) == (["2"], ["2"])


def test_the_cross_of_a_row_removes_it(sources: SourcesPanel, qtbot: QtBot) -> None:
    row = sources.list.visualRect(sources.list.model().index(2, 0))
    with qtbot.waitSignal(sources.remove) as removed, qtbot.assertNotEmitted(sources.chosen):
        qtbot.mouseClick(sources.list.viewport(), Qt.MouseButton.LeftButton, pos=row.topRight() + QPoint(-14, 16))
    assert removed.args == ["3"]


def test_the_context_menu_copies_the_path_and_reveals(sources: SourcesPanel, qtbot: QtBot) -> None:
    menu = sources.list.menu(sources.items()[0])
    actions = {action.text(): action for action in menu.actions() if action.text()}
    actions["Copy path"].trigger()
    assert QGuiApplication.clipboard().text() == "/pictures/rocks.png"
    with qtbot.waitSignal(sources.reveal) as revealed:
        actions["Show in folder"].trigger()
    assert revealed.args == ["1"]
    assert not sources.list.menu(sources.items()[1]).actions()[0].isEnabled()  # no path: nothing to reveal


def test_badges_and_errors_make_rows_higher(sources: SourcesPanel) -> None:
    heights = [sources.list.visualRect(sources.list.model().index(row, 0)).height() for row in range(3)]
    assert heights[1] > heights[0]
    assert heights[2] >= heights[0]


@pytest.mark.parametrize("kind", ["array", "image"])
def test_a_thumbnail_fills_its_frame_in_the_picture_s_colour(sources: SourcesPanel, kind: str) -> None:
    pixels = np.zeros((300, 100, 3), np.uint8)
    pixels[..., 0] = 200
    image = QImage(pixels.data, 100, 300, 300, QImage.Format.Format_RGB888)
    sources.set_thumbnail("1", pixels if kind == "array" else image)
    thumb = sources.list.model().index(0, 0).data(Qt.ItemDataRole.DecorationRole)
    assert (thumb.width(), thumb.height()) == (108, 72)
    assert thumb.toImage().pixelColor(60, 40).getRgb()[:3] == (200, 0, 0)


def test_files_dropped_on_the_card_are_reported(sources: SourcesPanel, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/a/b.png"), QUrl("https://example.org/c.png")])
    how = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(sources.card, QDragEnterEvent(QPoint(5, 5), *how))
    with qtbot.waitSignal(sources.dropped) as dropped:
        QApplication.sendEvent(sources.card, QDropEvent(QPointF(5, 5), *how))
    assert dropped.args == [["/a/b.png"]]


def test_an_empty_list_gives_its_room_to_the_invitation(sources: SourcesPanel, qtbot: QtBot) -> None:
    small = sources.card.height()
    sources.set_items([])
    qtbot.waitUntil(lambda: sources.card.height() > 2 * small)
    with qtbot.waitSignal(sources.open_requested):
        sources.card.button.click()


# ---------------------------------------------------------------- codecs


@pytest.fixture
def codecs(qtbot: QtBot) -> CodecsPanel:
    panel = CodecsPanel()
    qtbot.addWidget(panel)
    panel.resize(260, 800)
    panel.set_codecs([CodecChoice(JPEG), CodecChoice(AVIF, "Pillow was built without AVIF")])
    panel.set_lanes([LaneItem(A, JPEG), LaneItem(B, AVIF, {"speed": 6}), LaneItem(C, JPEG, visible=False)])
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_cards_say_settings_and_state(codecs: CodecsPanel) -> None:
    codecs.set_state("b", LaneState(Phase.RUNNING, progress=0.4))
    assert codecs.card("b").line.text() == "speed 6 · running"
    assert codecs.card("b").progress.isVisible()
    assert codecs.card("c").line.text() == "4:2:0 · hidden"
    codecs.set_state("b", LaneState(Phase.DONE))
    assert codecs.card("b").progress.isHidden()
    codecs.set_state("gone", LaneState(Phase.DONE))  # a late result of a removed lane


def test_a_failed_lane_says_why_until_it_works_again(codecs: CodecsPanel) -> None:
    codecs.set_state("a", LaneState(Phase.FAILED, "the encoder ran out of memory"))
    assert codecs.card("a").reason.isVisible()
    assert codecs.card("a").reason.text() == "the encoder ran out of memory"
    codecs.set_state("a", LaneState(Phase.UNREACHABLE, "JPEG cannot go below 0.106 bpp"))
    assert codecs.card("a").reason.text() == "JPEG cannot go below 0.106 bpp"
    assert codecs.card("a").reason.property("tone") == "warn"
    codecs.set_state("a", LaneState(Phase.QUEUED))
    assert codecs.card("a").reason.isHidden()


def test_a_lane_that_is_not_for_this_picture_says_so_quietly(codecs: CodecsPanel) -> None:
    codecs.set_state("a", LaneState(Phase.REFUSED, "8-bit pictures only", whole="JPEG carries 8-bit pictures only: …"))
    card = codecs.card("a")
    assert card.reason.isVisible() and card.reason.text() == "8-bit pictures only"
    assert card.reason.toolTip() == "JPEG carries 8-bit pictures only: …"
    assert (card.reason.property("tone"), card.property("tone") or "") == ("small", "")


def test_the_menu_groups_by_family_and_greys_what_cannot_run(codecs: CodecsPanel, qtbot: QtBot) -> None:
    actions = [action for action in codecs.menu().actions() if action.text()]
    assert [action.text().split("\t")[0] for action in actions] == ["JPEG", "AVIF"]
    assert [action.isEnabled() for action in actions] == [True, False]
    assert actions[1].toolTip() == "Pillow was built without AVIF"
    with qtbot.waitSignal(codecs.add) as added:
        actions[0].trigger()
    assert added.args == ["jpeg"]


def test_on_a_picture_of_light_the_menu_greys_codecs_of_8_bits(codecs: CodecsPanel) -> None:
    hdr = CodecInfo("x", "X", "dct", ".x", capabilities=Capabilities(depths=(8, 32), light="codes light"))
    codecs.set_codecs([CodecChoice(JPEG), CodecChoice(hdr)])
    codecs.set_light(True)
    actions = [action for action in codecs.menu().actions() if action.text()]
    assert [action.isEnabled() for action in actions] == [False, True]
    assert actions[0].toolTip().startswith("JPEG carries 8-bit pictures only")
    codecs.set_light(False)
    assert all(action.isEnabled() for action in codecs.menu().actions() if action.text())


def test_an_edit_in_a_form_is_reported_once_and_complete(codecs: CodecsPanel, qtbot: QtBot) -> None:
    codecs.set_expanded("a", True)
    heard: list[tuple[str, dict]] = []
    codecs.settings_changed.connect(lambda lane, settings: heard.append((lane, settings)))
    card = codecs.card("a")
    card.findChild(Switch).click()
    combo = card.findChild(Combo)
    combo.setCurrentIndex(1)
    qtbot.waitUntil(lambda: bool(heard), timeout=2000)
    assert heard == [("a", {"chroma": "4:4:4", "progressive": False})]


def test_settings_given_from_outside_are_shown_silently(codecs: CodecsPanel, qtbot: QtBot) -> None:
    codecs.set_expanded("a", True)
    with qtbot.assertNotEmitted(codecs.settings_changed, wait=250):
        codecs.set_lanes([LaneItem(A, JPEG, {"chroma": "4:4:4"})])
    assert codecs.card("a").findChild(Combo).key() == "4:4:4"
    assert codecs.card("a").expanded()


def test_the_eye_asks_to_show_or_hide_the_pane(codecs: CodecsPanel, qtbot: QtBot) -> None:
    heard: list[tuple[str, bool]] = []
    codecs.visibility_changed.connect(lambda lane, visible: heard.append((lane, visible)))
    codecs.card("a").eye.click()
    codecs.card("c").eye.click()
    assert heard == [("a", False), ("c", True)]


def test_the_keyboard_opens_moves_and_removes_a_card(codecs: CodecsPanel, qtbot: QtBot) -> None:
    card = codecs.card("a")
    qtbot.keyClick(card, Key.Key_Return)
    assert card.expanded()
    with qtbot.waitSignal(codecs.reorder) as moved:
        qtbot.keyClick(card, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    with qtbot.assertNotEmitted(codecs.reorder):  # it is the first: there is no way up
        qtbot.keyClick(card, Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    with qtbot.waitSignal(codecs.remove) as removed:
        qtbot.keyClick(card, Key.Key_Delete)
    assert (moved.args, removed.args) == ([["b", "a", "c"]], ["a"])


def test_a_card_dragged_below_the_others_becomes_the_last(codecs: CodecsPanel, qtbot: QtBot) -> None:
    card, last = codecs.card("a"), codecs.card("c")
    below = QPoint(40, last.geometry().bottom() - card.y() - 2)
    with qtbot.waitSignal(codecs.reorder) as moved, qtbot.assertNotEmitted(codecs.chosen):
        qtbot.mousePress(card, Qt.MouseButton.LeftButton, pos=QPoint(40, 10))
        qtbot.mouseMove(card, QPoint(40, 60))
        qtbot.mouseMove(card, below)
        qtbot.mouseRelease(card, Qt.MouseButton.LeftButton, pos=below)
    assert moved.args == [["b", "c", "a"]]


def test_a_click_on_a_card_chooses_the_lane(codecs: CodecsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(codecs.chosen) as chosen:
        qtbot.mouseClick(codecs.card("b"), Qt.MouseButton.LeftButton, pos=QPoint(40, 12))
    assert chosen.args == ["b"]


def test_lanes_are_reordered_and_removed_without_losing_their_cards(codecs: CodecsPanel, qtbot: QtBot) -> None:
    kept = codecs.card("b")
    codecs.set_lanes([LaneItem(B, AVIF), LaneItem(A, JPEG)])
    assert codecs.lanes() == ["b", "a"]
    assert codecs.card("b") is kept
    qtbot.waitUntil(lambda: kept.y() < codecs.card("a").y())


def test_reset_asks_for_the_defaults_without_the_rate(codecs: CodecsPanel, qtbot: QtBot) -> None:
    actions = {action.text(): action for action in codecs.card("b").menu().actions()}
    with qtbot.waitSignal(codecs.settings_changed) as changed:
        actions["Reset settings"].trigger()
    assert changed.args == ["b", {"speed": 8, "step": 1.0, "seed": 7}]


# ---------------------------------------------------------------- the form


def test_a_form_keeps_every_kind_of_value(qtbot: QtBot) -> None:
    form = ParamForm(AVIF)
    qtbot.addWidget(form)
    form.set_settings({"speed": 3, "step": 0.05, "seed": 12345, "quality": 5, "unknown": 1})
    assert form.settings() == {"speed": 3, "step": 0.05, "seed": 12345}


def test_a_logarithmic_slider_moves_in_ratios(qtbot: QtBot) -> None:
    form = ParamForm(AVIF)
    qtbot.addWidget(form)
    slider = form._editors["step"]._slider  # type: ignore[attr-defined]
    slider.setValue(500)  # the middle of 0.01 … 100
    assert form.settings()["step"] == pytest.approx(1.0, rel=0.01)
    slider.setValue(750)
    assert form.settings()["step"] == pytest.approx(10.0, rel=0.01)


def test_the_rate_knob_is_shown_but_belongs_to_the_rate_lock(qtbot: QtBot) -> None:
    form = ParamForm(AVIF)
    qtbot.addWidget(form)
    form.set_rate_value(34)
    assert form._rate is not None and form._rate.text() == "34 · set by the rate lock"
    assert "quality" not in form.settings()


# ---------------------------------------------------------------- folding


@pytest.fixture
def side(qtbot: QtBot) -> Iterator[FoldingSide]:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    fold = FoldingSide(Qt.Edge.LeftEdge, "Left", 200)
    panel = SourcesPanel()
    fold.add("sources", "Sources", panel, 1)
    fold.set_marks(LANES)
    row.addWidget(fold)
    row.addWidget(QWidget(), 1)
    window.resize(900, 500)
    window.show()
    qtbot.waitExposed(window)
    yield fold


def test_a_narrow_window_folds_the_side_and_a_wide_one_opens_it(side: FoldingSide) -> None:
    side.fold_for(1280)
    assert side.folded() and side.maximumWidth() == 40
    side.fold_for(1600)
    assert not side.folded() and side.maximumWidth() == 200


def test_a_choice_made_by_hand_stays_while_the_window_stays_narrow(side: FoldingSide) -> None:
    side.fold_for(1200)
    side.set_folded(False)
    side.fold_for(1180)
    assert not side.folded()


def test_the_icon_of_a_folded_side_opens_its_panel_over_the_pictures(side: FoldingSide, qtbot: QtBot) -> None:
    side.set_folded(True)
    qtbot.waitUntil(lambda: side.width() <= 41)
    panel, button = side._entries[0].panel, side._entries[0].button
    button.click()
    assert side.sheet_open() and panel.isVisible()
    assert panel.geometry().left() > side.geometry().right()
    assert side.width() <= 41  # the pictures keep their room
    side.close_sheet()
    assert not panel.isVisible()
    side.set_folded(False)
    assert panel.isVisible()


def test_escape_puts_an_open_sheet_away_before_the_window_hears_of_it(side: FoldingSide, qtbot: QtBot) -> None:
    window = side.window()
    heard: list[bool] = []
    QShortcut(QKeySequence("Esc"), window, lambda: heard.append(True))
    side.set_folded(True)
    side._entries[0].button.click()
    window.activateWindow()
    panel = side._entries[0].panel
    assert isinstance(panel, SourcesPanel)
    panel.card.button.setFocus()
    qtbot.waitUntil(panel.card.button.hasFocus)
    QTest.keyClick(window.windowHandle(), Key.Key_Escape)
    assert not side.sheet_open() and heard == []
    QTest.keyClick(window.windowHandle(), Key.Key_Escape)
    assert heard == [True]

"""Verdict, status bar, top bar, toasts and the command palette, and that everything can be reached and read."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMainWindow, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.metrics import metric
from gui import style
from gui.models.lane import LaneTag
from gui.panels.codecs import CodecsPanel, LaneItem
from gui.panels.rate_lock import RateLock
from gui.panels.rd_plot import RdPlot
from gui.panels.sources import SourcesPanel
from gui.panels.status import PixelReadOut, StatusBar
from gui.panels.top_bar import TopBar
from gui.panels.verdict import BdNote, VerdictPanel, VerdictRow
from gui.theme import DARK, THEMES
from gui.widgets import toast as toast_module
from gui.widgets.palette import CommandPalette, fuzzy
from gui.widgets.toast import Level, Toasts
from tests.gui.panels_kit import AVIF, FLIP, JPEG, LANES, PSNR, A, B

Key = Qt.Key


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


# ---------------------------------------------------------------- verdict


@pytest.fixture
def verdict(qtbot: QtBot) -> VerdictPanel:
    panel = VerdictPanel()
    qtbot.addWidget(panel)
    panel.resize(480, 280)
    panel.set_metrics([PSNR, FLIP], "psnr")
    panel.set_lanes(LANES, "a")
    panel.set_rows(
        [
            VerdictRow(A, scores={"psnr": 26.4, "flip": 0.09}, size=11_650, equal_size=11_650),
            VerdictRow(B, -31.6, "", {"psnr": 28.4, "flip": 0.12}, 12_000, 8_000),
        ]
    )
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_the_best_row_comes_first_and_a_click_chooses_it(verdict: VerdictPanel, qtbot: QtBot) -> None:
    where = verdict.table.visualRect(verdict.model.index(0, 0)).center()
    with qtbot.waitSignal(verdict.chosen) as chosen:
        qtbot.mouseClick(verdict.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert chosen.args == ["b"]


def test_the_anchor_is_chosen_in_the_heading(verdict: VerdictPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(verdict.anchor_changed) as changed:
        verdict.anchor_combo.setCurrentIndex(1)
    assert changed.args == ["b"]
    assert verdict.model.lines()[1][:2] == ["AVIF", "—"]
    with qtbot.assertNotEmitted(verdict.anchor_changed):
        verdict.set_lanes(LANES, "a")


def test_the_order_is_chosen_and_reported(verdict: VerdictPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(verdict.order_changed) as changed:
        verdict.order_combo.setCurrentIndex(1)
    assert changed.args == ["smallest"]
    with qtbot.assertNotEmitted(verdict.order_changed):
        verdict.set_order("best")


def test_disagreeing_metrics_are_said_and_shown_on_request(verdict: VerdictPanel, qtbot: QtBot) -> None:
    assert verdict.card.isVisible()
    with qtbot.waitSignal(verdict.disagreement_chosen) as shown:
        verdict.card.findChild(QPushButton).click()
    assert shown.args[0].sentence() == "PSNR prefers AVIF to JPEG, FLIP the reverse"
    verdict.set_rows([VerdictRow(A, scores={"psnr": 26.4, "flip": 0.09})])
    assert verdict.card.isHidden()


def test_the_whole_table_is_copied(verdict: VerdictPanel) -> None:
    tabs, markdown = verdict.copy_button.menu().actions()
    tabs.trigger()
    assert QGuiApplication.clipboard().text().splitlines()[1] == "AVIF\t−31.6 %\t28.40\t11.7 KB\t—\t—"
    markdown.trigger()
    assert QGuiApplication.clipboard().text().startswith("| codec | BD-rate |")


@pytest.mark.parametrize("width", [320, 400, 470, 800])
def test_the_names_of_the_codecs_have_their_room_first(qtbot: QtBot, width: int) -> None:
    panel = VerdictPanel()
    qtbot.addWidget(panel)
    panel.resize(width, 280)
    panel.set_metrics([metric("log2_psnr").info], "log2_psnr")
    wide = LaneTag("w", "Hyperprior", A.look)
    panel.set_lanes([wide], "")
    panel.set_rows([VerdictRow(wide, -41.6, "", {"log2_psnr": 54.95}, 12_239, 6_900, 0.271, 0.043, True)])
    panel.show()
    qtbot.waitExposed(panel)
    table = panel.table
    assert table.columnWidth(0) >= table.sizeHintForColumn(0) and table.horizontalHeader().length() <= table.width()
    heads = [panel.model.headerData(i, Qt.Orientation.Horizontal) for i in range(6) if not table.isColumnHidden(i)]
    whole = ["codec", "BD-rate", "log2-PSNR, dB", "size", "encode", "decode"]
    assert heads == whole if width == 800 else heads != whole
    assert len(heads) < len(whole) or width > 320
    assert panel.model.lines()[0] == whole


def test_the_note_says_method_and_overlap() -> None:
    assert BdNote("PCHIP", PSNR, 28.14, 36.4).text() == "BD-rate, PCHIP, overlap 28.1–36.4 dB"
    assert BdNote("Akima", FLIP, 0.05, 0.12).text() == "BD-rate, Akima, overlap 0.0500–0.1200"
    assert BdNote().text() == "BD-rate, PCHIP"


# ---------------------------------------------------------------- status bar


def test_differences_of_unsigned_values_do_not_wrap_around(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    original, decoded = np.array([87, 58, 44], np.uint8), np.array([75, 58, 47], np.uint8)
    bar.set_pixel(PixelReadOut(330, 300, original, ("JPEG", decoded)))
    assert bar.text().startswith("x 330  y 300  original 87 58 44  JPEG 75 58 47  Δ −12 0 +3")
    bar.set_pixel(None)
    assert "original" not in bar.text()


@pytest.mark.parametrize(
    ("original", "decoded", "said"),
    [
        (
            (0.5, 0.5, 0.5),
            (1.0, 0.5, 0.25),
            "original 0.5 0.5 0.5  (−1.00 stops)  JXL 1 0.5 0.25  Δ +1.00 0 −1.00 stops",
        ),
        ((2.0,), (4.0,), "original 2  (+1.00 stops)  JXL 4  Δ +1.00 stops"),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "original 0 0 0  (no light)  JXL 0 0 0  Δ 0 0 0 stops"),
        ((-1.0, 0.0, 0.0), (math.nan, 0.0, 0.0), "original −1 0 0  (no light)  JXL nan 0 0  Δ not finite"),
        ((0.5, 0.5, 0.5), (188, 188, 188), "original 0.5 0.5 0.5  (−1.00 stops)  JXL 188 188 188"),
    ],
)
def test_light_is_read_out_with_its_stops(qtbot: QtBot, original: tuple, decoded: tuple, said: str) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.set_pixel(PixelReadOut(1, 2, original, ("JXL", decoded)))
    assert bar.text() == f"x 1  y 2  {said}  ready"


def test_work_in_hand_can_be_cancelled_and_idleness_is_quiet(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.set_jobs(1, 2, "AVIF", 0.43)
    assert "1 running · 2 queued" in bar.text() and "AVIF 43 %" in bar.text()
    with qtbot.waitSignal(bar.cancel_requested):
        bar.cancel.click()
    bar.set_jobs(0, 0)
    assert bar.text() == "ready" and bar.cancel.isHidden()


# ---------------------------------------------------------------- top bar


@pytest.fixture
def top(qtbot: QtBot) -> TopBar:
    bar = TopBar()
    qtbot.addWidget(bar)
    bar.resize(1600, 40)
    bar.set_map_metrics([("flip", "FLIP map"), ("ssim", "SSIM map")], "flip")
    bar.show()
    qtbot.waitExposed(bar)
    return bar


def test_layouts_and_views_are_chosen_by_mouse_and_keys(top: TopBar, qtbot: QtBot) -> None:
    with qtbot.waitSignal(top.layout_changed) as layout:
        top.layouts.button("grid").click()
    with qtbot.waitSignal(top.view_changed) as view:
        qtbot.keyClick(top.views.button("picture"), Key.Key_Right)
    assert (layout.args, view.args) == (["grid"], ["error"])
    assert top.map_metric.isVisible()
    with qtbot.assertNotEmitted(top.layout_changed), qtbot.assertNotEmitted(top.view_changed):
        top.set_layout("wipe")
        top.set_view("picture")
    assert top.map_metric.isHidden()


def test_views_of_bits_are_disabled_with_the_reason(top: TopBar, qtbot: QtBot) -> None:
    assert not top.views.button("bits").isEnabled()
    assert "No codec" in top.views.button("bits").toolTip()
    top.set_view("error")
    with qtbot.waitSignal(top.view_changed) as view:  # arrows pass over what is disabled
        qtbot.keyClick(top.views.button("error"), Key.Key_Right)
    assert view.args == ["picture"]
    top.set_bits_available(True)
    assert top.views.button("bits").isEnabled() and "No codec" not in top.views.button("bits").toolTip()


def test_zoom_is_shown_and_chosen(top: TopBar, qtbot: QtBot) -> None:
    top.set_zoom(1.25)
    assert top.zoom.text() == "125 %"
    with qtbot.waitSignal(top.zoom_chosen) as chosen:
        top.zoom.menu().actions()[0].trigger()
    assert chosen.args == [0.0]


def test_a_narrow_bar_keeps_its_icons_and_drops_its_words(top: TopBar) -> None:
    wide = top.layouts.width()
    top.resize(900, 40)
    QApplication.processEvents()
    assert top.layouts.sizeHint().width() < wide / 2
    assert top.search.geometry().right() <= 900


# ---------------------------------------------------------------- toasts


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    main = QMainWindow()
    qtbot.addWidget(main)
    main.resize(1000, 700)
    main.show()
    qtbot.waitExposed(main)
    return main


def test_messages_stack_without_overlap_inside_the_window(window: QMainWindow) -> None:
    toasts = Toasts(window)
    for level in Level:
        toasts.show(f"a {level} that is long enough to take more than a single line of the message", level)
    rects = [toast.geometry() for toast in toasts.shown()]
    assert len(rects) == 3
    assert all(window.rect().contains(rect) for rect in rects)
    assert not any(a.intersects(b) for k, a in enumerate(rects) for b in rects[k + 1 :])


def test_notes_go_by_themselves_and_errors_stay(
    window: QMainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toast_module, "TIMEOUT_MS", 30)
    toasts = Toasts(window)
    error = toasts.show("broken.png: not a picture", Level.ERROR)
    toasts.show("Saved")
    qtbot.waitUntil(lambda: toasts.shown() == [error])
    qtbot.wait(60)
    assert toasts.shown() == [error]
    error.close_button.click()
    assert toasts.shown() == []


def test_the_same_message_is_not_stacked_twice(window: QMainWindow) -> None:
    toasts = Toasts(window)
    toasts.show("disk full", Level.ERROR)
    toasts.show("disk full", Level.ERROR)
    assert len(toasts.shown()) == 1


def test_details_unfold_and_make_room(window: QMainWindow) -> None:
    toasts = Toasts(window)
    toast = toasts.show("broken.png", Level.ERROR, "line one\nline two\nline three\nline four")
    before = toast.height()
    buttons = {button.text(): button for button in toast.findChildren(QPushButton)}
    buttons["Details"].click()
    assert toast.height() > before and window.rect().contains(toast.geometry())
    buttons["Copy"].click()
    assert "line three" in QGuiApplication.clipboard().text()


def test_a_message_may_offer_an_action(window: QMainWindow) -> None:
    done: list[bool] = []
    toast = Toasts(window).show("Saved", action=("Show", lambda: done.append(True)))
    next(button for button in toast.findChildren(QPushButton) if button.text() == "Show").click()
    assert done == [True]


# ---------------------------------------------------------------- command palette


def test_letters_match_in_order_and_word_starts_count_most() -> None:
    assert fuzzy("xyz", "Save file") is None
    assert fuzzy("sf", "Save file") == (pytest.approx(6 - 0.02 * 4 - 0.005 * 9), (0, 5))
    assert fuzzy("", "Save file") is not None
    save, fast = fuzzy("sf", "Save file"), fuzzy("sf", "Use fast sampling of fields")
    assert save is not None and fast is not None and save[0] > fast[0]


@pytest.fixture
def palette(window: QMainWindow) -> tuple[CommandPalette, list[str]]:
    done: list[str] = []
    actions = []
    for text, keys in (("Open pictures…", "Ctrl+O"), ("Save file…", "Ctrl+S"), ("Show &error map", "E"), ("Grid", "")):
        action = QAction(text, window)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _on=False, text=text: done.append(text))
        actions.append(action)
    actions[1].setEnabled(False)
    found = CommandPalette(window)
    found.open_with(actions)
    return found, done


def test_typing_and_enter_run_the_best_action(palette: tuple[CommandPalette, list[str]], qtbot: QtBot) -> None:
    box, done = palette
    assert box.titles() == ["Open pictures", "Save file", "Show error map", "Grid"]
    qtbot.keyClicks(box.field, "ermap")
    assert box.titles() == ["Show error map"]
    qtbot.keyClick(box.field, Key.Key_Return)
    assert done == ["Show &error map"] and box.isHidden()


def test_disabled_actions_are_shown_but_skipped(palette: tuple[CommandPalette, list[str]], qtbot: QtBot) -> None:
    box, done = palette
    qtbot.keyClick(box.field, Key.Key_Down)
    qtbot.keyClick(box.field, Key.Key_Return)
    assert done == ["Show &error map"]


def test_escape_closes_the_palette_and_nothing_runs(palette: tuple[CommandPalette, list[str]], qtbot: QtBot) -> None:
    box, done = palette
    qtbot.keyClick(box.field, Key.Key_Escape)
    assert box.isHidden() and done == []


def test_escape_in_the_palette_comes_before_the_window_s_shortcut(
    window: QMainWindow, palette: tuple[CommandPalette, list[str]], qtbot: QtBot
) -> None:
    cancelled: list[bool] = []
    cancel = QAction("Cancel", window)
    cancel.setShortcut(QKeySequence("Esc"))
    cancel.triggered.connect(lambda: cancelled.append(True))
    window.addAction(cancel)
    box, _done = palette
    window.activateWindow()
    qtbot.waitUntil(box.field.hasFocus)
    QTest.keyClick(window.windowHandle(), Key.Key_Escape)  # through the window, as real keys come
    assert box.isHidden() and cancelled == []
    QTest.keyClick(window.windowHandle(), Key.Key_Escape)
    assert cancelled == [True]


# ---------------------------------------------------------------- all of them


def _all_panels() -> list[QWidget]:
    codecs = CodecsPanel()
    codecs.set_lanes([LaneItem(A, JPEG), LaneItem(B, AVIF)])
    codecs.set_expanded("a", True)
    codecs.set_expanded("b", True)
    return [SourcesPanel(), codecs, RateLock(), RdPlot(), VerdictPanel(), StatusBar(), TopBar()]


def test_every_control_has_a_name_for_screen_readers(qtbot: QtBot) -> None:
    for panel in _all_panels():
        qtbot.addWidget(panel)
        controls = [
            *panel.findChildren(QAbstractButton),
            *panel.findChildren(QComboBox),
            *panel.findChildren(QLineEdit),
        ]
        inner = (control for control in controls if not control.objectName().startswith("qt_"))
        nameless = [c for c in inner if not c.accessibleName() and not getattr(c, "text", str)()]
        assert nameless == [], type(panel).__name__


def test_every_button_can_be_reached_by_the_keyboard(qtbot: QtBot) -> None:
    for panel in _all_panels():
        qtbot.addWidget(panel)
        unreachable = [
            button.accessibleName() or button.text()
            for button in panel.findChildren(QAbstractButton)
            if not button.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not button.isCheckable()  # of a segmented row the chosen one alone is a tab stop
            and button.metaObject().className() != "QTableCornerButton"  # part of Qt's table, and hidden
        ]
        assert unreachable == [], type(panel).__name__


def test_both_themes_paint_every_panel(qtbot: QtBot, qapp: QApplication) -> None:
    panels = _all_panels()
    for panel in panels:
        qtbot.addWidget(panel)
        panel.resize(400, 300)
        panel.show()
    for theme in THEMES.values():
        style.apply(qapp, theme)
        grounds = {panel.grab().toImage().pixelColor(panel.width() // 2, 3).name() for panel in panels}
        assert grounds <= {theme.panel, theme.window, theme.raised}

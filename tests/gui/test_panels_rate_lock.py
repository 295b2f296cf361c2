"""The rate lock: one target, typed, dragged or stepped, and what each lane made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.trial import TargetKind
from gui import style
from gui.panels.rate_lock import Achieved, RateLock
from gui.theme import DARK
from gui.widgets.rate_slider import RateSlider
from tests.gui.panels_kit import LANES, B

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def lock(qtbot: QtBot) -> RateLock:
    bar = RateLock()
    qtbot.addWidget(bar)
    bar.resize(1000, 48)
    bar.set_lanes(LANES)
    bar.set_target("bpp", 0.25)
    bar.show()
    qtbot.waitExposed(bar)
    return bar


def test_a_target_given_from_outside_is_shown_silently(lock: RateLock, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(lock.target_changed, wait=250):
        lock.set_target(TargetKind.PSNR, 34.5)
    assert lock.target() == ("psnr", 34.5)
    assert (lock.field.text(), lock.unit.text(), lock.kind.key()) == ("34.50", "dB", "psnr")


def test_a_burst_of_moves_is_reported_once(lock: RateLock, qtbot: QtBot) -> None:
    heard: list[float] = []
    lock.target_changed.connect(lambda _kind, value: heard.append(value))
    for _ in range(5):
        qtbot.keyClick(lock.slider, Key.Key_Right)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [pytest.approx(0.25 * 1.02**5)]


def test_arrow_keys_step_finely_and_with_shift_coarsely(lock: RateLock, qtbot: QtBot) -> None:
    qtbot.keyClick(lock.slider, Key.Key_Left)
    assert lock.target()[1] == pytest.approx(0.25 / 1.02)
    qtbot.keyClick(lock.slider, Key.Key_Up, SHIFT)
    assert lock.target()[1] == pytest.approx(0.25 / 1.02 * 1.25)
    lock.set_target("psnr", 30)
    qtbot.keyClick(lock.slider, Key.Key_Right)
    assert lock.target()[1] == pytest.approx(30.1)


def test_arrow_keys_in_the_field_step_too(lock: RateLock, qtbot: QtBot) -> None:
    qtbot.keyClick(lock.field, Key.Key_Up)
    assert lock.field.text() == "0.255"


def test_a_drag_shows_at_once_and_reports_on_release(lock: RateLock, qtbot: QtBot) -> None:
    slider = lock.slider
    heard: list[float] = []
    lock.target_changed.connect(lambda _kind, value: heard.append(value))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, 13))
    assert float(lock.field.text()) == pytest.approx(math.sqrt(0.02 * 8), rel=0.02)
    assert heard == []
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)
    assert heard == [lock.target()[1]]


def test_a_typed_value_moves_the_lock(lock: RateLock, qtbot: QtBot) -> None:
    lock.field.selectAll()
    qtbot.keyClicks(lock.field, "1,5 bpp")
    with qtbot.waitSignal(lock.target_changed) as changed:
        qtbot.keyClick(lock.field, Key.Key_Return)
    assert changed.args == ["bpp", 1.5]
    assert lock.field.text() == "1.50"


@pytest.mark.parametrize("typed", ["much", "-3", "35 dB", ""])
def test_what_makes_no_sense_is_put_back(lock: RateLock, qtbot: QtBot, typed: str) -> None:
    lock.field.setText(typed)
    with qtbot.assertNotEmitted(lock.target_changed):
        qtbot.keyClick(lock.field, Key.Key_Return)
    assert lock.field.text() == "0.250"


def test_a_value_beyond_the_slider_widens_it(lock: RateLock) -> None:
    lock.set_target("bpp", 24.0)
    assert lock.target() == ("bpp", 24.0)


def test_a_change_of_kind_keeps_the_operating_point(lock: RateLock, qtbot: QtBot) -> None:
    lock.set_equivalents({TargetKind.BYTES: 12_288.0, TargetKind.PSNR: 27.4})
    with qtbot.waitSignal(lock.target_changed) as changed:
        lock.kind.setCurrentIndex(lock.kind.findData("bytes"))
    assert changed.args == ["bytes", 12_288.0]
    assert lock.field.text() == "12.00"
    with qtbot.waitSignal(lock.target_changed) as changed:
        lock.kind.setCurrentIndex(lock.kind.findData("psnr"))
    assert changed.args == ["psnr", 27.4]


def test_sizes_follow_the_rate_while_it_moves(lock: RateLock, qtbot: QtBot) -> None:
    lock.set_equivalents({TargetKind.BYTES: 10_000.0, TargetKind.PSNR: 27.4})
    lock.step(10)
    with qtbot.waitSignal(lock.target_changed) as changed:
        lock.kind.setCurrentIndex(lock.kind.findData("bytes"))
    assert changed.args == ["bytes", pytest.approx(10_000 * 1.02**10)]


def test_chips_show_what_was_achieved_in_the_target_s_unit(lock: RateLock) -> None:
    lock.set_achieved("b", Achieved(0.2604, reached=False, note="AVIF spends at least 0.26 bpp"))
    lock.set_achieved("a", Achieved(0.237))
    chips = lock.chips.chips()
    assert [(c.lane.id, c.text, c.reached) for c in chips] == [("a", "0.237", True), ("b", "0.260", False)]
    assert chips[1].tip == "AVIF spends at least 0.26 bpp"
    lock.set_achieved("b", None)
    assert len(lock.chips.chips()) == 1


def test_figures_of_the_old_unit_go_with_the_kind(lock: RateLock) -> None:
    lock.set_achieved("a", Achieved(0.237))
    lock.kind.setCurrentIndex(lock.kind.findData("psnr"))
    assert lock.chips.chips() == []


def test_chips_without_room_are_counted(lock: RateLock) -> None:
    for lane in LANES:
        lock.set_achieved(lane.id, Achieved(0.25))
    lock.chips.resize(150, 26)
    placed, rest = lock.chips.layout_chips()
    assert len(placed) + len(rest) == 3 and rest
    assert placed[0][0].left() >= 0


def test_stretches_out_of_reach_are_known_by_lane(lock: RateLock) -> None:
    lock.set_unreachable([("b", 0.0, 0.26), ("gone", 0, 9)])
    assert [s.lane for s in lock.slider.stretches_at(0.2)] == [B]
    assert lock.slider.stretches_at(0.3) == []


def test_hatching_is_painted_over_the_stretch_alone(lock: RateLock) -> None:
    before = lock.slider.grab().toImage()
    lock.set_unreachable([("b", 0.0, 0.1)])
    after = lock.slider.grab().toImage()
    width = before.width()
    changed = [x for x in range(width) for y in range(before.height()) if before.pixel(x, y) != after.pixel(x, y)]
    assert changed and max(changed) <= lock.slider.share(0.1) * (width - 18) + 11


@pytest.mark.parametrize("log", [True, False])
def test_a_slider_s_shares_and_values_are_inverse(qtbot: QtBot, log: bool) -> None:
    slider = RateSlider()
    qtbot.addWidget(slider)
    slider.set_scale(2, 50, log=log, fine=1.02, coarse=1.25, unit="")
    assert [slider.share(v) for v in (1, 2, 50, 99)] == [0, 0, 1, 1]
    for share in (0.1, 0.5, 0.9):
        assert slider.share(slider.at(share)) == pytest.approx(share)


def test_home_and_end_go_to_the_ends(lock: RateLock, qtbot: QtBot) -> None:
    qtbot.keyClick(lock.slider, Key.Key_End)
    assert lock.target()[1] == 8
    qtbot.keyClick(lock.slider, Key.Key_Home)
    assert lock.target()[1] == pytest.approx(0.02)


def test_a_target_in_db_is_called_by_its_metric(lock: RateLock) -> None:
    lock.set_quality("log2-PSNR", 20.0, 70.0)
    assert lock.kind.itemText(lock.kind.findData("psnr")) == "log2-PSNR"
    lock.set_target(TargetKind.PSNR, 64.0)
    assert lock.target() == ("psnr", 64.0)
    assert lock.kind.width() >= lock.kind.sizeHint().width()

"""The strip of exposure and tone: what moves it, what it says, what brings it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.tone import EXPOSURE_LIMIT, NEUTRAL, Tone
from gui import style
from gui.panels.tone_strip import ToneStrip
from gui.theme import DARK

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def strip(qtbot: QtBot) -> ToneStrip:
    made = ToneStrip()
    qtbot.addWidget(made)
    made.resize(900, 40)
    made.set_auto(-1.3)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def heard(strip: ToneStrip) -> list[tuple[Tone, bool]]:
    told: list[tuple[Tone, bool]] = []
    strip.tone_changed.connect(lambda tone, moving: told.append((tone, moving)))
    return told


def test_a_tone_given_from_outside_is_shown_silently(strip: ToneStrip, heard: list) -> None:
    tone = Tone(2.5, -0.01, 1.2, "filmic")
    strip.set_tone(tone)
    assert (strip.exposure.text(), strip.offset.text(), strip.gamma.text()) == ("+2.50", "−0.01", "1.20")
    assert (strip.slider.value_now(), strip.curve.currentText()) == (2.5, "Filmic")
    assert (strip.tone, heard) == (tone, [])


def test_a_drag_is_told_as_it_moves_and_once_when_it_rests(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    middle = strip.slider.rect().center()
    qtbot.mousePress(strip.slider, LEFT, pos=middle + QPoint(20, 0))
    qtbot.mouseMove(strip.slider, middle + QPoint(60, 0))
    qtbot.mouseRelease(strip.slider, LEFT, pos=middle + QPoint(60, 0))
    assert [moving for _, moving in heard] == [True, True, False]
    assert 0 < heard[0][0].exposure < heard[1][0].exposure == heard[2][0].exposure
    assert strip.exposure.value() == heard[2][0].exposure


def test_steps_come_to_rest_by_themselves(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    for _ in range(3):
        qtbot.keyClick(strip.slider, Key.Key_Right)
    qtbot.keyClick(strip.slider, Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: not heard[-1][1])
    assert heard[-1][0].exposure == pytest.approx(-0.7)
    assert [moving for _, moving in heard] == [True] * 4 + [False]


def test_a_double_click_on_the_slider_brings_exposure_back_to_0(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    strip.set_tone(Tone(exposure=4, offset=0.1))
    qtbot.mouseDClick(strip.slider, LEFT, pos=strip.slider.rect().center() + QPoint(90, 0))
    qtbot.waitUntil(lambda: bool(heard) and not heard[-1][1])
    assert heard[-1][0] == Tone(exposure=0, offset=0.1)


def test_a_double_click_on_a_name_brings_its_figure_back(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    strip.set_tone(Tone(1, 0.2, 2))
    for figure, want in ((strip.gamma, Tone(1, 0.2)), (strip.offset, Tone(1)), (strip.exposure, NEUTRAL)):
        qtbot.mouseDClick(figure.name, LEFT)
        assert heard[-1] == (want, False)


def test_typed_figures_are_taken_with_either_minus(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    strip.exposure.selectAll()
    qtbot.keyClicks(strip.exposure, "-2.5")
    qtbot.keyClick(strip.exposure, Key.Key_Return)
    strip.exposure.lineEdit().setText("−2.25")  # as pasted; QTest types ASCII only
    qtbot.keyClick(strip.exposure, Key.Key_Return)
    assert [tone.exposure for tone, _ in heard] == [-2.5, -2.25]
    assert strip.slider.value_now() == -2.25


def test_auto_sets_the_exposure_it_names_and_is_lit_while_it_holds(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    assert "−1.3 stops" in strip.auto.toolTip()
    assert not strip.auto.isChecked()
    qtbot.mouseClick(strip.auto, LEFT)
    assert heard == [(Tone(exposure=-1.3), False)]
    assert strip.auto.isChecked()
    strip.step(1)
    assert not strip.auto.isChecked()


def test_the_reset_button_brings_everything_back(strip: ToneStrip, heard: list, qtbot: QtBot) -> None:
    strip.set_tone(Tone(1, 0.2, 2, "aces"))
    qtbot.mouseClick(strip.reset, LEFT)
    assert heard == [(NEUTRAL, False)]


def test_curves_follow_one_another(strip: ToneStrip, heard: list) -> None:
    for _ in range(4):
        strip.next_curve()
    assert [tone.curve for tone, _ in heard] == ["reinhard", "aces", "filmic", "clip"]


def test_the_range_of_the_slider_reaches_what_is_set_and_ends_at_the_limit(strip: ToneStrip, heard: list) -> None:
    strip.set_tone(Tone(exposure=-12))
    assert strip.slider.value_now() == -12
    for _ in range(6):
        strip.step(-1, coarse=True)
    assert heard[-1][0].exposure == -EXPOSURE_LIMIT


def test_the_look_is_told_and_reset_with_the_tone(strip: ToneStrip, heard: list) -> None:
    strip.look.setCurrentIndex(1)
    assert heard == [(Tone(look="zebra"), False)]
    strip.choose_neutral()
    assert strip.look.key() == "picture" and heard[-1] == (NEUTRAL, False)

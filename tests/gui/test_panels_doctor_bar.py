"""The doctor's bar: what it offers, what its buttons tell, how a fix is taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.doctor import Finding
from gui import style
from gui.panels.doctor_bar import DoctorBar, rows
from gui.theme import DARK, LIGHT

NAN = Finding("nan", 1, (5, 3), "1 texel not a number (NaN)", "Taken as 0.", "fill")
EMPTY = Finding("empty", 9, (0, 0), "9 texels of empty gutter", "Black beside the charts.", "fill")
BELOW = Finding("negative", 3, (8, 7), "3 texels below 0", "Down to −0.25.", "raise")
CLOSE = Finding("padding", 1, (0, 0), "1 texel between charts", "Less than a block.")


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def bar(qtbot: QtBot) -> DoctorBar:
    made = DoctorBar()
    qtbot.addWidget(made)
    made.resize(900, 80)
    made.show()
    return made


def test_findings_of_one_fix_share_a_row_and_what_no_fix_helps_has_none() -> None:
    got = rows([NAN, BELOW, EMPTY, CLOSE], [])
    assert [(row.fix, row.made) for row in got] == [("raise", False), ("fill", False)]
    assert got[1].what == f"{NAN.title}, {EMPTY.title}"
    assert rows([CLOSE], []) == []


def test_a_fix_that_is_made_stays_and_says_so_even_when_its_finding_is_gone() -> None:
    (below,) = rows([BELOW], ["raise"])
    assert below.made and below.words == "raised to 0"
    (gone,) = rows([], ["raise"])
    assert gone.made and gone.what == "Raise to 0"


def test_a_button_makes_its_fix_and_keeps_the_others(bar: DoctorBar, qtbot: QtBot) -> None:
    told: list[tuple[str, ...]] = []
    bar.fixes_changed.connect(told.append)
    bar.set_rows(rows([NAN, BELOW], []))
    assert [bar.buttons[name].text() for name in ("raise", "fill")] == ["Raise to 0", "Fill from neighbours"]
    qtbot.mouseClick(bar.buttons["fill"], Qt.MouseButton.LeftButton)
    bar.set_rows(rows([NAN, BELOW], told[-1]))
    qtbot.mouseClick(bar.buttons["raise"], Qt.MouseButton.LeftButton)
    bar.set_rows(rows([NAN, BELOW], told[-1]))
    assert bar.buttons["fill"].text() == bar.buttons["raise"].text() == "Undo"
    qtbot.mouseClick(bar.buttons["fill"], Qt.MouseButton.LeftButton)
    assert told == [("fill",), ("raise", "fill"), ("raise",)]


def test_it_can_be_closed_and_changes_its_theme(bar: DoctorBar, qtbot: QtBot, qapp: QApplication) -> None:
    bar.set_rows(rows([BELOW], []))
    before = bar.grab().toImage().pixelColor(2, 2)
    style.apply(qapp, LIGHT)
    assert bar.grab().toImage().pixelColor(2, 2) != before
    with qtbot.waitSignal(bar.dismissed):
        qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)

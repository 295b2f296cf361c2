"""The strip of the lit views: what its controls tell, and what they show without telling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.lit.look import Lit
from gui import style
from gui.panels.lit_strip import LitStrip
from gui.theme import DARK
from gui.widgets.combo import Combo


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> Iterator[None]:
    style.apply(qapp, DARK)
    yield


@pytest.fixture
def strip(qtbot: QtBot) -> LitStrip:
    made = LitStrip()
    qtbot.addWidget(made)
    made.resize(1000, 40)
    made.show()
    return made


def choose(combo: Combo, key: str) -> None:
    """As a person does: from the list."""
    index = combo.findData(key)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def test_every_choice_is_told_with_the_others_as_they_are(strip: LitStrip) -> None:
    told: list[Lit] = []
    strip.look_changed.connect(told.append)
    choose(strip.mips, "2")
    choose(strip.density, "4.0")
    choose(strip.albedo, "checker")
    choose(strip.filter, "bicubic")
    assert told[-1] == Lit("bicubic", "2", 4.0, "checker")
    assert len(told) == 4


def test_a_look_is_shown_without_telling_and_bicubic_has_no_mipmaps(strip: LitStrip, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(strip.look_changed):
        strip.set_look(Lit("bicubic", "auto", 0.25, "image"), "bricks.png")
    assert strip.albedo.currentText() == "bricks.png" and strip.density.currentText() == "¼ px"
    assert not strip.mips.isEnabled()
    strip.set_look(Lit())
    assert strip.mips.isEnabled() and strip.albedo.currentText() == "Material"


def test_a_picture_and_a_mesh_are_asked_for(strip: LitStrip, qtbot: QtBot) -> None:
    strip.set_mesh("room.glb")
    with qtbot.waitSignal(strip.picture_wanted), qtbot.assertNotEmitted(strip.look_changed):
        choose(strip.albedo, "image")
    with qtbot.waitSignal(strip.mesh_wanted):
        choose(strip.mesh, "open")
    assert strip.mesh.currentText() == "room.glb"  # until another one is there


def test_density_is_for_flat_maps_and_a_mesh_for_the_scene(strip: LitStrip) -> None:
    assert strip.density.isVisible() and not strip.mesh.isVisible()
    strip.set_scene(True)
    assert strip.mesh.isVisible() and not strip.density.isVisible()


def test_picture_or_error_is_one_click(strip: LitStrip, qtbot: QtBot) -> None:
    with qtbot.waitSignal(strip.errors_changed) as told:
        qtbot.mouseClick(strip.shown.button("error"), Qt.MouseButton.LeftButton)
    assert told.args == [True]
    with qtbot.assertNotEmitted(strip.errors_changed):
        strip.set_errors(False)
    assert strip.shown.key() == "picture"
